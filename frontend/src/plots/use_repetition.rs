//! Repeats a send, a run at a time.

use std::rc::Rc;

use streamgram_protocol::Send;
use yew::prelude::*;

use super::repetition::{Repetition, State};
use crate::session::notice::Notice;
use crate::session::page::Page;

/// Sends the same again with a new id, which comes back.
pub(crate) type OnAgain = Callback<Rc<Send>, Result<u64, Notice>>;

/// The latest repetition, and how to begin another or end this one.
#[hook]
pub(crate) fn use_repetition(
    page: &Rc<Page>,
    on_again: OnAgain,
) -> UseStateHandle<Option<Repetition>> {
    let repetition = use_state_eq(|| None::<Repetition>);
    use_effect({
        let (repetition, page) = (repetition.clone(), Rc::clone(page));
        move || {
            let Some(current) = repetition.as_ref().filter(|it| it.is_running()) else { return };
            let next = current.next(&page).unwrap_or_else(|| current.clone());
            repetition.set(Some(match next.state {
                State::Due => {
                    let gone_out = on_again.emit(Rc::clone(&next.send));
                    next.with(gone_out.map_or_else(State::Refused, State::Running))
                }
                _ => next,
            }));
        }
    });
    repetition
}
