//! The emulated path: a lab in virtual time that is kept level with the clock, and behind its gateway
//! a kernel socket to the real server.
//!
//! Like the direct path, nothing here waits but `ready`. A `turn` lets the lab catch up with the clock
//! and returns at the first thing that its leg must know or decide.

mod allowance;
mod tcp;
mod udp;

use std::time::{Duration, Instant};

use streamgram_lab::Micros;
use tokio::sync::OwnedSemaphorePermit;

use self::allowance::Overrun;
pub use tcp::EmulatedTcp;
pub use udp::EmulatedUdp;

/// Steps of a lab before its session looks at everything else again.
const STEPS_PER_TURN: usize = 64;
/// Bytes that the gateway reads of its server at a time.
const GATEWAY_READ_BYTES: usize = 4 * 1024;

/// The right to one emulated path, of all that the server may have.
pub type Permit = OwnedSemaphorePermit;

/// The lab's own time, from the moment it was made.
#[derive(Debug, Clone, Copy)]
struct LabClock(Instant);

impl LabClock {
    fn at(self, now: Instant) -> Micros {
        let since = now.saturating_duration_since(self.0);
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }

    fn instant(self, at: Micros) -> Instant {
        self.0 + Duration::from_micros(at)
    }
}
