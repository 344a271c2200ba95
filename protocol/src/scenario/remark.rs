//! What could not be read in a link as it stands: facts, which the page puts into words.

use std::fmt;

use crate::text::{printable, shortened};

/// Remarks that are listed; those after them are counted.
pub const MAX_REMARKS: usize = 8;
/// Characters of a name or value that a remark quotes; the middle of a longer one is left out.
pub const MAX_QUOTE_CHARS: usize = 60;

/// A remark on a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// The fragment is too long, and was not read.
    TooLong {
        /// Its length.
        bytes: usize,
        /// [`MAX_FRAGMENT`](super::MAX_FRAGMENT)
        limit: usize,
    },
    /// It is of a version that is not known, or no scenario at all; it was not read.
    Version(String),
    /// There is no such name; it was left out.
    Unknown(String),
    /// The name came before; the first one holds.
    Repeated(String),
    /// The value cannot be read; it was left out.
    Unreadable {
        /// Of what.
        name: String,
        /// The value.
        value: String,
    },
    /// The value was moved into its range.
    Clamped {
        /// Of what.
        name: String,
        /// As it stood.
        value: String,
        /// As it is now.
        taken: String,
    },
    /// There are too many rules; those after the limit were left out.
    Rules {
        /// How many there may be.
        limit: usize,
    },
    /// The text was cut at the longest line.
    Cut {
        /// Its length.
        bytes: usize,
        /// How long it is now at most.
        limit: usize,
    },
    /// A `%` of this value begins no code; it was taken for itself.
    Percent(String),
    /// Bytes of this value are not UTF-8; they were replaced by U+FFFD.
    NotUtf8(String),
    /// There would be so many remarks more.
    More(usize),
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text: &str| printable(text.as_bytes());
        match self {
            Self::TooLong { bytes, limit } => {
                write!(f, "the scenario is {bytes} bytes, the limit is {limit}")
            }
            Self::Version(version) => {
                write!(f, "it begins with \"{}\" where v1 is expected", shown(version))
            }
            Self::Unknown(name) => write!(f, "\"{}\" is not known, it is left out", shown(name)),
            Self::Repeated(name) => {
                write!(f, "{} is there more than once, the first one holds", shown(name))
            }
            Self::Unreadable { name, value } => {
                write!(f, "{} is \"{}\", it is left out", shown(name), shown(value))
            }
            Self::Clamped { name, value, taken } => {
                write!(f, "{} is {}, {taken} is taken", shown(name), shown(value))
            }
            Self::Rules { limit } => {
                write!(f, "there are more than {limit} rules, the limit is {limit}")
            }
            Self::Cut { bytes, limit } => {
                write!(f, "the text is {bytes} bytes, it is cut at {limit}")
            }
            Self::Percent(name) => {
                write!(f, "a % in {} begins no code, it stands for itself", shown(name))
            }
            Self::NotUtf8(name) => {
                write!(f, "{} has bytes that are no text, they are replaced", shown(name))
            }
            Self::More(more) => write!(f, "there are {more} more remarks"),
        }
    }
}

/// A name or a value, as far as a remark quotes it.
pub(super) fn quoted(text: &str) -> String {
    shortened(text, MAX_QUOTE_CHARS)
}

/// Remarks as they come up: a link of thousands of mistakes costs no more than one of a few.
#[derive(Default)]
pub(super) struct Remarks {
    listed: Vec<Remark>,
    more: usize,
}

impl Remarks {
    pub(super) fn add(&mut self, remark: impl FnOnce() -> Remark) {
        if self.listed.len() < MAX_REMARKS {
            self.listed.push(remark());
        } else {
            self.more += 1;
        }
    }

    pub(super) fn finish(mut self) -> Vec<Remark> {
        if self.more > 0 {
            self.listed.push(Remark::More(self.more));
        }
        self.listed
    }
}
