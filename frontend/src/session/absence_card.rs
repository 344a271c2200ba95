//! What is missing while the server is away, and how to go on when it is back.

use streamgram_protocol::Protocol;
use yew::prelude::*;

use super::page::Absence;
use crate::i18n::language::Language;

/// Nothing, as long as the server is there.
pub(crate) fn absence_card(language: Language, absence: Absence, open: Callback<Protocol>) -> Html {
    let onclick = move |_: MouseEvent| Protocol::BOTH.into_iter().for_each(|leg| open.emit(leg));
    match absence {
        Absence::None => html! {},
        Absence::Away => html! {
            <p class="absence card" data-absence="away">{ language.absence_away() }</p>
        },
        Absence::Back => html! {
            <p class="absence card" data-absence="back">{ language.absence_back() }{ " " }
                <button type="button" {onclick}>{ language.absence_open() }</button></p>
        },
    }
}
