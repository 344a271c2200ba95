//! How the page is arranged: all of it, or what matters in large type. Esc goes back.

use gloo_events::EventListener;
use streamgram_protocol::scenario::View;
use wasm_bindgen::JsCast;
use web_sys::window;
use yew::prelude::*;

use crate::browser::composing::composes;

/// The attribute of the document's root that says it.
const ATTRIBUTE: &str = "data-view";

/// The view, and how to choose another.
#[hook]
pub(crate) fn use_view() -> (View, Callback<View>) {
    let view = use_state(View::default);
    use_effect_with(*view, {
        let setter = view.setter();
        move |view| {
            let document = window().and_then(|window| window.document());
            let root = document.as_ref().and_then(|document| document.document_element());
            // Fails only for a name that is none.
            let _set = root.map(|root| root.set_attribute(ATTRIBUTE, view.into()));
            let listener = document.filter(|_| *view == View::Large).map(|document| {
                EventListener::new(&document, "keydown", move |event| {
                    let key = event.dyn_ref::<KeyboardEvent>();
                    // Esc belongs to a dialog first, and to a prompt that has a draft to restore.
                    if key.is_some_and(|key| key.key() == "Escape" && !composes(key))
                        && !event.default_prevented()
                        && !is_dialog_open()
                    {
                        setter.set(View::Full);
                    }
                })
            });
            move || drop(listener)
        }
    });
    (*view, Callback::from(move |chosen| view.set(chosen)))
}

fn is_dialog_open() -> bool {
    let document = window().and_then(|window| window.document());
    document.is_some_and(|it| it.query_selector("dialog[open]").is_ok_and(|open| open.is_some()))
}
