//! How many members are here at which server. Each says so twice a second, as long as it has rooms: one that is silent
//! for longer is gone, and its members with it.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use async_nats::jetstream::kv::{Entry, Operation, Watch};
use futures_util::StreamExt;
use futures_util::future::OptionFuture;
use streamgram_protocol::room::{RoomCode, StoreState};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::{info, warn};

use super::nats::{Nats, read};

/// Between two signs of life.
const TELL_EVERY: Duration = Duration::from_millis(500);
/// After which silence a server is gone.
const GONE_AFTER: Duration = Duration::from_secs(2);

/// Ticks without the store, after which that is logged.
const LOGGED_AFTER: u32 = 6;

/// What other servers said last, and when.
type Heard = HashMap<String, (BTreeMap<RoomCode, u32>, Instant)>;

/// Tells the others, and hears them.
pub(super) async fn keep(nats: Nats) {
    let mut ticks = interval(TELL_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Heard::new();
    let mut connected = nats.connected();
    let mut watch = None::<Watch>;
    // That there are none left is said once.
    let mut has_rooms = false;
    let mut cut = Cut::default();
    loop {
        tokio::select! {
            _now = ticks.tick() => {
                cut.log(&nats);
                if watch.is_none() {
                    watch = nats.watch_new("here.*").await.ok();
                }
                if nats.has_rooms() || has_rooms {
                    has_rooms = nats.tell_here().await.unwrap_or(has_rooms);
                }
            }
            Some(entry) = OptionFuture::from(watch.as_mut().map(StreamExt::next)) => match entry {
                Some(Ok(entry)) => hear(&nats, &mut heard, &entry),
                Some(Err(_)) | None => watch = None,
            },
            Ok(()) = connected.changed() => watch = None,
        }
        let now = Instant::now();
        heard.retain(|_, (_, at)| now.duration_since(*at) < GONE_AFTER);
        nats.tell_elsewhere(summed(&heard));
    }
}

/// How long the store has been out of reach, in ticks; what the log has of it.
#[derive(Default)]
struct Cut {
    ticks: u32,
}

impl Cut {
    /// Says once that rooms are not shared, and once that they are again.
    fn log(&mut self, nats: &Nats) {
        let is_cut = *nats.state().borrow() == StoreState::Cut || nats.has_refused();
        match (is_cut, self.ticks) {
            (true, LOGGED_AFTER) => warn!("rooms are not shared, NATS: {}", nats.trouble()),
            (false, ticks) if ticks > LOGGED_AFTER => info!("rooms are shared again"),
            _ => {}
        }
        self.ticks = if is_cut { self.ticks.saturating_add(1) } else { 0 };
    }
}

fn hear(nats: &Nats, heard: &mut Heard, entry: &Entry) {
    let server = entry.key.strip_prefix("here.").filter(|server| !nats.is_own(server));
    let Some(server) = server.filter(|_| entry.operation == Operation::Put) else { return };
    if let Some(here) = read(entry) {
        heard.insert(server.to_owned(), (here, Instant::now()));
    }
}

fn summed(heard: &Heard) -> HashMap<RoomCode, u32> {
    let mut all = HashMap::new();
    for (code, members) in heard.values().flat_map(|(here, _)| here) {
        *all.entry(*code).or_default() += members;
    }
    all
}
