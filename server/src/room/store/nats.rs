//! Rooms in NATS, with JetStream's key-value store: <https://docs.nats.io/nats-concepts/jetstream/key-value-store>.
//!
//! A room's record is the key `CODE.state`, changed by compare-and-set on its revision. What a server's members gave at
//! the present step is `CODE.at.SERVER`, and how many members it has in its rooms is `here.SERVER`: each is written by
//! one server alone, whole, so a repeat changes nothing.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::Context;
use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::kv::{self, CreateErrorKind, UpdateErrorKind, Watch};
use async_nats::jetstream::stream::{self, DiscardPolicy};
use async_nats::rustls::pki_types::pem::PemObject;
use async_nats::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use async_nats::{Client, ConnectOptions, Event};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde::de::DeserializeOwned;
use streamgram_protocol::room::{RoomCode, StoreState};
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::warn;
use url::Url;

use super::answer::{Away, Elsewhere, Set};
use crate::config::{NatsFlags, RoomLimits};
use crate::room::ballots::Collected;
use crate::room::copy::{Draft, Revision};
use crate::room::record::Record;

/// How long an answer may take. Then the store is out of reach until it answers again.
const ANSWER: Duration = Duration::from_secs(2);
/// Between two pings to NATS; without an answer to two the connection is given up.
const PING: Duration = Duration::from_secs(2);
/// The longest pause between two attempts to connect.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How much longer than a room the bucket keeps what was written of it.
const MARGIN: Duration = Duration::from_secs(600);

/// A connection to NATS, and what is known through it.
#[derive(Debug, Clone)]
pub struct Nats(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    client: Client,
    jetstream: Context,
    bucket_name: String,
    /// The bucket's stream, where it has to be made.
    stream: stream::Config,
    /// The bucket, once it was found or made.
    bucket: Arc<Mutex<Option<kv::Store>>>,
    /// This server in keys.
    server: String,
    state: watch::Sender<StoreState>,
    /// What was wrong last.
    trouble: watch::Sender<String>,
    /// When something of a room was refused last.
    refused: watch::Sender<Option<Instant>>,
    /// How often it was connected to.
    connected: watch::Sender<u64>,
    elsewhere: watch::Sender<Elsewhere>,
    /// Members that are here, by room.
    here: Mutex<BTreeMap<RoomCode, u32>>,
}

