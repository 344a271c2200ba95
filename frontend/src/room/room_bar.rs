//! The room in a line that stays in sight: its code, who is there, where the class is and the way to it.

use streamgram_protocol::room::StoreState;
use yew::prelude::*;

use super::place::{TEACH, place_name};
use super::reasons::{again, why_text};
use super::use_room::RoomAsk;
use crate::i18n::figures::{Noun, counted};
use crate::i18n::language::Language;
use crate::lessons::use_lessons::Lessons;
use crate::session::room::{Member, Room, Standing, Why};

/// Where the page is, seen from its room.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// Where the class is.
    pub(crate) is_there: bool,
    /// In the area of rooms.
    pub(crate) teaches: bool,
}

/// The line; none, as long as the page has nothing to do with a room.
pub(crate) fn room_bar(
    language: Language,
    room: &Room,
    lessons: &Lessons,
    (seen, on_go): (Seen, &Callback<()>),
    on_ask: &Callback<RoomAsk>,
) -> Html {
    let line = match &room.standing {
        Standing::Out(None) => return html! {},
        // It stands beside the form.
        Standing::Out(_) if seen.teaches => return html! {},
        Standing::Out(Some(why)) => ended(language, why, on_ask),
        Standing::Opening => html! { <p role="status">{ language.room_opening() }</p> },
        Standing::Entering(join) => {
            let code = join.code.to_string();
            html! {
                <>
                    <p role="status">
                        { if room.delayed > 0 { language.room_waits().to_owned() } else { language.room_entering(&code) } }
                    </p>
                    { leave(language.room_leave(), on_ask) }
                </>
            }
        }
        Standing::In(member) => inside(language, member, lessons, (seen, on_go), on_ask),
    };
    html! { <section class="room-bar" aria-label={language.room()}>{ line }</section> }
}

fn inside(
    language: Language,
    member: &Member,
    lessons: &Lessons,
    (seen, on_go): (Seen, &Callback<()>),
    on_ask: &Callback<RoomAsk>,
) -> Html {
    let state = member.state.as_ref();
    let here = state.map_or(0, |state| state.here);
    let at = member.step().map_or_else(
        || language.room_nowhere().to_owned(),
        |step| language.room_at(&place_name(language, &step.place, lessons.all())),
    );
    let is_cut = member.is_here && state.is_some_and(|state| state.store == StoreState::Cut);
    html! {
        <>
            <p class="room-bar-who">
                <b translate="no">{ member.join.code.to_string() }</b>
                if member.is_here {
                    { " · " }{ language.room_here(&counted(language, here.into(), Noun::Student)) }
                } else {
                    <span class="warn">{ " · " }{ language.room_not_here() }</span>
                }
            </p>
            <p class="room-bar-at" role="status">{ at }</p>
            <span class="room-bar-tools">
                if !seen.is_there && member.step().is_some() {
                    // To who teaches it is one thing among others.
                    <button type="button" class={classes!("room-go", (!member.teaches).then_some("primary"))}
                        onclick={on_go.reform(|_| ())}>{ language.room_go() }</button>
                }
                if member.teaches && !seen.teaches {
                    <a href={format!("#{TEACH}")}>{ language.room_lead() }</a>
                }
                { leave(language.room_leave(), on_ask) }
            </span>
            if is_cut { <p class="room-bar-store warn" role="status">{ language.room_cut() }</p> }
        </>
    }
}

fn ended(language: Language, why: &Why, on_ask: &Callback<RoomAsk>) -> Html {
    html! {
        <>
            <p role="status">{ why_text(language, why) }</p>
            <span class="room-bar-tools">
                { for again(why).map(|join| {
                    let code = join.code;
                    let onclick = on_ask.reform(move |_: MouseEvent| RoomAsk::Enter(code));
                    html! { <button type="button" {onclick}>{ language.room_retry() }</button> }
                }) }
                <a href={format!("#{TEACH}")}>{ language.room_join() }</a>
                { leave(language.dismiss(), on_ask) }
            </span>
        </>
    }
}

fn leave(name: &'static str, on_ask: &Callback<RoomAsk>) -> Html {
    html! { <button type="button" class="room-leave" onclick={on_ask.reform(|_| RoomAsk::Leave)}>{ name }</button> }
}
