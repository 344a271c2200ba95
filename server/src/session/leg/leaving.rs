//! An emulated connection whose leg has ended: its FIN or RST still has to cross the link, be seen by
//! the server, and be told as packets.

use std::time::Instant;

use streamgram_protocol::Cause;

use super::packets::Packets;
use crate::path::emulated::EmulatedTcp;
use crate::session::outbox::Outbox;

/// A connection that is on its way out.
#[derive(Debug)]
pub(crate) struct Leaving {
    path: Box<EmulatedTcp>,
    packets: Packets,
}

impl Leaving {
    /// Ends a connection; nothing, if there is nothing left to send.
    pub(crate) fn new(
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

    /// Waits until a turn would do something.
    ///
    /// # Cancel safety
    /// Losing a `select!` loses nothing.
    pub(crate) async fn ready(&mut self) {
        self.path.ready().await;
    }

    /// Goes on; false once it is over.
    pub(crate) fn turn(&mut self, now: Instant, outbox: &mut Outbox) -> bool {
        let goes_on = self.path.linger(now);
        self.packets.tell(self.path.take_packets(), now, outbox);
        if !goes_on {
            self.packets.tell_missed(now, outbox);
        }
        goes_on
    }
}
