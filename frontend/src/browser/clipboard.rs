//! Text for the clipboard. The clipboard's own interface is missing on plain HTTP to another machine,
//! and can be refused; then the browser is asked to copy a selection.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Clipboard, HtmlDocument, HtmlTextAreaElement};

/// How a text was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Copied {
    /// It is on the clipboard.
    Done,
    /// The browser does not do it: a person has to.
    ByHand,
}

/// Copies a text, in whichever way this page may.
pub(crate) async fn copy(text: &str) -> Copied {
    match asked(text).await.or_else(|_| selected(text)) {
        Ok(()) => Copied::Done,
        Err(_) => Copied::ByHand,
    }
}

/// By the clipboard's own interface.
async fn asked(text: &str) -> Result<(), JsValue> {
    let window = web_sys::window().ok_or(JsValue::NULL)?;
    // Not there at all over plain HTTP, whatever its type says.
    let clipboard: Clipboard = JsValue::from(window.navigator().clipboard()).dyn_into()?;
    JsFuture::from(clipboard.write_text(text)).await.map(drop)
}

/// By the selection of a field that is there for a moment.
fn selected(text: &str) -> Result<(), JsValue> {
    let document = web_sys::window().and_then(|window| window.document()).ok_or(JsValue::NULL)?;
    let focused = document.active_element();
    let field: HtmlTextAreaElement = document.create_element("textarea")?.unchecked_into();
    field.set_value(text);
    field.set_read_only(true);
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
    if copied? { Ok(()) } else { Err(JsValue::NULL) }
}
