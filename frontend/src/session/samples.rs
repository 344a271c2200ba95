//! What a lane's plots are drawn from: its latest round trips, and what each send took on the wire.

use std::collections::VecDeque;

use streamgram_protocol::{Header, Packet};

/// Samples of a kind that a lane keeps; the oldest goes for one more, and is counted.
pub(crate) const KEPT_SAMPLES: usize = 1_000;

/// The latest samples of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recent<T> {
    pub(crate) samples: VecDeque<T>,
    /// Samples that are not kept any more.
    pub(crate) gone: u64,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self { samples: VecDeque::new(), gone: 0 }
    }
}

impl<T> Recent<T> {
    pub(crate) fn push(&mut self, sample: T) {
        if self.samples.len() == KEPT_SAMPLES {
            self.samples.pop_front();
            self.gone += 1;
        }
        self.samples.push_back(sample);
    }
}

/// What a send took on an emulated path, both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) send: u64,
    leg: u32,
    /// Bytes of its lines and of the replies.
    pub(crate) payload: u64,
    /// Bytes of all packets, with all headers.
    pub(crate) wire: u64,
}

impl Recent<Usage> {
    /// A line went out.
    pub(crate) fn line(&mut self, leg: u32, send: u64, bytes: usize) {
        if let Some(usage) = self.of(leg, send) {
            usage.payload += bytes as u64;
        }
    }

    /// Replies came. They do not say what they answer, so they are the latest send's.
    pub(crate) fn reply(&mut self, leg: u32, bytes: usize) {
        if let Some(usage) = self.latest(leg) {
            usage.payload += bytes as u64;
        }
    }

    /// A packet crossed the path. One that carries no line, an ACK, is the latest send's; what opens or
    /// closes a connection is none's.
    pub(crate) fn packet(&mut self, leg: u32, packet: &Packet) {
        let usage = match (packet.line, packet.header) {
            (Some(line), _) => self.of(leg, line.send),
            (None, Header::Tcp { flags, .. }) if flags.syn || flags.fin || flags.rst => None,
            (None, _) => self.latest(leg),
        };
        if let Some(usage) = usage {
            usage.wire += u64::from(packet.bytes);
        }
    }

    fn latest(&mut self, leg: u32) -> Option<&mut Usage> {
        self.samples.back_mut().filter(|usage| usage.leg == leg)
    }

    /// That of a send, which may be new; none of one that is not kept any more.
    fn of(&mut self, leg: u32, send: u64) -> Option<&mut Usage> {
        if self.samples.back().is_none_or(|latest| latest.send < send) {
            self.push(Usage { send, leg, payload: 0, wire: 0 });
        }
        self.samples.iter_mut().rev().find(|usage| usage.send == send)
    }
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::{End, Flags, Line};

    use super::*;
    use crate::session::trace::tests::segment;

    fn packet(line: Option<u64>, flags: Flags) -> Packet {
        let mut packet = segment(End::Client, 0, 0, false).packet;
        packet.line = line.map(|send| Line { send, number: 1 });
        packet.header = Header::Tcp { flags, seq: 0, ack: 0, window: 0, length: 0 };
        packet
    }

    #[test]
    fn the_oldest_samples_go_and_are_counted() {
        let mut recent = Recent::default();
        (0..KEPT_SAMPLES as u64 + 3).for_each(|sample| recent.push(sample));
        assert_eq!((recent.samples.len(), recent.samples[0], recent.gone), (KEPT_SAMPLES, 3, 3));
    }

    #[test]
    fn a_packet_is_its_lines_sends_and_one_without_a_line_the_latest_ones() {
        let mut recent = Recent::<Usage>::default();
        let plain = Flags { ack: true, ..Flags::default() };
        recent.packet(1, &packet(None, plain));
        recent.line(1, 7, 5);
        recent.packet(1, &packet(Some(7), plain));
        recent.line(1, 8, 6);
        // Line 7 again, and an ACK.
        recent.packet(1, &packet(Some(7), plain));
        recent.packet(1, &packet(None, plain));
        recent.reply(1, 33);
        recent.packet(1, &packet(None, Flags { fin: true, ..plain }));
        // Another leg's.
        recent.packet(2, &packet(None, plain));
        recent.reply(2, 33);
        let sums: Vec<_> = recent.samples.iter().map(|it| (it.send, it.payload, it.wire)).collect();
        assert_eq!(sums, [(7, 5, 80), (8, 39, 40)]);
    }

    #[test]
    fn a_send_that_is_gone_does_not_come_back() {
        let mut recent = Recent::<Usage>::default();
        (1..=KEPT_SAMPLES as u64 + 1).for_each(|send| recent.line(1, send, 1));
        recent.packet(1, &packet(Some(1), Flags::default()));
        assert_eq!((recent.samples[0].send, recent.gone), (2, 1));
        assert!(recent.samples.iter().all(|usage| usage.wire == 0));
    }
}
