//! Sessions: commands of a client become bytes on sockets, and what happens there becomes events.
//!
//! A session is one task, and owns at most one leg to each server. It does not know what carries commands
//! and events; [`web`](crate::web) carries them over a WebSocket.

mod bridge;
mod captured;
mod commands;
mod leg;
mod outbox;
mod raw_clients;
mod reachable;
mod recall;
mod room;
mod room_requests;
mod state;
mod task;

pub use bridge::{Bridge, FaultyTarget, Targets, reachable};
pub use commands::{Command, SENDS_BYTES};
pub use outbox::{HELD_BYTES, UNREAD_BYTES};
pub use reachable::Reachable;
pub use recall::{Recall, Unrecallable};
pub use task::Session;
