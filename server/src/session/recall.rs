//! What was seen of raw clients so far, as a session would have been told of it that had watched from the beginning.

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use std::vec;

use streamgram_protocol::{Event, Journal, JournalHead, ServerMessage};
use thiserror::Error;

use super::outbox::micros;
use super::raw_clients::RawClients;
use crate::observe::{Filter, Machine, RawFeed, Sighting, Unwatchable, Wanted};

/// The observations, in the order in which they were made.
#[derive(Debug)]
pub struct Recall {
    /// What stands before them.
    pub head: JournalHead,
    began: Instant,
    clients: RawClients,
    sightings: vec::IntoIter<Arc<Sighting>>,
    missed: u64,
}

/// Why there is nothing to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unrecallable {
    /// Nothing is kept.
    #[error("nothing is kept of raw clients: start the server with --journal-kib")]
    Off,
    /// Whoever asks may not know it.
    #[error(transparent)]
    Unwatchable(#[from] Unwatchable),
}

impl Recall {
    /// What is remembered of the clients that are wanted, for somebody from this machine.
    ///
    /// # Errors
    /// Nothing is kept, or whoever asks may not know it.
    pub fn of(
        feed: &RawFeed,
        session: Option<Machine>,
        wanted: Wanted,
    ) -> Result<Self, Unrecallable> {
        let journal = feed.journal.as_ref().ok_or(Unrecallable::Off)?;
        feed.allows(session, &wanted)?;
        let (sightings, gone) = feed.recall(journal, session);
        // They are kept already: nothing has to be given up.
        let mut filter = Filter::new(wanted, usize::MAX);
        sightings.into_iter().for_each(|sighting| filter.take(sighting));
        let sightings: Vec<_> = std::iter::from_fn(|| filter.let_through()).collect();
        let now_us = micros(journal.began.elapsed());
        #[expect(clippy::disallowed_methods, reason = "a person sees it")]
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall_us = u64::try_from(wall.as_micros()).unwrap_or(u64::MAX);
        let head = Journal {
            wall_ms: wall_us.saturating_sub(now_us) / 1_000,
            now_us,
            feed: feed.choice_for(session),
            observations: sightings.len(),
            gone_clients: gone.clients,
            gone_observations: gone.sightings,
        };
        Ok(Self {
            head: JournalHead { journal: head },
            began: journal.began,
            clients: RawClients::new(session),
            sightings: sightings.into_iter(),
            missed: 0,
        })
    }

    /// What is not told: it is about a datagram that has gone, or still to come.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed + self.sightings.len() as u64
    }
}

impl Iterator for Recall {
    type Item = ServerMessage;

    fn next(&mut self) -> Option<ServerMessage> {
        loop {
            let sighting = self.sightings.next()?;
            let Some(raw) = self.clients.raw(&sighting) else {
                self.missed += 1;
                continue;
            };
            let at_us = micros(sighting.at.saturating_duration_since(self.began));
            return Some(ServerMessage { at_us, leg: None, event: Event::Raw(raw) });
        }
    }
}
