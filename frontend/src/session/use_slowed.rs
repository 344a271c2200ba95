//! The page as it was a moment ago, for what is too much to draw in every frame.

use std::rc::Rc;

use gloo_timers::callback::Timeout;
use yew::prelude::*;

use super::page::Page;

/// Milliseconds between two drawings. Each is a task of its own: the one that takes messages in gets no longer.
const PAUSE_MS: u32 = 200;

/// The page as it is to be drawn; a newer one follows after a pause.
#[hook]
pub(crate) fn use_slowed(page: &Rc<Page>) -> Rc<Page> {
    let shown = use_state(|| Rc::clone(page));
    let latest = use_mut_ref(|| Rc::clone(page));
    let alarm = use_mut_ref(|| None::<Timeout>);
    latest.replace(Rc::clone(page));
    use_effect({
        let (shown, page) = (shown.clone(), Rc::clone(page));
        move || {
            if alarm.borrow().is_none() && !Rc::ptr_eq(&shown, &page) {
                let fired = Rc::clone(&alarm);
                let draw = move || {
                    drop(fired.take());
                    shown.set(Rc::clone(&latest.borrow()));
                };
                alarm.replace(Some(Timeout::new(PAUSE_MS, draw)));
            }
        }
    });
    Rc::clone(&shown)
}
