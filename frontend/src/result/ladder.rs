//! Where the arrows of both ladders stand: one scale of time for TCP and UDP, drawn downwards. Of a packet of which only
//! one end was seen there is no arrow, but a stub at that end.
//!
//! Time is to scale, with two exceptions that keep it legible: what follows too closely is moved
//! apart, in its order, and what is far apart is folded, with the length of the wait written there.

use std::rc::Rc;

use streamgram_protocol::{End, Protocol};

use super::head_of_line::{Held, held};
use super::moments::{Moment, Step, moments};
use super::pointed::Pointed;
use crate::i18n::language::Language;
use crate::session::sent::{Ends, Sent};
use crate::session::trace::Trace;

/// Pixels between two labels: one fits between them.
const LABEL_GAP: u64 = 15;
/// Pixels that an arrow falls at least.
const LEAST_FALL: u64 = 5;
/// Pixels from which on a wait is folded, and what is left of it.
const FOLD_FROM: u64 = 160;
const FOLDED: u64 = 48;
/// Above the first arrow, and below the last.
const MARGIN: u64 = 24;

/// A zoom of this is a pixel a millisecond; twice as much is two.
pub(crate) const ZOOM_ONE: u64 = 16;
/// The first zoom of captured packets: those of a machine with itself are microseconds apart.
const ZOOM_CAPTURED: u64 = ZOOM_ONE * 64;
/// Zooms, from the farthest to the nearest: a pixel a microsecond.
pub(crate) const ZOOMS: std::ops::RangeInclusive<u64> = 1..=ZOOM_ONE * 1_024;

/// Part of a lane's width that a stub takes, in percent.
const STUB: u64 = 22;

/// The packets of a run: TCP's and UDP's.
pub(crate) type Traces = [Option<Rc<Trace>>; 2];

/// A packet and its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Arrow {
    pub(crate) protocol: Protocol,
    pub(crate) sent: Rc<Sent>,
    /// The lines that it carries, or whose replies.
    pub(crate) lines: Option<Pointed>,
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
        (lifeline(from), lifeline(from.peer()))
    }

    /// Where it begins and where it ends, halfway if the packet is lost: in percent of the width, and in pixels from the
    /// top. A stub does not leave the side where its packet was seen.
    pub(crate) fn line(&self) -> [(u64, u64); 2] {
        let (near, far) = self.lifelines();
        let beside = |lifeline: u64, other: u64| {
            if lifeline < other { lifeline + STUB } else { lifeline - STUB }
        };
        match self.sent.ends() {
            Ends::Both => [(near, self.from), (far, self.to)],
            Ends::Lost => {
                let end = (u64::midpoint(near, far), u64::midpoint(self.from, self.to));
                [(near, self.from), end]
            }
            Ends::Sender => [(near, self.from), (beside(near, far), self.to)],
            Ends::Receiver => [(beside(far, near), self.from), (far, self.to)],
        }
    }

    /// The end at which its label stands: where it was seen first.
    pub(crate) fn label_end(&self) -> End {
        let from = self.sent.packet.from;
        if self.sent.ends() == Ends::Receiver { from.peer() } else { from }
    }
}

/// A wait that is drawn shorter than it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fold {
    pub(crate) at: u64,
    pub(crate) us: u64,
}

/// What an end held back, and its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Band {
    pub(crate) held: Held,
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// Where its label stands, as if it were that of a packet which is sent there.
    pub(crate) label: u64,
}

/// Both ladders, laid out.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Ladder {
    /// In the order in which they were sent.
    pub(crate) arrows: Vec<Arrow>,
    pub(crate) folds: Vec<Fold>,
    /// TCP's.
    pub(crate) bands: Vec<Band>,
    pub(crate) height: u64,
}

