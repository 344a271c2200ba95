//! The rows that are shown, looked for a step at a time while the page goes on.

use std::rc::Rc;

use gloo_timers::callback::Timeout;
use yew::prelude::*;

use super::matches::Matches;
use super::view::Test;
use crate::session::log::Log;

/// The rows that pass, as far as they are found; and whether all are.
#[hook]
pub(crate) fn use_matches(log: &Log, test: &Test) -> (Rc<Matches>, bool) {
    let kept = use_mut_ref(Rc::<Matches>::default);
    let complete = Rc::make_mut(&mut *kept.borrow_mut()).update(log, test);
    let again = use_force_update();
    use_effect(move || {
        let next = (!complete).then(|| Timeout::new(0, move || again.force_update()));
        move || drop(next)
    });
    let matches = Rc::clone(&kept.borrow());
    (matches, complete)
}
