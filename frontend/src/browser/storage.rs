//! What this browser stores for the page, as JSON. Where it refuses (private windows, blocked storage, no
//! room), memory holds it as long as the page is open.

use std::cell::RefCell;
use std::collections::HashMap;

use gloo_storage::{LocalStorage, Storage};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// In front of every key: other pages of the same host may store things too.
const PREFIX: &str = "streamgram.";

thread_local! {
    static MEMORY: RefCell<HashMap<&'static str, String>> = RefCell::default();
}

/// What was written last under this key; none if it cannot be read.
pub(crate) fn read<T: DeserializeOwned>(key: &'static str) -> Option<T> {
    let json = MEMORY.with_borrow(|memory| memory.get(key).cloned());
    let stored = || LocalStorage::raw().get_item(&format!("{PREFIX}{key}")).ok().flatten();
    let json = json.or_else(|| is_allowed().then(stored)?)?;
    serde_json::from_str(&json).ok()
}

/// The list that was written last under this key. Entries that cannot be read, because somebody edited
/// them or another version wrote them, are left out.
pub(crate) fn read_list<T: DeserializeOwned>(key: &'static str) -> Vec<T> {
    let entries: Vec<Box<RawValue>> = read(key).unwrap_or_default();
    entries.iter().filter_map(|entry| serde_json::from_str(entry.get()).ok()).collect()
}

/// Stores this under the key.
pub(crate) fn write(key: &'static str, value: impl Serialize) {
    let Ok(json) = serde_json::to_string(&value) else { return };
    let store = || LocalStorage::raw().set_item(&format!("{PREFIX}{key}"), &json);
    let is_stored = is_allowed() && store().is_ok();
    MEMORY.with_borrow_mut(|memory| {
        if is_stored {
            memory.remove(key);
        } else {
            memory.insert(key, json);
        }
    });
}

/// Whether this browser lets the page store anything: `LocalStorage` panics where it does not. Tests run
/// without a browser.
fn is_allowed() -> bool {
    cfg!(target_arch = "wasm32")
        && web_sys::window().is_some_and(|it| matches!(it.local_storage(), Ok(Some(_))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn without_a_browser_s_storage_memory_holds_it() {
        assert_eq!(read::<String>("test"), None);
        write("test", "one");
        write("test", "two");
        assert_eq!(read::<String>("test").as_deref(), Some("two"));
    }

    #[test]
    fn an_entry_that_cannot_be_read_does_not_lose_the_others() {
        for other in [json!(null), json!({}), json!("list")] {
            write("test", other);
            assert!(read_list::<u8>("test").is_empty());
        }
        write("test", json!([1, -1, "2", {}, null, 256, 3]));
        assert_eq!(read_list::<u8>("test"), [1, 3]);
    }
}