/// Why the flags of NATS cannot be followed.
#[derive(Debug, Error)]
pub enum BadStore {
    /// A file that cannot be read, or does not have what it should.
    #[error("cannot read {path} of {flag}: {cause}")]
    File {
        /// Which flag names it.
        flag: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// What the client does not take.
    #[error("--nats: {0}")]
    Connect(#[from] async_nats::ConnectError),
    /// The system gave no number for this server.
    #[error("{0}")]
    NoRandomness(String),
}

impl Nats {
    /// Begins to connect, and goes on for ever: nothing needs to be there yet.
    pub(super) async fn open(
        flags: &NatsFlags,
        limits: &RoomLimits,
        server: u64,
    ) -> Result<Self, BadStore> {
        let (connected, state) = (watch::Sender::new(0), watch::Sender::new(StoreState::Cut));
        let trouble = watch::Sender::new(String::from("it was not there yet"));
        let bucket = Arc::new(Mutex::new(None::<kv::Store>));
        let options = options(flags)?.event_callback({
            let (connected, state, trouble) = (connected.clone(), state.clone(), trouble.clone());
            let bucket = Arc::clone(&bucket);
            move |event| {
                match event {
                    Event::Connected => {
                        // It may be another one.
                        drop(bucket.lock().unwrap_or_else(PoisonError::into_inner).take());
                        state.send_replace(StoreState::Shared);
                        connected.send_modify(|times| *times += 1);
                    }
                    Event::Disconnected | Event::Closed => {
                        state.send_replace(StoreState::Cut);
                    }
                    other => {
                        trouble.send_replace(other.to_string());
                    }
                }
                std::future::ready(())
            }
        });
        let client = options.connect(flags.nats.as_slice()).await?;
        let bucket_name = format!("{}_rooms", flags.nats_prefix);
        let jetstream = ContextBuilder::new().timeout(ANSWER).build(client.clone());
        Ok(Self(Arc::new(Shared {
            client,
            jetstream,
            stream: stream_of(&bucket_name, flags, limits),
            bucket_name,
            bucket,
            server: format!("{server:016x}"),
            state,
            trouble,
            refused: watch::Sender::default(),
            connected,
            elsewhere: watch::Sender::default(),
            here: Mutex::default(),
        })))
    }

    pub(super) fn state(&self) -> watch::Receiver<StoreState> {
        self.0.state.subscribe()
    }

    /// How often it was connected to so far; it is connected now, or was last.
    pub(super) fn connected(&self) -> watch::Receiver<u64> {
        self.0.connected.subscribe()
    }

    pub(super) fn elsewhere(&self) -> watch::Receiver<Elsewhere> {
        self.0.elsewhere.subscribe()
    }

    /// Who is here at other servers, as the census has it.
    pub(super) fn tell_elsewhere(&self, now: HashMap<RoomCode, u32>) {
        self.0.elsewhere.send_if_modified(|told| {
            let is_new = **told != now;
            if is_new {
                *told = Arc::new(now);
            }
            is_new
        });
    }

    pub(super) fn here(&self, code: RoomCode, members: Option<u32>) {
        let mut here = self.0.here.lock().unwrap_or_else(PoisonError::into_inner);
        match members {
            Some(members) => drop(here.insert(code, members)),
            None => drop(here.remove(&code)),
        }
    }

    /// Whether a key of this kind is this server's own.
    pub(super) fn is_own(&self, server: &str) -> bool {
        self.0.server == server
    }

    pub(super) async fn find(&self, code: RoomCode) -> Result<Option<(Record, Revision)>, Away> {
        let bucket = self.bucket().await?;
        let entry = bucket.entry(state_key(code)).await.map_err(|error| self.failed(&error))?;
        let put = entry.filter(|entry| entry.operation == kv::Operation::Put);
        Ok(put.and_then(|entry| Some((read(&entry)?, revision(&bucket, entry.revision)))))
    }

    pub(super) async fn store(&self, code: RoomCode, draft: &Draft) -> Result<Set<Record>, Away> {
        match self.set(state_key(code), &draft.record, draft.after).await? {
            Some(revision) => Ok(Set::Done(revision)),
            None => Ok(Set::Conflict(self.find(code).await?)),
        }
    }

    /// A put would do as well, if one that was given up could not arrive after the next over a new connection.
    pub(super) async fn collect(
        &self,
        code: RoomCode,
        collected: &Collected,
        after: Option<Revision>,
    ) -> Result<Set, Away> {
        let key = format!("{}.at.{}", code.symbols(), self.0.server);
        if let Some(revision) = self.set(key.clone(), collected, after).await? {
            return Ok(Set::Done(revision));
        }
        let bucket = self.bucket().await?;
        let entry = bucket.entry(key).await.map_err(|error| self.failed(&error))?;
        Ok(Set::Conflict(entry.map(|entry| ((), revision(&bucket, entry.revision)))))
    }

    /// Writes a value that follows another, or is the first: its revision. None, if somebody else was first.
    async fn set(
        &self,
        key: String,
        value: &impl Serialize,
        after: Option<Revision>,
    ) -> Result<Option<Revision>, Away> {
        let (bucket, value) = (self.bucket().await?, written(value).into());
        let set = match after {
            // The numbers of another bucket mean nothing in this one.
            Some(after) if after.bucket != made(&bucket) => None,
            Some(after) => match bucket.update(key, value, after.number).await {
                Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => None,
                other => Some(other.map_err(|error| self.refused(&error))?),
            },
            None => match bucket.create(key, value).await {
                Err(error) if error.kind() == CreateErrorKind::AlreadyExists => None,
                other => Some(other.map_err(|error| self.refused(&error))?),
            },
        };
        Ok(set.map(|number| revision(&bucket, number)))
    }

    /// Whether there are rooms with members here to tell of.
    pub(super) fn has_rooms(&self) -> bool {
        !self.0.here.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Tells other servers that this one is there, and how many members it has in which room; false, if it has none.
    pub(super) async fn tell_here(&self) -> Result<bool, Away> {
        let here = self.0.here.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.put(format!("here.{}", self.0.server), &here).await.map(|()| !here.is_empty())
    }

    /// What happens to keys, from what they are now on.
    /// With the bucket that has them.
    pub(super) async fn watch(&self, keys: &str) -> Result<(Watch, kv::Store), Away> {
        let bucket = self.bucket().await?;
        let watch = bucket.watch_with_history(keys).await.map_err(|error| self.failed(&error))?;
        Ok((watch, bucket))
    }

    /// What happens to keys from now on: what was written before may be old.
    pub(super) async fn watch_new(&self, keys: &str) -> Result<Watch, Away> {
        let watch = self.bucket().await?.watch(keys).await;
        watch.map_err(|error| self.failed(&error))
    }

    async fn put(&self, key: String, value: &impl Serialize) -> Result<(), Away> {
        let put = self.bucket().await?.put(key, written(value).into()).await;
        put.map_err(|error| self.failed(&error))?;
        self.be(StoreState::Shared);
        Ok(())
    }

    /// The bucket, which is made if it is not there.
    async fn bucket(&self) -> Result<kv::Store, Away> {
        let Shared { jetstream, stream, bucket, bucket_name, client, .. } = &*self.0;
        // Else every question waits for its time to be over.
        if client.connection_state() != State::Connected {
            return Err(Away);
        }
        let known = bucket.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known {
            return Ok(known);
        }
        let found = match jetstream.get_key_value(bucket_name).await {
            Ok(found) => found,
            Err(_not_there) => {
                let made = jetstream.create_stream(stream.clone()).await;
                made.map_err(|error| self.failed(&error))?;
                let found = jetstream.get_key_value(bucket_name).await;
                found.map_err(|error| self.failed(&error))?
            }
        };
        *bucket.lock().unwrap_or_else(PoisonError::into_inner) = Some(found.clone());
        Ok(found)
    }

    /// What was wrong last.
    pub(super) fn trouble(&self) -> String {
        self.0.trouble.borrow().clone()
    }

    /// Whether something of a room was refused a moment ago.
    pub(super) fn has_refused(&self) -> bool {
        self.0.refused.borrow().is_some_and(|at| at.elapsed() < ANSWER)
    }

    /// The store has not answered, or not as it should.
    fn failed(&self, error: &dyn std::error::Error) -> Away {
        self.be(StoreState::Cut);
        self.look_again(error)
    }

    /// The store did not take something of a room. That says nothing of other rooms: there may be no space for it.
    fn refused(&self, error: &dyn std::error::Error) -> Away {
        self.0.refused.send_replace(Some(Instant::now()));
        self.look_again(error)
    }

    /// What the bucket was is looked at anew.
    fn look_again(&self, error: &dyn std::error::Error) -> Away {
        drop(self.0.bucket.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.0.trouble.send_replace(error.to_string());
        Away
    }

    fn be(&self, now: StoreState) {
        self.0.state.send_if_modified(|state| mem::replace(state, now) != now);
    }
}

/// What the flags say of the connection.
pub(super) fn options(flags: &NatsFlags) -> Result<ConnectOptions, BadStore> {
    let mut options = ConnectOptions::new()
        .name("streamgram")
        .retry_on_initial_connect()
        .max_reconnects(None)
        .connection_timeout(ANSWER)
        .request_timeout(Some(ANSWER))
        .ping_interval(PING)
        .reconnect_delay_callback(|attempts| {
            let attempts = u32::try_from(attempts).unwrap_or(u32::MAX);
            Duration::from_millis(50).saturating_mul(attempts).min(LONGEST_PAUSE)
        });
    // The client takes those of a URL only from a server that it was told of by another.
    if let Some((user, password)) = flags.nats.iter().find_map(|url| named_in(url)) {
        options = options.user_and_password(user, password);
    }
    let named = |flag, path: &Path| {
        let path = path.to_owned();
        move |cause| BadStore::File { flag, path, cause }
    };
    if let Some(ca) = &flags.nats_ca {
        check_pem::<CertificateDer>(ca).map_err(named("--nats-ca", ca))?;
        options = options.add_root_certificates(ca.clone());
    }
    if let (Some(certificate), Some(key)) = (&flags.nats_cert, &flags.nats_key) {
        check_pem::<CertificateDer>(certificate).map_err(named("--nats-cert", certificate))?;
        check_pem::<PrivateKeyDer>(key).map_err(named("--nats-key", key))?;
        options = options.add_client_certificate(certificate.clone(), key.clone());
    }
    if let Some(path) = &flags.nats_creds {
        let read = fs::read_to_string(path).and_then(|text| options.credentials(&text));
        options = read.map_err(named("--nats-creds", path))?;
    }
    Ok(options)
}

/// The client reads these files when it connects. Then it is too late to say which of them is wrong.
fn check_pem<T: PemObject>(path: &Path) -> io::Result<()> {
    let wrong = |error| io::Error::other(format!("expected PEM, {error}"));
    T::from_pem_slice(&fs::read(path)?).map(drop).map_err(wrong)
}

/// The user and the password of a URL, if it has them.
fn named_in(url: &str) -> Option<(String, String)> {
    let url: Url = url.parse().ok()?;
    let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let user = plain(url.username());
    (!user.is_empty()).then(|| (user, plain(url.password().unwrap_or_default())))
}

/// The stream of a bucket, as NATS' own tools make it (NATS ADR-8). The client's function for that also asks for facts
/// about the account, which it cannot read from servers before 2.10, and for which a user needs a permission more.
fn stream_of(bucket: &str, flags: &NatsFlags, limits: &RoomLimits) -> stream::Config {
    stream::Config {
        name: format!("KV_{bucket}"),
        description: Some("rooms of Streamgram".into()),
        subjects: vec![format!("$KV.{bucket}.>")],
        max_messages_per_subject: 1,
        max_age: Duration::from_secs(60) * limits.room_minutes + MARGIN,
        max_bytes: i64::from(flags.nats_mib) << 20,
        num_replicas: flags.nats_copies.into(),
        discard: DiscardPolicy::New,
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        ..stream::Config::default()
    }
}

/// When a bucket was made; Unix time in nanoseconds.
fn made(bucket: &kv::Store) -> i128 {
    bucket.stream.cached_info().created.unix_timestamp_nanos()
}

/// A revision in a bucket.
pub(super) fn revision(bucket: &kv::Store, number: u64) -> Revision {
    Revision { bucket: made(bucket), number }
}

fn state_key(code: RoomCode) -> String {
    format!("{}.state", code.symbols())
}

/// A value of a key; none, if another version has written something else.
pub(super) fn read<T: DeserializeOwned>(entry: &kv::Entry) -> Option<T> {
    let unreadable = |error| warn!("rooms: {} in NATS cannot be read: {error}", entry.key);
    serde_json::from_slice(&entry.value).map_err(unreadable).ok()
}

fn written(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_stands_in_the_url() {
        let me = |password: &str| Some(("me".to_owned(), password.to_owned()));
        assert_eq!(named_in("nats://me:a%40b@nats.example:4222"), me("a@b"));
        assert_eq!(named_in("tls://me@nats.example"), me(""));
        assert_eq!(named_in("nats://nats.example:4222"), None);
    }
}
