//! The list of keys, behind `?`.

use gloo_events::EventListener;
use wasm_bindgen::JsCast;
use web_sys::{HtmlDialogElement, HtmlElement};
use yew::prelude::*;

const KEYS: [(&str, &str); 6] = [
    ("Enter", "send the line"),
    ("↑ ↓", "recall lines that were sent"),
    ("Esc", "back to the draft"),
    ("Ctrl L", "clear the transcript, with the focus in the prompt"),
    ("Tab", "reach every button, with Shift backwards"),
    ("?", "this list"),
];

/// A button, and the dialog that it opens.
#[component]
pub(crate) fn Shortcuts() -> Html {
    let dialog = use_node_ref();
    let show = {
        let dialog = dialog.clone();
        move || {
            if let Some(dialog) = dialog.cast::<HtmlDialogElement>().filter(|it| !it.open()) {
                // Fails only for a dialog that is open or not in the document.
                let _shown = dialog.show_modal();
            }
        }
    };
    use_effect_with((), {
        let show = show.clone();
        move |()| {
            let document = web_sys::window().and_then(|window| window.document());
            let listener = document.map(|document| {
                EventListener::new(&document, "keydown", move |event| {
                    let key = event.dyn_ref::<KeyboardEvent>();
                    if key.is_some_and(|key| key.key() == "?") && !is_typing(event) {
                        show();
                    }
                })
            });
            move || drop(listener)
        }
    });
    html! {
        <>
            <button type="button" class="shortcuts-button" aria-label="Keyboard shortcuts"
                onclick={move |_| show()}>{ "?" }</button>
            <dialog ref={dialog} class="shortcuts" aria-labelledby="shortcuts-title">
                <form method="dialog">
                    <h2 id="shortcuts-title">{ "Keys" }</h2>
                    <dl>
                        for (key, meaning) in KEYS {
                            <div><dt><kbd>{ key }</kbd></dt><dd>{ meaning }</dd></div>
                        }
                    </dl>
                    <button class="primary">{ "Close" }</button>
                </form>
            </dialog>
        </>
    }
}

fn is_typing(event: &Event) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
    target.is_some_and(|target| target.tag_name() == "INPUT")
}
