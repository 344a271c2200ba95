//! Reports the packets of a leg, emulated or captured: as events up to a limit and while there is room, else as a
//! count.

use std::future::pending;
use std::time::{Duration, Instant};

use streamgram_lab::{Mark, Micros};
use streamgram_protocol::{Data, Event, LegId, Packet};

use crate::capture::LegPackets;
use crate::guard::rate::Rate;
use crate::path::Recording;
use crate::session::captured::{PACKETS_AT_ONCE, PACKETS_PER_S, captured};
use crate::session::outbox::Outbox;

/// Between two reports of how many packets were left out.
const MISSED_EVERY: Duration = Duration::from_secs(1);

/// Reports the packets of one leg.
#[derive(Debug)]
pub(super) struct Packets {
    leg: LegId,
    captured: Option<Tapped>,
    /// How many more are reported as events.
    left: u64,
    missed: u64,
    missed_reported: Option<Instant>,
}

/// The packets of a direct path.
#[derive(Debug)]
struct Tapped {
    packets: LegPackets,
    rate: Rate,
    /// The client reads, so that they can be reported.
    has_room: bool,
}

impl Packets {
    pub(super) fn new(leg: LegId, limit: u64, captured: Option<LegPackets>) -> Self {
        let rate = Rate::per_second(PACKETS_PER_S, PACKETS_AT_ONCE, Instant::now());
        let captured = captured.map(|packets| Tapped { packets, rate, has_room: true });
        Self { leg, captured, left: limit, missed: 0, missed_reported: None }
    }

    /// Whether packets are captured.
    pub(super) fn are_captured(&self) -> bool {
        self.captured.is_some()
    }

    /// Waits until one was captured and can be reported.
    ///
    /// # Cancel safety
    /// Losing a `select!` loses nothing.
    pub(super) async fn ready(&mut self) {
        match &mut self.captured {
            Some(Tapped { packets, has_room: true, .. }) => packets.packets.ready().await,
            _ => pending().await,
        }
    }

    /// Reports what was captured.
    pub(super) fn report_captured(&mut self, now: Instant, outbox: &mut Outbox) {
        let Some(Tapped { packets, rate, has_room }) = &mut self.captured else { return };
        // Those for which there is no room wait: the client usually takes events at once.
        while outbox.has_room_for_packets()
            && let Some(packet) = packets.packets.try_recv()
        {
            if self.left == 0 || !rate.spend(1, now) {
                self.missed += 1;
                continue;
            }
            self.left -= 1;
            let event = Event::Captured(Box::new(captured(&packet, true, outbox)));
            outbox.push(packet.at, self.leg, event);
        }
        *has_room = outbox.has_room_for_packets();
        self.missed += packets.packets.missed();
        packets.packets.miss_everything(outbox.is_full());
        if self.missed_due(outbox).is_some_and(|due| now >= due) {
            self.report_missed(now, outbox);
        }
    }

    /// When the next report of how many captured packets were left out is due, if there is room for it.
    pub(super) fn missed_due(&self, outbox: &Outbox) -> Option<Instant> {
        let due = self.missed_reported.map_or(outbox.started(), |last| last + MISSED_EVERY);
        (self.are_captured() && self.missed > 0 && outbox.has_room_for_packets()).then_some(due)
    }

    pub(super) fn report(&mut self, recording: Recording, now: Instant, outbox: &mut Outbox) {
        let instant = |at: Micros| recording.began + Duration::from_micros(at);
        for packet in recording.packets {
            if self.left == 0 || outbox.is_full() {
                self.missed += 1;
                continue;
            }
            self.left -= 1;
            let arrives = |at: Option<Micros>| at.map(|at| outbox.at_us(instant(at)));
            let event = Event::Packet(Packet {
                number: packet.number,
                from: packet.from,
                verdict: packet.verdict,
                arrives_us: arrives(packet.deliver_at),
                copy_arrives_us: arrives(packet.duplicate_at),
                bytes: u16::try_from(packet.bytes.len()).unwrap_or(u16::MAX),
                header: packet.header,
                line: packet.lines.map(|[first, _]| first),
                last_line: packet.lines.and_then(|[first, last]| (last != first).then_some(last)),
                retransmission: packet.mark == Some(Mark::Retransmission),
                duplicate_ack: packet.mark == Some(Mark::DuplicateAck),
                hex: Data::hex(&packet.bytes),
            });
            outbox.push(instant(packet.sent_at), self.leg, event);
        }
        if self.missed_reported.is_none_or(|last| now >= last + MISSED_EVERY) {
            self.report_missed(now, outbox);
        }
    }

    /// Reports how many packets were left out, if there were any.
    pub(super) fn report_missed(&mut self, now: Instant, outbox: &mut Outbox) {
        let count = std::mem::take(&mut self.missed);
        if count > 0 {
            self.missed_reported = Some(now);
            outbox.push(now, self.leg, Event::PacketsMissed { count });
        }
    }
}
