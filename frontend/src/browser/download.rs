//! Files that the browser saves.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, BlobPropertyBag, Element, HtmlAnchorElement, Url, XmlSerializer};

/// What a style sheet says of a picture's parts, as far as a picture uses it.
const STYLE: [&str; 10] = [
    "fill",
    "opacity",
    "stroke",
    "stroke-width",
    "stroke-dasharray",
    "stroke-linecap",
    "vector-effect",
    "paint-order",
    "font-size",
    "font-family",
];

/// Saves an SVG of the page at this width and height. What the style sheet says of its parts becomes
/// attributes; on the page these change nothing, for the style sheet goes before them.
pub(crate) fn save_picture(name: &str, picture: &Element, (width, height): (u64, u64)) {
    let saved = || -> Result<(), JsValue> {
        let window = web_sys::window().ok_or(JsValue::NULL)?;
        let parts = picture.get_elements_by_tag_name("*");
        for part in (0..parts.length()).filter_map(|at| parts.item(at)) {
            if let Some(style) = window.get_computed_style(&part)? {
                for name in STYLE {
                    part.set_attribute(name, &style.get_property_value(name)?)?;
                }
            }
        }
        let svg = XmlSerializer::new()?.serialize_to_string(picture)?;
        let size =
            format!("<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\"");
        let svg = size + svg.trim_start_matches("<svg");
        save(&format!("streamgram-{name}.svg"), "image/svg+xml", svg.as_bytes());
        Ok(())
    };
    let _saved = saved();
}

/// Lets the browser save a file. Where it cannot, there is nothing to be done about it.
pub(crate) fn save(name: &str, kind: &str, content: &[u8]) {
    let saved = || -> Result<(), JsValue> {
        let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(content));
        let options = BlobPropertyBag::new();
        options.set_type(kind);
        save_blob(name, &Blob::new_with_u8_array_sequence_and_options(&parts, &options)?)
    };
    let _saved = saved();
}

/// Lets the browser save a file that it made itself.
///
/// # Errors
/// It does not let a page save files.
pub(crate) fn save_blob(name: &str, blob: &Blob) -> Result<(), JsValue> {
    let url = Url::create_object_url_with_blob(blob)?;
    let document = web_sys::window().and_then(|window| window.document());
    let anchor = document.ok_or(JsValue::NULL)?.create_element("a")?;
    let anchor: HtmlAnchorElement = anchor.dyn_into()?;
    anchor.set_href(&url);
    anchor.set_download(name);
    anchor.click();
    Url::revoke_object_url(&url)
}
