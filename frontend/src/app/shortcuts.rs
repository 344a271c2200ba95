//! The list of keys, behind `?`.

use gloo_events::EventListener;
use wasm_bindgen::JsCast;
use web_sys::{HtmlDialogElement, HtmlElement};
use yew::prelude::*;

use crate::i18n::language::{Language, use_language};

fn keys(language: Language) -> [(&'static str, &'static str); 10] {
    [
        ("Enter", language.key_enter()),
        ("Shift Enter", language.key_shift_enter()),
        ("↑ ↓", language.key_arrows()),
        ("Esc", language.key_escape()),
        ("Ctrl L", language.key_clear()),
        ("Tab", language.key_tab()),
        ("↑ ↓", language.key_rows()),
        ("Enter", language.key_row()),
        ("c", language.key_copy()),
        ("?", language.key_help()),
    ]
}

/// A button, and the dialog that it opens.
#[component]
pub(crate) fn Shortcuts() -> Html {
    let language = use_language();
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
            <button type="button" class="shortcuts-button" aria-label={language.shortcuts()}
                onclick={move |_| show()}>{ "?" }</button>
            <dialog ref={dialog} class="shortcuts" aria-labelledby="shortcuts-title">
                <form method="dialog">
                    <h2 id="shortcuts-title">{ language.keys() }</h2>
                    <dl>
                        for (key, meaning) in keys(language) {
                            <div><dt><kbd>{ key }</kbd></dt><dd>{ meaning }</dd></div>
                        }
                    </dl>
                    <button class="primary">{ language.dismiss() }</button>
                </form>
            </dialog>
        </>
    }
}

fn is_typing(event: &Event) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
    target.is_some_and(|it| matches!(it.tag_name().as_str(), "INPUT" | "SELECT" | "TEXTAREA"))
}
