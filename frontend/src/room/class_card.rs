//! What the class is asked now, whether the own vote is counted, and what came of it once that is revealed.

use std::rc::Rc;

use streamgram_protocol::Code;
use streamgram_protocol::room::{Stage, Step};
use web_sys::Element;
use yew::prelude::*;

use super::place::shown;
use super::pooled_card::pooled_card;
use super::pooled_step::Gift;
use super::reasons::refusal_text;
use crate::browser::sight;
use crate::i18n::language::{Language, use_language};
use crate::lessons::use_lessons::Lessons;
use crate::session::room::{Answer, Member, Room};

#[derive(Properties, PartialEq)]
pub(crate) struct ClassCardProps {
    pub(crate) room: Rc<Room>,
    pub(crate) lessons: Lessons,
    /// The page is where the class is.
    pub(crate) is_there: bool,
}

/// The card; none, as long as nothing is asked.
#[component]
pub(crate) fn ClassCard(ClassCardProps { room, lessons, is_there }: &ClassCardProps) -> Html {
    let language = use_language();
    let place = use_node_ref();
    let member = room.member();
    let asked = member.and_then(Member::step).filter(|step| step.stage != Stage::Look);
    use_effect_with(asked.filter(|_| *is_there).map(|step| (step.id.clone(), step.stage)), {
        let place = place.clone();
        // Who is with the class looks at what it is asked, wherever on the page that was not in sight.
        move |asked| {
            let card = place.cast::<Element>().filter(|_| asked.is_some());
            card.iter().for_each(sight::bring_head);
        }
    });
    let Some((member, step)) = member.zip(asked) else { return html! {} };
    if step.stage != Stage::Reveal {
        return html! {
            <section class="class card" aria-label={language.room_ask()} ref={place}>
                <p class="class-asked" role="status">{ question(language, step) }</p>
                if step.place.choices() > 0 { { voting(language, member, *is_there) } }
                { refused(language, member) }
            </section>
        };
    }
    let seen = room.steps.seen.last().filter(|seen| seen.step.id == step.id);
    html! {
        for seen in seen.filter(|seen| seen.pooled.is_some()) {
            <details class="class card" key={step.id.clone()} open={*is_there} ref={place.clone()}>
                <summary>{ language.room_pooled() }</summary>
                { pooled_card(language, &shown(language, seen, lessons.all())) }
            </details>
        }
    }
}

/// What the server did not take. That the class has gone on is seen anyway.
fn refused(language: Language, member: &Member) -> Html {
    let refused = member.refused.as_ref().filter(|(code, _)| *code != Code::NotAsked);
    let text = refused.map(|(code, detail)| refusal_text(language, *code, detail, None));
    html! { <p class="room-error" role="alert">{ text }</p> }
}

fn question(language: Language, step: &Step) -> &'static str {
    if step.stage == Stage::Again { language.room_again() } else { language.room_predict() }
}

/// How the own vote stands, and how many voted.
fn voting(language: Language, member: &Member, is_there: bool) -> Html {
    let vote = member.answers.vote(member.stage());
    let (status, own) = match vote.map(Answer::is_counted) {
        Some(true) => ("counted", language.room_vote_counted()),
        Some(false) => ("kept", language.room_vote_kept()),
        None if is_there => ("none", language.room_vote_none()),
        None => ("none", language.room_vote_there()),
    };
    html! {
        <p class="class-votes">
            if !member.teaches { <span class="class-own" data-vote={status} role="status">{ own }</span> }
            <span class="hint">{ given(language, member) }</span>
        </p>
    }
}

/// How many have voted as they were asked last, and how many have run it.
pub(super) fn given(language: Language, member: &Member) -> String {
    let Some(state) = &member.state else { return String::new() };
    let votes = Gift::votes(member.stage(), state.given);
    let [voted, ran] = [votes, Gift::Ran].map(|gift| gift.given(language, state.given, state.here));
    format!("{voted} · {ran}")
}
