//! What this browser keeps for the page. Where it refuses (private windows, blocked storage, no room),
//! memory keeps it as long as the page.

use std::cell::RefCell;

use web_sys::Storage;

/// In front of every key: other pages of the same host may keep things too.
const PREFIX: &str = "streamgram.";

thread_local! {
    static MEMORY: RefCell<Vec<(&'static str, String)>> = const { RefCell::new(Vec::new()) };
}

/// What was written last under this key.
pub(crate) fn read(key: &'static str) -> Option<String> {
    let kept =
        MEMORY.with_borrow(|memory| memory.iter().find(|it| it.0 == key).map(|it| it.1.clone()));
    kept.or_else(|| browser()?.get_item(&format!("{PREFIX}{key}")).ok()?)
}

/// Keeps this under the key.
pub(crate) fn write(key: &'static str, value: &str) {
    let stored = browser().is_some_and(|it| it.set_item(&format!("{PREFIX}{key}"), value).is_ok());
    MEMORY.with_borrow_mut(|memory| {
        memory.retain(|it| it.0 != key);
        if !stored {
            memory.push((key, value.to_owned()));
        }
    });
}

#[cfg(target_arch = "wasm32")]
fn browser() -> Option<Storage> {
    web_sys::window()?.local_storage().ok()?
}

/// Components are tested without a browser.
#[cfg(not(target_arch = "wasm32"))]
fn browser() -> Option<Storage> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_browser_s_storage_memory_keeps_it() {
        assert_eq!(read("test"), None);
        write("test", "one");
        write("test", "two");
        assert_eq!(read("test").as_deref(), Some("two"));
    }
}
