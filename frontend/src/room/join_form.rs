//! Joining a room by its code.

use streamgram_protocol::room::{Join, RoomCode};
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::use_room::RoomAsk;
use crate::i18n::language::use_language;

#[derive(Properties, PartialEq)]
pub(crate) struct JoinFormProps {
    /// Which room was asked for last, if the page is in none.
    pub(crate) asked: Option<Join>,
    /// Why the page is in none.
    pub(crate) why: Option<AttrValue>,
    pub(crate) on_ask: Callback<RoomAsk>,
}

/// The form.
#[component]
pub(crate) fn JoinForm(JoinFormProps { asked, why, on_ask }: &JoinFormProps) -> Html {
    let language = use_language();
    let typed = use_state(|| asked.as_ref().map(|join| join.code.to_string()).unwrap_or_default());
    let is_bad = use_state_eq(|| false);
    let oninput = {
        let (typed, is_bad) = (typed.setter(), is_bad.setter());
        move |event: InputEvent| {
            is_bad.set(false);
            typed.set(event.target_unchecked_into::<HtmlInputElement>().value());
        }
    };
    let onsubmit = {
        let (typed, is_bad, on_ask) = (typed.clone(), is_bad.setter(), on_ask.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            match typed.parse::<RoomCode>() {
                Ok(code) => on_ask.emit(RoomAsk::Enter(code)),
                Err(_) => is_bad.set(true),
            }
        }
    };
    let error = if *is_bad { Some(language.room_bad_code().into()) } else { why.clone() };
    html! {
        <form class="room-join" {onsubmit}>
            <h2>{ language.room_join() }</h2>
            <label for="room-code">{ language.room_code() }</label>
            <span class="room-join-line">
                <input id="room-code" type="text" autocomplete="off" autocapitalize="characters" spellcheck="false"
                    aria-describedby="room-code-hint room-code-error" aria-invalid={error.is_some().then_some("true")}
                    value={(*typed).clone()} {oninput} />
                <button class="primary">{ language.room_enter() }</button>
            </span>
            <p id="room-code-hint" class="hint">{ language.room_code_hint() }</p>
            <p id="room-code-error" class="room-error" role="alert">{ error }</p>
        </form>
    }
}
