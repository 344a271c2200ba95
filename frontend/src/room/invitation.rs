//! How students come into the room: its code, its link, and its QR code; and the link for who teaches.

use streamgram_protocol::room::{Join, RoomLink};
use yew::prelude::*;

use crate::browser::address::own_address;
use crate::browser::clipboard::Copied;
use crate::i18n::language::{ELEMENT, Language, use_language, with_element};
use crate::share::address::{address_for_others, port};
use crate::ui::clipboard::use_clipboard;

#[derive(Properties, PartialEq)]
pub(crate) struct InvitationProps {
    pub(crate) join: Join,
    /// Where the server says that others can open the page.
    pub(crate) lan: Option<String>,
}

/// Which link was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Student,
    Teacher,
}

/// The invitation.
#[component]
pub(crate) fn Invitation(InvitationProps { join, lan }: &InvitationProps) -> Html {
    let language = use_language();
    let clipboard = use_clipboard();
    let copied = use_state_eq(|| None::<Which>);
    let for_others = address_for_others(lan.as_deref());
    let address = for_others.clone().or_else(own_address).unwrap_or_default();
    let student = format!("{address}#{}", student_link(join).encode());
    let teacher = RoomLink { code: join.code, key: join.key.clone() };
    let teacher = format!("{address}#{}", teacher.encode());
    let copy = |which: Which, link: String| {
        let (clipboard, copied) = (clipboard.clone(), copied.setter());
        Callback::from(move |_: MouseEvent| {
            let copied = copied.clone();
            clipboard.copy(link.clone(), move |how| {
                copied.set((how == Copied::Done).then_some(which));
            });
        })
    };
    html! {
        <section class="room-invite card" aria-labelledby="room-invite">
            <h2 id="room-invite">{ language.room_invite() }</h2>
            <p class="room-code" translate="no">{ join.code.to_string() }</p>
            { qr(language, join, for_others.as_deref()) }
            <p class="room-link"><code translate="no">{ &student }</code></p>
            <p class="room-copies">
                <button type="button" onclick={copy(Which::Student, student)}>{ language.room_copy_link() }</button>
                if join.key.is_some() {
                    <button type="button" onclick={copy(Which::Teacher, teacher)}>{ language.room_copy_key() }</button>
                }
                <span role="status">if copied.is_some() { { language.copied() } }</span>
            </p>
            if join.key.is_some() { <p class="hint">{ language.room_key_hint() }</p> }
        </section>
    }
}

/// The link that everybody may have.
pub(crate) fn student_link(join: &Join) -> RoomLink {
    RoomLink { code: join.code, key: None }
}

/// The QR code, or why there is none.
fn qr(language: Language, join: &Join, for_others: Option<&str>) -> Html {
    let Some(address) = for_others else {
        let command = format!("streamgram --http 0.0.0.0:{}", port());
        let command = html! { <code translate="no">{ command }</code> };
        return html! {
            <p class="hint">{ with_element(&language.share_only_here(ELEMENT), command) }</p>
        };
    };
    // The number sign would end the request; the server puts it back.
    let source = format!("api/qr.svg?{address}%23{}", student_link(join).encode());
    let alt = language.room_qr(&join.code.to_string());
    html! { <img class="room-qr" src={source} width="264" height="264" {alt} /> }
}
