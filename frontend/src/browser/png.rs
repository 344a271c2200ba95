//! Pictures as PNG, painted on a canvas: the page's policy lets it load no picture that it made itself.

use js_sys::{Array, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, CanvasRenderingContext2d, Clipboard, ClipboardItem, HtmlCanvasElement, window,
};

use super::download::save_blob;

const KIND: &str = "image/png";
/// Pixels of a side that every browser paints.
const LONGEST: u32 = 16_000;

/// Where a picture is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    OnClipboard,
    AsFile,
}

/// Puts a picture on the clipboard; where a browser refuses that, it becomes a file.
///
/// # Errors
/// The picture is too large for a canvas, or there is none.
pub(crate) async fn copy_png(
    name: &str,
    (width, height): (u64, u64),
    paint: impl FnOnce(&CanvasRenderingContext2d) -> Result<(), JsValue>,
) -> Result<Kept, JsValue> {
    let pixels = |length: u64| u32::try_from(length).map_err(|_| JsValue::NULL);
    let (width, height) = (pixels(width)?, pixels(height)?);
    // Two pixels for one, so that it is sharp on screens which have them.
    let scale = if width.max(height) <= LONGEST / 2 { 2 } else { 1 };
    if width.max(height) > LONGEST {
        return Err(JsValue::NULL);
    }
    let document = window().and_then(|window| window.document()).ok_or(JsValue::NULL)?;
    let canvas: HtmlCanvasElement = document.create_element("canvas")?.dyn_into()?;
    canvas.set_width(width * scale);
    canvas.set_height(height * scale);
    let context = canvas.get_context("2d")?.ok_or(JsValue::NULL)?;
    let context: CanvasRenderingContext2d = context.dyn_into()?;
    context.scale(scale.into(), scale.into())?;
    paint(&context)?;
    // A promise, not its picture: some browsers allow the clipboard only while they handle a click.
    let blob = Promise::new(&mut |resolve, reject| {
        if let Err(error) = canvas.to_blob(&resolve) {
            // Nothing is left to be done if that fails too.
            let _rejected = reject.call1(&JsValue::UNDEFINED, &error);
        }
    });
    if on_clipboard(&blob).await.is_ok() {
        return Ok(Kept::OnClipboard);
    }
    let blob: Blob = JsFuture::from(blob).await?.dyn_into()?;
    save_blob(name, &blob)?;
    Ok(Kept::AsFile)
}

async fn on_clipboard(blob: &Promise) -> Result<(), JsValue> {
    let window = window().ok_or(JsValue::NULL)?;
    // Not there at all over plain HTTP, whatever its type says.
    let clipboard: Clipboard = JsValue::from(window.navigator().clipboard()).dyn_into()?;
    let items = Object::new();
    Reflect::set(&items, &KIND.into(), blob)?;
    let item = ClipboardItem::new_with_record_from_str_to_blob_promise(&items)?;
    JsFuture::from(clipboard.write(&Array::of1(&item))).await.map(drop)
}
