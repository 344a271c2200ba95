//! What a person asked for comes into sight.

use web_sys::{Element, ScrollIntoViewOptions, ScrollLogicalPosition};

/// Whether there is room for one thing beside no other; the style sheets have the width too.
pub(crate) fn is_narrow() -> bool {
    let narrow = web_sys::window().and_then(|it| it.match_media("(width < 56rem)").ok()?);
    narrow.is_some_and(|narrow| narrow.matches())
}

/// Scrolls no further than it takes to have an element in sight.
pub(crate) fn bring(element: &Element) {
    let nearest = ScrollIntoViewOptions::new();
    nearest.set_block(ScrollLogicalPosition::Nearest);
    element.scroll_into_view_with_scroll_into_view_options(&nearest);
}

/// Scrolls to the head of an element, unless that is in the upper half of the window.
pub(crate) fn bring_head(element: &Element) {
    let height = web_sys::window().and_then(|it| it.inner_height().ok()?.as_f64());
    let top = element.get_bounding_client_rect().top();
    if !(0.0..height.unwrap_or_default() / 2.0).contains(&top) {
        element.scroll_into_view();
    }
}
