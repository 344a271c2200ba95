//! A recipe: how the replies of a server go wrong.

use std::fmt;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::choice::{Accept, Cut, Stamp};
use super::span::Span;
use super::words::{WrongRecipe, words};
use crate::{Percent, Protocol};

/// Bytes of a piece of a reply.
const PIECE_BYTES: RangeInclusive<u32> = 1..=2_048;
/// Replies that go out together.
const MERGED: RangeInclusive<u32> = 2..=64;
/// Milliseconds that a reply waits.
const DELAY_MS: RangeInclusive<u32> = 0..=10_000;
/// Bytes a second.
const DRIP: RangeInclusive<u32> = 1..=1_000_000;
/// Bytes of a stream, until something happens to it.
const STREAM_BYTES: RangeInclusive<u32> = 0..=1_000_000;
/// Bytes of a datagram that are kept of it.
const KEPT_BYTES: RangeInclusive<u32> = 0..=23;

/// How the replies over TCP go wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TcpRecipe {
    /// Decides all that is random.
    pub seed: u64,
    /// What becomes of a connection to begin with.
    pub accept: Accept,
    /// A reply is written in pieces of so many bytes.
    pub split: Option<Span>,
    /// So many replies are written as one, if they come soon enough.
    pub merge: Option<Span>,
    /// A reply waits so many milliseconds.
    pub delay: Option<Span>,
    /// Bytes a second that are written at most.
    pub drip: Option<Span>,
    /// After so many bytes of replies something ends.
    pub cut: Option<(Cut, Span)>,
    /// After so many bytes of the client's nothing is read any more.
    pub stall: Option<Span>,
    /// What the timestamp says.
    pub stamp: Stamp,
    /// One byte of every echo is another one.
    pub altered: bool,
}

/// How the replies over UDP go wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UdpRecipe {
    /// Decides all that is random.
    pub seed: u64,
    /// What becomes of a datagram to begin with.
    pub accept: Accept,
    /// Share of the replies that are not sent.
    pub drop: Percent,
    /// Share of the replies that are sent twice.
    pub duplicate: Percent,
    /// Share of the replies that go out behind the next one, if it comes soon enough.
    pub reorder: Percent,
    /// A reply waits so many milliseconds.
    pub delay: Option<Span>,
    /// Only so many bytes of a reply are sent.
    pub truncate: Option<Span>,
    /// Replies come from another port than the one that was asked.
    pub other_port: bool,
    /// What the timestamp says.
    pub stamp: Stamp,
}

impl TcpRecipe {
    /// The words that it knows.
    const WORDS: &str =
        "seed, accept, split, merge, delay, drip, fin, rst, half_close, stall, stamp, echo";

    /// Reads what follows the address.
    ///
    /// # Errors
    /// The first word that is not understood or out of its range, and what would be.
    pub fn read(text: &str) -> Result<Self, WrongRecipe> {
        let mut recipe = Self::default();
        for word in words(text, Protocol::Tcp)? {
            let is_cut = recipe.cut.is_some();
            let cut = |cut| match word.span(STREAM_BYTES) {
                Ok(_) if is_cut => Err(word.excluded("fin, rst, half_close")),
                bytes => bytes.map(|bytes| Some((cut, bytes))),
            };
            match word.name {
                "seed" => recipe.seed = word.seed()?,
                "accept" => recipe.accept = word.accept(Protocol::Tcp)?,
                "split" => recipe.split = Some(word.span(PIECE_BYTES)?),
                "merge" => recipe.merge = Some(word.span(MERGED)?),
                "delay" => recipe.delay = Some(word.span(DELAY_MS)?),
                "drip" => recipe.drip = Some(word.span(DRIP)?),
                "fin" => recipe.cut = cut(Cut::Fin)?,
                "rst" => recipe.cut = cut(Cut::Rst)?,
                "half_close" => recipe.cut = cut(Cut::HalfClose)?,
                "stall" => recipe.stall = Some(word.span(STREAM_BYTES)?),
                "stamp" => recipe.stamp = word.stamp()?,
                "echo" => recipe.altered = word.one_of(&[("altered", true)])?,
                _ => return Err(word.unknown(Self::WORDS)),
            }
        }
        Ok(recipe)
    }
}

impl UdpRecipe {
    /// The words that it knows.
    const WORDS: &str = "seed, accept, drop, duplicate, reorder, delay, truncate, port, stamp";

    /// Reads what follows the address.
    ///
    /// # Errors
    /// The first word that is not understood or out of its range, and what would be.
    pub fn read(text: &str) -> Result<Self, WrongRecipe> {
        let mut recipe = Self::default();
        for word in words(text, Protocol::Udp)? {
            match word.name {
                "seed" => recipe.seed = word.seed()?,
                "accept" => recipe.accept = word.accept(Protocol::Udp)?,
                "drop" => recipe.drop = word.share()?,
                "duplicate" => recipe.duplicate = word.share()?,
                "reorder" => recipe.reorder = word.share()?,
                "delay" => recipe.delay = Some(word.span(DELAY_MS)?),
                "truncate" => recipe.truncate = Some(word.span(KEPT_BYTES)?),
                "port" => recipe.other_port = word.one_of(&[("other", true)])?,
                "stamp" => recipe.stamp = word.stamp()?,
                _ => return Err(word.unknown(Self::WORDS)),
            }
        }
        Ok(recipe)
    }
}

