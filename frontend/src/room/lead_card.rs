//! Where the class is led to: a lesson, what stands in the prompt, or its path alone.

use std::rc::Rc;

use streamgram_protocol::room::{Place, ROOM_FRAGMENT_BYTES, Step};
use streamgram_protocol::{Lesson, Scenario};
use yew::prelude::*;

use super::place::{lesson_of, path_name, scenario_name};
use super::use_room::RoomAsk;
use crate::i18n::figures::{Noun, counted};
use crate::i18n::language::{Language, use_language};
use crate::lessons::lesson_detail::text;
use crate::lessons::use_lessons::Lessons;
use crate::ui::select::select;

#[derive(Properties, PartialEq)]
pub(crate) struct LeadCardProps {
    pub(crate) lessons: Lessons,
    /// Where the class is.
    pub(crate) step: Option<Step>,
    /// What stands in the prompt, with its path.
    pub(crate) scenario: Rc<Scenario>,
    pub(crate) on_ask: Callback<RoomAsk>,
}

/// The places.
#[component]
pub(crate) fn LeadCard(LeadCardProps { lessons, step, scenario, on_ask }: &LeadCardProps) -> Html {
    let language = use_language();
    let chosen = use_state_eq(|| None::<usize>);
    let lessons = lessons.all();
    let place = step.as_ref().map(|step| &step.place);
    // The one after that at which the class is, until another one is chosen.
    let at = chosen.unwrap_or_else(|| next(lessons, place).unwrap_or(0));
    let names = lessons.iter().enumerate();
    let names: Vec<_> =
        names.map(|(at, lesson)| (at, text(language, &lesson.title).to_owned())).collect();
    let fragment = scenario.encode();
    let length = fragment.len();
    let is_long = length > ROOM_FRAGMENT_BYTES;
    let on_choose = {
        let chosen = chosen.setter();
        move |at| chosen.set(Some(at))
    };
    let on_lead = {
        let chosen = chosen.setter();
        on_ask.reform(move |place| {
            chosen.set(None);
            RoomAsk::Lead(place)
        })
    };
    html! {
        <section class="room-lead card" aria-labelledby="room-lead">
            <h2 id="room-lead">{ language.room_lead_to() }</h2>
            <div class="room-places">
                { for lessons.get(at).and_then(place_of).map(|place| {
                    let label = language.room_lesson();
                    let list = html! { <label>{ label }{ " " }{ select(label, &names, at, on_choose) }</label> };
                    lead(language, "lesson", list, place, (false, &on_lead))
                }) }
                { lead(language, "scenario", named(language.room_prompt(), &scenario_name(language, scenario)),
                    Place::Scenario(fragment.clone()), (is_long, &on_lead)) }
                { lead(language, "path", named(language.room_path_only(), &path_name(language, scenario)),
                    Place::Path(fragment), (is_long, &on_lead)) }
            </div>
            if is_long {
                <p class="hint warn">{ too_long(language, length) }</p>
            }
        </section>
    }
}

/// A lesson as a place; none, if it has more choices than a room may vote on.
pub(super) fn place_of(lesson: &Lesson) -> Option<Place> {
    let choices = u8::try_from(lesson.choices.len()).ok()?;
    Some(Place::Lesson { id: lesson.id.clone(), choices })
}

/// The place in the list of the lesson after that at which the class is.
pub(super) fn next(lessons: &[Lesson], place: Option<&Place>) -> Option<usize> {
    let own = lesson_of(place?, lessons)?;
    let at = lessons.iter().position(|lesson| lesson.id == own.id)?;
    (at + 1 < lessons.len()).then_some(at + 1)
}

fn named(name: &str, what: &str) -> Html {
    html! { <>{ name }<br /><code translate="no">{ what }</code></> }
}

fn lead(
    language: Language,
    kind: &'static str,
    what: Html,
    place: Place,
    (is_long, on_lead): (bool, &Callback<Place>),
) -> Html {
    let id = format!("room-place-{kind}");
    html! {
        <div class="room-place" data-place={kind}>
            <span id={id.clone()}>{ what }</span>
            <button type="button" disabled={is_long} aria-describedby={id}
                onclick={on_lead.reform(move |_| place.clone())}>{ language.room_lead_there() }</button>
        </div>
    }
}

fn too_long(language: Language, length: usize) -> String {
    let [length, limit] =
        [length, ROOM_FRAGMENT_BYTES].map(|bytes| counted(language, bytes as u64, Noun::Byte));
    language.room_too_long(&length, &limit)
}
