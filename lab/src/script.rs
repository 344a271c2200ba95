//! Rules by content: which packets are lost on purpose.

use streamgram_protocol::{End, Line, Link, Rule, Verdict};

use crate::Micros;

#[derive(Debug)]
pub(crate) struct Script {
    rules: Vec<Rule>,
    /// The latest send, and when its first line was handed over.
    latest: Option<(u64, Micros)>,
}

/// A line of which a packet carries bytes for the first time; the packet is the `nth` that does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FirstCopy {
    pub(crate) line: Line,
    pub(crate) nth: u32,
}

impl Script {
    pub(crate) fn new(link: &Link) -> Self {
        Self { rules: link.rules.clone(), latest: None }
    }

    pub(crate) fn set(&mut self, link: &Link) {
        self.rules.clone_from(&link.rules);
    }

    /// The client has handed a line over, or a piece of one.
    pub(crate) fn handed(&mut self, now: Micros, line: Line) {
        // Two bursts can take turns; only a first line begins one.
        let is_new = self.latest.is_none_or(|(send, _)| send != line.send);
        if self.latest.is_none() || (line.number == 1 && is_new) {
            self.latest = Some((line.send, now));
        }
    }

    /// What the rules say of a packet.
    pub(crate) fn verdict(&self, now: Micros, from: End, first: &[FirstCopy]) -> Option<Verdict> {
        self.rules.iter().find_map(|rule| match (*rule, from) {
            (Rule::LoseLine { line, packet }, End::Client) => {
                let hit = |copy: &FirstCopy| {
                    copy.line.number == line && packet.is_none_or(|nth| nth == copy.nth)
                };
                first.iter().any(hit).then_some(Verdict::LostByRule)
            }
            (Rule::LoseReply { line }, End::Gateway) => {
                first.iter().any(|copy| copy.line.number == line).then_some(Verdict::LostByRule)
            }
            (Rule::LoseLine { .. }, End::Gateway) | (Rule::LoseReply { .. }, End::Client) => None,
            (Rule::BlackOut { from_ms, to_ms }, _) => {
                let (_, began) = self.latest?;
                let dark = u64::from(from_ms) * 1_000..u64::from(to_ms) * 1_000;
                dark.contains(&(now - began)).then_some(Verdict::LostInBlackOut)
            }
        })
    }
}
