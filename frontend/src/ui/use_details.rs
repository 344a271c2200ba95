//! Whether a `<details>` is open: what is in it is made only then.

use web_sys::Element;
use yew::prelude::*;

/// Whether it is, and what to do when it is opened or closed.
#[hook]
pub(crate) fn use_details() -> (bool, Callback<Event>) {
    let open = use_state(|| false);
    let ontoggle = Callback::from(open.setter())
        .reform(|event: Event| event.target_unchecked_into::<Element>().has_attribute("open"));
    (*open, ontoggle)
}
