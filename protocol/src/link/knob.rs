//! The knobs of one direction of the link: a share link and the page turn the same ones.

use std::ops::RangeInclusive;

use strum::{EnumString, IntoStaticStr, VariantArray};

use super::{DELAY_MS, Impairment, LIMIT, Percent, RATE_KBIT};
use crate::text::digits;

/// A knob, by tc-netem's name. Its values are whole numbers; of percentages, hundredths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum Knob {
    /// Milliseconds.
    Delay,
    /// Milliseconds.
    Jitter,
    /// A percentage.
    Loss,
    /// A percentage.
    Duplicate,
    /// A percentage.
    Reorder,
    /// Kilobits a second.
    Rate,
    /// Packets.
    Limit,
}

enum Place<'a> {
    Number(&'a mut u32),
    Percent(&'a mut Percent),
}

impl Knob {
    /// All of them, in the order in which they are shown.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    fn place(self, way: &mut Impairment) -> Place<'_> {
        match self {
            Self::Delay => Place::Number(&mut way.delay_ms),
            Self::Jitter => Place::Number(&mut way.jitter_ms),
            Self::Loss => Place::Percent(&mut way.loss),
            Self::Duplicate => Place::Percent(&mut way.duplicate),
            Self::Reorder => Place::Percent(&mut way.reorder),
            Self::Rate => Place::Number(&mut way.rate_kbit),
            Self::Limit => Place::Number(&mut way.limit),
        }
    }

    fn is_percentage(self) -> bool {
        matches!(self, Self::Loss | Self::Duplicate | Self::Reorder)
    }

    /// The values that are allowed.
    #[must_use]
    pub fn range(self) -> RangeInclusive<u32> {
        match self {
            Self::Delay | Self::Jitter => DELAY_MS,
            Self::Loss | Self::Duplicate | Self::Reorder => 0..=10_000,
            Self::Rate => RATE_KBIT,
            Self::Limit => LIMIT,
        }
    }

    /// How it stands.
    #[must_use]
    pub fn get(self, mut way: Impairment) -> u32 {
        match self.place(&mut way) {
            Place::Number(number) => *number,
            Place::Percent(share) => share.in_hundredths().try_into().unwrap_or(0),
        }
    }

    /// Turns it.
    pub fn set(self, way: &mut Impairment, value: u32) {
        match self.place(way) {
            Place::Number(number) => *number = value,
            Place::Percent(share) => *share = percent(value),
        }
    }

    /// A value as people write it.
    #[must_use]
    pub fn text(self, value: u32) -> String {
        if self.is_percentage() { percent(value).to_string() } else { value.to_string() }
    }

    /// Reads such a text. What is too large to hold is as large as can be.
    #[must_use]
    pub fn parse(self, text: &str) -> Option<u32> {
        let decimals = if self.is_percentage() { 2 } else { 0 };
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        if whole.is_empty() || part.len() > decimals {
            return None;
        }
        let value = digits(&format!("{whole}{part:0<decimals$}"))?;
        Some(value.try_into().unwrap_or(u32::MAX))
    }
}

fn percent(hundredths: u32) -> Percent {
    Percent::hundredths(hundredths.try_into().unwrap_or(i32::MAX))
}
