//! Transfers in virtual time, as fast as the machine can: for tests, tables and sweeps.

use streamgram_protocol::{End, Link};

use crate::{Micros, Options, Packet, State, TcpLab};

/// What came of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// Bytes that arrived where they should, in order and unchanged.
    pub delivered: u64,
    /// The first byte that was not what was sent, if there was one.
    pub corrupt_at: Option<u64>,
    /// How long it took.
    pub took: Micros,
    /// How the client's connection stood then.
    pub state: State,
    /// Packets sent by either end.
    pub packets: u64,
    /// Packets that did not arrive.
    pub lost: u64,
}

impl Transfer {
    /// Bits a second that were of use.
    #[must_use]
    pub fn goodput(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a figure with three digits")]
        let [bytes, micros] = [self.delivered as f64, self.took as f64];
        if self.took == 0 { 0.0 } else { 8.0 * bytes / micros * 1e6 }
    }
}

/// The client sends without end until then; what counts is what the gateway reads. Every packet is
/// shown to `watch`.
#[must_use]
pub fn one_way(
    link: &Link,
    options: Options,
    until: Micros,
    watch: &mut dyn FnMut(&Packet),
) -> Transfer {
    one_way_of(link, options, u64::MAX, until, watch)
}

/// As [`one_way`], but over once both ends together have sent so many packets.
#[must_use]
pub fn one_way_of(
    link: &Link,
    options: Options,
    packets: u64,
    until: Micros,
    watch: &mut dyn FnMut(&Packet),
) -> Transfer {
    let run = Run::new(link, options, watch);
    let mut arrived = Vec::new();
    run.drive(until, |run, now| {
        run.feed(now, u64::MAX);
        arrived.clear();
        run.lab.read_into(now, End::Gateway, &mut arrived);
        run.check(&arrived);
        run.transfer.packets < packets
    })
}

/// The client sends `bytes`, the gateway sends them back, both at once; over when all are back, or
/// when either end has given up, or then. Every packet is shown to `watch`.
#[must_use]
pub fn echo(
    link: &Link,
    options: Options,
    bytes: u64,
    until: Micros,
    watch: &mut dyn FnMut(&Packet),
) -> Transfer {
    let run = Run::new(link, options, watch);
    let (mut back, mut arrived) = (Vec::new(), Vec::new());
    run.drive(until, |run, now| {
        run.feed(now, bytes);
        // The gateway takes no more than it can pass on.
        if back.len() < PIECE {
            run.lab.read_into(now, End::Gateway, &mut back);
        }
        let taken = if back.is_empty() { 0 } else { run.lab.write(now, End::Gateway, &back, None) };
        back.drain(..taken);
        arrived.clear();
        run.lab.read_into(now, End::Client, &mut arrived);
        run.check(&arrived);
        run.transfer.delivered < bytes
    })
}

/// Bytes handed over at a time.
const PIECE: usize = 4_096;
/// Bytes after which the text that is sent repeats: prime, so that no two windows are alike.
const PERIOD: usize = 65_521;

struct Run<'w> {
    lab: TcpLab,
    text: Vec<u8>,
    fed: u64,
    transfer: Transfer,
    watch: &'w mut dyn FnMut(&Packet),
}

impl<'w> Run<'w> {
    fn new(link: &Link, options: Options, watch: &'w mut dyn FnMut(&Packet)) -> Self {
        let transfer = Transfer {
            delivered: 0,
            corrupt_at: None,
            took: 0,
            state: State::Connecting,
            packets: 0,
            lost: 0,
        };
        let text: Vec<u8> = (0..PERIOD as u64).map(byte).collect();
        Self { lab: TcpLab::open(link, options, 0), text: text.repeat(2), fed: 0, transfer, watch }
    }

    /// Steps the lab and calls the application until it has had enough or nothing can come any more.
    fn drive(
        mut self,
        until: Micros,
        mut application: impl FnMut(&mut Self, Micros) -> bool,
    ) -> Transfer {
        while let Some(now) = self.lab.next().filter(|now| *now < until) {
            self.lab.step(now);
            let goes_on = application(&mut self, now);
            for packet in self.lab.drain_packets() {
                self.transfer.packets += 1;
                self.transfer.lost += u64::from(packet.deliver_at.is_none());
                (self.watch)(&packet);
            }
            self.transfer.took = now;
            let ended = |end| matches!(self.lab.state(end), State::Reset | State::TimedOut);
            if !goes_on || End::BOTH.into_iter().any(ended) {
                break;
            }
        }
        self.transfer.state = self.lab.state(End::Client);
        self.transfer
    }

    /// Hands over what the client's buffer takes.
    fn feed(&mut self, now: Micros, limit: u64) {
        while self.fed < limit && self.lab.free(End::Client) > 0 {
            let left = usize::try_from(limit - self.fed).unwrap_or(usize::MAX);
            let from = place(self.fed);
            let piece = &self.text[from..from + left.min(PIECE)];
            self.fed += self.lab.write(now, End::Client, piece, None) as u64;
        }
    }

    fn check(&mut self, arrived: &[u8]) {
        for piece in arrived.chunks(PIECE) {
            let from = place(self.transfer.delivered);
            let expected = &self.text[from..from + piece.len()];
            if piece != expected && self.transfer.corrupt_at.is_none() {
                let same = piece.iter().zip(expected).take_while(|(a, b)| a == b).count();
                self.transfer.corrupt_at = Some(self.transfer.delivered + same as u64);
            }
            self.transfer.delivered += piece.len() as u64;
        }
    }
}

/// Where in the text an offset of the stream is.
fn place(offset: u64) -> usize {
    usize::try_from(offset % PERIOD as u64).unwrap_or(0)
}

fn byte(offset: u64) -> u8 {
    offset.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[0]
}
