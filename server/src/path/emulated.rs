//! The emulated path: a lab in virtual time that keeps up with the clock, and behind its gateway a kernel
//! socket to the real server.
//!
//! As on the direct path, only `ready` waits. A `turn` lets the lab catch up with the clock, and returns at
//! the first thing that the leg must know or decide.

mod allowance;
mod paced;
mod permit;
mod server_side;
mod tcp;
mod udp;

pub use permit::Permit;
pub use tcp::EmulatedTcp;
pub use udp::EmulatedUdp;