impl Ladder {
    /// Lays out the packets of both protocols.
    pub(crate) fn of(traces: &Traces, zoom: u64) -> Self {
        let mut ladder = Self { arrows: in_turn(traces), ..Self::default() };
        let held = traces[0].as_deref().map(held).unwrap_or_default();
        let place = |held| Band { held, from: 0, to: 0, label: 0 };
        ladder.bands = held.into_iter().map(place).collect();
        let mut waits = Vec::new();
        for (index, Band { held, .. }) in ladder.bands.iter().enumerate() {
            waits.push(Moment { at_us: held.us.start, step: Step::Waits, index });
            waits.push(Moment { at_us: held.us.end, step: Step::IsReleased, index });
        }
        let moments = moments(ladder.arrows.iter().map(|arrow| &arrow.sent), waits);
        let (mut y, mut before) = (MARGIN, moments.first().map_or(0, |moment| moment.at_us));
        let mut last_label = None::<u64>;
        for Moment { at_us, step, index } in moments {
            y = ladder.wait(y, last_label.unwrap_or(0), (at_us - before, zoom));
            before = at_us;
            let below = |y: u64| last_label.map_or(y, |last| y.max(last + LABEL_GAP));
            match step {
                Step::Sent => {
                    y = below(y);
                    last_label = Some(y);
                    let arrow = &mut ladder.arrows[index];
                    let is_stub = matches!(arrow.sent.ends(), Ends::Sender | Ends::Receiver);
                    (arrow.from, arrow.to) = (y, y + if is_stub { LEAST_FALL } else { LABEL_GAP });
                }
                Step::Arrives | Step::ArrivesAtOnce => {
                    let arrow = &mut ladder.arrows[index];
                    y = y.max(arrow.from + LEAST_FALL);
                    arrow.to = y;
                }
                Step::CopyArrives => {
                    let arrow = &mut ladder.arrows[index];
                    y = y.max(arrow.from + 2 * LEAST_FALL);
                    arrow.copy = Some(y);
                }
                Step::Waits => {
                    let label = below(y + LABEL_GAP);
                    last_label = Some(label);
                    let band = &mut ladder.bands[index];
                    (band.from, band.label) = (y, label);
                }
                Step::IsReleased => {
                    let band = &mut ladder.bands[index];
                    y = y.max(band.from + LEAST_FALL);
                    band.to = y;
                }
            }
        }
        ladder.height = y.max(last_label.unwrap_or(0)) + LABEL_GAP + MARGIN;
        ladder
    }

    /// Where a wait ends that begins at `y`. A long one is folded, below all labels.
    fn wait(&mut self, y: u64, last_label: u64, (us, zoom): (u64, u64)) -> u64 {
        let pixels = us.saturating_mul(zoom) / (1_000 * ZOOM_ONE);
        if pixels < FOLD_FROM {
            return y + pixels;
        }
        let y = y.max(last_label);
        self.folds.push(Fold { at: y + FOLDED / 2, us });
        y + FOLDED
    }

    /// The zoom at which packets are looked at first.
    pub(crate) fn first_zoom(traces: &Traces) -> u64 {
        let is_captured = traces.iter().flatten().any(|trace| trace.is_captured());
        if is_captured { ZOOM_CAPTURED } else { ZOOM_ONE }
    }

    /// The packets are the kernel's: the other end of their way is the server.
    pub(crate) fn is_captured(&self) -> bool {
        self.arrows.first().is_some_and(|arrow| arrow.sent.seen.is_some())
    }

