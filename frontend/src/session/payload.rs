//! Bytes that went out or came back, shared by everything that shows them.

use std::borrow::Cow;
use std::rc::Rc;

use streamgram_protocol::{Data, numbered, numbers_in};

/// The bytes, shared by all that have the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Payload {
    Bytes(Rc<[u8]>),
    /// A text with `{n}` in it, which stands for this number.
    Numbered(Rc<str>, u32),
}

impl Default for Payload {
    fn default() -> Self {
        Self::Bytes(Rc::default())
    }
}

impl Payload {
    /// Decodes a payload; hex that is not hex, which a server never sends, is nothing.
    pub(crate) fn of(data: &Data) -> Self {
        Self::Bytes(data.to_bytes().unwrap_or_default().as_ref().into())
    }

    /// What a send's lines have in common.
    pub(crate) fn of_lines(data: &Data) -> Self {
        match data {
            Data::Text(text) if numbers_in(text) > 0 => Self::Numbered(text.as_str().into(), 0),
            _ => Self::of(data),
        }
    }

    /// The payload of line `number`.
    pub(crate) fn line(&self, number: u32) -> Self {
        match self {
            Self::Bytes(bytes) => Self::Bytes(Rc::clone(bytes)),
            Self::Numbered(text, _) => Self::Numbered(Rc::clone(text), number),
        }
    }

    /// The bytes themselves.
    pub(crate) fn bytes(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Bytes(bytes) => Cow::Borrowed(bytes),
            Self::Numbered(text, number) => Cow::Owned(numbered(text, *number).into_owned().into()),
        }
    }

    /// The first bytes, at most `most`, without the beginning of a character that is cut: rows are shown
    /// often, and can be long.
    pub(crate) fn head(&self, most: usize) -> Cow<'_, [u8]> {
        match self {
            Self::Bytes(bytes) => Cow::Borrowed(&bytes[..end(bytes, most)]),
            Self::Numbered(text, number) => {
                // A number is at least a third as long as the `{n}` that it replaces.
                let beginning = &text[..text.ceil_char_boundary(3 * most)];
                let mut head = numbered(beginning, *number).into_owned().into_bytes();
                head.truncate(end(&head, most));
                Cow::Owned(head)
            }
        }
    }

    /// Bytes of memory that it takes.
    pub(crate) fn kept(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Numbered(text, _) => text.len(),
        }
    }
}

/// Where to cut bytes, so that no more than `most` are left and no character is cut.
fn end(bytes: &[u8], most: usize) -> usize {
    let most = most.min(bytes.len());
    let continues = |at: &usize| bytes.get(*at).is_some_and(|byte| byte & 0xc0 == 0x80);
    // A character has at most three more bytes; what has more of them is none.
    (most.saturating_sub(3)..=most).rev().find(|at| !continues(at)).unwrap_or(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_burst_share_one_text() {
        let lines = Payload::of_lines(&Data::Text("line {n} of {n}".into()));
        assert_eq!(lines.line(3).bytes().as_ref(), b"line 3 of 3");
        assert_eq!(lines.line(12).bytes().as_ref(), b"line 12 of 12");
        let same = Payload::of_lines(&Data::Hex("7b 6e 7d".into()));
        assert_eq!(same.line(12).bytes().as_ref(), b"{n}");
    }

    #[test]
    fn a_head_is_the_beginning_of_the_whole_and_cuts_no_character() {
        let long = Payload::of_lines(&Data::Text("{n}你好".repeat(1_000)));
        for payload in [long.line(7), long.line(1_000), Payload::of(&Data::Text("你好".repeat(99)))]
        {
            for most in [0, 1, 2, 3, 100, 101, 102, 9_000, 100_000] {
                let (head, whole) = (payload.head(most), payload.bytes());
                assert!(whole.starts_with(&head));
                assert!(std::str::from_utf8(&head).is_ok());
                assert!(head.len() + 3 > most.min(whole.len()) && head.len() <= most, "{most}");
            }
        }
        let no_text = Payload::of(&Data::Hex("80".repeat(9)));
        assert_eq!(no_text.head(5).len(), 5);
    }
}
