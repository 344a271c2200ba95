//! What a faulty server did to its client, as it is reported.

use serde::{Deserialize, Serialize};

/// Something that a faulty server did on purpose. Offsets are in the stream of replies; of UDP they are the numbers of
/// the datagrams that are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// What stands there waited.
    Delayed {
        /// Where it begins.
        offset: u64,
        /// How long, in milliseconds.
        ms: u64,
    },
    /// These bytes were written at once.
    Wrote {
        /// Where they begin.
        offset: u64,
        /// How many.
        bytes: usize,
    },
    /// A byte of the echo is another one.
    Altered {
        /// Where it stands.
        offset: u64,
        /// What the client sent.
        was: u8,
        /// What it gets.
        is: u8,
    },
    /// The timestamp is not the server's time.
    Misdated {
        /// Where it begins.
        offset: u64,
        /// Seconds that it is off; 0 for one in another zone.
        seconds: i64,
    },
    /// TCP: FIN was sent, and the client is read no longer.
    Ended {
        /// After so many bytes.
        offset: u64,
    },
    /// TCP: RST was sent.
    Reset {
        /// After so many bytes.
        offset: u64,
    },
    /// TCP: FIN was sent, and the client is still read.
    HalfClosed {
        /// After so many bytes.
        offset: u64,
    },
    /// TCP: nothing is read any more.
    Stalled {
        /// After so many bytes of the client's.
        offset: u64,
    },
    /// Nothing is answered.
    Silent {},
    /// UDP: there is no reply.
    Dropped {
        /// To which datagram.
        offset: u64,
    },
    /// UDP: the reply is sent twice.
    Duplicated {
        /// To which datagram.
        offset: u64,
    },
    /// UDP: the reply goes out behind the next one.
    Reordered {
        /// To which datagram.
        offset: u64,
    },
    /// UDP: only so many bytes of the reply are sent.
    Truncated {
        /// To which datagram.
        offset: u64,
        /// How many.
        bytes: usize,
    },
    /// UDP: the reply comes from another port.
    Elsewhere {
        /// To which datagram.
        offset: u64,
        /// Which port.
        port: u16,
    },
}

impl Deed {
    /// The same somewhere else.
    #[must_use]
    pub fn at(mut self, to: u64) -> Self {
        match &mut self {
            Self::Delayed { offset, .. }
            | Self::Wrote { offset, .. }
            | Self::Altered { offset, .. }
            | Self::Misdated { offset, .. }
            | Self::Ended { offset }
            | Self::Reset { offset }
            | Self::HalfClosed { offset }
            | Self::Stalled { offset }
            | Self::Dropped { offset }
            | Self::Duplicated { offset }
            | Self::Reordered { offset }
            | Self::Truncated { offset, .. }
            | Self::Elsewhere { offset, .. } => *offset = to,
            Self::Silent {} => {}
        }
        self
    }
}
