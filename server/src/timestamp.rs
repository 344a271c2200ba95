//! The two timestamp servers.
//!
//! They know nothing of sessions or the page. They answer any client, and report to an
//! [`Observer`](crate::observe::Observer) what they see.

pub mod clock;
mod shared;
pub mod tcp;
pub mod udp;

pub use shared::Shared;
