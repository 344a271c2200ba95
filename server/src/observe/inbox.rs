//! A bounded channel whose sender never waits: what does not fit is dropped and counted. The latest always
//! fits, in place of the one before it, so that a gap has an end.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// The sending end.
#[derive(Debug)]
pub struct Sender<T> {
    sender: mpsc::Sender<T>,
    latest: Arc<Mutex<Option<T>>>,
    missed: Arc<Missed>,
}

/// What was not received.
#[derive(Debug, Default)]
struct Missed {
    count: AtomicU64,
    /// Nothing is received for the time being.
    everything: AtomicBool,
}

/// The receiving end.
#[derive(Debug)]
pub struct Inbox<T> {
    receiver: mpsc::Receiver<T>,
    /// What [`Inbox::ready`] has received.
    first: Option<T>,
    /// What came when there was no room; what comes after it takes its place.
    latest: Arc<Mutex<Option<T>>>,
    missed: Arc<Missed>,
}

/// Both ends; `capacity` may wait, at least two. One more takes the place of the latest, which is counted.
#[must_use]
pub fn channel<T>(capacity: usize) -> (Sender<T>, Inbox<T>) {
    let (sender, receiver) = mpsc::channel(capacity.saturating_sub(1).max(1));
    let (latest, missed) = (Arc::default(), Arc::default());
    let inbox =
        Inbox { receiver, first: None, latest: Arc::clone(&latest), missed: Arc::clone(&missed) };
    (Sender { sender, latest, missed }, inbox)
}

fn locked<T>(latest: &Mutex<Option<T>>) -> MutexGuard<'_, Option<T>> {
    latest.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> Sender<T> {
    /// Sends one, or counts the one before it as missed.
    pub fn send(&self, one: T) {
        let mut latest = locked(&self.latest);
        if latest.is_some() {
            *latest = Some(one);
            self.missed.count.fetch_add(1, Ordering::Relaxed);
        } else {
            *latest = self.sender.try_send(one).err().map(TrySendError::into_inner);
        }
    }

    /// As [`send`](Self::send), but what would be missed is not made, and counted in place of the one before it.
    pub fn send_with(&self, one: impl FnOnce() -> T) {
        if self.missed.everything.load(Ordering::Relaxed) || self.sender.capacity() == 0 {
            self.missed.count.fetch_add(1, Ordering::Relaxed);
        } else {
            self.send(one());
        }
    }

    /// Whether both lead to the same inbox.
    pub fn is_same(&self, other: &Self) -> bool {
        self.sender.same_channel(&other.sender)
    }
}

// A derived one would need `T: Clone`.
impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        let (latest, missed) = (Arc::clone(&self.latest), Arc::clone(&self.missed));
        Self { sender: self.sender.clone(), latest, missed }
    }
}

impl<T> Inbox<T> {
    /// Waits until there is one, or until all senders are gone.
    ///
    /// # Cancel safety
    /// Losing a `select!` loses nothing.
    pub async fn ready(&mut self) {
        if self.first.is_none() {
            self.first = self.receiver.recv().await;
        }
    }

    /// The next one, if it is there already.
    pub fn try_recv(&mut self) -> Option<T> {
        let first = self.first.take().or_else(|| self.receiver.try_recv().ok());
        first.or_else(|| {
            let mut latest = locked(&self.latest);
            // Again: now nobody sends in between.
            self.receiver.try_recv().ok().or_else(|| latest.take())
        })
    }

    /// How many were dropped since the last call.
    pub fn missed(&self) -> u64 {
        self.missed.count.swap(0, Ordering::Relaxed)
    }

    /// Whether everything is missed from now on: that costs a sender little, and the receiver nothing.
    pub fn miss_everything(&self, on: bool) {
        self.missed.everything.store(on, Ordering::Relaxed);
    }

    /// Whether there is none, and all senders are gone.
    pub fn is_over(&self) -> bool {
        let is_empty = self.first.is_none() && self.receiver.is_empty();
        is_empty && self.receiver.is_closed() && locked(&self.latest).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted_and_the_latest_fits() {
        let (sender, mut inbox) = channel(4);
        for one in 0..7 {
            sender.send(one);
        }
        assert_eq!((inbox.missed(), inbox.missed()), (3, 0));
        assert_eq!(std::iter::from_fn(|| inbox.try_recv()).collect::<Vec<_>>(), [0, 1, 2, 6]);
        sender.send(7);
        assert_eq!((inbox.try_recv(), inbox.try_recv()), (Some(7), None));
    }

    #[test]
    fn who_has_no_room_misses_everything_until_there_is_some() {
        let (sender, mut inbox) = channel(4);
        inbox.miss_everything(true);
        sender.send_with(|| 1);
        inbox.miss_everything(false);
        sender.send_with(|| 2);
        assert_eq!((inbox.missed(), inbox.try_recv(), inbox.try_recv()), (1, Some(2), None));
    }

    #[tokio::test]
    async fn an_inbox_is_over_when_all_is_read_and_nobody_can_send() {
        let (sender, mut inbox) = channel(1);
        sender.send(1);
        drop(sender);
        inbox.ready().await;
        assert!(!inbox.is_over());
        assert_eq!((inbox.try_recv(), inbox.is_over()), (Some(1), true));
        inbox.ready().await;
        assert_eq!(inbox.try_recv(), None);
    }
}
