//! What lies between a leg and its server.
//!
//! A leg's local address is known before anything is sent, so that it can be registered with the
//! [`Observer`](crate::observe::Observer) first.

pub mod direct;
