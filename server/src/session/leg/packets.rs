//! The packets of an emulated path as events: up to a limit, and a count of those beyond it.

use std::time::{Duration, Instant};

use streamgram_lab::{Mark, Micros, Packet as Recorded};
use streamgram_protocol::{Data, Event, LegId, Packet};

use crate::session::outbox::Outbox;

/// How often the count of packets that were left out is told at most.
const MISSED_EVERY: Duration = Duration::from_secs(1);

/// Tells the packets of one leg.
#[derive(Debug)]
pub(crate) struct Packets {
    on: LegId,
    /// How many more are told.
    left: u64,
    missed: u64,
    told_missed: Option<Instant>,
}

impl Packets {
    pub(crate) fn new(on: LegId, limit: u64) -> Self {
        Self { on, left: limit, missed: 0, told_missed: None }
    }

    /// Tells packets whose times count from `began`.
    pub(crate) fn tell(
        &mut self,
        (packets, began): (Vec<Recorded>, Instant),
        now: Instant,
        outbox: &mut Outbox,
    ) {
        for packet in packets {
            if self.left == 0 {
                self.missed += 1;
                continue;
            }
            self.left -= 1;
            let instant = |at: Micros| began + Duration::from_micros(at);
            let sent = instant(packet.sent_at);
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
                retransmission: packet.mark == Some(Mark::Retransmission),
                duplicate_ack: packet.mark == Some(Mark::DuplicateAck),
                hex: Data::hex(&packet.bytes),
            });
            outbox.push(sent, self.on, event);
        }
        if self.told_missed.is_none_or(|told| now >= told + MISSED_EVERY) {
            self.tell_missed(now, outbox);
        }
    }

    /// Tells how many packets were left out and not counted yet.
    pub(crate) fn tell_missed(&mut self, now: Instant, outbox: &mut Outbox) {
        let count = std::mem::take(&mut self.missed);
        if count > 0 {
            self.told_missed = Some(now);
            outbox.push(now, self.on, Event::PacketsMissed { count });
        }
    }
}
