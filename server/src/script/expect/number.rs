//! How many something must be: `3`, `">= 3"`, `"<= 2"`, `"1..5"`, `"all"`, or whether it must be at all.

use std::fmt;

use serde::Deserialize;

/// What a number must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub(super) enum Number {
    /// This one.
    Exactly(u64),
    /// This one or more.
    AtLeast(u64),
    /// This one or less.
    AtMost(u64),
    /// Between these, both included.
    Between(u64, u64),
    /// As many as there could be.
    All,
}

/// As it stands in a file.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "it must be a number, true, false, or one of \">= 3\", \"<= 2\", \"1..5\", \"all\""
)]
enum Written {
    Bool(bool),
    Number(u64),
    Text(String),
}

impl TryFrom<Written> for Number {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Bool(true) => Ok(Self::AtLeast(1)),
            Written::Bool(false) => Ok(Self::Exactly(0)),
            Written::Number(number) => Ok(Self::Exactly(number)),
            Written::Text(text) => Self::read(&text).ok_or_else(|| {
                format!(
                    "{text:?}: it must be a number, or one of \">= 3\", \"<= 2\", \"1..5\", \"all\""
                )
            }),
        }
    }
}

impl Number {
    fn read(text: &str) -> Option<Self> {
        let number = |text: &str| text.trim().parse::<u64>().ok();
        let text = text.trim();
        if text == "all" {
            Some(Self::All)
        } else if let Some(least) = text.strip_prefix(">=") {
            number(least).map(Self::AtLeast)
        } else if let Some(most) = text.strip_prefix("<=") {
            number(most).map(Self::AtMost)
        } else if let Some((least, most)) = text.split_once("..") {
            let (least, most) = (number(least)?, number(most)?);
            (least <= most).then_some(Self::Between(least, most))
        } else {
            number(text).map(Self::Exactly)
        }
    }

    /// Whether a number of so many that there could be is what it must be.
    pub(super) fn is(self, number: u64, of: u64) -> bool {
        match self {
            Self::Exactly(expected) => number == expected,
            Self::AtLeast(least) => number >= least,
            Self::AtMost(most) => number <= most,
            Self::Between(least, most) => (least..=most).contains(&number),
            Self::All => number == of,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(number) => write!(f, "{number}"),
            Self::AtLeast(least) => write!(f, "at least {least}"),
            Self::AtMost(most) => write!(f, "at most {most}"),
            Self::Between(least, most) => write!(f, "{least} to {most}"),
            Self::All => f.write_str("all"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct File {
        n: Number,
    }

    fn read(written: &str) -> Result<Number, String> {
        let file = toml::from_str::<File>(&format!("n = {written}"));
        file.map(|file| file.n).map_err(|wrong| wrong.message().to_owned())
    }

    #[test]
    fn what_is_written_is_what_holds() {
        for (written, holds, fails) in [
            ("3", 3, 2),
            ("\"3\"", 3, 4),
            ("\">= 3\"", 9, 2),
            ("\"<=2\"", 0, 3),
            ("\"1..5\"", 5, 6),
            ("true", 1, 0),
            ("false", 0, 1),
            ("\"all\"", 7, 6),
        ] {
            let number = read(written).unwrap();
            assert!(number.is(holds, 7) && !number.is(fails, 7), "{written}");
        }
    }

    #[test]
    fn what_is_no_number_is_told_what_would_be_one() {
        for written in ["\"three\"", "\"5..1\"", "-1", "\">= -1\"", "[1]", "1.5"] {
            let wrong = read(written).unwrap_err();
            assert!(wrong.contains("\"1..5\""), "{written}: {wrong}");
        }
    }
}
