//! The desk of who teaches: what is asked, what came of it, and the room's end.

use std::rc::Rc;

use streamgram_protocol::room::Stage;
use streamgram_protocol::{Lesson, Scenario};
use yew::prelude::*;

use super::class_card::given;
use super::csv_button::csv_button;
use super::invitation::Invitation;
use super::lead_card::LeadCard;
use super::place::{place_name, shown};
use super::pooled_card::pooled_card;
use super::reasons::refusal_text;
use super::stage_controls::stage_controls;
use super::use_room::RoomAsk;
use crate::i18n::language::{Language, use_language};
use crate::lessons::use_lessons::Lessons;
use crate::session::room::{Member, Room, SeenStep};
use crate::ui::use_details::use_details;

#[derive(Properties, PartialEq)]
pub(crate) struct DeskProps {
    pub(crate) room: Rc<Room>,
    pub(crate) lessons: Lessons,
    /// What stands in the prompt, with its path.
    pub(crate) scenario: Rc<Scenario>,
    /// Where the server says that others can open the page.
    pub(crate) lan: Option<String>,
    pub(crate) on_ask: Callback<RoomAsk>,
    pub(crate) on_project: Callback<()>,
}

/// The desk; nothing for who does not teach.
#[component]
pub(crate) fn Desk(props: &DeskProps) -> Html {
    let DeskProps { room, lessons, scenario, lan, on_ask, on_project } = props;
    let language = use_language();
    let figures = use_details();
    let is_ending = use_state_eq(|| false);
    let Some(member) = room.member() else { return html! {} };
    let all = lessons.all();
    let seen = room.steps.seen.last();
    html! {
        <div class="room-desk">
            <div class="room-desk-main">
                <section class="room-ask card" aria-labelledby="room-ask">
                    <h2 id="room-ask">{ language.room_ask() }</h2>
                    { for member.step().map(|step| html! {
                        <p class="room-ask-at"><b>{ place_name(language, &step.place, all) }</b>
                            if step.place.choices() > 0 { { " · " }{ given(language, member) } }</p>
                    }) }
                    if member.step().is_none() { <p class="hint">{ language.room_nowhere() }</p> }
                    { stage_controls(language, member, all, on_ask) }
                    { refused(language, member) }
                    if member.step().is_some_and(|step| step.place.choices() == 0) {
                        <p class="hint">{ language.room_no_question() }</p>
                    }
                    <p class="room-desk-tools">
                        <button type="button" onclick={on_project.reform(|_| ())}>{ language.room_projector() }</button>
                        { csv_button(language, room, lessons) }
                        { end(language, &is_ending, on_ask) }
                    </p>
                    { pooled(language, (member, seen), all, &figures) }
                </section>
                <LeadCard lessons={lessons.clone()} step={member.step().cloned()} scenario={Rc::clone(scenario)}
                    on_ask={on_ask.clone()} />
            </div>
            <Invitation join={member.join.clone()} lan={lan.clone()} />
        </div>
    }
}

/// What was not done, in sight of who asked for it.
fn refused(language: Language, member: &Member) -> Html {
    let text = member.refused.as_ref();
    let text = text.map(|(code, detail)| refusal_text(language, *code, detail, None));
    html! { <p class="room-error" role="alert">{ text }</p> }
}

/// The figures: folded as long as they are for who teaches alone.
fn pooled(
    language: Language,
    (member, seen): (&Member, Option<&SeenStep>),
    lessons: &[Lesson],
    (is_open, ontoggle): &(bool, Callback<Event>),
) -> Html {
    let id = member.step().map(|step| &step.id);
    let seen = seen.filter(|seen| Some(&seen.step.id) == id && seen.pooled.is_some());
    let Some(seen) = seen else { return html! {} };
    let card = || pooled_card(language, &shown(language, seen, lessons));
    if member.stage() == Stage::Reveal {
        return card();
    }
    html! {
        <details class="room-figures" key={seen.step.id.clone()} ontoggle={ontoggle.clone()}>
            <summary>{ language.room_figures() }</summary>
            if *is_open { { card() } }
        </details>
    }
}

/// Ending takes two clicks.
fn end(language: Language, is_ending: &UseStateHandle<bool>, on_ask: &Callback<RoomAsk>) -> Html {
    let asks = |asks: bool| {
        let is_ending = is_ending.setter();
        move |_: MouseEvent| is_ending.set(asks)
    };
    html! {
        if **is_ending {
            <span class="room-end" role="group" aria-labelledby="room-end">
                <span id="room-end" role="alert">{ language.room_end_sure() }</span>
                <button type="button" class="primary" onclick={on_ask.reform(|_| RoomAsk::End)}>{ language.room_end_yes() }</button>
                <button type="button" onclick={asks(false)}>{ language.room_end_no() }</button>
            </span>
        } else {
            <button type="button" class="room-end" onclick={asks(true)}>{ language.room_end() }</button>
        }
    }
}
