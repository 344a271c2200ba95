//! Bytes as a person may see them: text where it is text, escapes where showing the character would
//! hide it, move what stands around it, or speak to the terminal.

use std::fmt::Write as _;

/// A run of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Characters that can be shown as they are.
    Text(&'a str),
    /// Bytes that are not UTF-8 (`\xf0`), or characters that must not be shown raw (`\n`, `\u{202e}`).
    Escape(String),
}

/// Splits bytes into text and escapes; neighbouring escapes are one piece.
#[must_use]
pub fn pieces(bytes: &[u8]) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    for chunk in bytes.utf8_chunks() {
        split_text(chunk.valid(), &mut pieces);
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ok = write!(escape(&mut pieces), "\\x{byte:02x}");
        }
    }
    pieces
}

/// The same as one line of text, fit for a terminal.
#[must_use]
pub fn printable(bytes: &[u8]) -> String {
    pieces(bytes).iter().fold(String::new(), |line, piece| match piece {
        Piece::Text(text) => line + text,
        Piece::Escape(escape) => line + escape,
    })
}

/// A whole number; one that is too large to hold is as large as can be.
pub(crate) fn digits(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().unwrap_or(u64::MAX))
}

/// A text without its middle, if it has more than so many characters: a sentence begins with what it is
/// about and ends with what was expected.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    let (half, length) = (most / 2, text.chars().count());
    if length <= most {
        return text.to_owned();
    }
    let (head, tail) = (text.chars().take(half - 1), text.chars().skip(length - half));
    head.chain(['…']).chain(tail).collect()
}

fn split_text<'a>(text: &'a str, pieces: &mut Vec<Piece<'a>>) {
    let mut rest = text;
    while let Some(at) = rest.find(is_hidden) {
        let (shown, hidden) = rest.split_at(at);
        if !shown.is_empty() {
            pieces.push(Piece::Text(shown));
        }
        let mut characters = hidden.chars();
        if let Some(c) = characters.next() {
            let escape = escape(pieces);
            let _ok = match c {
                '\0'..='\u{7f}' if !matches!(c, '\n' | '\r' | '\t') => {
                    write!(escape, "\\x{:02x}", u32::from(c))
                }
                _ => write!(escape, "{}", c.escape_default()),
            };
        }
        rest = characters.as_str();
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
}

/// The escape at the end of `pieces`, a new one if there is none.
fn escape<'p>(pieces: &'p mut Vec<Piece<'_>>) -> &'p mut String {
    if !matches!(pieces.last(), Some(Piece::Escape(_))) {
        pieces.push(Piece::Escape(String::new()));
    }
    match pieces.last_mut() {
        Some(Piece::Escape(escape)) => escape,
        _ => unreachable!("an escape was pushed just above"),
    }
}

/// Control characters (C0, DEL, C1), bidirectional controls (Unicode UAX #9), line and paragraph
/// separators, and the byte order mark.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cut_character_is_shown_as_its_bytes() {
        let cut = &"a你".as_bytes()[..3];
        assert_eq!(pieces(cut), [Piece::Text("a"), Piece::Escape("\\xe4\\xbd".into())]);
    }

    #[test]
    fn what_could_speak_to_a_terminal_or_turn_the_text_is_escaped() {
        assert_eq!(printable(b"\x1b[2Jx\r\n\t\0"), "\\x1b[2Jx\\r\\n\\t\\x00");
        assert_eq!(printable("a\u{202e}b\u{9b}".as_bytes()), "a\\u{202e}b\\u{9b}");
    }

    #[test]
    fn ordinary_text_stays_one_piece() {
        assert_eq!(pieces("héllo 世界 <b>".as_bytes()), [Piece::Text("héllo 世界 <b>")]);
        assert_eq!(pieces(b""), []);
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left(bytes: Vec<u8>) {
            prop_assert!(!printable(&bytes).contains(is_hidden));
        }
    }
}
