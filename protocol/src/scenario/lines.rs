//! What stands in the prompt as the lines that go out.

use std::fmt;

use super::escapes::{BadEscape, unescape};
use super::words::{Ending, Mode};
use crate::{BadHex, Data, numbers_in};

/// Why a line cannot go out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadLine {
    /// An escape that is none.
    Escape(BadEscape),
    /// Hex that is not hex.
    Hex(BadHex),
    /// It has a `{n}`, and bytes that are no text: the number could not be put in its place.
    NotNumbered,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Escape(BadEscape { at, found }) => {
                write!(f, "{found} (from character {at}) is not an escape")
            }
            Self::Hex(bad) => bad.fmt(f),
            Self::NotNumbered => f.write_str("a line with {n} must be text, and this one is not"),
        }
    }
}

impl std::error::Error for BadLine {}

/// The lines of a text; a line break at the very end begins none.
pub fn lines_of(text: &str) -> impl Iterator<Item = &str> {
    text.strip_suffix('\n').unwrap_or(text).split('\n')
}

/// What a line stands for. In text the server puts the line's number in place of `{n}`; in hex nothing is put in place
/// of anything.
///
/// # Errors
/// It stands for nothing.
pub fn data_of(line: &str, mode: Mode, ending: Ending) -> Result<Data, BadLine> {
    let ending = match ending {
        Ending::None => "",
        Ending::Lf => "\n",
        Ending::CrLf => "\r\n",
    };
    let mut bytes = match mode {
        Mode::Text => return Ok(Data::Text([line, ending].concat())),
        Mode::Escapes => unescape(line).map_err(BadLine::Escape)?,
        Mode::Hex => {
            let bytes = Data::Hex(line.to_owned()).to_bytes().map_err(BadLine::Hex)?.into_owned();
            return Ok(Data::Hex(Data::hex(&[&bytes, ending.as_bytes()].concat())));
        }
    };
    bytes.extend_from_slice(ending.as_bytes());
    let typed = numbers_in(line);
    match String::from_utf8(bytes) {
        Ok(text) if numbers_in(&text) == typed => Ok(Data::Text(text)),
        // It is escaped so that it stays.
        Ok(text) if typed == 0 => Ok(Data::Hex(Data::hex(text.as_bytes()))),
        Err(error) if typed == 0 => Ok(Data::Hex(Data::hex(error.as_bytes()))),
        _ => Err(BadLine::NotNumbered),
    }
}
