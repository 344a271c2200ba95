//! Whether the page is where its class is, how it gets there, and what of its own runs counts there.

use std::rc::Rc;

use streamgram_protocol::Scenario;
use streamgram_protocol::room::{Place, Stage};
use yew::prelude::*;

use super::place::{decoded, is_address_of};
use super::use_room::RoomAsk;
use crate::browser::use_fragment::go_to;
use crate::lessons::ballot::Ballot;
use crate::lessons::lessons_card::LINK;
use crate::session::page::Page;
use crate::session::room::Answer;

/// What a person has to do to be where the class is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Way {
    /// What stands in the prompt, and the path.
    Scenario(Rc<Scenario>),
    /// The path alone.
    Path(Rc<Scenario>),
}

/// The page and its class.
pub(crate) struct UseFollowHandle {
    /// The page is where the class is, as far as it was led anywhere.
    pub(crate) is_there: bool,
    /// Goes there. Nothing is sent.
    pub(crate) on_go: Callback<()>,
    /// What is voted on at the lesson in sight.
    pub(crate) ballot: Option<Ballot>,
    /// The lesson's own run, by its number, is over.
    pub(crate) on_ran: Callback<u32>,
}

/// When the page came to where its class is.
#[derive(Debug, Clone, PartialEq)]
struct Came {
    /// The step's `id`.
    step: String,
    /// The latest run before.
    before: u32,
}

/// Follows the class, as far as a person asks for it. `plays` says whether the prompt is in sight.
#[hook]
pub(crate) fn use_follow(
    page: &Rc<Page>,
    fragment: &AttrValue,
    plays: bool,
    on_ask: &Callback<RoomAsk>,
    on_way: &Callback<Way>,
) -> UseFollowHandle {
    let came = use_state(|| None::<Came>);
    let member = page.room.member();
    let step = member.and_then(|member| member.step());
    let latest = page.runs.latest().map_or(0, |run| run.number);
    let is_at_address = step.is_some_and(|step| is_address_of(fragment, &step.place));
    let here = step.map(|step| Came { step: step.id.clone(), before: latest });
    let is_known = |came: &Came| step.is_some_and(|step| step.id == came.step);
    let is_told = came.as_ref().is_some_and(is_known);
    use_effect_with((is_at_address && !is_told, here.clone().map(|here| here.step)), {
        let (came, here) = (came.setter(), here.clone());
        move |(comes, _)| {
            if *comes {
                came.set(here);
            }
        }
    });
    let before = came.as_ref().filter(|came| is_known(came)).map(|came| came.before);
    let is_there = is_at_address
        || plays && is_told && !step.is_some_and(|it| matches!(it.place, Place::Lesson { .. }));
    // What who teaches shows is nobody's outcome.
    let counts = member.is_some_and(|member| !member.teaches);
    let on_ran = {
        let on_ask = on_ask.clone();
        Callback::from(move |run| {
            if counts && before.is_some_and(|before| run > before) {
                on_ask.emit(RoomAsk::Ran(run));
            }
        })
    };
    // A lesson says itself which run is its own.
    let over = page.runs.latest().filter(|run| is_there && !is_at_address && !run.is_open());
    use_effect_with(over.map(|run| (run.number, run.legs().cloned().collect::<Vec<_>>())), {
        let on_ran = on_ran.clone();
        move |over| over.iter().for_each(|(run, _)| on_ran.emit(*run))
    });
    let ballot = member.filter(|member| is_at_address && !member.teaches).and_then(|member| {
        let again = match member.stage() {
            Stage::Predict => false,
            Stage::Again => true,
            Stage::Look | Stage::Reveal => return None,
        };
        let vote = member.answers.vote(member.stage()).map(|Answer { value, .. }| (*value).into());
        let on_ask = on_ask.clone();
        let on_vote = Callback::from(move |choice| {
            u8::try_from(choice).into_iter().for_each(|choice| on_ask.emit(RoomAsk::Vote(choice)));
        });
        Some(Ballot { again, vote, on_vote })
    });
    let on_go = {
        let (place, limits) = (step.map(|step| step.place.clone()), page.limits());
        let on_way = on_way.clone();
        Callback::from(move |()| {
            let decoded = |fragment| decoded(fragment, &limits).map(Rc::new);
            let way = match &place {
                Some(Place::Lesson { id, .. }) => return go_to(&format!("{LINK}{id}")),
                Some(Place::Scenario(fragment)) => decoded(fragment).map(Way::Scenario),
                Some(Place::Path(fragment)) => decoded(fragment).map(Way::Path),
                None => None,
            };
            way.into_iter().for_each(|way| on_way.emit(way));
            came.set(here.clone());
        })
    };
    UseFollowHandle { is_there, on_go, ballot, on_ran }
}
