//! What is missing while the server is away, and how to go on when it is back.

use streamgram_protocol::Protocol;
use yew::prelude::*;

use super::page::Absence;
use crate::i18n::language::use_language;

#[derive(Properties, PartialEq)]
pub(crate) struct AbsenceCardProps {
    pub(crate) absence: Absence,
    pub(crate) on_open: Callback<Protocol>,
}

/// Nothing, as long as the server is there.
#[component]
pub(crate) fn AbsenceCard(AbsenceCardProps { absence, on_open }: &AbsenceCardProps) -> Html {
    let language = use_language();
    let open = on_open.clone();
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
