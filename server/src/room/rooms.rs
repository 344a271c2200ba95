//! All rooms of this server: opened, found and entered.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use streamgram_protocol::room::{Entered, Join, RoomCode, StoreState};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::copy::Copy;
use super::host::Host;
use super::membership::{Door, Membership};
use super::record::Record;
use super::store::Store;
use super::told::Told;
use super::tries::Tries;
use super::{Refused, secret};
use crate::config::RoomLimits;
use crate::guard::admission::{Admission, Full};
use crate::operate::meters::Present as Metered;

/// Requests that wait for a room's host; then those who ask wait too.
const REQUESTS: usize = 64;

/// How long the first storing of a room may hold up who opens it.
const STORED_WITHIN: Duration = Duration::from_secs(1);

/// All rooms of this server.
#[derive(Debug, Clone)]
pub struct Rooms(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limits: RoomLimits,
    /// This server's number.
    server: u64,
    store: Store,
    admission: Admission,
    hosted: Mutex<HashMap<RoomCode, Door>>,
    tries: Tries,
    stop: CancellationToken,
    running: TaskTracker,
}

/// A room in the list, until this is dropped.
struct Listed {
    rooms: Rooms,
    code: RoomCode,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.rooms.0.hosted.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.code);
    }
}

impl Rooms {
    /// No rooms, and none to come.
    #[must_use]
    pub fn none() -> Self {
        let limits = RoomLimits { rooms: 0, ..RoomLimits::default() };
        Self::new(limits, (0, Store::Local), CancellationToken::new(), TaskTracker::new())
    }

    /// No rooms yet. Their tasks end with `stop`, and `running` waits for them.
    #[must_use]
    pub fn new(
        limits: RoomLimits,
        (server, store): (u64, Store),
        stop: CancellationToken,
        running: TaskTracker,
    ) -> Self {
        store.start(&stop, &running);
        Self(Arc::new(Shared {
            limits,
            server,
            store,
            admission: Admission::new(limits.rooms, Some(limits.rooms_per_address)),
            hosted: Mutex::default(),
            tries: Tries::new(limits.room_tries_per_min, Instant::now()),
            stop,
            running,
        }))
    }

    /// How many rooms there may be, and how fast members may ask.
    #[must_use]
    pub fn limits(&self) -> &RoomLimits {
        &self.0.limits
    }

    /// Opens a room, and enters it as the one who teaches. An address of many visitors has the limit of one.
    ///
    /// # Errors
    /// The limit that is reached.
    pub async fn open(&self, address: IpAddr) -> Result<(Membership, Entered), Refused> {
        if self.0.limits.rooms == 0 {
            return Err(Refused::Off);
        }
        let (code, key) = (secret::code(self.0.server)?, secret::key()?);
        let age = Duration::from_secs(60) * self.0.limits.room_minutes;
        let record = Record::new(secret::fingerprint(&key), now_ms(), age);
        let mut door = self.host(code, Copy::new(record, None), age, Some(address))?;
        if *self.0.store.state().borrow() == StoreState::Shared {
            // Others may be told the code at once. Where it is not stored so soon, the room says so.
            let stored = door.told.wait_for(|told| told.store == StoreState::Shared);
            let _late = timeout(STORED_WITHIN, stored).await;
        }
        let entered = door.enter(None, Some(key.clone())).await;
        let (membership, entered) = entered.unwrap_or(Err(Refused::NoRoom(code)))?;
        Ok((membership, Entered { key: Some(key), ..entered }))
    }

    /// Enters a room.
    ///
    /// # Errors
    /// There is none, the key is not its key, or a limit is reached.
    pub async fn join(
        &self,
        address: IpAddr,
        join: Join,
    ) -> Result<(Membership, Entered), Refused> {
        if self.0.limits.rooms == 0 {
            return Err(Refused::Off);
        }
        let Join { code, member, key } = join;
        self.0.tries.check(address, Instant::now())?;
        let joined = match self.door(code).await {
            Ok(door) => door.enter(member, key).await.unwrap_or(Err(Refused::NoRoom(code))),
            Err(refused) => Err(refused),
        };
        joined.inspect_err(|refused| {
            let is_guess = matches!(
                refused,
                Refused::NoRoom(_) | Refused::Elsewhere(_) | Refused::WrongKey(_)
            );
            if is_guess {
                self.0.tries.count(address, Instant::now());
            }
        })
    }

    /// The way to a room, which is looked up in the store if it is not here.
    async fn door(&self, code: RoomCode) -> Result<Door, Refused> {
        if let Some(door) = self.hosted(code) {
            return Ok(door);
        }
        let found = self.0.store.find(code).await.map_err(|_away| Refused::StoreAway(code))?;
        let now_ms = now_ms();
        let Some((record, revision)) = found.filter(|(record, _)| !record.is_over(now_ms)) else {
            let is_own = code.server() == secret::server_symbols(self.0.server);
            let is_elsewhere = matches!(self.0.store, Store::Local) && !is_own;
            return Err(if is_elsewhere {
                Refused::Elsewhere(code)
            } else {
                Refused::NoRoom(code)
            });
        };
        let rest = record.rest(now_ms);
        self.host(code, Copy::new(record, Some(revision)), rest, None)
    }

    fn hosted(&self, code: RoomCode) -> Option<Door> {
        let hosted = self.0.hosted.lock().unwrap_or_else(PoisonError::into_inner);
        hosted.get(&code).cloned()
    }

    /// Begins to host a room, unless it is hosted. One that was opened elsewhere has the limit of all.
    fn host(
        &self,
        code: RoomCode,
        copy: Copy,
        rest: Duration,
        opener: Option<IpAddr>,
    ) -> Result<Door, Refused> {
        let Shared { limits, store, admission, stop, running, .. } = &*self.0;
        let mut hosted = self.0.hosted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(door) = hosted.get(&code) {
            return Ok(door.clone());
        }
        let admitted = match opener {
            Some(address) => admission.admit(address),
            None => admission.admit_proxy(Ipv4Addr::UNSPECIFIED.into()),
        };
        let admitted = admitted.map_err(|full| match full {
            Full::All(limit) => Refused::Rooms(limit),
            Full::Address(limit) => Refused::RoomsOfAddress(limit),
        })?;
        let (requests, asked) = mpsc::channel(REQUESTS);
        let (teller, told) = watch::channel(Arc::new(Told::default()));
        let updates = store.link(code, stop, running);
        let host =
            Host::new((code, *limits), copy, rest, (asked, teller), (store.clone(), updates));
        let listed = Listed { rooms: self.clone(), code };
        let hosting = async move {
            let _there = (admitted, Metered::room());
            host.run().await;
            // Before the others: whoever finds it in the list finds that it is over.
            drop(listed);
        };
        running.spawn(stop.clone().run_until_cancelled_owned(hosting));
        let door = Door { requests, told };
        hosted.insert(code, door.clone());
        Ok(door)
    }
}

fn now_ms() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "servers that share a room share no other clock")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
