//! What is counted of a run. Pure: from events to numbers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use streamgram_protocol::{Event, Path, Protocol, ServerMessage, Verdict};
use strum::IntoStaticStr;

/// What is counted of one leg. A file calls it by its name in snake case.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub(super) enum Figure {
    /// Lines that were sent.
    Lines,
    /// Lines that were answered, late or not.
    Answered,
    /// Lines that were answered after they had been reported as without a reply.
    Late,
    /// Lines that were reported as without a reply.
    NoReply,
    /// What the server took: reads of TCP, datagrams of UDP.
    ServerReads,
    /// Reads of the leg that returned replies, or pieces of them.
    ReplyReads,
    /// What a faulty server did on purpose.
    Faults,
    /// The middle one of the round trips.
    RttMedianUs,
    /// The shortest.
    RttMinUs,
    /// The longest.
    RttMaxUs,
    /// Packets of an emulated path, both ways.
    Packets,
    /// Those of them that did not arrive.
    LostPackets,
    /// Segments that were sent again.
    Retransmissions,
}

/// The figures of a leg that are known.
pub(super) type OfLeg = BTreeMap<Figure, u64>;

/// Counts events.
#[derive(Debug, Default)]
pub(super) struct Counter {
    legs: BTreeMap<&'static str, Leg>,
}

#[derive(Debug, Default)]
struct Leg {
    counts: OfLeg,
    round_trips: Vec<u64>,
    is_emulated: bool,
}

impl Counter {
    /// Counts what a session reports.
    pub(super) fn count(&mut self, message: &ServerMessage) {
        let Some(id) = message.leg else { return };
        let leg = self.legs.entry(key(id.protocol)).or_default();
        match &message.event {
            Event::Opened { path, .. } => leg.is_emulated = *path == Path::Emulated,
            Event::Sent { .. } => leg.add(Figure::Lines),
            Event::Answered { rtt_us, late, .. } => {
                leg.add(Figure::Answered);
                leg.round_trips.push(*rtt_us);
                if *late {
                    leg.add(Figure::Late);
                }
            }
            Event::NoReply { .. } => leg.add(Figure::NoReply),
            Event::ServerRead { .. } | Event::ServerDatagram { .. } => leg.add(Figure::ServerReads),
            Event::Reply { .. } => leg.add(Figure::ReplyReads),
            Event::Fault(_) => leg.add(Figure::Faults),
            Event::Packet(packet) => {
                leg.add(Figure::Packets);
                let arrives = [Verdict::Delivered, Verdict::Duplicated, Verdict::Reordered];
                if !arrives.contains(&packet.verdict) {
                    leg.add(Figure::LostPackets);
                }
                if packet.retransmission {
                    leg.add(Figure::Retransmissions);
                }
            }
            _ => {}
        }
    }

    /// The figures of a protocol's leg, if it had one.
    pub(super) fn of(&self, protocol: Protocol) -> Option<OfLeg> {
        self.legs.get(key(protocol)).map(Leg::figures)
    }

    /// The figures of both, by the names of their protocols.
    pub(super) fn all(&self) -> BTreeMap<&'static str, OfLeg> {
        self.legs.iter().map(|(protocol, leg)| (*protocol, leg.figures())).collect()
    }
}

impl Leg {
    fn add(&mut self, figure: Figure) {
        *self.counts.entry(figure).or_default() += 1;
    }

    fn figures(&self) -> OfLeg {
        let mut figures = self.counts.clone();
        let always = [
            Figure::Lines,
            Figure::Answered,
            Figure::Late,
            Figure::NoReply,
            Figure::ServerReads,
            Figure::ReplyReads,
            Figure::Faults,
        ];
        let on_a_link = [Figure::Packets, Figure::LostPackets, Figure::Retransmissions];
        let on_a_link = on_a_link.into_iter().filter(|_| self.is_emulated);
        for figure in always.into_iter().chain(on_a_link) {
            figures.entry(figure).or_default();
        }
        let mut round_trips = self.round_trips.clone();
        round_trips.sort_unstable();
        if let (Some(min), Some(max)) = (round_trips.first(), round_trips.last()) {
            figures.insert(Figure::RttMinUs, *min);
            figures.insert(Figure::RttMaxUs, *max);
            figures.insert(Figure::RttMedianUs, median(&round_trips));
        }
        figures
    }
}

/// The middle one of sorted numbers, or what lies between the two in the middle.
fn median(sorted: &[u64]) -> u64 {
    let middle = |at: usize| sorted.get(at).copied().unwrap_or_default();
    let half = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) {
        middle(half.saturating_sub(1)).midpoint(middle(half))
    } else {
        middle(half)
    }
}

fn key(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
    }
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::LegId;

    use super::*;

    fn counted(events: Vec<Event>) -> OfLeg {
        let leg = Some(LegId { protocol: Protocol::Udp, number: 2 });
        let mut counter = Counter::default();
        events.into_iter().for_each(|event| counter.count(&ServerMessage { at_us: 1, leg, event }));
        assert_eq!(counter.of(Protocol::Tcp), None);
        counter.of(Protocol::Udp).unwrap()
    }

    #[test]
    fn round_trips_have_a_middle_and_two_ends() {
        let answered = |line: u32, rtt_us: u64, late| Event::Answered {
            id: 1,
            line,
            reply: line.into(),
            rtt_us,
            late,
            certain: true,
        };
        let figures = counted(vec![
            answered(1, 100, false),
            answered(2, 300, false),
            answered(3, 900, false),
            answered(4, 2_000, true),
        ]);
        let of = |figure| figures.get(&figure).copied();
        assert_eq!([of(Figure::RttMinUs), of(Figure::RttMaxUs)], [Some(100), Some(2_000)]);
        assert_eq!(
            [of(Figure::RttMedianUs), of(Figure::Late), of(Figure::Answered)],
            [Some(600), Some(1), Some(4)]
        );
        assert_eq!(of(Figure::Packets), None);
    }

    #[test]
    fn what_did_not_happen_is_nought_and_what_cannot_be_known_is_left_out() {
        let figures = counted(vec![Event::Closed {
            cause: streamgram_protocol::Cause::Closed,
            detail: None,
        }]);
        let json = serde_json::to_string(&figures).unwrap();
        let expected = r#"{"lines":0,"answered":0,"late":0,"no_reply":0,"server_reads":0,"reply_reads":0,"faults":0}"#;
        assert_eq!(json, expected);
    }
}
