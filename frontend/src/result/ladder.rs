//! Where the arrows of both ladders stand: one scale of time for TCP and UDP, drawn downwards.
//!
//! Time is to scale, with two exceptions that keep it legible: what follows too closely is moved
//! apart, in its order, and what is far apart is folded, with the length of the wait written there.

use std::rc::Rc;

use streamgram_protocol::{End, Protocol};

use crate::session::trace::{Sent, Trace};

/// Pixels between two packets that are sent right after each other: a label fits between them.
const SEND_GAP: u64 = 15;
/// Pixels that an arrow falls at least.
const LEAST_FALL: u64 = 5;
/// Pixels from which on a wait is folded, and what is left of it.
const FOLD_FROM: u64 = 160;
const FOLDED: u64 = 48;
/// Above the first arrow, and below the last.
const MARGIN: u64 = 34;

/// A zoom of this is a pixel a millisecond; twice as much is two.
pub(crate) const ZOOM_ONE: u64 = 16;
/// Zooms, from the farthest to the nearest.
pub(crate) const ZOOMS: std::ops::RangeInclusive<u64> = 1..=ZOOM_ONE * 64;

/// A packet and its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Arrow {
    pub(crate) protocol: Protocol,
    pub(crate) sent: Rc<Sent>,
    /// Pixels from the top: where it begins, and where it ends or would have ended.
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// Where its copy ends.
    pub(crate) copy: Option<u64>,
}

impl Arrow {
    /// The lifelines of its sender and of the other end.
    pub(crate) fn lifelines(&self) -> (u64, u64) {
        let from = self.sent.packet.from;
        (lifeline(self.protocol, from), lifeline(self.protocol, from.peer()))
    }

    /// Where it ends, halfway if the packet is lost: in percent of the width, and in pixels from the top.
    pub(crate) fn end(&self) -> (u64, u64) {
        let (near, far) = self.lifelines();
        if self.sent.is_lost() {
            (u64::midpoint(near, far), u64::midpoint(self.from, self.to))
        } else {
            (far, self.to)
        }
    }
}

/// A wait that is drawn shorter than it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fold {
    pub(crate) at: u64,
    pub(crate) us: u64,
}

/// Both ladders, laid out.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Ladder {
    /// In the order in which they were sent.
    pub(crate) arrows: Vec<Arrow>,
    pub(crate) folds: Vec<Fold>,
    pub(crate) height: u64,
}

/// When something happens to a packet, and to which one by its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Moment {
    at_us: u64,
    step: Step,
    packet: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Arrives,
    CopyArrives,
    Sent,
}

impl Ladder {
    /// Lays out the packets of both protocols.
    pub(crate) fn of(tcp: &Trace, udp: &Trace, zoom: u64) -> Self {
        let arrows = in_turn(tcp, udp);
        let moments = moments(&arrows);
        let mut ladder = Self { arrows, folds: Vec::new(), height: 2 * MARGIN };
        let (mut y, mut before) = (MARGIN, moments.first().map_or(0, |moment| moment.at_us));
        let mut last_sent = None::<u64>;
        for Moment { at_us, step, packet } in moments {
            y += ladder.wait(y, at_us - before, zoom);
            before = at_us;
            let arrow = &mut ladder.arrows[packet];
            match step {
                Step::Sent => {
                    y = last_sent.map_or(y, |last| y.max(last + SEND_GAP));
                    last_sent = Some(y);
                    (arrow.from, arrow.to) = (y, y + SEND_GAP);
                }
                Step::Arrives => {
                    y = y.max(arrow.from + LEAST_FALL);
                    arrow.to = y;
                }
                Step::CopyArrives => {
                    y = y.max(arrow.from + 2 * LEAST_FALL);
                    arrow.copy = Some(y);
                }
            }
        }
        ladder.height = y + SEND_GAP + MARGIN;
        ladder
    }

    /// The pixels of a wait; a long one is folded.
    fn wait(&mut self, y: u64, us: u64, zoom: u64) -> u64 {
        let pixels = us.saturating_mul(zoom) / (1_000 * ZOOM_ONE);
        if pixels < FOLD_FROM {
            return pixels;
        }
        self.folds.push(Fold { at: y + FOLDED / 2, us });
        FOLDED
    }

    /// The arrows of which something stands between two heights.
    pub(crate) fn within(&self, top: u64, bottom: u64) -> impl Iterator<Item = (usize, &Arrow)> {
        let arrows = self.arrows.iter().enumerate();
        // They begin in their order, so none behind the first that begins below is seen.
        arrows
            .take_while(move |(_, arrow)| arrow.from <= bottom)
            .filter(move |(_, arrow)| arrow.to.max(arrow.copy.unwrap_or(0)) >= top)
    }
}

