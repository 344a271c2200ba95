//! The area from which a class is led: joining a room, opening one, and the desk of who teaches.

use std::rc::Rc;

use streamgram_protocol::Scenario;
use streamgram_protocol::room::Join;
use yew::prelude::*;

use super::csv_button::csv_button;
use super::desk::Desk;
use super::join_form::JoinForm;
use super::reasons::why_text;
use super::use_room::RoomAsk;
use crate::i18n::language::use_language;
use crate::lessons::use_lessons::Lessons;
use crate::session::room::{Room, Standing, Why};

#[derive(Properties, PartialEq)]
pub(crate) struct TeachCardProps {
    pub(crate) room: Rc<Room>,
    pub(crate) lessons: Lessons,
    /// What stands in the prompt, with its path.
    pub(crate) scenario: Rc<Scenario>,
    /// Where the server says that others can open the page.
    pub(crate) lan: Option<String>,
    pub(crate) on_ask: Callback<RoomAsk>,
    pub(crate) on_project: Callback<()>,
}

/// The area.
#[component]
pub(crate) fn TeachCard(props: &TeachCardProps) -> Html {
    let TeachCardProps { room, lessons, scenario, lan, on_ask, on_project } = props;
    let language = use_language();
    match &room.standing {
        Standing::In(member) if member.teaches => html! {
            <Desk room={Rc::clone(room)} lessons={lessons.clone()} scenario={Rc::clone(scenario)} lan={lan.clone()}
                on_ask={on_ask.clone()} on_project={on_project.clone()} />
        },
        Standing::In(member) => html! {
            <section class="room-doors card" aria-label={language.room()}>
                <p>{ language.room_is_student(&member.join.code.to_string()) }</p>
            </section>
        },
        Standing::Opening | Standing::Entering(_) => html! {},
        Standing::Out(why) => html! {
            <section class="room-doors card" aria-label={language.room()}>
                <JoinForm asked={asked(why.as_ref())} why={why.as_ref().map(|why| why_text(language, why))}
                    on_ask={on_ask.clone()} />
                <div class="room-open">
                    <h2>{ language.room_open() }</h2>
                    <p>{ language.room_open_hint() }</p>
                    <button type="button" class="primary" onclick={on_ask.reform(|_| RoomAsk::Open)}>{ language.room_open() }</button>
                </div>
                // Of a room that has ended.
                { csv_button(language, room, lessons) }
            </section>
        },
    }
}

/// What could not be entered.
fn asked(why: Option<&Why>) -> Option<Join> {
    if let Some(Why::Refused { join, .. }) = why { join.clone() } else { None }
}
