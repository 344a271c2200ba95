//! The fragment of a link to a room: `room=K7M4Q2XAB`, and for the teacher `room=K7M4Q2XAB&key=…`.

use super::{KEY_DIGITS, RoomCode};

/// What stands in front of the code.
const ROOM: &str = "room=";
/// What stands in front of the key.
const KEY: &str = "&key=";

/// A link to a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomLink {
    /// Which room.
    pub code: RoomCode,
    /// The teacher's key, in the teacher's link.
    pub key: Option<String>,
}

impl RoomLink {
    /// Reads a fragment; none, if it is no link to a room. A key that is none is left out.
    #[must_use]
    pub fn decode(fragment: &str) -> Option<Self> {
        let rest = fragment.strip_prefix(ROOM)?;
        let (code, key) =
            rest.split_once(KEY).map_or((rest, None), |(code, key)| (code, Some(key)));
        let is_key = |key: &&str| {
            key.len() == KEY_DIGITS && key.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        Some(Self { code: code.parse().ok()?, key: key.filter(is_key).map(str::to_lowercase) })
    }

    /// The fragment, without its `#`.
    #[must_use]
    pub fn encode(&self) -> String {
        let key = self.key.as_ref().map(|key| format!("{KEY}{key}")).unwrap_or_default();
        format!("{ROOM}{}{key}", self.code.symbols())
    }

    /// Whether a fragment means to be a link to a room, even if it is none.
    #[must_use]
    pub fn is_meant(fragment: &str) -> bool {
        fragment.starts_with(ROOM)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_read_as_it_is_written() {
        let code = "K7M4Q2XAB".parse().unwrap();
        for key in [None, Some("0".repeat(KEY_DIGITS))] {
            let link = RoomLink { code, key };
            assert_eq!(RoomLink::decode(&link.encode()), Some(link));
        }
        let odd = RoomLink::decode("room=k7m-4q2-xab&key=zzz");
        assert_eq!(odd, Some(RoomLink { code, key: None }));
        assert_eq!(
            ["room=", "room=x", "lesson=order", "v1&text=x"].map(RoomLink::decode),
            [const { None }; 4]
        );
    }
}
