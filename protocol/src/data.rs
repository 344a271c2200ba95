//! Bytes in JSON: as `"text"` if they are UTF-8, else as `"hex"`.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};

/// A payload in a message: `{"text":"hello"}` or `{"hex":"f09f"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(rename_all = "lowercase")]
pub enum Data {
    /// UTF-8.
    Text(String),
    /// Two hexadecimal digits a byte; white space between them is allowed.
    Hex(String),
}

/// Text that is not hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadHex {
    /// A character that is neither a digit nor white space, and where (counted from 0).
    Digit(char, usize),
    /// The last byte has one digit only.
    Odd,
}

impl fmt::Display for BadHex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digit(c, at) => write!(f, "{c:?} at {at} is not a hexadecimal digit"),
            Self::Odd => f.write_str("the number of hexadecimal digits is odd"),
        }
    }
}

impl std::error::Error for BadHex {}

impl Data {
    /// Text where the bytes are UTF-8 from end to end, hex otherwise.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Hex(Self::hex(bytes)),
        }
    }

    /// Bytes as hexadecimal digits.
    #[must_use]
    pub fn hex(bytes: &[u8]) -> String {
        bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ok = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// The bytes themselves.
    ///
    /// # Errors
    /// Hex that is not hex.
    pub fn to_bytes(&self) -> Result<Cow<'_, [u8]>, BadHex> {
        match self {
            Self::Text(text) => Ok(Cow::Borrowed(text.as_bytes())),
            Self::Hex(hex) => unhex(hex).map(Cow::Owned),
        }
    }

    /// The bytes of line `n` of a burst: in text, every `{n}` becomes the number.
    ///
    /// # Errors
    /// Hex that is not hex.
    pub fn line(&self, n: u32) -> Result<Cow<'_, [u8]>, BadHex> {
        match self {
            Self::Text(text) => Ok(numbered_bytes(text, n)),
            Self::Hex(hex) => unhex(hex).map(Cow::Owned),
        }
    }
}

/// `text` with every `{n}` replaced by the line's number.
#[must_use]
pub fn numbered(text: &str, n: u32) -> Cow<'_, str> {
    if text.contains("{n}") {
        Cow::Owned(text.replace("{n}", &n.to_string()))
    } else {
        Cow::Borrowed(text)
    }
}

/// How often a line's number stands in a text.
#[must_use]
pub fn numbers_in(text: &str) -> usize {
    text.matches("{n}").count()
}

/// The bytes of [`numbered`].
pub(crate) fn numbered_bytes(text: &str, n: u32) -> Cow<'_, [u8]> {
    match numbered(text, n) {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

pub(crate) fn unhex(hex: &str) -> Result<Vec<u8>, BadHex> {
    let mut bytes = Vec::with_capacity(hex.len() / 2);
    let mut high = None;
    for (at, c) in hex.chars().enumerate().filter(|(_, c)| !c.is_ascii_whitespace()) {
        let digit = c.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let digit = digit.ok_or(BadHex::Digit(c, at))?;
        match high.take() {
            None => high = Some(digit << 4),
            Some(first) => bytes.push(first | digit),
        }
    }
    if high.is_some() { Err(BadHex::Odd) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn utf8_is_text_and_everything_else_is_hex() {
        assert_eq!(Data::from_bytes("你好".as_bytes()), Data::Text("你好".into()));
        assert_eq!(Data::from_bytes(&[0xe4, 0xbd]), Data::Hex("e4bd".into()));
        assert_eq!(Data::from_bytes(&[]), Data::Text(String::new()));
    }

    #[test]
    fn hex_may_be_spaced_and_says_what_is_wrong() {
        assert_eq!(unhex("E4 bd\na0"), Ok(vec![0xe4, 0xbd, 0xa0]));
        assert_eq!(unhex("e4b"), Err(BadHex::Odd));
        assert_eq!(unhex("e4é0"), Err(BadHex::Digit('é', 2)));
        assert_eq!(BadHex::Digit('g', 3).to_string(), "'g' at 3 is not a hexadecimal digit");
    }

    #[test]
    fn every_n_becomes_the_number_in_text_only() {
        let text = Data::Text("{n}: line {n}, {m}".into());
        assert_eq!(text.line(20).unwrap().as_ref(), b"20: line 20, {m}");
        assert_eq!(Data::Hex("7b6e7d".into()).line(20).unwrap().as_ref(), b"{n}");
    }

    proptest! {
        #[test]
        fn bytes_survive_the_way_through_json(bytes: Vec<u8>) {
            let json = serde_json::to_string(&Data::from_bytes(&bytes)).unwrap();
            let back: Data = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(back.to_bytes().unwrap().into_owned(), bytes);
        }

        #[test]
        fn no_text_is_too_strange_to_be_refused_as_hex(text: String) {
            let _either = Data::Hex(text).to_bytes();
        }
    }
}
