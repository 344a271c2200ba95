//! Who watches which clients, for one kind of what can be seen of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::inbox::Sender;
use super::machine::Machine;

/// Which clients somebody watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Watched {
    /// The clients of a [whole](Machine::whole) machine.
    Of(Machine),
    All,
}

/// Those who watch the same clients.
pub(super) type Watchers<T> = Arc<[Sender<T>]>;

/// Everybody who watches.
#[derive(Debug)]
pub(super) struct Audience<T> {
    // Checked first, so that with nobody watching it costs one load.
    count: AtomicUsize,
    /// By what they watch. A list is never changed but replaced, so that a server need not copy it.
    watchers: RwLock<HashMap<Watched, Watchers<T>>>,
}

impl<T> Default for Audience<T> {
    fn default() -> Self {
        Self { count: AtomicUsize::new(0), watchers: RwLock::default() }
    }
}

impl<T> Audience<T> {
    /// Adds one, unless `most` watch the same; whether it was added.
    pub(super) fn add(&self, watched: Watched, sender: &Sender<T>, most: usize) -> bool {
        let mut all = self.watchers.write().unwrap_or_else(PoisonError::into_inner);
        let before = all.get(&watched).map_or(&[][..], |senders| &**senders);
        if before.len() >= most {
            return false;
        }
        let now = before.iter().chain([sender]).cloned().collect();
        all.insert(watched, now);
        self.count.fetch_add(1, Ordering::Release);
        true
    }

    /// Removes one that was added.
    pub(super) fn remove(&self, watched: Watched, sender: &Sender<T>) {
        let mut all = self.watchers.write().unwrap_or_else(PoisonError::into_inner);
        let others = all.remove(&watched).map(|senders| {
            let others = senders.iter().filter(|other| !other.is_same(sender));
            others.cloned().collect::<Arc<[_]>>()
        });
        if let Some(others) = others.filter(|others| !others.is_empty()) {
            all.insert(watched, others);
        }
        self.count.fetch_sub(1, Ordering::Release);
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Who watches, if anybody does.
    pub(super) fn of(&self, watched: Watched) -> Option<Watchers<T>> {
        let all = self.watchers.read().unwrap_or_else(PoisonError::into_inner);
        all.get(&watched).cloned()
    }
}