    /// What the end opposite the client is called.
    pub(crate) fn far_end(&self, language: Language) -> &'static str {
        if self.is_captured() { language.server() } else { language.gateway() }
    }

    /// The protocols that have a packet here.
    pub(crate) fn lanes(&self) -> impl Iterator<Item = Protocol> {
        let has = |protocol| self.arrows.iter().any(|arrow| arrow.protocol == protocol);
        Protocol::BOTH.into_iter().filter(move |protocol| has(*protocol))
    }

    /// Unix time in microseconds from which times are counted: when the first bytes of a line were sent, else the
    /// first packet, as an external client's. A connection can have been opened long before.
    pub(crate) fn begins_us(&self) -> u64 {
        let is_line = |it: &&Arrow| it.lines.is_some() && it.sent.packet.from == End::Client;
        let of_line = self.arrows.iter().find(is_line);
        of_line.or(self.arrows.first()).map_or(0, |arrow| arrow.sent.at_us)
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
fn in_turn(traces: &Traces) -> Vec<Arrow> {
    let mut both = Vec::new();
    for (protocol, trace) in Protocol::BOTH.into_iter().zip(traces) {
        let Some(trace) = trace else { continue };
        for sent in &trace.packets {
            let lines = sent.packet.lines().map(|[first, last]| Pointed {
                protocol,
                first: first.number,
                last: last.number,
            });
            let sent = Rc::clone(sent);
            both.push(Arrow { protocol, sent, lines, from: 0, to: 0, copy: None });
        }
    }
    both.sort_by_key(|arrow| arrow.sent.at_us);
    both
}

/// Where a lifeline stands, in percent of the width of its lane.
pub(crate) fn lifeline(end: End) -> u64 {
    match end {
        End::Client => 7,
        End::Gateway => 93,
    }
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::{Captured, Side};

    use super::*;
    use crate::session::sent::tests::segment as captured;
    use crate::session::trace::tests::{segment, traced};

    fn laid_out(tcp: &[Sent], udp: &[Sent]) -> Ladder {
        Ladder::of(&[tcp, udp].map(|sent| Some(Rc::new(traced(sent)))), ZOOM_ONE)
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
        assert!(ladder.arrows.is_sorted_by(|a, b| a.from + LABEL_GAP <= b.from));
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
        assert_eq!(ladder.arrows[1].to, ladder.arrows[1].from + LABEL_GAP);
    }

    #[test]
    fn a_packet_of_which_one_end_was_seen_is_a_stub_there() {
        let both = captured(Side::Client, 0, 1, 5);
        let came = Captured { left_us: None, number: 1, ..both.clone() };
        let left = Captured { came_us: None, ..captured(Side::Server, 2, 1, 5) };
        let mut trace = Trace::default();
        for (at_us, packet) in (0..).zip([both, came, left]) {
            trace.push(1, Rc::new(Sent::of_captured(at_us * 100, packet, true)));
        }
        let traces = [Some(Rc::new(trace)), None];
        let ladder = Ladder::of(&traces, Ladder::first_zoom(&traces));
        let across = |at: usize| ladder.arrows[at].line().map(|(across, _)| across);
        assert_eq!([0, 1, 2].map(across), [[7, 93], [93 - STUB, 93], [93, 93 - STUB]]);
        let ends = [0, 1, 2].map(|at| ladder.arrows[at].label_end());
        assert_eq!(ends, [End::Client, End::Gateway, End::Gateway]);
        assert!(ladder.arrows.iter().all(|arrow| arrow.to > arrow.from));
        assert_eq!(ladder.time(1).unwrap().text, "+100 µs");
    }

    #[test]
    fn what_comes_in_the_microsecond_in_which_it_left_falls_all_the_same() {
        let packet =
            Captured { left_us: Some(50), came_us: Some(50), ..captured(Side::Client, 0, 1, 5) };
        let mut trace = Trace::default();
        trace.push(1, Rc::new(Sent::of_captured(50, packet, true)));
        let ladder = Ladder::of(&[Some(Rc::new(trace)), None], ZOOM_ONE);
        assert_eq!(ladder.arrows[0].to, ladder.arrows[0].from + LEAST_FALL);
    }

    #[test]
    fn a_protocol_without_packets_has_no_lane() {
        let one = [segment(End::Client, 0, 0, false)];
        let lanes = |tcp: &[Sent], udp: &[Sent]| laid_out(tcp, udp).lanes().collect::<Vec<_>>();
        assert_eq!(lanes(&one, &[]), [Protocol::Tcp]);
        assert_eq!(lanes(&[], &one), [Protocol::Udp]);
        assert_eq!(lanes(&one, &one), Protocol::BOTH);
        assert_eq!(lanes(&[], &[]), []);
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
