//! What a store answers, and what it tells by itself.

use std::collections::HashMap;
use std::sync::Arc;

use streamgram_protocol::room::RoomCode;

use crate::room::ballots::Collected;
use crate::room::copy::Revision;
use crate::room::record::Record;

/// Members that are here at other servers, by room.
pub(in crate::room) type Elsewhere = Arc<HashMap<RoomCode, u32>>;

/// What a host hears from a shared store.
#[derive(Debug)]
pub(in crate::room) enum Update {
    /// The store is there, for the first time or anew: with the room's record, unless it has lost that. What this
    /// server's members gave has to be written again, because it may have lost that too.
    Linked(Option<(Record, Revision)>),
    /// Another revision of the record.
    Record(Record, Revision),
    /// What another server's members gave.
    Collected(String, Collected),
}

/// The store does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::room) struct Away;

/// What has become of a value that was to follow another.
#[derive(Debug)]
pub(in crate::room) enum Set<T = ()> {
    /// It is the newest, with this revision.
    Done(Revision),
    /// Somebody else was first: what is there, if it is not lost meanwhile.
    Conflict(Option<(T, Revision)>),
}
