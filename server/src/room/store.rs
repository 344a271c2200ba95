//! Where rooms are kept: in this process, or in a store that several servers share.

mod answer;
mod census;
mod link;
mod nats;

use streamgram_protocol::room::{RoomCode, StoreState};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(super) use self::answer::{Away, Elsewhere, Set, Update};
pub use self::nats::BadStore;
use self::nats::Nats;
use super::ballots::Collected;
use super::copy::{Draft, Revision};
use super::record::Record;
use super::secret;
use crate::config::{NatsFlags, RoomLimits};

/// Where rooms are kept.
#[derive(Debug, Clone)]
pub enum Store {
    /// In this process.
    Local,
    /// In NATS, with JetStream's key-value store.
    Nats(Nats),
}

impl Store {
    /// Whether the files that the flags name can be used.
    ///
    /// # Errors
    /// One cannot.
    pub fn check(flags: &NatsFlags) -> Result<(), BadStore> {
        nats::options(flags).map(drop)
    }

    /// The store that the flags ask for, and this server's number in it. It need not be there yet.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub async fn open(flags: &NatsFlags, limits: &RoomLimits) -> Result<(u64, Self), BadStore> {
        let server =
            secret::random().map_err(|refused| BadStore::NoRandomness(refused.to_string()))?;
        if flags.nats.is_empty() {
            return Ok((server, Self::Local));
        }
        Ok((server, Self::Nats(Nats::open(flags, limits, server).await?)))
    }

    /// Says what of it can be reached, from now on, and who is where.
    pub(super) fn start(&self, stop: &CancellationToken, running: &TaskTracker) {
        if let Self::Nats(nats) = self {
            running.spawn(stop.clone().run_until_cancelled_owned(census::keep(nats.clone())));
        }
    }

    /// How it is with the store; changes are seen through this.
    pub(super) fn state(&self) -> watch::Receiver<StoreState> {
        match self {
            Self::Local => watch::channel(StoreState::Local).1,
            Self::Nats(nats) => nats.state(),
        }
    }

    /// Looks a room up; none if it has none.
    pub(super) async fn find(&self, code: RoomCode) -> Result<Option<(Record, Revision)>, Away> {
        match self {
            Self::Local => Ok(None),
            Self::Nats(nats) => nats.find(code).await,
        }
    }

    /// Stores a record, if nobody else was first.
    pub(super) async fn store(&self, code: RoomCode, draft: &Draft) -> Result<Set<Record>, Away> {
        match self {
            Self::Local => Ok(Set::Done(Revision::default())),
            Self::Nats(nats) => nats.store(code, draft).await,
        }
    }

    /// Writes what this server's members gave, after what it wrote before.
    pub(super) async fn collect(
        &self,
        code: RoomCode,
        collected: &Collected,
        after: Option<Revision>,
    ) -> Result<Set, Away> {
        match self {
            Self::Local => Ok(Set::Done(Revision::default())),
            Self::Nats(nats) => nats.collect(code, collected, after).await,
        }
    }

    /// What is heard of a room, as long as the receiver is there; nothing ever, if nobody shares it.
    pub(super) fn link(
        &self,
        code: RoomCode,
        stop: &CancellationToken,
        running: &TaskTracker,
    ) -> Option<mpsc::Receiver<Update>> {
        match self {
            Self::Local => None,
            Self::Nats(nats) => {
                let (updates, heard) = mpsc::channel(link::UPDATES);
                let link = link::keep(nats.clone(), code, updates);
                running.spawn(stop.clone().run_until_cancelled_owned(link));
                Some(heard)
            }
        }
    }

    /// Who is here at other servers.
    pub(super) fn elsewhere(&self) -> watch::Receiver<Elsewhere> {
        match self {
            Self::Local => watch::channel(Elsewhere::default()).1,
            Self::Nats(nats) => nats.elsewhere(),
        }
    }

    /// Tells other servers how many members of a room are here; none, if there is no such room any more.
    pub(super) fn here(&self, code: RoomCode, members: Option<u32>) {
        if let Self::Nats(nats) = self {
            nats.here(code, members);
        }
    }
}
