//! A bounded channel whose sender never waits: what does not fit is dropped and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

/// The sending end.
#[derive(Debug)]
pub struct Sender<T> {
    sender: mpsc::Sender<T>,
    missed: Arc<AtomicU64>,
}

/// The receiving end.
#[derive(Debug)]
pub struct Inbox<T> {
    receiver: mpsc::Receiver<T>,
    /// What [`Inbox::ready`] has received.
    first: Option<T>,
    missed: Arc<AtomicU64>,
}

/// Both ends; `capacity` may wait, one more is dropped and counted.
#[must_use]
pub fn channel<T>(capacity: usize) -> (Sender<T>, Inbox<T>) {
    let (sender, receiver) = mpsc::channel(capacity);
    let missed = Arc::new(AtomicU64::new(0));
    let sender = Sender { sender, missed: Arc::clone(&missed) };
    (sender, Inbox { receiver, first: None, missed })
}

impl<T> Sender<T> {
    /// Sends one, or counts it as missed.
    pub fn send(&self, one: T) {
        if self.sender.try_send(one).is_err() {
            self.missed.fetch_add(1, Ordering::Relaxed);
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
        Self { sender: self.sender.clone(), missed: Arc::clone(&self.missed) }
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
        self.first.take().or_else(|| self.receiver.try_recv().ok())
    }

    /// How many were dropped since the last call.
    pub fn missed(&self) -> u64 {
        self.missed.swap(0, Ordering::Relaxed)
    }

    /// Whether there is none, and all senders are gone.
    pub fn is_over(&self) -> bool {
        self.first.is_none() && self.receiver.is_closed() && self.receiver.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let (sender, mut inbox) = channel(4);
        for one in 0..7 {
            sender.send(one);
        }
        assert_eq!((inbox.missed(), inbox.missed()), (3, 0));
        assert_eq!(std::iter::from_fn(|| inbox.try_recv()).collect::<Vec<_>>(), [0, 1, 2, 3]);
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
