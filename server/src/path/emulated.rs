//! The emulated path: a lab in virtual time that is kept level with the clock, and behind its gateway
//! a kernel socket to the real server.
//!
//! Like the direct path, nothing here waits but `ready`. A `turn` lets the lab catch up with the clock
//! and returns at the first thing that its leg must know or decide.

mod allowance;
mod paced;
mod permit;
mod server_side;
mod tcp;
mod udp;

pub use permit::Permit;
pub use tcp::EmulatedTcp;
pub use udp::EmulatedUdp;
