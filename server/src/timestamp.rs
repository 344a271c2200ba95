//! The two timestamp servers, the real thing that everything else talks to.
//!
//! They know nothing of a bridge or a page: they answer whoever comes, and tell an
//! [`Observer`](crate::observe::Observer) what they saw.

pub mod clock;
pub mod tcp;
pub mod udp;
