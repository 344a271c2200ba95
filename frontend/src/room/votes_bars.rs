//! The choices of a question, each with its votes before and after.

use yew::prelude::*;

use super::votes::{Bar, Choice, WHOLE};
use crate::i18n::language::Language;

/// The choices.
pub(crate) fn votes_bars(language: Language, choices: &[Choice]) -> Html {
    html! {
        <ol class="votes">
            for (at, choice) in choices.iter().enumerate() {
                <li key={at}>
                    <p class="votes-choice">{ &choice.text }</p>
                    for bar in choice.bars.iter() { { votes_bar(language, *bar) } }
                </li>
            }
        </ol>
    }
}

fn votes_bar(language: Language, bar: Bar) -> Html {
    html! {
        <div class="votes-bar" data-when={bar.when.word()} data-own={bar.own.to_string()}>
            <span class="votes-when">{ bar.when.name(language) }</span>
            <svg aria-hidden="true" viewBox={format!("0 0 {WHOLE} 10")} preserveAspectRatio="none">
                <rect width={bar.length().to_string()} height="10" />
            </svg>
            <span class="votes-share">
                <span translate="no">{ bar.text() }</span>
                if bar.own { <b>{ " ◆ " }{ language.votes_own() }</b> }
            </span>
        </div>
    }
}
