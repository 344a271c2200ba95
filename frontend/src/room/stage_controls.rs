//! What is asked of the class: predictions, votes once more, the revelation, and the next lesson.

use streamgram_protocol::Lesson;
use streamgram_protocol::room::Stage;
use yew::prelude::*;

use super::lead_card::{next, place_of};
use super::use_room::RoomAsk;
use crate::i18n::language::Language;
use crate::lessons::lesson_detail::text;
use crate::session::room::Member;

/// The controls of who teaches; what is asked now is pressed.
pub(crate) fn stage_controls(
    language: Language,
    member: &Member,
    lessons: &[Lesson],
    on_ask: &Callback<RoomAsk>,
) -> Html {
    let Some(step) = member.step() else { return html! {} };
    let has_question = step.place.choices() > 0;
    let next = next(lessons, Some(&step.place)).and_then(|at| lessons.get(at));
    let button = |stage: Stage, name: &'static str, is_possible: bool| {
        html! {
            <button type="button" data-stage={stage.name()} aria-pressed={(step.stage == stage).to_string()}
                disabled={!is_possible} onclick={on_ask.reform(move |_| RoomAsk::Stage(stage))}>{ name }</button>
        }
    };
    html! {
        <div class="room-stages" role="group" aria-label={language.room_ask()}>
            { button(Stage::Predict, language.room_ask_predict(), has_question) }
            { button(Stage::Again, language.room_ask_again(), has_question) }
            { button(Stage::Reveal, language.room_reveal(), true) }
            { for next.and_then(|next| Some((next, place_of(next)?))).map(|(next, place)| html! {
                <button type="button" class="room-next" onclick={on_ask.reform(move |_| RoomAsk::Lead(place.clone()))}>
                    { language.room_go_on(text(language, &next.title)) }</button>
            }) }
        </div>
    }
}
