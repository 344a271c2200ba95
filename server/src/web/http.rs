//! HTTP connections: how they are served, and who asks for what.

pub(crate) mod client_address;
mod connection;
pub(crate) mod headers;
pub(crate) mod host;
pub mod listener;
