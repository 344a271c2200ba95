//! What the prompt can do besides: how a line is typed, what it ends with, what is remembered.

use yew::prelude::*;

use super::draft::{Draft, Ending, Mode};
use super::kept::SENT_LINES;
use super::saved_lines::use_saved_lines;
use crate::i18n::figures::count;
use crate::i18n::language::{Language, use_language};
use crate::ui::choice::{Choice, choice};

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
    let saved_lines = use_saved_lines(draft, on_use);
    let forget = {
        let (forgotten, on_forget) = (forgotten.clone(), on_forget.clone());
        move |_| {
            on_forget.emit(());
            forgotten.set(true);
        }
    };
    let change = |next: Draft| on_change.reform(move |_: MouseEvent| next.clone());
    let modes = Mode::ALL.into_iter().map(|mode| {
        (mode.name(language), draft.mode == mode, change(Draft { mode, ..draft.clone() }))
    });
    let endings = Ending::ALL.into_iter().map(|ending| {
        (ending.name(language), draft.ending == ending, change(Draft { ending, ..draft.clone() }))
    });
    html! {
        <details class="prompt-more">
            <summary>{ language.prompt_more() }{ unusual(language, draft) }</summary>
            <div class="prompt-choices">
                { named(language.prompt_mode(), modes.collect()) }
                { named(language.prompt_ending(), endings.collect()) }
            </div>
            <p>{ mode_hint(language, draft.mode) }</p>
            <p>{ language.lines_hint(&count(*lines_at_once as u64)) }</p>
            <p>
                { language.sent_hint(&count(SENT_LINES as u64)) }{ " " }
                <button type="button" onclick={forget}>{ language.sent_forget() }</button>
                <span role="status">if *forgotten { { " " }{ language.sent_forgotten() } }</span>
            </p>
            { saved_lines }
        </details>
    }
}

/// What a closed “more” must not hide.
fn unusual(language: Language, draft: &Draft) -> Html {
    let mode = (draft.mode != Mode::Text).then(|| draft.mode.name(language));
    let ending = (draft.ending != Ending::None).then(|| draft.ending.name(language));
    html! { for name in mode.into_iter().chain(ending) { <b>{ " · " }{ name }</b> } }
}

/// A choice with its name in sight.
fn named(name: &'static str, choices: Vec<Choice>) -> Html {
    html! {
        <span class="prompt-choice"><span aria-hidden="true">{ name }</span>{ choice(name, choices) }</span>
    }
}

fn mode_hint(language: Language, mode: Mode) -> &'static str {
    match mode {
        Mode::Text => language.mode_text_hint(),
        Mode::Escapes => language.mode_escapes_hint(),
        Mode::Hex => language.mode_hex_hint(),
    }
}