/// Writes words with `;` between them.
struct Words<'a, 'b>(&'a mut fmt::Formatter<'b>, &'static str);

impl Words<'_, '_> {
    fn word(&mut self, name: &str, value: Option<impl fmt::Display>) -> fmt::Result {
        let Some(value) = value else { return Ok(()) };
        let between = std::mem::replace(&mut self.1, ";");
        write!(self.0, "{between}{name}={value}")
    }
}

impl fmt::Display for TcpRecipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, accept, split, merge, delay, drip, cut, stall, stamp, altered } = self;
        let mut words = Words(f, "");
        words.word("accept", accept.word())?;
        words.word("split", *split)?;
        words.word("merge", *merge)?;
        words.word("delay", *delay)?;
        words.word("drip", *drip)?;
        if let Some((cut, bytes)) = cut {
            words.word(cut.word(), Some(bytes))?;
        }
        words.word("stall", *stall)?;
        words.word("stamp", stamp.word())?;
        words.word("echo", altered.then_some("altered"))?;
        words.word("seed", (*seed != 0).then_some(seed))
    }
}

impl fmt::Display for UdpRecipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, accept, drop, duplicate, reorder, delay, truncate, other_port, stamp } =
            self;
        let share = |share: &Percent| (*share != Percent::ZERO).then_some(*share);
        let mut words = Words(f, "");
        words.word("accept", accept.word())?;
        words.word("drop", share(drop))?;
        words.word("duplicate", share(duplicate))?;
        words.word("reorder", share(reorder))?;
        words.word("delay", *delay)?;
        words.word("truncate", *truncate)?;
        words.word("port", other_port.then_some("other"))?;
        words.word("stamp", stamp.word())?;
        words.word("seed", (*seed != 0).then_some(seed))
    }
}

impl TryFrom<String> for TcpRecipe {
    type Error = WrongRecipe;

    fn try_from(text: String) -> Result<Self, WrongRecipe> {
        Self::read(&text)
    }
}

impl TryFrom<String> for UdpRecipe {
    type Error = WrongRecipe;

    fn try_from(text: String) -> Result<Self, WrongRecipe> {
        Self::read(&text)
    }
}

impl From<TcpRecipe> for String {
    fn from(recipe: TcpRecipe) -> Self {
        recipe.to_string()
    }
}

impl From<UdpRecipe> for String {
    fn from(recipe: UdpRecipe) -> Self {
        recipe.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fault::NAMED;

    fn tcp(text: &str) -> Result<TcpRecipe, String> {
        TcpRecipe::read(text).map_err(|wrong| wrong.to_string())
    }

    fn udp(text: &str) -> Result<UdpRecipe, String> {
        UdpRecipe::read(text).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn a_recipe_is_written_as_it_is_read() {
        for text in [
            "",
            "split=1..5;delay=10..50;seed=7",
            "accept=reset",
            "merge=2;drip=40;half_close=60;stall=0;stamp=zone-05:30;echo=altered",
        ] {
            assert_eq!(tcp(text).unwrap().to_string(), text);
        }
        let text = "drop=2.5;duplicate=10;reorder=50;delay=3;truncate=0..23;port=other;stamp=wrong";
        assert_eq!(udp(text).unwrap().to_string(), text);
        assert_eq!(tcp(" seed=0 ; split=3..3 ;").unwrap().to_string(), "split=3");
    }

    #[test]
    fn a_named_recipe_is_its_words_and_more_can_follow() {
        assert_eq!(tcp("split;seed=7").unwrap(), tcp("split=1..5;seed=7").unwrap());
        for named in NAMED {
            let words = match named.protocol {
                Protocol::Tcp => tcp(named.name).unwrap().to_string(),
                Protocol::Udp => udp(named.name).unwrap().to_string(),
            };
            assert_eq!(words, named.words, "{}", named.name);
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_what_would_be_right() {
        let wrong = |text| tcp(text).unwrap_err();
        assert_eq!(
            wrong("split=0"),
            "split is \"0\", it must be 1 to 2048, or two of these in order, as in 1..2048"
        );
        assert!(wrong("split=5..1").contains("in order"));
        assert!(wrong("spilt=3").starts_with("\"spilt\" is not one of seed, accept, split"));
        assert_eq!(wrong("lossy"), "TCP has no recipe of the name \"lossy\"");
        assert_eq!(wrong("delay=1;delay=2"), "delay is there twice");
        assert_eq!(
            wrong("fin=1;rst=2"),
            "only one of fin, rst, half_close can be, and rst is another"
        );
        assert_eq!(
            wrong("accept=maybe"),
            "accept is \"maybe\", it must be reset or silent or refuse"
        );
        assert!(wrong("stamp=zone+15:00").contains("zone+09:00"));
        assert_eq!(
            udp("accept=reset").unwrap_err(),
            "accept is \"reset\", it must be silent or refuse"
        );
        assert_eq!(
            udp("drop=101").unwrap_err(),
            "drop is \"101\", it must be 0 to 100, with at most two decimals"
        );
        assert!(wrong(&"x".repeat(10_000)).chars().count() <= crate::MAX_ERROR_CHARS);
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader_and_what_it_takes_it_takes_again(text in "[a-z_]{0,9}(=[0-9.a-z+:-]{0,9})?(;[a-z]{0,9}=[0-9.]{0,6}){0,3}") {
            if let Ok(recipe) = TcpRecipe::read(&text) {
                prop_assert_eq!(TcpRecipe::read(&recipe.to_string()), Ok(recipe));
            }
            if let Ok(recipe) = UdpRecipe::read(&text) {
                prop_assert_eq!(UdpRecipe::read(&recipe.to_string()), Ok(recipe));
            }
        }
    }
}
