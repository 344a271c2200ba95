//! Transfers in virtual time, as fast as the machine can: for tests, tables and sweeps.

use streamgram_protocol::{End, Link, Verdict};

use crate::{Micros, Options, State, TcpLab, Trace};

/// What came of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// Bytes that arrived where they should, in order and unchanged.
    pub delivered: u64,
    /// The first byte that was not what was sent, if there was one.
    pub corrupt_at: Option<u64>,
    /// When it was over.
    pub took: Micros,
    /// How the client's connection stood then.
    pub state: State,
    /// Packets sent by either end.
    pub packets: u64,
    /// Packets that did not arrive.
    pub lost: u64,
    /// Every packet of it.
    pub trace: Trace,
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

/// The client sends without end, for as long as `until`; what counts is what the gateway reads.
#[must_use]
pub fn one_way(link: &Link, options: Options, until: Micros) -> Transfer {
    let mut run = Run::new(link, options);
    run.drive(until, |run, now| {
        run.feed(now, u64::MAX);
        let arrived = run.lab.read(now, End::Gateway);
        run.check(&arrived);
        true
    });
    run.finish(until)
}

/// The client sends `bytes`, the gateway sends them back, both at once; over when all are back, or
/// when either end has given up, or at `until`.
#[must_use]
pub fn echo(link: &Link, options: Options, bytes: u64, until: Micros) -> Transfer {
    let mut run = Run::new(link, options);
    let mut back = Vec::new();
    run.drive(until, |run, now| {
        run.feed(now, bytes);
        // The gateway takes no more than it can pass on.
        if back.len() < PIECE {
            back.extend(run.lab.read(now, End::Gateway));
        }
        let taken = if back.is_empty() { 0 } else { run.lab.write(now, End::Gateway, &back, None) };
        back.drain(..taken);
        let arrived = run.lab.read(now, End::Client);
        run.check(&arrived);
        run.transfer.delivered < bytes
    });
    run.finish(until)
}

/// Bytes handed over at a time.
const PIECE: usize = 4_096;

struct Run {
    lab: TcpLab,
    fed: u64,
    transfer: Transfer,
}

impl Run {
    fn new(link: &Link, options: Options) -> Self {
        let transfer = Transfer {
            delivered: 0,
            corrupt_at: None,
            took: 0,
            state: State::Connecting,
            packets: 0,
            lost: 0,
            trace: Trace::default(),
        };
        Self { lab: TcpLab::open(link, options, 0), fed: 0, transfer }
    }

    /// Steps the lab and calls the application until it has had enough or nothing can come any more.
    fn drive(&mut self, until: Micros, mut application: impl FnMut(&mut Self, Micros) -> bool) {
        while let Some(now) = self.lab.next().filter(|now| *now < until) {
            self.lab.step(now);
            let goes_on = application(self, now);
            self.count();
            self.transfer.took = now;
            let ended = |end| matches!(self.lab.state(end), State::Reset | State::TimedOut);
            if !goes_on || End::BOTH.into_iter().any(ended) {
                break;
            }
        }
    }

    /// Hands over what the client's buffer takes.
    fn feed(&mut self, now: Micros, limit: u64) {
        while self.fed < limit && self.lab.free(End::Client) > 0 {
            let left = usize::try_from(limit - self.fed).unwrap_or(usize::MAX);
            let piece: Vec<u8> = (self.fed..).take(left.min(PIECE)).map(pattern).collect();
            self.fed += self.lab.write(now, End::Client, &piece, None) as u64;
        }
    }

    fn check(&mut self, arrived: &[u8]) {
        for byte in arrived {
            if *byte != pattern(self.transfer.delivered) && self.transfer.corrupt_at.is_none() {
                self.transfer.corrupt_at = Some(self.transfer.delivered);
            }
            self.transfer.delivered += 1;
        }
    }

    fn count(&mut self) {
        for packet in self.lab.take_packets() {
            self.transfer.packets += 1;
            let arrives = packet.deliver_at.is_some();
            debug_assert_eq!(arrives, !is_lost(packet.verdict));
            self.transfer.lost += u64::from(!arrives);
            self.transfer.trace.add(&packet);
        }
    }

    fn finish(mut self, until: Micros) -> Transfer {
        self.transfer.state = self.lab.state(End::Client);
        self.transfer.took = self.transfer.took.min(until);
        self.transfer
    }
}

fn is_lost(verdict: Verdict) -> bool {
    !matches!(verdict, Verdict::Delivered | Verdict::Duplicated | Verdict::Reordered)
}

/// The byte at an offset: neighbours differ, and so do bytes a window apart.
fn pattern(offset: u64) -> u8 {
    offset.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[0]
}
