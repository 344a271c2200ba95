//! The store as a host sees it: what is heard from it, and what is being written to it.

use futures_util::future::BoxFuture;
use streamgram_protocol::room::StoreState;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::room::copy::Draft;
use crate::room::record::Record;
use crate::room::store::{Away, Elsewhere, Set, Store, Update};

/// The store, and what is written to it.
pub(super) struct Outside {
    pub(super) store: Store,
    pub(super) updates: Option<mpsc::Receiver<Update>>,
    pub(super) state: watch::Receiver<StoreState>,
    pub(super) elsewhere: watch::Receiver<Elsewhere>,
    pub(super) writing: Option<BoxFuture<'static, Written>>,
    /// What is being written is the record.
    pub(super) is_storing: bool,
    /// The record is not written before this, nor what members gave before that: who teaches waits for nobody.
    pub(super) store_at: Option<Instant>,
    pub(super) collect_at: Option<Instant>,
    /// The store did not take the record when it was written last, nor what members gave.
    pub(super) is_record_refused: bool,
    pub(super) are_gifts_refused: bool,
}

/// What was written, or was not.
pub(super) enum Written {
    Record(Box<(Draft, Result<Set<Record>, Away>)>),
    /// With the number up to which members' gifts are in it.
    Collected(u64, Result<Set, Away>),
}

impl Outside {
    pub(super) fn new(store: Store, updates: Option<mpsc::Receiver<Update>>) -> Self {
        let (state, elsewhere) = (store.state(), store.elsewhere());
        Self {
            store,
            updates,
            state,
            elsewhere,
            writing: None,
            is_storing: false,
            store_at: None,
            collect_at: None,
            is_record_refused: false,
            are_gifts_refused: false,
        }
    }
}
