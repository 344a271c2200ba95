//! Rooms: a class that predicts, runs and compares together.
//!
//! A room has a task at every server that has members of it, its host, which alone changes what the server knows of the
//! room. Members ask it and watch what it tells. It does not know what carries that to them; with a [`Store`] that
//! servers share, it is the store that holds the hosts of one room together.

mod ballots;
mod copy;
mod host;
mod membership;
mod record;
mod refused;
mod rooms;
mod secret;
mod store;
mod told;
mod tries;

pub use membership::Membership;
pub use refused::Refused;
pub use rooms::Rooms;
pub use store::{BadStore, Store};
