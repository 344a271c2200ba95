//! A lab that keeps up with the clock, within its allowance.

use std::time::{Duration, Instant};

use streamgram_lab::{Host, Lab, Micros, Packet};
use streamgram_protocol::Limits;

use super::allowance::{Allowance, Overrun};
use crate::path::turn::Recording;

/// Steps of a lab before its session looks at everything else again.
pub(super) const STEPS_PER_TURN: usize = 64;

/// A lab and how far it has come.
#[derive(Debug)]
pub(super) struct Paced<H> {
    pub(super) lab: Lab<H>,
    /// The lab's own time.
    pub(super) reached: Micros,
    began: Instant,
    allowance: Allowance,
    packets: Vec<Packet>,
}

impl<H: Host> Paced<H> {
    /// A lab whose time begins now.
    pub(super) fn new(lab: Lab<H>, limits: &Limits) -> Self {
        Self {
            lab,
            reached: 0,
            began: Instant::now(),
            allowance: Allowance::new(limits),
            packets: Vec::new(),
        }
    }

    /// The lab's time at a moment.
    pub(super) fn at(&self, now: Instant) -> Micros {
        let since = now.saturating_duration_since(self.began);
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }

    /// How long the lab has lived.
    pub(super) fn lived(&self) -> Duration {
        Duration::from_micros(self.reached)
    }

    /// The moment that the lab has reached.
    pub(super) fn now(&self) -> Instant {
        self.began + self.lived()
    }

    /// When the lab has something to do; the end of its lifetime counts too.
    pub(super) fn due(&self) -> Instant {
        let due = self.lab.next().unwrap_or(Micros::MAX).min(self.allowance.ends_at());
        self.began + Duration::from_micros(due)
    }

    /// Whether the lab has nothing to do until after a moment.
    pub(super) fn is_idle_at(&self, now: Instant) -> bool {
        self.lab.next().is_none_or(|due| due > self.at(now))
    }

    /// Makes one step; true if the lab has caught up with the clock.
    ///
    /// # Errors
    /// The lab has used up its allowance.
    pub(super) fn step(&mut self, now: Instant) -> Result<bool, Overrun> {
        let wall = self.at(now);
        let due = self.lab.next().filter(|due| *due <= wall);
        self.reached = due.unwrap_or(wall).max(self.reached);
        let before = self.packets.len();
        if due.is_some() {
            self.lab.step(self.reached);
            self.packets.extend(self.lab.drain_packets());
        }
        let spent = self.allowance.spend(self.reached, self.packets.len() - before);
        spent.map(|()| due.is_none())
    }

    /// The packets that were sent since the last call.
    pub(super) fn drain_packets(&mut self) -> Recording {
        Recording { packets: std::mem::take(&mut self.packets), began: self.began }
    }
}
