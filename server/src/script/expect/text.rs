//! What a text must be or contain. `{ctime}` in it stands for any time as the servers write it.

use serde::Deserialize;
use streamgram_protocol::CTIME_LEN;

use crate::timestamp::udp::sources::is_ctime;

/// What stands for a time.
const TIME: &str = "{ctime}";

/// What a text must be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Written")]
pub(super) struct Text {
    /// The whole of it.
    pub(super) equals: Option<String>,
    /// What stands in it somewhere.
    pub(super) contains: Vec<String>,
}

/// As it stands in a file.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "it must be the text, or { equals = \"…\" }, or { contains = [\"…\", \"…\"] }"
)]
enum Written {
    Whole(String),
    Parts(Parts),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    equals: Option<String>,
    #[serde(default)]
    contains: Vec<String>,
}

impl From<Written> for Text {
    fn from(written: Written) -> Self {
        match written {
            Written::Whole(text) => Self { equals: Some(text), contains: Vec::new() },
            Written::Parts(Parts { equals, contains }) => Self { equals, contains },
        }
    }
}

/// Whether a text is the pattern from end to end. Both kinds of line ends are the same.
pub(super) fn equals(text: &[u8], pattern: &str) -> bool {
    let (text, pattern) = (plain(text), plain(pattern.as_bytes()));
    end_of(&text, &pattern) == Some(text.len())
}

/// Whether the pattern stands somewhere in a text.
pub(super) fn contains(text: &[u8], pattern: &str) -> bool {
    let (text, pattern) = (plain(text), plain(pattern.as_bytes()));
    (0..=text.len()).any(|from| end_of(&text[from..], &pattern).is_some())
}

/// Where a pattern ends that a text begins with.
fn end_of(text: &[u8], pattern: &[u8]) -> Option<usize> {
    let (mut at, mut rest) = (0, pattern);
    loop {
        let time = rest.windows(TIME.len()).position(|here| here == TIME.as_bytes());
        let literal = &rest[..time.unwrap_or(rest.len())];
        text[at..].starts_with(literal).then_some(())?;
        at += literal.len();
        let Some(time) = time else { return Some(at) };
        text[at..].first_chunk::<CTIME_LEN>().filter(|text| is_ctime(text))?;
        at += CTIME_LEN;
        rest = &rest[time + TIME.len()..];
    }
}

fn plain(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    for (at, &byte) in text.iter().enumerate() {
        if byte != b'\r' || text.get(at + 1) != Some(&b'\n') {
            plain.push(byte);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_time_is_any_time() {
        let text = b"[Mon Nov 23 05:52:57 2026] hello\r\n[Tue Dec  1 00:00:00 2026] you\n";
        assert!(equals(text, "[{ctime}] hello\n[{ctime}] you\n"));
        assert!(contains(text, "{ctime}] you") && contains(text, "lo\n[{ctime}]"));
        for pattern in ["[{ctime}] hello\n", "[{ctime}] hello\n[{ctime}] you", "{ctime}", ""] {
            assert!(!equals(text, pattern), "{pattern}");
        }
        assert!(!equals(b"Mon Nov 23 05:52:57", "{ctime}") && !contains(text, "{ctime}]  you"));
        assert!(equals(b"", "") && contains(text, ""));
    }

    #[test]
    fn a_text_is_written_whole_or_in_parts() {
        #[derive(Deserialize)]
        struct File {
            t: Text,
        }
        let read = |written: &str| toml::from_str::<File>(&format!("t = {written}"));
        let whole = Text { equals: Some("x".into()), contains: vec![] };
        assert_eq!(read("\"x\"").unwrap().t, whole);
        assert_eq!(read("{ equals = \"x\" }").unwrap().t, whole);
        assert_eq!(read("{ contains = [\"x\"] }").unwrap().t.contains, ["x"]);
        for written in ["1", "{ contain = [\"x\"] }", "{ contains = \"x\" }"] {
            let wrong = read(written).err().unwrap();
            assert!(wrong.message().contains("{ contains = ["), "{}", wrong.message());
        }
    }

    proptest! {
        #[test]
        fn no_pattern_breaks_it(text: Vec<u8>, pattern in "[a{}ctime\r\n]{0,20}") {
            let _either = (equals(&text, &pattern), contains(&text, &pattern));
        }
    }
}
