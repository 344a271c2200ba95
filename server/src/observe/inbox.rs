//! A bounded channel to a session that counts what did not fit, so that nobody who sends ever waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

/// The sending end; it may be cloned.
#[derive(Debug)]
pub struct Inbox<T> {
    sender: mpsc::Sender<T>,
    missed: Arc<AtomicU64>,
}

/// The receiving end.
#[derive(Debug)]
pub struct Waiting<T> {
    receiver: mpsc::Receiver<T>,
    missed: Arc<AtomicU64>,
}

/// Both ends; `capacity` may wait, one more is dropped and counted.
#[must_use]
pub fn inbox<T>(capacity: usize) -> (Inbox<T>, Waiting<T>) {
    let (sender, receiver) = mpsc::channel(capacity);
    let missed = Arc::new(AtomicU64::new(0));
    (Inbox { sender, missed: Arc::clone(&missed) }, Waiting { receiver, missed })
}

impl<T> Inbox<T> {
    /// Hands one on, or counts it as missed.
    pub fn put(&self, one: T) {
        if self.sender.try_send(one).is_err() {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether both lead to the same receiving end.
    pub fn is_same(&self, other: &Self) -> bool {
        self.sender.same_channel(&other.sender)
    }
}

// What is derived would want `T` to be cloned as well.
impl<T> Clone for Inbox<T> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone(), missed: Arc::clone(&self.missed) }
    }
}

impl<T> Waiting<T> {
    /// The next one.
    ///
    /// # Cancel safety
    /// Losing a `select!` loses nothing.
    pub async fn recv(&mut self) -> Option<T> {
        self.receiver.recv().await
    }

    /// The next one, if it is there already.
    pub fn try_recv(&mut self) -> Option<T> {
        self.receiver.try_recv().ok()
    }

    /// How many were dropped since the last call.
    pub fn take_missed(&self) -> u64 {
        self.missed.swap(0, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let (inbox, mut waiting) = inbox(4);
        for one in 0..7 {
            inbox.put(one);
        }
        assert_eq!((waiting.take_missed(), waiting.take_missed()), (3, 0));
        assert_eq!(std::iter::from_fn(|| waiting.try_recv()).collect::<Vec<_>>(), [0, 1, 2, 3]);
    }
}
