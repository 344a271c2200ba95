//! An emulated link as people type it: impairments by tc-netem's names, rules by content, ranges.
//!
//! [`Link::check`] is the one place that knows what is allowed; a page asks it before it sends, the
//! session asks it again.

mod knob;
mod percent;
mod preset;
mod rule;

use std::fmt;
use std::ops::RangeInclusive;

pub use knob::Knob;
pub use percent::Percent;
pub use preset::{Preset, PresetName};
pub use rule::Rule;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

use crate::MAX_ID;

/// Bytes of an IP packet that a link may carry; at least what every host must take (RFC 791).
pub const MTU: RangeInclusive<u16> = 576..=9_000;
/// Milliseconds of delay, and of jitter.
pub const DELAY_MS: RangeInclusive<u32> = 0..=10_000;
/// Kilobits a second.
pub const RATE_KBIT: RangeInclusive<u32> = 1..=1_000_000;
/// Packets under way in one direction.
pub const LIMIT: RangeInclusive<u32> = 1..=10_000;
/// Rules of one link.
pub const RULES: RangeInclusive<usize> = 0..=16;
/// Lines that a rule can name.
pub const LINE: RangeInclusive<u32> = 1..=1_000_000;
/// Packets of a line that a rule can name.
pub const NTH_PACKET: RangeInclusive<u32> = 1..=10_000;
/// Milliseconds after the first line of a send within which a blackout must end.
pub const BLACK_OUT_MS: RangeInclusive<u32> = 0..=60_000;
/// Bytes of the largest datagram on an emulated path: what the stack's buffer of 8,192 bytes for
/// fragments holds, less the headers of IP and UDP.
pub const MAX_EMULATED_DATAGRAM: usize = 8_192 - 28;

/// What lies between two ends of an emulated path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(default, deny_unknown_fields)]
pub struct Link {
    /// Decides every random fate; at most [`MAX_ID`]. It applies at the next open.
    pub seed: u64,
    /// Bytes of the largest IP packet. It applies at the next open.
    pub mtu: u16,
    /// How TCP reacts to loss. It applies at the next open.
    pub congestion: Congestion,
    /// Whether TCP delays its ACKs by up to 10 ms, as hosts do by default. It applies at the next open.
    pub delayed_ack: bool,
    /// From the client to the server.
    pub up: Impairment,
    /// From the server to the client.
    pub down: Impairment,
    /// What is lost on purpose, at most [`RULES`] of them.
    pub rules: Vec<Rule>,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            seed: 1,
            mtu: 1_500,
            congestion: Congestion::default(),
            delayed_ack: true,
            up: Impairment::default(),
            down: Impairment::default(),
            rules: Vec::new(),
        }
    }
}

/// The congestion control of both ends.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, EnumString, IntoStaticStr,
)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Congestion {
    /// RFC 5681.
    #[default]
    Reno,
    /// RFC 9438.
    Cubic,
}

/// What one direction of a link does to packets, by tc-netem's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(default, deny_unknown_fields)]
pub struct Impairment {
    /// Milliseconds that every packet takes.
    pub delay_ms: u32,
    /// Milliseconds by which the delay varies, evenly, up and down; enough of it reorders.
    pub jitter_ms: u32,
    /// Packets that vanish.
    pub loss: Percent,
    /// Packets that arrive twice.
    pub duplicate: Percent,
    /// Packets that overtake: they do not wait for the delay.
    pub reorder: Percent,
    /// Kilobits a second that fit through.
    pub rate_kbit: u32,
    /// Packets under way, waiting ones included; one more is dropped.
    pub limit: u32,
}

impl Default for Impairment {
    fn default() -> Self {
        Self {
            delay_ms: 0,
            jitter_ms: 0,
            loss: Percent::ZERO,
            duplicate: Percent::ZERO,
            reorder: Percent::ZERO,
            rate_kbit: *RATE_KBIT.end(),
            limit: 1_000,
        }
    }
}

/// A knob of a link that is out of its range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfRange {
    /// The knob as a path, `up.loss`.
    pub knob: String,
    /// What it was set to.
    pub value: String,
    /// The least that is allowed.
    pub least: u64,
    /// The most that is allowed.
    pub most: u64,
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { knob, value, least, most } = self;
        write!(f, "{knob} is {value}, it must be {least} to {most}")
    }
}

impl std::error::Error for OutOfRange {}

