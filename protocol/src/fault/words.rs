//! The words of a recipe, `name=value`, with `;` between them.

use std::fmt;
use std::ops::RangeInclusive;

use super::choice::{Accept, Stamp};
use super::named::Named;
use super::span::Span;
use crate::text::shortened;
use crate::{MAX_ERROR_CHARS, MAX_ID, Percent, Protocol};

/// Minutes of the zones that there are, east of UTC.
const ZONE_MIN: RangeInclusive<i32> = -12 * 60..=14 * 60;

/// Why a text is no recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongRecipe(String);

impl WrongRecipe {
    fn new(sentence: &str) -> Self {
        Self(shortened(sentence, MAX_ERROR_CHARS))
    }
}

impl fmt::Display for WrongRecipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WrongRecipe {}

/// One word of a recipe.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word<'a> {
    pub(super) name: &'a str,
    value: &'a str,
}

/// The words of a recipe; the name of a named one stands for its words.
pub(super) fn words(text: &str, protocol: Protocol) -> Result<Vec<Word<'_>>, WrongRecipe> {
    let mut words: Vec<Word> = Vec::new();
    for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        if let Some((name, value)) = part.split_once('=') {
            words.push(Word { name, value });
        } else {
            let named = Named::of(part, protocol);
            let named = named.ok_or_else(|| unknown(part, protocol))?;
            let pairs = named.words.split(';').filter_map(|part| part.split_once('='));
            words.extend(pairs.map(|(name, value)| Word { name, value }));
        }
    }
    let twice = words
        .iter()
        .enumerate()
        .find(|(at, word)| words[..*at].iter().any(|before| before.name == word.name));
    match twice {
        Some((_, word)) => Err(WrongRecipe::new(&format!("{} is there twice", word.name))),
        None => Ok(words),
    }
}

fn unknown(name: &str, protocol: Protocol) -> WrongRecipe {
    let protocol = protocol.name();
    WrongRecipe::new(&format!("{protocol} has no recipe of the name {name:?}"))
}

impl Word<'_> {
    fn must_be(&self, what: &str) -> WrongRecipe {
        let Self { name, value } = self;
        WrongRecipe::new(&format!("{name} is {value:?}, it must be {what}"))
    }

    /// That no such word is known.
    pub(super) fn unknown(&self, known: &str) -> WrongRecipe {
        WrongRecipe::new(&format!("{:?} is not one of {known}", self.name))
    }

    /// That another word is there already which means the opposite.
    pub(super) fn excluded(&self, of: &str) -> WrongRecipe {
        WrongRecipe::new(&format!("only one of {of} can be, and {} is another", self.name))
    }

    pub(super) fn span(&self, range: RangeInclusive<u32>) -> Result<Span, WrongRecipe> {
        Span::read(self.value, &range).ok_or_else(|| {
            let (least, most) = range.into_inner();
            self.must_be(&format!(
                "{least} to {most}, or two of these in order, as in {least}..{most}"
            ))
        })
    }

    pub(super) fn seed(&self) -> Result<u64, WrongRecipe> {
        let seed = self.value.parse().ok().filter(|seed| *seed <= MAX_ID);
        seed.ok_or_else(|| self.must_be(&format!("0 to {MAX_ID}")))
    }

    pub(super) fn share(&self) -> Result<Percent, WrongRecipe> {
        let share = self.value.parse::<f64>().ok().map(Percent::from);
        let share = share.filter(|share| (0..=10_000).contains(&share.in_hundredths()));
        share.ok_or_else(|| self.must_be("0 to 100, with at most two decimals"))
    }

    pub(super) fn one_of<T: Copy>(&self, choices: &[(&str, T)]) -> Result<T, WrongRecipe> {
        let chosen = choices.iter().find(|(name, _)| *name == self.value);
        chosen.map(|(_, choice)| *choice).ok_or_else(|| {
            let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            self.must_be(&names.join(" or "))
        })
    }

    pub(super) fn accept(&self, protocol: Protocol) -> Result<Accept, WrongRecipe> {
        let choices =
            [("reset", Accept::Reset), ("silent", Accept::Silent), ("refuse", Accept::Refuse)];
        self.one_of(if protocol == Protocol::Tcp { &choices } else { &choices[1..] })
    }

    pub(super) fn stamp(&self) -> Result<Stamp, WrongRecipe> {
        let zone = || {
            let offset = self.value.strip_prefix("zone")?;
            let (sign, clock) = match offset.split_at_checked(1)? {
                ("+", clock) => (1, clock),
                ("-", clock) => (-1, clock),
                _ => return None,
            };
            let (hours, minutes) = clock.split_once(':')?;
            let [hours, minutes] = [hours, minutes].map(|number| number.parse::<u8>().ok());
            let minutes = sign * (i32::from(hours?) * 60 + i32::from(minutes?.min(59)));
            ZONE_MIN.contains(&minutes).then_some(Stamp::Zone(minutes))
        };
        let stamp = if self.value == "wrong" { Some(Stamp::Wrong) } else { zone() };
        stamp.ok_or_else(|| self.must_be("wrong, or a zone as in zone+09:00"))
    }
}
