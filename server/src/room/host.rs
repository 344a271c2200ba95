//! The task of a room: takes what members ask, hears what other servers tell, and tells everybody how the room stands.

mod asked;
mod outside;
mod shared;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::OptionFuture;
use streamgram_protocol::room::{LeftCause, RoomCode, StoreState};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use self::outside::{Outside, Written};
use super::ballots::{Collected, pool};
use super::copy::{Copy, Revision};
use super::membership::{Here, Request};
use super::store::{Store, Update};
use super::told::Told;
use crate::config::RoomLimits;

/// Between two tellings of what members do. What the teacher does is told at once.
const TELL_EVERY: Duration = Duration::from_millis(250);
/// How long a room without anybody is kept here. A shared store keeps it until it is too old.
const KEPT_EMPTY: Duration = Duration::from_secs(600);

/// A room at this server.
pub(super) struct Host {
    code: RoomCode,
    limits: RoomLimits,
    copy: Copy,
    /// What this server's members gave at the present step.
    own: Collected,
    /// What other servers' did.
    others: HashMap<String, Collected>,
    /// How often members here gave something, and up to which of these it is kept.
    given: u64,
    kept: u64,
    /// Under which revision they are kept, where others share them.
    revision: Option<Revision>,
    here: watch::Sender<Here>,
    /// Since when nobody is here.
    empty: Option<Instant>,
    ends: Instant,
    requests: mpsc::Receiver<Request>,
    told: watch::Sender<Arc<Told>>,
    told_at: Option<Instant>,
    /// What is not told yet.
    news: News,
    outside: Outside,
}

/// What is not told yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum News {
    None,
    /// What members do.
    Some,
    /// What the teacher does.
    AtOnce,
}

/// What the host waited for.
enum Woken {
    Request(Request),
    Update(Update),
    Written(Written),
    /// Who is here has changed, here or elsewhere.
    Here,
    /// How it is with the store has changed.
    Store,
    /// Something is due.
    Turn,
    /// Nobody can ask any more.
    Alone,
}

impl Host {
    /// A room that is this old, or as it was found in the store.
    pub(super) fn new(
        (code, limits): (RoomCode, RoomLimits),
        copy: Copy,
        rest: Duration,
        (requests, told): (mpsc::Receiver<Request>, watch::Sender<Arc<Told>>),
        (store, updates): (Store, Option<mpsc::Receiver<Update>>),
    ) -> Self {
        let now = Instant::now();
        Self {
            code,
            limits,
            copy,
            own: Collected::default(),
            others: HashMap::new(),
            given: 0,
            kept: 0,
            revision: None,
            here: watch::Sender::default(),
            empty: Some(now),
            ends: now + rest,
            requests,
            told,
            told_at: None,
            news: News::AtOnce,
            outside: Outside::new(store, updates),
        }
    }

    /// Serves the room until it is over, or nobody has been here for long.
    pub(super) async fn run(mut self) {
        let mut here = self.here.subscribe();
        loop {
            let now = Instant::now();
            self.turn(now);
            if self.is_done(now) {
                break;
            }
            match self.wait(&mut here).await {
                Woken::Request(request) => self.answer(request),
                Woken::Update(update) => self.hear(update),
                Woken::Written(written) => self.written(written),
                Woken::Here => self.count(),
                Woken::Store => self.is_new(News::AtOnce),
                Woken::Turn => {}
                Woken::Alone => break,
            }
        }
        self.outside.store.here(self.code, None);
    }

    /// Why the room is over, if it is.
    fn over(&self, now: Instant) -> Option<LeftCause> {
        if now >= self.ends {
            return Some(LeftCause::Expired);
        }
        self.copy.now().ended.then_some(LeftCause::Ended)
    }

    /// Whether there is nothing more to do. That the teacher has ended it is stored first.
    fn is_done(&self, now: Instant) -> bool {
        let is_stored = || self.copy.draft().is_none();
        match self.over(now) {
            Some(LeftCause::Expired) => true,
            Some(_) if is_stored() => true,
            _ => self.empty.is_some_and(|since| now >= since + KEPT_EMPTY),
        }
    }

    /// Waits for the first thing that happens. Every arm is cancel-safe.
    async fn wait(&mut self, here: &mut watch::Receiver<Here>) -> Woken {
        let due = self.due();
        let Outside { updates, state, elsewhere, writing, is_storing, .. } = &mut self.outside;
        // What others store meanwhile comes after what is stored now.
        let hears = updates.as_mut().filter(|_| !*is_storing);
        tokio::select! {
            Some(written) = OptionFuture::from(writing.as_mut()) => Woken::Written(written),
            request = self.requests.recv() => request.map_or(Woken::Alone, Woken::Request),
            Some(Some(update)) = OptionFuture::from(hears.map(mpsc::Receiver::recv)) => Woken::Update(update),
            Ok(()) = here.changed() => Woken::Here,
            Ok(()) = elsewhere.changed() => Woken::Here,
            Ok(()) = state.changed() => Woken::Store,
            () = sleep_until(due) => Woken::Turn,
        }
    }

    /// When something is to be done even if nothing happens.
    fn due(&self) -> Instant {
        let tell = (self.news != News::None).then_some(self.told_at).flatten();
        let empty = self.empty.map(|since| since + KEPT_EMPTY);
        let due = [self.write_due(), tell.map(|at| at + TELL_EVERY), empty, Some(self.ends)];
        due.into_iter().flatten().min().unwrap_or(self.ends)
    }

    fn is_new(&mut self, news: News) {
        self.news = self.news.max(news);
    }

    /// Does what is due: writes, and tells.
    fn turn(&mut self, now: Instant) {
        self.write(now);
        if self.over(now).is_some() {
            self.is_new(News::AtOnce);
        }
        let is_due = self.told_at.is_none_or(|at| now >= at + TELL_EVERY);
        if self.news == News::AtOnce || self.news == News::Some && is_due {
            self.tell(now);
            (self.news, self.told_at) = (News::None, Some(now));
        }
    }

    fn tell(&mut self, now: Instant) {
        let record = self.copy.now();
        let step = record.step.clone();
        let choices = step.as_ref().map_or(0, |step| step.place.choices());
        let is_here =
            |collected: &&Collected| step.as_ref().is_some_and(|step| step.id == collected.step);
        let all = self.others.values().chain([&self.own]).filter(is_here);
        let (given, pooled) = pool(choices, all.map(|collected| &collected.ballots));
        let elsewhere = self.outside.elsewhere.borrow().get(&self.code).copied().unwrap_or(0);
        let here = u32::try_from(self.here.borrow().members()).unwrap_or(u32::MAX);
        let here = here.saturating_add(elsewhere);
        let store = match *self.outside.state.borrow() {
            // Nobody elsewhere could find it, or all of it.
            StoreState::Shared if !self.is_shared() => StoreState::Cut,
            state => state,
        };
        let (kept, over) = (self.kept, self.over(now));
        let told = Told { here, step, given, pooled, store, kept, over };
        self.told.send_if_modified(|last| {
            let is_new = **last != told;
            if is_new {
                *last = Arc::new(told);
            }
            is_new
        });
    }

    fn count(&mut self) {
        let here = self.here.borrow();
        self.outside.store.here(self.code, u32::try_from(here.members()).ok());
        self.empty = here.is_empty().then(|| self.empty.unwrap_or_else(Instant::now));
        drop(here);
        self.is_new(News::Some);
    }
}
