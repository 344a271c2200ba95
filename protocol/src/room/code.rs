//! A room's code: short enough to read from a wall and to type on a telephone.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Symbols of a code.
pub const CODE_SYMBOLS: usize = 9;
/// Of these the first ones, which are those of the server that opened it: another one can say that the code is not
/// one of its own.
pub const SERVER_SYMBOLS: usize = 2;
/// Symbols between two hyphens, as a code is shown.
const GROUP: usize = 3;
/// Crockford's base 32: no I, L, O and U, which are taken for others.
const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A room's code: nine symbols of Crockford's base 32, shown as `K7M-4Q2-XAB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoomCode([u8; CODE_SYMBOLS]);

/// What is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadCode;

impl fmt::Display for BadCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a room's code is {CODE_SYMBOLS} letters and digits without U, as in K7M-4Q2-XAB")
    }
}

impl Error for BadCode {}

impl RoomCode {
    /// The code that these bytes choose: five bits of each.
    #[must_use]
    pub fn of(bytes: [u8; CODE_SYMBOLS]) -> Self {
        Self(bytes.map(|byte| SYMBOLS[usize::from(byte % 32)]))
    }

    /// The symbols of the server that opened it.
    #[must_use]
    pub fn server(&self) -> [u8; SERVER_SYMBOLS] {
        [self.0[0], self.0[1]]
    }

    /// Its symbols without hyphens.
    #[must_use]
    pub fn symbols(&self) -> String {
        self.0.iter().map(|symbol| char::from(*symbol)).collect()
    }
}

impl FromStr for RoomCode {
    type Err = BadCode;

    /// Reads what a person wrote: in lower case, with hyphens or spaces, with O for 0, and I or L for 1.
    fn from_str(text: &str) -> Result<Self, BadCode> {
        let mut symbols = text.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| {
            let symbol = match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            u8::try_from(symbol).ok().filter(|symbol| SYMBOLS.contains(symbol)).ok_or(BadCode)
        });
        let mut code = [0; CODE_SYMBOLS];
        for place in &mut code {
            *place = symbols.next().ok_or(BadCode)??;
        }
        if symbols.next().is_some() { Err(BadCode) } else { Ok(Self(code)) }
    }
}

impl TryFrom<String> for RoomCode {
    type Error = BadCode;

    fn try_from(text: String) -> Result<Self, BadCode> {
        text.parse()
    }
}

impl From<RoomCode> for String {
    fn from(code: RoomCode) -> Self {
        code.symbols()
    }
}

impl fmt::Display for RoomCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, symbol) in self.0.iter().enumerate() {
            let hyphen = if at > 0 && at.is_multiple_of(GROUP) { "-" } else { "" };
            write!(f, "{hyphen}{}", char::from(*symbol))?;
        }
        Ok(())
    }
}

#[cfg(test)]
impl proptest::arbitrary::Arbitrary for RoomCode {
    type Parameters = ();
    type Strategy = proptest::strategy::BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        use proptest::prelude::*;
        any::<[u8; CODE_SYMBOLS]>().prop_map(Self::of).boxed()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_people_write_is_read_and_what_is_no_code_is_not() {
        let code: RoomCode = "K7M4Q201B".parse().unwrap();
        for text in ["k7m-4q2-01b", " K7M 4Q2 01B\n", "K7M4Q2OIB", "k7m4q2olb"] {
            assert_eq!(text.parse(), Ok(code), "{text}");
        }
        assert_eq!(code.to_string(), "K7M-4Q2-01B");
        for text in ["", "K7M4Q2XA", "K7M4Q2XABC", "K7M4Q2XAU", "K7M4Q2XÄB", "K7M.4Q2.XAB"] {
            assert_eq!(text.parse::<RoomCode>(), Err(BadCode), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_code_is_read_as_it_is_shown(code: RoomCode) {
            prop_assert_eq!(code.to_string().parse(), Ok(code));
            prop_assert_eq!(code.symbols().parse(), Ok(code));
        }
    }
}
