//! From messages to sockets and back: a session owns one leg to each server.
//!
//! Nothing here knows what carries the messages; [`web`](crate::web) brings them over a WebSocket.

mod bridge;
mod commands;
mod leg;
mod outbox;
mod raw_clients;
mod state;
mod task;

pub use bridge::{Bridge, Targets};
pub use commands::Command;
pub use task::Session;