/// The packets of both in the order of their times.
fn in_turn(tcp: &Trace, udp: &Trace) -> Vec<Arrow> {
    let arrows = |protocol, trace: &Trace| {
        let sent = trace.packets.iter().cloned();
        sent.map(move |sent| Arrow { protocol, sent, from: 0, to: 0, copy: None }).collect()
    };
    let mut both: Vec<Arrow> = arrows(Protocol::Tcp, tcp);
    both.extend(arrows(Protocol::Udp, udp));
    both.sort_by_key(|arrow| arrow.sent.at_us);
    both
}

/// What happens to all packets, in the order of time.
fn moments(arrows: &[Arrow]) -> Vec<Moment> {
    let mut moments = Vec::with_capacity(2 * arrows.len());
    for (packet, arrow) in arrows.iter().enumerate() {
        let moment = |at_us: u64, step: Step| Moment { at_us, step, packet };
        let Sent { at_us, packet: sent } = &*arrow.sent;
        moments.push(moment(*at_us, Step::Sent));
        moments.extend(sent.arrives_us.map(|at_us| moment(at_us, Step::Arrives)));
        moments.extend(sent.copy_arrives_us.map(|at_us| moment(at_us, Step::CopyArrives)));
    }
    moments.sort_unstable();
    moments
}

/// Where a lifeline stands, in percent of the width: TCP's pair on the left, UDP's on the right.
pub(crate) fn lifeline(protocol: Protocol, end: End) -> u64 {
    match (protocol, end) {
        (Protocol::Tcp, End::Client) => 5,
        (Protocol::Tcp, End::Gateway) => 43,
        (Protocol::Udp, End::Client) => 57,
        (Protocol::Udp, End::Gateway) => 95,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::trace::tests::{segment, traced};

    fn laid_out(tcp: &[Sent], udp: &[Sent]) -> Ladder {
        Ladder::of(&traced(tcp), &traced(udp), ZOOM_ONE)
    }

    #[test]
    fn an_arrow_falls_as_long_as_its_packet_takes() {
        let ladder = laid_out(&[segment(End::Client, 0, 1_000, false)], &[]);
        let [Arrow { from, to, .. }] = ladder.arrows[..] else { panic!("one arrow") };
        assert_eq!((from, to), (MARGIN, MARGIN + 20));
        assert!(ladder.height >= to);
    }

    #[test]
    fn both_protocols_share_one_scale() {
        let ladder = laid_out(
            &[segment(End::Client, 0, 0, false)],
            &[segment(End::Client, 0, 50_000, false)],
        );
        assert_eq!(ladder.arrows[1].from - ladder.arrows[0].from, 50);
    }

    #[test]
    fn what_is_sent_at_once_is_moved_apart_in_its_order() {
        let burst: Vec<_> = (0..50).map(|n| segment(End::Client, n, 0, false)).collect();
        let ladder = laid_out(&burst, &burst);
        assert!(ladder.arrows.is_sorted_by(|a, b| a.from + SEND_GAP <= b.from));
        assert!(ladder.arrows.iter().all(|arrow| arrow.to >= arrow.from + LEAST_FALL));
    }

    #[test]
    fn a_long_wait_is_folded_and_its_length_kept() {
        let ladder = laid_out(
            &[segment(End::Client, 0, 0, false), segment(End::Client, 1, 1_020_000, false)],
            &[],
        );
        let [Fold { us, .. }] = ladder.folds[..] else { panic!("one fold") };
        assert_eq!(us, 1_000_000);
        assert_eq!(ladder.arrows[1].from, MARGIN + 20 + FOLDED);
    }

    #[test]
    fn a_copy_has_an_arrow_of_its_own_and_a_lost_packet_no_end() {
        let mut twice = segment(End::Client, 0, 0, false);
        twice.packet.copy_arrives_us = Some(30_000);
        let ladder = laid_out(&[twice, segment(End::Client, 1, 40_000, true)], &[]);
        assert_eq!(ladder.arrows[0].copy, Some(MARGIN + 30));
        assert_eq!(ladder.arrows[1].to, ladder.arrows[1].from + SEND_GAP);
    }

    #[test]
    fn of_five_thousand_only_those_in_sight_are_drawn() {
        let many: Vec<_> =
            (0..5_000).map(|n| segment(End::Client, n, n * 30_000, n % 7 == 0)).collect();
        let ladder = laid_out(&many, &[]);
        assert_eq!(ladder.arrows.len(), 5_000);
        let seen: Vec<_> = ladder.within(10_000, 10_600).collect();
        assert!((15..60).contains(&seen.len()), "{}", seen.len());
        assert!(seen.iter().all(|(_, arrow)| arrow.to >= 10_000 && arrow.from <= 10_600));
    }
}
