//! What a host tells other servers through the store, and what it takes from them.

use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;

use super::outside::{Outside, Written};
use super::{Host, News};
use crate::room::copy::Draft;
use crate::room::record::Record;
use crate::room::store::{Away, Set, Update};

/// Between two writings of what members gave.
const WRITE_EVERY: Duration = Duration::from_millis(250);
/// After a record that somebody else had stored first.
const CONFLICT: Duration = Duration::from_millis(20);
/// After a writing that failed.
const TRY_AGAIN: Duration = Duration::from_millis(500);

impl Host {
    /// When something that waits to be written is due.
    pub(super) fn write_due(&self) -> Option<Instant> {
        let Outside { writing, store_at, collect_at, .. } = &self.outside;
        let store_at = store_at.filter(|_| self.copy.draft().is_some());
        let collect_at = collect_at.filter(|_| self.kept < self.given);
        let due = [store_at, collect_at].into_iter().flatten().min();
        due.filter(|_| writing.is_none())
    }

    /// Whether the store has what others need to know, or is about to.
    pub(super) fn is_shared(&self) -> bool {
        let Outside { is_record_refused, are_gifts_refused, .. } = self.outside;
        let lacks_record = is_record_refused && self.copy.draft().is_some();
        let lacks_gifts = are_gifts_refused && self.kept < self.given;
        self.copy.is_stored() && !lacks_record && !lacks_gifts
    }

    /// Begins to write what is not written, if it is time.
    pub(super) fn write(&mut self, now: Instant) {
        let Outside { writing, is_storing, store_at, collect_at, store, .. } = &mut self.outside;
        if writing.is_some() {
            return;
        }
        let is_time = |at: Option<Instant>| at.is_none_or(|at| now >= at);
        let (store, code) = (store.clone(), self.code);
        if is_time(*store_at)
            && let Some(draft) = self.copy.draft()
        {
            let written = async move {
                let set = store.store(code, &draft).await;
                Written::Record(Box::new((draft, set)))
            };
            (*writing, *is_storing) = (Some(written.boxed()), true);
        } else if is_time(*collect_at) && self.kept < self.given {
            let (given, own, after) = (self.given, self.own.clone(), self.revision);
            let written =
                async move { Written::Collected(given, store.collect(code, &own, after).await) };
            (*writing, *is_storing) = (Some(written.boxed()), false);
        }
    }

    /// Something was written, or was not.
    pub(super) fn written(&mut self, written: Written) {
        (self.outside.writing, self.outside.is_storing) = (None, false);
        match written {
            Written::Record(stored) => {
                let (draft, set) = *stored;
                self.stored(draft, set);
            }
            Written::Collected(given, set) => self.collected(given, &set),
        }
    }

    fn stored(&mut self, draft: Draft, set: Result<Set<Record>, Away>) {
        self.outside.is_record_refused = set.is_err();
        let pause = match set {
            Ok(Set::Done(revision)) => {
                self.copy.written(draft, revision);
                None
            }
            Ok(Set::Conflict(found)) => {
                self.copy.find(found);
                // A server of a cluster can answer with what was there a moment ago.
                Some(CONFLICT)
            }
            Err(Away) => Some(TRY_AGAIN),
        };
        self.outside.store_at = pause.map(|pause| Instant::now() + pause);
        self.is_new(News::AtOnce);
    }

    fn collected(&mut self, given: u64, set: &Result<Set, Away>) {
        self.outside.are_gifts_refused = set.is_err();
        let pause = match set {
            Ok(Set::Done(revision)) => {
                (self.kept, self.revision) = (given, Some(*revision));
                self.is_new(News::Some);
                WRITE_EVERY
            }
            Ok(Set::Conflict(found)) => {
                self.revision = found.as_ref().map(|((), revision)| *revision);
                CONFLICT
            }
            Err(Away) => {
                self.is_new(News::AtOnce);
                TRY_AGAIN
            }
        };
        self.outside.collect_at = Some(Instant::now() + pause);
    }

    /// Takes what other servers tell.
    pub(super) fn hear(&mut self, update: Update) {
        match update {
            Update::Linked(found) => {
                self.copy.find(found);
                // The store may have lost what was written to it.
                self.kept = 0;
                (self.outside.store_at, self.outside.collect_at) = (None, None);
                self.is_new(News::AtOnce);
            }
            Update::Record(record, revision) => {
                self.copy.learn(record, revision);
                self.is_new(News::AtOnce);
            }
            Update::Collected(server, collected) => {
                self.others.insert(server, collected);
                self.is_new(News::Some);
            }
        }
    }
}
