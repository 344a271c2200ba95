//! Keys of input methods, with which Chinese and other languages are typed.

use web_sys::KeyboardEvent;

/// What browsers say of a key that an input method takes, where they do not say that it composes.
const KEY_OF_INPUT_METHOD: u32 = 229;

/// Whether a key is the input method's: an Enter that confirms what was composed, an Escape that drops it.
pub(crate) fn composes(event: &KeyboardEvent) -> bool {
    event.is_composing() || event.key_code() == KEY_OF_INPUT_METHOD
}
