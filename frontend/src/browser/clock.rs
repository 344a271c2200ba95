//! The browser's clock.

/// Unix time in milliseconds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "milliseconds since 1970 fit"
)]
pub(crate) fn now_ms() -> u64 {
    js_sys::Date::now() as u64
}
