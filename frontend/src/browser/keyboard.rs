//! Whether there is a keyboard, as far as a browser tells.

/// Whether this is likely a machine with a keyboard: it has a mouse, or something as precise.
pub(crate) fn has_keyboard() -> bool {
    let fine = web_sys::window()
        .and_then(|it| it.match_media("(hover: hover) and (pointer: fine)").ok()?);
    fine.is_some_and(|fine| fine.matches())
}
