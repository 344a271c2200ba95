//! Links worth looking at, each with a burst that shows what it is about.

use std::borrow::Cow;

use super::{Impairment, Link, Percent, Rule};

/// A link with a name, a hint and a burst to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preset {
    /// What to call it.
    pub name: &'static str,
    /// One sentence: what to look for.
    pub look_for: &'static str,
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
fn preset(name: &'static str, look_for: &'static str, both: Impairment) -> Preset {
    Preset {
        name,
        look_for,
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
    preset(
        "Perfect",
        "TCP spends three packets on a handshake before the first byte; UDP just sends.",
        Impairment::default(),
    )
}

fn wifi() -> Preset {
    preset(
        "Wi-Fi",
        "A lost segment comes again and holds back all that follow; a lost datagram is only missing.",
        Impairment { jitter_ms: 5, loss: Percent::whole(2), ..delay(10) },
    )
}

fn satellite() -> Preset {
    Preset {
        count: 5,
        ..preset(
            "Satellite",
            "TCP's first reply takes two round trips, for one goes into the handshake; UDP's takes one.",
            delay(300),
        )
    }
}

fn reordering() -> Preset {
    preset(
        "Reordering",
        "UDP's replies change places; TCP puts its bytes in order and sends duplicate ACKs meanwhile.",
        Impairment { reorder: Percent::whole(25), ..delay(50) },
    )
}

fn duplicates() -> Preset {
    preset(
        "Duplicates",
        "A datagram that arrives twice is answered twice; TCP drops the bytes it already has.",
        Impairment { duplicate: Percent::whole(25), ..delay(20) },
    )
}

fn deep_queue() -> Preset {
    Preset {
        text: format!("line {{n}}, {}", "long enough to fill the pipe ".repeat(3)).into(),
        count: 40,
        interval_ms: 5,
        ..preset(
            "Narrow with a deep queue",
            "Nothing is lost, but each reply is later than the one before: the queue only adds delay.",
            Impairment { rate_kbit: 64, ..delay(20) },
        )
    }
}

fn small_mtu() -> Preset {
    let preset = preset(
        "Small MTU",
        "One fragment is lost and with it the whole datagram; TCP sends one segment again.",
        delay(20),
    );
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
    let preset = preset(
        "Line 3 lost",
        "TCP's line 3 goes out again a second later, and lines 4 and 5 wait for it; UDP's stays lost.",
        delay(20),
    );
    Preset {
        link: Link { rules: vec![Rule::LoseLine { line: 3, packet: None }], ..preset.link },
        count: 5,
        ..preset
    }
}

fn blackout() -> Preset {
    let preset = preset(
        "Three-second blackout",
        "TCP tries again at doubling distances and loses nothing; UDP loses what was sent meanwhile.",
        delay(20),
    );
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
            assert_eq!(preset.link.check(), Ok(()), "{}", preset.name);
            assert!(preset.count <= Limits::default().burst_lines);
            assert!(preset.look_for.ends_with('.'));
        }
    }
}
