//! The lines that were saved, each with all that was chosen for it: to be used, or deleted.

use streamgram_protocol::{Target, printable};
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::draft::Draft;
use super::stored_lines::{self, NAME_CHARS, SavedLine};
use crate::browser::composing::composes;
use crate::i18n::language::{Language, use_language};
use crate::session::notice::Notice;

#[derive(Properties, PartialEq)]
pub(crate) struct SavedLinesProps {
    pub(crate) draft: Draft,
    pub(crate) on_use: Callback<Draft>,
}

/// A name to save the present line under, and what is saved.
#[component]
pub(crate) fn SavedLines(SavedLinesProps { draft, on_use }: &SavedLinesProps) -> Html {
    let language = use_language();
    let lines = use_state(stored_lines::saved);
    let notice = use_state(|| None::<Notice>);
    let name = use_node_ref();
    let save = {
        let (lines, notice, name, draft) =
            (lines.clone(), notice.clone(), name.clone(), draft.clone());
        Callback::from(move |()| {
            let Some(name) = name.cast::<HtmlInputElement>() else { return };
            match stored_lines::save(&name.value(), &draft) {
                Ok(saved) => {
                    name.set_value("");
                    lines.set(saved);
                    notice.set(None);
                }
                Err(why) => notice.set(Some(why)),
            }
        })
    };
    let onkeydown = {
        let save = save.clone();
        move |event: KeyboardEvent| {
            // It would send the line.
            if event.key() == "Enter" {
                event.prevent_default();
                if !composes(&event) {
                    save.emit(());
                }
            }
        }
    };
    let delete = {
        let (lines, notice) = (lines.clone(), notice.clone());
        Callback::from(move |line: SavedLine| {
            lines.set(stored_lines::delete(&line));
            notice.set(None);
        })
    };
    html! {
        <>
            <div class="saved-new">
                <label>{ language.saved_name() }{ " " }<input ref={name} type="text"
                    maxlength={NAME_CHARS.to_string()} autocomplete="off" {onkeydown} /></label>
                <button type="button" onclick={save.reform(|_| ())}>{ language.saved_save() }</button>
            </div>
            <p class="saved-notice" role="alert">{ notice.as_ref().map(|notice| notice.text(language)) }</p>
            if !lines.is_empty() {
                <ul class="saved" aria-label={language.saved_lines()}>
                    for line in lines.iter() {
                        { saved_line(language, line, on_use, &delete) }
                    }
                </ul>
            }
        </>
    }
}

fn saved_line(
    language: Language,
    line: &SavedLine,
    on_use: &Callback<Draft>,
    on_delete: &Callback<SavedLine>,
) -> Html {
    let SavedLine { name, draft } = line;
    let text = printable(draft.text.as_bytes());
    let called = if name.is_empty() { text.clone() } else { name.clone() };
    let using = {
        let draft = draft.clone();
        on_use.reform(move |_| draft.clone())
    };
    let deleting = {
        let line = line.clone();
        on_delete.reform(move |_| line.clone())
    };
    html! {
        <li>
            <button type="button" class="saved-use" title={language.saved_use()} onclick={using}>
                if !name.is_empty() { <b>{ name }</b>{ " " } }
                <code translate="no">{ text }</code>
            </button>
            <small>{ chosen(language, draft) }</small>
            <button type="button" aria-label={language.saved_delete(&called)} onclick={deleting}>{ "✕" }</button>
        </li>
    }
}

/// What was chosen for a line, where it is not as usual.
fn chosen(language: Language, draft: &Draft) -> String {
    let to = match draft.to {
        Target::Tcp => "TCP",
        Target::Udp => "UDP",
        Target::Both => "",
    };
    let count = if draft.count == "1" { String::new() } else { format!("×{}", draft.count) };
    let interval = match draft.interval_ms.as_str() {
        "0" => String::new(),
        ms => format!("{ms} ms"),
    };
    let mut chosen = draft.unusual(language);
    chosen.insert(0, to);
    chosen.extend([count.as_str(), &interval]);
    chosen.retain(|it| !it.is_empty());
    chosen.join(" · ")
}
