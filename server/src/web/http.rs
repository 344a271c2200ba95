//! HTTP connections, the clients behind them, and the hosts that they ask for.

pub(crate) mod client_address;
pub mod connection;
pub(crate) mod headers;
pub(crate) mod host;
pub mod listener;
pub(crate) mod visitor;
