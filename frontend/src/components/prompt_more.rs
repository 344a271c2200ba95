//! What the prompt can do besides: how a line is typed, what it ends with, what is remembered.

use yew::prelude::*;

use super::saved_lines::SavedLines;
use crate::draft::{Draft, Ending, Mode};
use crate::figures::count;
use crate::kept::SENT_LINES;
use crate::language::{Language, use_language};

#[derive(Properties, PartialEq)]
pub(crate) struct PromptMoreProps {
    pub(crate) draft: Draft,
    /// How many may go out at once.
    pub(crate) lines_at_once: usize,
    pub(crate) on_change: Callback<Draft>,
    /// A saved line is to be used.
    pub(crate) on_use: Callback<Draft>,
    pub(crate) on_forget: Callback<()>,
}

/// Everything behind “more”; closed, it still says what is not as usual.
#[component]
pub(crate) fn PromptMore(props: &PromptMoreProps) -> Html {
    let language = use_language();
    let PromptMoreProps { draft, lines_at_once, on_change, on_use, on_forget } = props;
    let forgotten = use_state(|| false);
    let forget = {
        let (forgotten, on_forget) = (forgotten.clone(), on_forget.clone());
        move |_| {
            on_forget.emit(());
            forgotten.set(true);
        }
    };
    let modes = Mode::ALL
        .map(|mode| (mode.name(language), draft.mode == mode, Draft { mode, ..draft.clone() }));
    let endings = Ending::ALL.map(|ending| {
        (ending.name(language), draft.ending == ending, Draft { ending, ..draft.clone() })
    });
    html! {
        <details class="prompt-more">
            <summary>{ language.prompt_more() }{ unusual(language, draft) }</summary>
            <div class="prompt-choices">
                { choice(language.prompt_mode(), modes, on_change) }
                { choice(language.prompt_ending(), endings, on_change) }
            </div>
            <p>{ mode_hint(language, draft.mode) }</p>
            <p>{ language.html_lines_hint(html! { <kbd>{ "Shift Enter" }</kbd> }, &count(*lines_at_once as u64)) }</p>
            <p>
                { language.fill_sent_hint(&count(SENT_LINES as u64)) }{ " " }
                <button type="button" onclick={forget}>{ language.sent_forget() }</button>
                <span role="status">if *forgotten { { " " }{ language.sent_forgotten() } }</span>
            </p>
            <SavedLines draft={draft.clone()} {on_use} />
        </details>
    }
}

/// What a closed “more” must not hide.
fn unusual(language: Language, draft: &Draft) -> Html {
    let mode = (draft.mode != Mode::Text).then(|| draft.mode.name(language));
    let ending = (draft.ending != Ending::None).then(|| draft.ending.name(language));
    html! { for name in mode.into_iter().chain(ending) { <b>{ " · " }{ name }</b> } }
}

/// One of three; each would make another draft.
fn choice(
    label: &'static str,
    choices: [(&'static str, bool, Draft); 3],
    on_change: &Callback<Draft>,
) -> Html {
    html! {
        <span class="prompt-choice">
            <span aria-hidden="true">{ label }</span>
            <span class="targets" role="group" aria-label={label}>
                for (name, pressed, draft) in choices {
                    <button key={name} type="button" aria-pressed={pressed.to_string()}
                        onclick={on_change.reform(move |_| draft.clone())}>{ name }</button>
                }
            </span>
        </span>
    }
}

fn mode_hint(language: Language, mode: Mode) -> Html {
    let code = |text: &'static str| html! { <code>{ text }</code> };
    match mode {
        Mode::Text => language.html_mode_text_hint(code("{n}")),
        Mode::Escapes => language.html_mode_escapes_hint(code(r"\n \r \t \\ \xHH"), code("{n}")),
        Mode::Hex => language.html_mode_hex_hint(code("e4 bd a0"), code("{n}")),
    }
}
