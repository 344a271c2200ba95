//! The two timestamp servers, the real thing that everything else talks to.
//!
//! They know nothing of a bridge or a page: they answer whoever comes, and tell an
//! [`Observer`] what they saw.

pub mod clock;
mod shared;
pub mod tcp;
pub mod udp;

pub use shared::Shared;