impl Link {
    /// Whether every knob is in its range.
    ///
    /// # Errors
    /// The first knob that is not, with its value and its range.
    pub fn check(&self) -> Result<(), OutOfRange> {
        within("seed", self.seed, &(0..=MAX_ID))?;
        within("mtu", self.mtu, &MTU)?;
        self.up.check("up")?;
        self.down.check("down")?;
        within("rules.length", self.rules.len() as u64, &(0..=*RULES.end() as u64))?;
        (self.rules.iter().enumerate()).try_for_each(|(n, rule)| rule.check(&format!("rules[{n}]")))
    }
}

impl Impairment {
    fn check(&self, path: &str) -> Result<(), OutOfRange> {
        within(&format!("{path}.delay_ms"), self.delay_ms, &DELAY_MS)?;
        within(&format!("{path}.jitter_ms"), self.jitter_ms, &DELAY_MS)?;
        self.loss.check(&format!("{path}.loss"))?;
        self.duplicate.check(&format!("{path}.duplicate"))?;
        self.reorder.check(&format!("{path}.reorder"))?;
        within(&format!("{path}.rate_kbit"), self.rate_kbit, &RATE_KBIT)?;
        within(&format!("{path}.limit"), self.limit, &LIMIT)
    }
}

fn within<T>(knob: &str, value: T, range: &RangeInclusive<T>) -> Result<(), OutOfRange>
where
    T: Copy + PartialOrd + fmt::Display + Into<u64>,
{
    if range.contains(&value) {
        return Ok(());
    }
    Err(OutOfRange {
        knob: knob.into(),
        value: value.to_string(),
        least: (*range.start()).into(),
        most: (*range.end()).into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(json: &str) -> Result<Link, String> {
        let mut json = serde_json::Deserializer::from_str(json);
        let link: Link = serde_path_to_error::deserialize(&mut json)
            .map_err(|error| format!("{}: {}", error.path(), error.inner()))?;
        link.check().map_err(|error| error.to_string())?;
        Ok(link)
    }

    #[test]
    fn what_may_be_left_out_is_a_perfect_link() {
        assert_eq!(link("{}"), Ok(Link::default()));
        let one = link(r#"{"up":{"loss":2.5}}"#).unwrap();
        assert_eq!(one.up.loss, Percent::hundredths(250));
        assert_eq!(one.down, Impairment::default());
    }

    #[test]
    fn a_knob_out_of_range_is_named_with_its_range() {
        let wrong = |json: &str| link(json).unwrap_err();
        assert_eq!(wrong(r#"{"up":{"loss":101}}"#), "up.loss is 101, it must be 0 to 100");
        assert_eq!(
            wrong(r#"{"down":{"reorder":-0.5}}"#),
            "down.reorder is -0.5, it must be 0 to 100"
        );
        assert_eq!(wrong(r#"{"mtu":575}"#), "mtu is 575, it must be 576 to 9000");
        assert_eq!(
            wrong(r#"{"up":{"delay_ms":10001}}"#),
            "up.delay_ms is 10001, it must be 0 to 10000"
        );
        assert_eq!(
            wrong(r#"{"down":{"rate_kbit":0}}"#),
            "down.rate_kbit is 0, it must be 1 to 1000000"
        );
        assert_eq!(wrong(r#"{"down":{"limit":0}}"#), "down.limit is 0, it must be 1 to 10000");
        assert_eq!(
            wrong(r#"{"seed":9007199254740992}"#),
            "seed is 9007199254740992, it must be 0 to 9007199254740991"
        );
        let rules = [r#"{"lose_line":{"line":1}}"#; 17].join(",");
        assert_eq!(
            wrong(&format!(r#"{{"rules":[{rules}]}}"#)),
            "rules.length is 17, it must be 0 to 16"
        );
    }

    #[test]
    fn a_number_that_does_not_fit_names_its_knob() {
        let path = |json: &str| link(json).unwrap_err().split(": ").next().map(str::to_owned);
        assert_eq!(path(r#"{"mtu":-1}"#).unwrap(), "mtu");
        assert_eq!(path(r#"{"mtu":65536}"#).unwrap(), "mtu");
        assert_eq!(path(r#"{"up":{"delay_ms":-1}}"#).unwrap(), "up.delay_ms");
        assert_eq!(path(r#"{"up":{"limit":4294967296}}"#).unwrap(), "up.limit");
        assert_eq!(path(r#"{"up":{"loss":"a lot"}}"#).unwrap(), "up.loss");
        assert_eq!(
            path(r#"{"rules":[{"lose_line":{"line":-3}}]}"#).unwrap(),
            "rules[0].lose_line.line"
        );
        assert!(link(r#"{"speed":1}"#).unwrap_err().contains("unknown field `speed`"));
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        for preset in Preset::all() {
            let json = serde_json::to_string(&preset.link).unwrap();
            assert_eq!(link(&json), Ok(preset.link), "{:?}", preset.name);
        }
    }
}
