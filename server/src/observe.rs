//! What the servers saw, and who may see it.
//!
//! A session registers the address of each leg before the leg connects, so it misses no observation of it.
//! A server looks up who watches a peer, and reports to it. A session that is too slow misses observations,
//! which are counted; it never holds up a server. Every client that is not a leg is a [`RawClient`].

mod audience;
mod caller;
mod cause;
mod departed;
pub mod feed;
mod filter;
pub mod inbox;
pub mod journal;
mod machine;
mod observer;
mod packet;
mod peer;
mod raw_client;
mod sighting;
mod watcher;

pub use caller::Caller;
pub use cause::cause_of;
pub use feed::{PacketSubscription, RawFeed, Subscription, Unwatchable};
pub use filter::{Filter, UNDECIDED_BYTES, Wanted};
pub use inbox::{Inbox, Sender};
pub use journal::Journal;
pub use machine::Machine;
pub use observer::{Observer, Registration};
pub use packet::{Kept, Packet, WAITING_PACKET_BYTES};
pub use raw_client::RawClient;
pub use sighting::{ClientKey, Payload, RawEvent, Sighting, may_show_bytes};
pub use watcher::{Datagram, Event, Observation, WAITING_OBSERVATIONS, Watcher, digest};
