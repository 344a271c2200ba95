//! The knobs of a link as a person turns them: names, units, steps of the sliders, and how a value is
//! read. What is allowed is for [`Link::check`](streamgram_protocol::Link::check) to say.

use streamgram_protocol::{Impairment, Link, Percent, PresetName, Rule};

use crate::i18n::language::Language;

/// A knob of one direction, by tc-netem's name. Values are whole numbers; of percentages, hundredths.
pub(crate) struct Knob {
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    /// The name with its meaning, where the language is another.
    pub(crate) label: fn(Language) -> &'static str,
    pub(crate) get: fn(&Impairment) -> u32,
    pub(crate) set: fn(&mut Impairment, u32),
}

/// What the values of a knob count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Ms,
    Percent,
    Kbit,
    Packets,
}

impl Unit {
    pub(crate) fn name(self, language: Language) -> &'static str {
        match self {
            Self::Ms => "ms",
            Self::Percent => "%",
            Self::Kbit => "kbit/s",
            Self::Packets => language.unit_packets(),
        }
    }

    /// Values that a slider stops at.
    pub(crate) fn steps(self) -> &'static [u32] {
        match self {
            Self::Ms => MS,
            Self::Percent => HUNDREDTHS,
            Self::Kbit => KBIT,
            Self::Packets => PACKETS,
        }
    }
}

const MS: &[u32] = &[0, 1, 2, 5, 10, 20, 50, 100, 150, 200, 300, 500, 1_000, 2_000, 5_000, 10_000];
const HUNDREDTHS: &[u32] =
    &[0, 10, 20, 50, 100, 200, 300, 500, 1_000, 1_500, 2_000, 2_500, 3_000, 5_000, 7_500, 10_000];
const KBIT: &[u32] =
    &[1, 8, 16, 32, 64, 128, 256, 512, 1_000, 2_000, 5_000, 10_000, 50_000, 100_000, 1_000_000];
const PACKETS: &[u32] = &[1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];

pub(crate) const KNOBS: [Knob; 7] = [
    Knob {
        name: "delay",
        unit: Unit::Ms,
        label: Language::knob_delay,
        get: |way| way.delay_ms,
        set: |way, value| way.delay_ms = value,
    },
    Knob {
        name: "jitter",
        unit: Unit::Ms,
        label: Language::knob_jitter,
        get: |way| way.jitter_ms,
        set: |way, value| way.jitter_ms = value,
    },
    Knob {
        name: "loss",
        unit: Unit::Percent,
        label: Language::knob_loss,
        get: |way| hundredths(way.loss),
        set: |way, value| way.loss = percent(value),
    },
    Knob {
        name: "duplicate",
        unit: Unit::Percent,
        label: Language::knob_duplicate,
        get: |way| hundredths(way.duplicate),
        set: |way, value| way.duplicate = percent(value),
    },
    Knob {
        name: "reorder",
        unit: Unit::Percent,
        label: Language::knob_reorder,
        get: |way| hundredths(way.reorder),
        set: |way, value| way.reorder = percent(value),
    },
    Knob {
        name: "rate",
        unit: Unit::Kbit,
        label: Language::knob_rate,
        get: |way| way.rate_kbit,
        set: |way, value| way.rate_kbit = value,
    },
    Knob {
        name: "limit",
        unit: Unit::Packets,
        label: Language::knob_limit,
        get: |way| way.limit,
        set: |way, value| way.limit = value,
    },
];

/// Which directions a knob turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Both,
    Up,
    Down,
}

impl Side {
    pub(crate) const ALL: [Self; 3] = [Self::Both, Self::Up, Self::Down];

    pub(crate) fn name(self, language: Language) -> &'static str {
        match self {
            Self::Both => language.both_ways(),
            Self::Up => language.to_the_server(),
            Self::Down => language.to_the_client(),
        }
    }

    /// The direction that is shown.
    pub(crate) fn of(self, link: &Link) -> &Impairment {
        if self == Self::Down { &link.down } else { &link.up }
    }

    /// The link with a knob turned.
    pub(crate) fn turned(self, link: &Link, knob: &Knob, value: u32) -> Link {
        let mut link = link.clone();
        if self != Self::Down {
            (knob.set)(&mut link.up, value);
        }
        if self != Self::Up {
            (knob.set)(&mut link.down, value);
        }
        link
    }
}

