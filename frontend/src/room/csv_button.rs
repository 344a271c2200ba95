//! The button that saves all steps of a class.

use std::rc::Rc;

use yew::prelude::*;

use super::place::shown;
use super::saved::csv;
use crate::browser::download::save;
use crate::i18n::language::Language;
use crate::lessons::use_lessons::Lessons;
use crate::session::room::Room;

/// The button; none before there is a step.
pub(super) fn csv_button(language: Language, room: &Rc<Room>, lessons: &Lessons) -> Html {
    if room.steps.seen.is_empty() {
        return html! {};
    }
    let (room, lessons) = (Rc::clone(room), lessons.clone());
    let onclick = move |_: MouseEvent| {
        let steps = room.steps.seen.iter();
        let steps: Vec<_> = steps.map(|seen| shown(language, seen, lessons.all())).collect();
        save("streamgram-room.csv", "text/csv", csv(language, &steps).as_bytes());
    };
    html! { <button type="button" class="room-csv" {onclick}>{ language.room_csv() }</button> }
}
