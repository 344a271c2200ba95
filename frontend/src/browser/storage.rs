//! What this browser stores for the page, or for its tab alone, as JSON. Where it refuses (private windows,
//! blocked storage, no room), memory holds it as long as the page is open.

use std::cell::RefCell;
use std::collections::HashMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use web_sys::Storage;

/// In front of every key: other pages of the same host may store things too.
const PREFIX: &str = "streamgram.";

thread_local! {
    static MEMORY: RefCell<HashMap<&'static str, String>> = RefCell::default();
}

/// For whom it is stored.
#[derive(Clone, Copy)]
enum Reach {
    /// For every tab of this browser, until somebody deletes it.
    Browser,
    /// For this tab, also after a reload.
    Tab,
}

impl Reach {
    /// Where that is, if this browser lets the page store anything. Tests run without a browser.
    fn storage(self) -> Option<Storage> {
        let window = cfg!(target_arch = "wasm32").then(web_sys::window)??;
        match self {
            Self::Browser => window.local_storage().ok()?,
            Self::Tab => window.session_storage().ok()?,
        }
    }

    fn read<T: DeserializeOwned>(self, key: &'static str) -> Option<T> {
        let json = MEMORY.with_borrow(|memory| memory.get(key).cloned());
        let stored = || self.storage()?.get_item(&format!("{PREFIX}{key}")).ok()?;
        serde_json::from_str(&json.or_else(stored)?).ok()
    }

    fn write(self, key: &'static str, value: impl Serialize) {
        let Ok(json) = serde_json::to_string(&value) else { return };
        let name = format!("{PREFIX}{key}");
        let is_stored = self.storage().is_some_and(|it| it.set_item(&name, &json).is_ok());
        MEMORY.with_borrow_mut(|memory| {
            if is_stored {
                memory.remove(key);
            } else {
                memory.insert(key, json);
            }
        });
    }
}

/// What was written last under this key; none if it cannot be read.
pub(crate) fn read<T: DeserializeOwned>(key: &'static str) -> Option<T> {
    Reach::Browser.read(key)
}

/// What was written last in this tab under this key; none if it cannot be read.
pub(crate) fn read_in_tab<T: DeserializeOwned>(key: &'static str) -> Option<T> {
    Reach::Tab.read(key)
}

/// The list that was written last under this key. Entries that cannot be read, because somebody edited
/// them or another version wrote them, are left out.
pub(crate) fn read_list<T: DeserializeOwned>(key: &'static str) -> Vec<T> {
    let entries: Vec<Box<RawValue>> = read(key).unwrap_or_default();
    entries.iter().filter_map(|entry| serde_json::from_str(entry.get()).ok()).collect()
}

/// Stores this under the key.
pub(crate) fn write(key: &'static str, value: impl Serialize) {
    Reach::Browser.write(key, value);
}

/// Stores this for the tab under the key, which is none of those for the browser.
pub(crate) fn write_in_tab(key: &'static str, value: impl Serialize) {
    Reach::Tab.write(key, value);
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
