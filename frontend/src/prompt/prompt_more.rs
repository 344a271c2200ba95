//! What the prompt can do besides: how a line is typed, what it ends with, what is remembered.

use streamgram_protocol::scenario::{Ending, Mode};
use yew::prelude::*;

use super::draft::{Draft, ending_name, mode_name};
use super::saved_lines::SavedLines;
use super::stored_lines::SENT_LINES;
use crate::i18n::figures::count;
use crate::i18n::language::{Language, use_language};
use crate::ui::toggle_group::toggle_group;

#[derive(Properties, PartialEq)]
pub(crate) struct PromptMoreProps {
    pub(crate) draft: Draft,
    /// How many may go out at once.
    pub(crate) lines_at_once: usize,
    pub(crate) on_change: Callback<Draft>,
    /// A saved line is to be used.
    pub(crate) on_use: Callback<Draft>,
    pub(crate) on_forget: Callback<()>,
    /// What there is to know about lines.
    pub(crate) children: Html,
}

/// Everything behind “more”; closed, it still says what is not as usual.
#[component]
pub(crate) fn PromptMore(props: &PromptMoreProps) -> Html {
    let language = use_language();
    let PromptMoreProps { draft, lines_at_once, on_change, on_use, on_forget, children } = props;
    let forgotten = use_state(|| false);
    let forget = {
        let (forgotten, on_forget) = (forgotten.clone(), on_forget.clone());
        move |_| {
            on_forget.emit(());
            forgotten.set(true);
        }
    };
    let modes: Vec<_> = Mode::ALL.iter().map(|it| (*it, mode_name(language, *it))).collect();
    let on_mode = {
        let draft = draft.clone();
        on_change.reform(move |mode| Draft { mode, ..draft.clone() })
    };
    let endings: Vec<_> = Ending::ALL.iter().map(|it| (*it, ending_name(language, *it))).collect();
    let on_ending = {
        let draft = draft.clone();
        on_change.reform(move |ending| Draft { ending, ..draft.clone() })
    };
    html! {
        <details class="prompt-more">
            <summary>
                { language.prompt_more() }
                for name in draft.unusual(language) { <b>{ " · " }{ name }</b> }
            </summary>
            <div class="prompt-choices">
                <span class="prompt-choice">
                    <span aria-hidden="true">{ language.prompt_mode() }</span>
                    { toggle_group(language.prompt_mode(), modes, draft.mode, on_mode) }
                </span>
                <span class="prompt-choice">
                    <span aria-hidden="true">{ language.prompt_ending() }</span>
                    { toggle_group(language.prompt_ending(), endings, draft.ending, on_ending) }
                </span>
            </div>
            { children.clone() }
            <p>{ mode_hint(language, draft.mode) }</p>
            <p>{ language.lines_hint(&count(*lines_at_once as u64)) }</p>
            <p>
                { language.sent_hint(&count(SENT_LINES as u64)) }{ " " }
                <button type="button" onclick={forget}>{ language.sent_forget() }</button>
                <span role="status">if *forgotten { { " " }{ language.sent_forgotten() } }</span>
            </p>
            <SavedLines draft={draft.clone()} {on_use} />
        </details>
    }
}

fn mode_hint(language: Language, mode: Mode) -> &'static str {
    match mode {
        Mode::Text => language.mode_text_hint(),
        Mode::Escapes => language.mode_escapes_hint(),
        Mode::Hex => language.mode_hex_hint(),
    }
}
