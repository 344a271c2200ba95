//! Text for the clipboard. The clipboard's own interface is missing on plain HTTP to another machine,
//! and can be refused; then the browser is asked to copy a selection; where it does not do that either,
//! the text is shown, selected, for the person to copy.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Clipboard, Document, HtmlDialogElement, HtmlDocument, HtmlTextAreaElement};

use crate::i18n::language::Language;

/// How a text was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Copied {
    /// It is on the clipboard.
    Done,
    /// It stands selected in a dialog that says what to press.
    ByHand,
}

/// Copies a text, in whichever way this page may.
pub(crate) async fn copy(language: Language, text: &str) -> Copied {
    if asked(text).await.is_ok() {
        return Copied::Done;
    }
    let Some(document) = web_sys::window().and_then(|window| window.document()) else {
        return Copied::ByHand;
    };
    match selected(&document, text) {
        Ok(true) => Copied::Done,
        _ => {
            // Without a dialog there is no way left.
            let _shown = show(language, &document, text);
            Copied::ByHand
        }
    }
}

/// By the clipboard's own interface.
async fn asked(text: &str) -> Result<(), JsValue> {
    let window = web_sys::window().ok_or(JsValue::NULL)?;
    // Not there at all over plain HTTP, whatever its type says.
    let clipboard: Clipboard = JsValue::from(window.navigator().clipboard()).dyn_into()?;
    JsFuture::from(clipboard.write_text(text)).await.map(drop)
}

/// By the selection of a field that is there for a moment; whether the browser did it.
fn selected(document: &Document, text: &str) -> Result<bool, JsValue> {
    let focused = document.active_element();
    let field = field(document, text)?;
    field.set_class_name("visually-hidden");
    // Outside of an open dialog nothing can be selected.
    let open = document.query_selector("dialog[open]")?;
    let place = open.or_else(|| document.body().map(Into::into)).ok_or(JsValue::NULL)?;
    place.append_child(&field)?;
    field.select();
    let html: &HtmlDocument = document.unchecked_ref();
    let copied = html.exec_command("copy");
    field.remove();
    if let Some(focused) = focused.and_then(|it| it.dyn_into::<web_sys::HtmlElement>().ok()) {
        focused.focus()?;
    }
    copied
}

/// Shows the text, selected, in a dialog that goes when it is closed.
fn show(language: Language, document: &Document, text: &str) -> Result<(), JsValue> {
    let dialog: HtmlDialogElement = document.create_element("dialog")?.unchecked_into();
    dialog.set_class_name("copy-by-hand");
    let form = document.create_element("form")?;
    form.set_attribute("method", "dialog")?;
    let hint = document.create_element("p")?;
    hint.set_text_content(Some(language.copy_by_hand()));
    let field = field(document, text)?;
    field.set_attribute("aria-label", language.copy_by_hand())?;
    let close = document.create_element("button")?;
    close.set_text_content(Some(language.dismiss()));
    for part in [&hint, &field, &close] {
        form.append_child(part)?;
    }
    dialog.append_child(&form)?;
    document.body().ok_or(JsValue::NULL)?.append_child(&dialog)?;
    let gone = dialog.clone();
    gloo_events::EventListener::once(&dialog, "close", move |_| gone.remove()).forget();
    dialog.show_modal()?;
    field.select();
    Ok(())
}

fn field(document: &Document, text: &str) -> Result<HtmlTextAreaElement, JsValue> {
    let field: HtmlTextAreaElement = document.create_element("textarea")?.unchecked_into();
    field.set_value(text);
    field.set_read_only(true);
    Ok(field)
}
