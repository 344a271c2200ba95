//! What the servers saw, and who may see it.
//!
//! A session registers the address of each of its legs before the leg connects, so it misses nothing
//! that the servers saw of it. The servers look up who watches a peer and tell it; a watcher that is
//! too slow loses observations, counted, and never holds up a server. Whoever is not a leg is a raw
//! client, see [`RawClient`].

mod caller;
mod cause;
mod departed;
pub mod feed;
pub mod inbox;
mod observer;
mod peer;
mod raw_client;
mod sighting;
mod watcher;

pub use caller::Caller;
pub use cause::cause_of;
pub use feed::{RawFeed, Subscription, Unwatchable};
pub use inbox::{Inbox, Sender};
pub use observer::{Observer, Registration};
pub use raw_client::RawClient;
pub use sighting::{Payload, RawEvent, Sighting, may_show_bytes};
pub use watcher::{Event, Observation, WAITING_OBSERVATIONS, Watcher};