impl Knob {
    /// A value as it stands in the number field.
    pub(crate) fn shown(&self, value: u32) -> String {
        let (whole, part) = (value / 100, value % 100);
        match self.unit {
            Unit::Percent if part == 0 => whole.to_string(),
            Unit::Percent if part % 10 == 0 => format!("{whole}.{}", part / 10),
            Unit::Percent => format!("{whole}.{part:02}"),
            _ => value.to_string(),
        }
    }

    /// What was typed; nothing, if it is no such number.
    pub(crate) fn read(&self, typed: &str) -> Option<u32> {
        let typed = typed.trim();
        if self.unit != Unit::Percent {
            return typed.parse().ok();
        }
        let (whole, part) = typed.split_once('.').unwrap_or((typed, ""));
        let part: u32 = match part.len() {
            0 => 0,
            1 => part.parse::<u32>().ok()? * 10,
            2 => part.parse().ok()?,
            _ => return None,
        };
        whole.parse::<u32>().ok()?.checked_mul(100)?.checked_add(part)
    }

    /// The step of the slider that a value is nearest to from below.
    pub(crate) fn step(&self, value: u32) -> usize {
        self.unit.steps().partition_point(|step| *step <= value).saturating_sub(1)
    }
}

fn hundredths(percent: Percent) -> u32 {
    u32::try_from(percent.in_hundredths()).unwrap_or(0)
}

fn percent(hundredths: u32) -> Percent {
    Percent::hundredths(i32::try_from(hundredths).unwrap_or(i32::MAX))
}

/// A rule in words.
pub(crate) fn rule_text(language: Language, rule: Rule) -> String {
    match rule {
        Rule::LoseLine { line, packet: None } => language.rule_lose_line(&line.to_string()),
        Rule::LoseLine { line, packet: Some(nth) } => {
            language.rule_lose_packet(&nth.to_string(), &line.to_string())
        }
        Rule::LoseReply { line } => language.rule_lose_reply(&line.to_string()),
        Rule::BlackOut { from_ms, to_ms } => {
            language.rule_black_out(&from_ms.to_string(), &to_ms.to_string())
        }
    }
}

/// What a preset is called, and what to look for with it.
pub(crate) fn preset_text(language: Language, name: PresetName) -> (&'static str, &'static str) {
    match name {
        PresetName::Perfect => (language.preset_perfect(), language.preset_perfect_hint()),
        PresetName::Wifi => (language.preset_wifi(), language.preset_wifi_hint()),
        PresetName::Satellite => (language.preset_satellite(), language.preset_satellite_hint()),
        PresetName::Reordering => (language.preset_reordering(), language.preset_reordering_hint()),
        PresetName::Duplicates => (language.preset_duplicates(), language.preset_duplicates_hint()),
        PresetName::DeepQueue => (language.preset_deep_queue(), language.preset_deep_queue_hint()),
        PresetName::SmallMtu => (language.preset_small_mtu(), language.preset_small_mtu_hint()),
        PresetName::LineThreeLost => {
            (language.preset_line_three(), language.preset_line_three_hint())
        }
        PresetName::Blackout => (language.preset_blackout(), language.preset_blackout_hint()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read_back() {
        for knob in &KNOBS {
            for value in knob.unit.steps().iter().copied().chain([1, 105, 9_999]) {
                assert_eq!(knob.read(&knob.shown(value)), Some(value), "{}", knob.name);
            }
        }
        let loss = &KNOBS[2];
        assert_eq!((loss.shown(250), loss.shown(105)), ("2.5".into(), "1.05".into()));
        assert_eq!((loss.read("2.555"), loss.read("-1"), loss.read("x")), (None, None, None));
    }

    #[test]
    fn a_knob_turns_its_side_only() {
        let link = Side::Up.turned(&Link::default(), &KNOBS[0], 20);
        assert_eq!((link.up.delay_ms, link.down.delay_ms), (20, 0));
        let link = Side::Both.turned(&link, &KNOBS[2], 250);
        assert_eq!((link.up.loss, link.down.loss), (percent(250), percent(250)));
    }

    #[test]
    fn every_end_of_a_slider_is_allowed() {
        for knob in &KNOBS {
            for step in knob.unit.steps() {
                let link = Side::Both.turned(&Link::default(), knob, *step);
                assert_eq!(link.check(), Ok(()), "{} {step}", knob.name);
                assert_eq!(knob.unit.steps()[knob.step(*step)], *step);
            }
        }
    }
}
