//! Sessions: commands of a client become bytes on sockets, and what happens there becomes events.
//!
//! A session is one task, and owns at most one leg to each server. It does not know what carries commands
//! and events; [`web`](crate::web) carries them over a WebSocket.

mod bridge;
mod commands;
mod leg;
mod outbox;
mod raw_clients;
mod reachable;
mod state;
mod task;

pub use bridge::{Bridge, Targets, reachable};
pub use commands::{Command, SENDS_BYTES};
pub use outbox::{HELD_BYTES, UNREAD_BYTES};
pub use reachable::Reachable;
pub use task::Session;
