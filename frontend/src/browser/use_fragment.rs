//! What stands behind the `#` of the page's address.

use gloo_events::EventListener;
use wasm_bindgen::JsValue;
use web_sys::window;
use yew::prelude::*;

/// The fragment as it stands now, without its `#`.
pub(crate) fn fragment() -> String {
    let hash = window().and_then(|window| window.location().hash().ok()).unwrap_or_default();
    hash.strip_prefix('#').unwrap_or_default().to_owned()
}

/// Takes the fragment out of the address, so that a reload does not find it again.
pub(crate) fn forget() {
    // Where a browser refuses that, a reload asks again.
    let _replaced = window().and_then(|window| {
        let path = window.location().pathname().ok()?;
        let history = window.history().ok()?;
        Some(history.replace_state_with_url(&JsValue::NULL, "", Some(&path)))
    });
}

/// Changes the fragment, as a link to it does.
pub(crate) fn go_to(fragment: &str) {
    // Fails only where there is no page.
    let _gone = window().map(|window| window.location().set_hash(fragment));
}

/// The fragment, also when it changes under way, until it is answered.
#[hook]
pub(crate) fn use_fragment() -> (AttrValue, Callback<()>) {
    let state = use_state(|| AttrValue::from(fragment()));
    use_effect_with((), {
        let state = state.setter();
        move |()| {
            let listener = window().map(|window| {
                EventListener::new(&window, "hashchange", move |_| state.set(fragment().into()))
            });
            move || drop(listener)
        }
    });
    let fragment = (*state).clone();
    (fragment, Callback::from(move |()| state.set(AttrValue::default())))
}
