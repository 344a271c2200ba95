//! The emulated path: a lab in virtual time that is kept level with the clock, and behind its gateway
//! a kernel socket to the real server.
//!
//! Like the direct path, nothing here waits but `ready`. A `turn` lets the lab catch up with the clock
//! and returns at the first thing that its leg must know or decide.

mod allowance;
mod paced;
mod server_side;
mod tcp;
mod udp;

use tokio::sync::OwnedSemaphorePermit;

use crate::operate::meters::Present;

pub use tcp::EmulatedTcp;
pub use udp::EmulatedUdp;

/// Steps of a lab before its session looks at everything else again.
const STEPS_PER_TURN: usize = 64;

/// The right to one emulated path, of all that the server may have.
#[derive(Debug)]
pub struct Permit {
    _permit: OwnedSemaphorePermit,
    _present: Present,
}

impl From<OwnedSemaphorePermit> for Permit {
    fn from(permit: OwnedSemaphorePermit) -> Self {
        Self { _permit: permit, _present: Present::lab() }
    }
}
