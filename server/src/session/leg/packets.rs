//! Reports the packets of an emulated path: as events up to a limit and while there is room, else as a count.

use std::time::{Duration, Instant};

use streamgram_lab::{Mark, Micros};
use streamgram_protocol::{Data, Event, LegId, Packet};

use crate::path::Recording;
use crate::session::outbox::Outbox;

/// Between two reports of how many packets were left out.
const MISSED_EVERY: Duration = Duration::from_secs(1);

/// Reports the packets of one leg.
#[derive(Debug)]
pub(super) struct Packets {
    leg: LegId,
    /// How many more are reported as events.
    left: u64,
    missed: u64,
    missed_reported: Option<Instant>,
}

impl Packets {
    pub(super) fn new(leg: LegId, limit: u64) -> Self {
        Self { leg, left: limit, missed: 0, missed_reported: None }
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
