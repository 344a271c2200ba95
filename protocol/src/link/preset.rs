//! Links worth looking at, each with a burst that shows what it is about. The page has words for them.

use std::borrow::Cow;

use super::{Impairment, Link, Percent, Rule};

/// Which preset; a page finds its words for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PresetName {
    /// Nothing happens to a packet.
    Perfect,
    /// A little jitter and loss.
    Wifi,
    /// A long delay.
    Satellite,
    /// Packets overtake.
    Reordering,
    /// Packets arrive twice.
    Duplicates,
    /// A low rate behind a long queue.
    DeepQueue,
    /// Datagrams are fragmented, and a fragment is lost.
    SmallMtu,
    /// The first copy of line 3 is lost.
    LineThreeLost,
    /// Everything is lost for three seconds.
    Blackout,
}

/// A link with a name and a burst to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preset {
    /// What to call it.
    pub name: PresetName,
    /// The link.
    pub link: Link,
    /// The line to send; `{n}` becomes its number.
    pub text: Cow<'static, str>,
    /// How many lines.
    pub count: u32,
    /// Milliseconds between two lines.
    pub interval_ms: u32,
}

impl Preset {
    /// All of them, in the order in which they are offered.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let wifi = Impairment { jitter_ms: 5, loss: Percent::whole(2), ..delay(10) };
        let reordering = Impairment { reorder: Percent::whole(25), ..delay(50) };
        let duplicates = Impairment { duplicate: Percent::whole(25), ..delay(20) };
        let deep_queue = Impairment { rate_kbit: 64, ..delay(20) };
        let second_fragment = Rule::LoseLine { line: 1, packet: Some(2) };
        let mut small_mtu = Self::new(PresetName::SmallMtu, delay(20)).losing(second_fragment);
        small_mtu.link.mtu = 576;
        let line_three = Rule::LoseLine { line: 3, packet: None };
        let blackout = Rule::BlackOut { from_ms: 1_000, to_ms: 4_000 };
        vec![
            Self::new(PresetName::Perfect, Impairment::default()),
            Self::new(PresetName::Wifi, wifi),
            Self { count: 5, ..Self::new(PresetName::Satellite, delay(300)) },
            Self::new(PresetName::Reordering, reordering),
            Self::new(PresetName::Duplicates, duplicates),
            Self {
                text: format!("line {{n}}, {}", "long enough to fill the pipe ".repeat(3)).into(),
                count: 40,
                interval_ms: 5,
                ..Self::new(PresetName::DeepQueue, deep_queue)
            },
            Self { text: "x".repeat(1_500).into(), count: 2, interval_ms: 100, ..small_mtu },
            Self { count: 5, ..Self::new(PresetName::LineThreeLost, delay(20)).losing(line_three) },
            Self {
                interval_ms: 300,
                ..Self::new(PresetName::Blackout, delay(20)).losing(blackout)
            },
        ]
    }

    /// A preset whose directions are alike.
    fn new(name: PresetName, both: Impairment) -> Self {
        Self {
            name,
            link: Link { up: both, down: both, ..Link::default() },
            text: "line {n}".into(),
            count: 20,
            interval_ms: 20,
        }
    }

    fn losing(mut self, rule: Rule) -> Self {
        self.link.rules.push(rule);
        self
    }
}

fn delay(delay_ms: u32) -> Impairment {
    Impairment { delay_ms, ..Impairment::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    #[test]
    fn every_preset_is_allowed() {
        for preset in Preset::all() {
            assert_eq!(preset.link.check(), Ok(()), "{:?}", preset.name);
            assert!(preset.count <= Limits::default().burst_lines);
        }
    }
}
