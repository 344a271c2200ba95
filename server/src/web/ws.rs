//! The WebSocket that carries a session.

mod origin;
pub(crate) mod session;
pub mod socket;
