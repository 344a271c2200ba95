//! The knobs of a link as a person turns them: labels, units, and steps of the sliders. What is allowed is for
//! [`Link::check`](streamgram_protocol::Link::check) to say.

use streamgram_protocol::{Congestion, Impairment, Knob, Link, PresetName, Rule};

use crate::i18n::language::Language;

const MS: &[u32] = &[0, 1, 2, 5, 10, 20, 50, 100, 150, 200, 300, 500, 1_000, 2_000, 5_000, 10_000];
const HUNDREDTHS: &[u32] =
    &[0, 10, 20, 50, 100, 200, 300, 500, 1_000, 1_500, 2_000, 2_500, 3_000, 5_000, 7_500, 10_000];
const KBIT: &[u32] =
    &[1, 8, 16, 32, 64, 128, 256, 512, 1_000, 2_000, 5_000, 10_000, 50_000, 100_000, 1_000_000];
const PACKETS: &[u32] = &[1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];

/// What a knob is called: its name, with its meaning where the language is another.
pub(crate) fn knob_label(language: Language, knob: Knob) -> &'static str {
    match knob {
        Knob::Delay => language.knob_delay(),
        Knob::Jitter => language.knob_jitter(),
        Knob::Loss => language.knob_loss(),
        Knob::Duplicate => language.knob_duplicate(),
        Knob::Reorder => language.knob_reorder(),
        Knob::Rate => language.knob_rate(),
        Knob::Limit => language.knob_limit(),
    }
}

pub(crate) fn knob_unit(language: Language, knob: Knob) -> &'static str {
    match knob {
        Knob::Delay | Knob::Jitter => "ms",
        Knob::Loss | Knob::Duplicate | Knob::Reorder => "%",
        Knob::Rate => "kbit/s",
        Knob::Limit => language.unit_packets(),
    }
}

/// Values that the slider of a knob stops at.
pub(crate) fn steps(knob: Knob) -> &'static [u32] {
    match knob {
        Knob::Delay | Knob::Jitter => MS,
        Knob::Loss | Knob::Duplicate | Knob::Reorder => HUNDREDTHS,
        Knob::Rate => KBIT,
        Knob::Limit => PACKETS,
    }
}

/// The step that a value is nearest to from below.
pub(crate) fn step(knob: Knob, value: u32) -> usize {
    steps(knob).partition_point(|step| *step <= value).saturating_sub(1)
}

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
    pub(crate) fn turned(self, link: &Link, knob: Knob, value: u32) -> Link {
        let mut link = link.clone();
        if self != Self::Down {
            knob.set(&mut link.up, value);
        }
        if self != Self::Up {
            knob.set(&mut link.down, value);
        }
        link
    }
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

/// What a link is besides perfect, in words.
pub(crate) fn turned_text(language: Language, link: &Link) -> Vec<String> {
    let (perfect, none) = (Link::default(), Impairment::default());
    let mut turned = Vec::new();
    for &knob in Knob::ALL {
        let label = knob_label(language, knob);
        let unit = knob_unit(language, knob);
        let [up, down, none] = [link.up, link.down, none].map(|way| knob.get(way));
        let sides = if up == down {
            [(None, up), (None, none)]
        } else {
            [(Some(Side::Up), up), (Some(Side::Down), down)]
        };
        for (side, value) in sides.into_iter().filter(|(_, value)| *value != none) {
            let side = side.map_or(String::new(), |side| format!(" {}", side.name(language)));
            turned.push(format!("{label}{side} {} {unit}", knob.text(value)));
        }
    }
    turned.extend(link.rules.iter().map(|rule| rule_text(language, *rule)));
    if link.mtu != perfect.mtu {
        turned.push(format!("MTU {}", link.mtu));
    }
    if link.seed != perfect.seed {
        turned.push(format!("{} {}", language.seed(), link.seed));
    }
    if link.congestion == Congestion::Cubic {
        turned.push(language.cubic().to_owned());
    }
    if !link.delayed_ack {
        turned.push(language.no_delayed_ack().to_owned());
    }
    turned
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
    use streamgram_protocol::Percent;

    use super::*;

    #[test]
    fn what_is_shown_is_read_back() {
        for knob in Knob::ALL {
            for value in steps(*knob).iter().copied().chain([1, 105, 9_999]) {
                assert_eq!(knob.parse(&knob.text(value)), Some(value), "{knob:?}");
            }
        }
        let loss = Knob::Loss;
        assert_eq!((loss.text(250), loss.text(105)), ("2.5".into(), "1.05".into()));
        assert_eq!((loss.parse("2.555"), loss.parse("-1"), loss.parse("x")), (None, None, None));
    }

    #[test]
    fn a_knob_turns_its_side_only() {
        let link = Side::Up.turned(&Link::default(), Knob::Delay, 20);
        assert_eq!((link.up.delay_ms, link.down.delay_ms), (20, 0));
        let link = Side::Both.turned(&link, Knob::Loss, 250);
        let loss = Percent::hundredths(250);
        assert_eq!((link.up.loss, link.down.loss), (loss, loss));
    }

    #[test]
    fn every_end_of_a_slider_is_allowed() {
        for &knob in Knob::ALL {
            for value in steps(knob) {
                let link = Side::Both.turned(&Link::default(), knob, *value);
                assert_eq!(link.check(), Ok(()), "{knob:?} {value}");
                assert_eq!(steps(knob)[step(knob, *value)], *value);
            }
        }
    }
}
