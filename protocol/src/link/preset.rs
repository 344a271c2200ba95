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
        vec![
            perfect(),
            wifi(),
            satellite(),
            reordering(),
            duplicates(),
            deep_queue(),
            small_mtu(),
            line_three_lost(),
            blackout(),
        ]
    }
}

/// A preset whose directions are alike.
fn preset(name: PresetName, both: Impairment) -> Preset {
    Preset {
        name,
        link: Link { up: both, down: both, ..Link::default() },
        text: "line {n}".into(),
        count: 20,
        interval_ms: 20,
    }
}

fn delay(delay_ms: u32) -> Impairment {
    Impairment { delay_ms, ..Impairment::default() }
}

fn perfect() -> Preset {
    preset(PresetName::Perfect, Impairment::default())
}

fn wifi() -> Preset {
    preset(PresetName::Wifi, Impairment { jitter_ms: 5, loss: Percent::whole(2), ..delay(10) })
}

fn satellite() -> Preset {
    Preset { count: 5, ..preset(PresetName::Satellite, delay(300)) }
}

fn reordering() -> Preset {
    preset(PresetName::Reordering, Impairment { reorder: Percent::whole(25), ..delay(50) })
}

fn duplicates() -> Preset {
    preset(PresetName::Duplicates, Impairment { duplicate: Percent::whole(25), ..delay(20) })
}

fn deep_queue() -> Preset {
    Preset {
        text: format!("line {{n}}, {}", "long enough to fill the pipe ".repeat(3)).into(),
        count: 40,
        interval_ms: 5,
        ..preset(PresetName::DeepQueue, Impairment { rate_kbit: 64, ..delay(20) })
    }
}

fn small_mtu() -> Preset {
    let preset = preset(PresetName::SmallMtu, delay(20));
    Preset {
        link: Link {
            mtu: 576,
            rules: vec![Rule::LoseLine { line: 1, packet: Some(2) }],
            ..preset.link
        },
        text: "x".repeat(1_500).into(),
        count: 2,
        interval_ms: 100,
        ..preset
    }
}

fn line_three_lost() -> Preset {
    let preset = preset(PresetName::LineThreeLost, delay(20));
    Preset {
        link: Link { rules: vec![Rule::LoseLine { line: 3, packet: None }], ..preset.link },
        count: 5,
        ..preset
    }
}

fn blackout() -> Preset {
    let preset = preset(PresetName::Blackout, delay(20));
    Preset {
        link: Link { rules: vec![Rule::BlackOut { from_ms: 1_000, to_ms: 4_000 }], ..preset.link },
        interval_ms: 300,
        ..preset
    }
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
