//! A bounded channel whose sender never waits: what does not fit is dropped and counted. The latest always
//! fits, in place of the one before it, so that a gap has an end.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Places that are kept when nothing waits.
const PLACES: usize = 16;

/// The sending end.
#[derive(Debug)]
pub struct Sender<T>(Arc<Shared<T>>);

/// The receiving end.
#[derive(Debug)]
pub struct Inbox<T>(Arc<Shared<T>>);

#[derive(Debug)]
struct Shared<T> {
    /// What may wait, and what one counts.
    capacity: usize,
    weigh: fn(&T) -> usize,
    state: Mutex<State<T>>,
    /// Something has come, or the last sender has gone.
    changed: Notify,
}

#[derive(Debug)]
struct State<T> {
    waiting: VecDeque<T>,
    weight: usize,
    senders: usize,
    missed: u64,
    /// Nothing is received for the time being.
    misses_everything: bool,
}

/// Both ends; `capacity` may wait. One more takes the place of the latest, which is counted.
#[must_use]
pub fn channel<T>(capacity: usize) -> (Sender<T>, Inbox<T>) {
    weighed_channel(capacity, |_| 1)
}

/// The same where not each counts as one. The last that fits may exceed the capacity.
#[must_use]
pub fn weighed_channel<T>(capacity: usize, weigh: fn(&T) -> usize) -> (Sender<T>, Inbox<T>) {
    let state = State {
        waiting: VecDeque::new(),
        weight: 0,
        senders: 1,
        missed: 0,
        misses_everything: false,
    };
    let (state, changed) = (Mutex::new(state), Notify::new());
    let shared = Arc::new(Shared { capacity, weigh, state, changed });
    (Sender(Arc::clone(&shared)), Inbox(shared))
}

impl<T> Shared<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, state: &mut State<T>, one: T) {
        state.weight += (self.weigh)(&one);
        state.waiting.push_back(one);
    }
}

impl<T> Sender<T> {
    /// Sends one, or counts the one before it as missed.
    pub fn send(&self, one: T) {
        let mut state = self.0.state();
        if state.weight >= self.0.capacity
            && let Some(last) = state.waiting.pop_back()
        {
            state.weight -= (self.0.weigh)(&last);
            state.missed += 1;
        }
        self.0.push(&mut state, one);
        drop(state);
        self.0.changed.notify_one();
    }

    /// As [`send`](Self::send), but what would be missed is not made, and counted in place of the one before it.
    pub fn send_with(&self, one: impl FnOnce() -> T) {
        let mut state = self.0.state();
        if state.misses_everything || state.weight >= self.0.capacity {
            state.missed += 1;
            return;
        }
        self.0.push(&mut state, one());
        drop(state);
        self.0.changed.notify_one();
    }

    /// Whether both lead to the same inbox.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.state().senders += 1;
        Self(Arc::clone(&self.0))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.state().senders -= 1;
        self.0.changed.notify_one();
    }
}

impl<T> Inbox<T> {
    /// Waits until there is one, or until all senders are gone.
    ///
    /// # Cancel safety
    /// Losing a `select!` loses nothing.
    pub async fn ready(&mut self) {
        // What comes after the look is not missed: the notification waits.
        while self.is_idle() {
            self.0.changed.notified().await;
        }
    }

    fn is_idle(&self) -> bool {
        let state = self.0.state();
        state.waiting.is_empty() && state.senders > 0
    }

    /// The next one, if it is there already.
    pub fn try_recv(&mut self) -> Option<T> {
        let mut state = self.0.state();
        let first = state.waiting.pop_front();
        state.weight -= first.as_ref().map_or(0, self.0.weigh);
        if state.waiting.is_empty() {
            state.waiting.shrink_to(PLACES);
        }
        first
    }

    /// How many were dropped since the last call.
    pub fn missed(&self) -> u64 {
        std::mem::take(&mut self.0.state().missed)
    }

    /// Whether everything is missed from now on: that costs a sender little, and the receiver nothing.
    pub fn miss_everything(&self, on: bool) {
        self.0.state().misses_everything = on;
    }

    /// Whether there is none, and all senders are gone.
    pub fn is_over(&self) -> bool {
        let state = self.0.state();
        state.waiting.is_empty() && state.senders == 0
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

    #[test]
    fn what_is_heavy_leaves_less_room() {
        let (sender, mut inbox) = weighed_channel(4, |weight| *weight);
        for weight in [3, 5, 1] {
            sender.send_with(|| weight);
        }
        assert_eq!((inbox.missed(), inbox.try_recv(), inbox.try_recv()), (1, Some(3), Some(5)));
        for weight in [9, 1] {
            sender.send(weight);
        }
        assert_eq!((inbox.missed(), inbox.try_recv(), inbox.try_recv()), (1, Some(1), None));
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
