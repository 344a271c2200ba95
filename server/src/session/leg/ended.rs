//! A leg that has ended, while something of it is still on its way: observations of the server, captured packets, and
//! FIN or RST of an emulated connection.

use std::future::pending;
use std::io;
use std::time::{Duration, Instant};

use streamgram_protocol::Cause;
use tokio::time::sleep_until;

use super::observations::Observations;
use super::packets::Packets;
use crate::path::emulated::EmulatedTcp;
use crate::session::outbox::Outbox;

/// How long packets of a leg are still captured after its end: its last acknowledgements.
const CAPTURED: Duration = Duration::from_secs(1);

/// Why a leg ends.
#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) cause: Cause,
    /// The system's error, if there was one.
    pub(crate) error: Option<io::Error>,
}

impl From<Cause> for Ending {
    fn from(cause: Cause) -> Self {
        Self { cause, error: None }
    }
}

/// What is left of a leg.
#[derive(Debug)]
pub(crate) struct EndedLeg {
    observations: Observations,
    leaving: Option<Leaving>,
    /// Packets that are captured, and until when.
    captured: Option<(Packets, Instant)>,
}

/// An emulated connection whose FIN or RST is still on the link.
#[derive(Debug)]
pub(super) struct Leaving {
    path: Box<EmulatedTcp>,
    packets: Packets,
}

impl EndedLeg {
    pub(super) fn new(mut observations: Observations, leaving: Option<Leaving>) -> Self {
        observations.withdraw();
        Self { observations, leaving, captured: None }
    }

    /// Goes on with the packets of a leg that ends now, if they are captured.
    pub(super) fn with_captured(self, packets: Packets, now: Instant) -> Self {
        let captured = packets.are_captured().then(|| (packets, now + CAPTURED));
        Self { captured, ..self }
    }

    /// Whether packets are captured.
    pub(crate) fn is_captured(&self) -> bool {
        self.captured.is_some()
    }

    /// Bytes that are held for it.
    pub(crate) fn held(&self) -> usize {
        self.leaving.as_ref().map_or(0, |leaving| leaving.path.held())
    }

    /// Ends what is left of an emulated connection.
    pub(crate) fn cut_off(&mut self) {
        self.leaving = None;
    }

    /// Waits until a turn would do something. Without `room` for packets an emulated connection waits.
    ///
    /// # Cancel safety
    /// Losing a `select!` loses nothing.
    pub(crate) async fn ready(&mut self, room: bool) {
        let leaving = self.leaving.as_mut().filter(|_| room);
        let is_observed = !self.observations.is_over();
        let arrived = async {
            match leaving {
                Some(leaving) => leaving.path.ready().await,
                None => pending().await,
            }
        };
        let captured = async {
            match &mut self.captured {
                Some((packets, until)) => {
                    tokio::select! {
                        () = packets.ready() => {}
                        () = sleep_until((*until).into()) => {}
                    }
                }
                None => pending().await,
            }
        };
        tokio::select! {
            () = self.observations.ready(), if is_observed => {}
            () = arrived => {}
            () = captured => {}
        }
    }

    /// Goes on; false once nothing is left.
    pub(crate) fn turn(&mut self, now: Instant, outbox: &mut Outbox) -> bool {
        while self.observations.next(outbox).is_some() {}
        if !outbox.is_full() {
            self.leaving.take_if(|leaving| !leaving.turn(now, outbox));
        }
        if let Some((packets, until)) = &mut self.captured {
            packets.report_captured(now, outbox);
            if now >= *until {
                packets.report_missed(now, outbox);
                self.captured = None;
            }
        }
        let is_told = self.observations.is_over() && !self.observations.has_left_out();
        self.leaving.is_some() || self.captured.is_some() || !is_told
    }
}

impl Leaving {
    /// Ends a connection; none, if there is nothing left to send.
    pub(super) fn new(
        mut path: Box<EmulatedTcp>,
        cause: Cause,
        packets: Packets,
        now: Instant,
    ) -> Option<Self> {
        match cause {
            Cause::Limit => return None,
            Cause::Reset => path.reset(now),
            _ => path.close(now),
        }
        Some(Self { path, packets })
    }

    /// Goes on; false once it is over.
    fn turn(&mut self, now: Instant, outbox: &mut Outbox) -> bool {
        let goes_on = self.path.linger(now);
        self.packets.report(self.path.drain_packets(), now, outbox);
        if !goes_on {
            self.packets.report_missed(now, outbox);
        }
        goes_on
    }
}
