//! The list of keys, behind `?`.

use gloo_events::EventListener;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;
use yew::prelude::*;

use crate::i18n::language::{Language, use_language};
use crate::ui::dialog::Dialog;

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

/// A button, and the dialog that it opens: which is in sight only outside of a menu that is closed.
#[hook]
pub(crate) fn use_shortcuts() -> [Html; 2] {
    let language = use_language();
    let is_open = use_state(|| false);
    let set_open = |is_now_open: bool| {
        let is_open = is_open.setter();
        Callback::from(move |()| is_open.set(is_now_open))
    };
    use_effect_with((), {
        let show = set_open(true);
        move |()| {
            let document = web_sys::window().and_then(|window| window.document());
            let listener = document.map(|document| {
                EventListener::new(&document, "keydown", move |event| {
                    let key = event.dyn_ref::<KeyboardEvent>();
                    if key.is_some_and(|key| key.key() == "?") && !is_typing(event) {
                        show.emit(());
                    }
                })
            });
            move || drop(listener)
        }
    });
    let button = html! {
        <button type="button" class="shortcuts-button" aria-label={language.shortcuts()}
            onclick={set_open(true).reform(|_| ())}>{ "?" }</button>
    };
    let dialog = html! {
        if *is_open {
            <Dialog class="shortcuts" labelled_by="shortcuts-title" on_close={set_open(false)}>
                <h2 id="shortcuts-title">{ language.keys() }</h2>
                <dl>
                    for (key, meaning) in keys(language) {
                        <div><dt><kbd>{ key }</kbd></dt><dd>{ meaning }</dd></div>
                    }
                </dl>
                <button class="primary">{ language.dismiss() }</button>
            </Dialog>
        }
    };
    [button, dialog]
}

fn is_typing(event: &Event) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
    target.is_some_and(|it| matches!(it.tag_name().as_str(), "INPUT" | "SELECT" | "TEXTAREA"))
}
