//! What a host hears of its room from NATS, through outages.

use std::time::Duration;

use async_nats::jetstream::kv::{self, Entry, Operation};
use futures_util::StreamExt;
use streamgram_protocol::room::RoomCode;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::answer::{Away, Update};
use super::nats::{Nats, read, revision};

/// Updates that wait for the host; then the link waits.
pub(super) const UPDATES: usize = 64;
/// Between two attempts to watch.
const PAUSE: Duration = Duration::from_millis(500);

/// Tells what happens to the room's keys until nobody listens.
///
/// The client resumes a watch by itself from the revision that it heard last. Here it is begun anew, with what the keys
/// are then, after every connection: the bucket may be another one.
pub(super) async fn keep(nats: Nats, code: RoomCode, updates: mpsc::Sender<Update>) {
    let mut connected = nats.connected();
    while !updates.is_closed() {
        let times = *connected.borrow_and_update();
        let listening = async || -> Result<(), Away> {
            let record = nats.find(code).await?;
            let (mut watch, bucket) = nats.watch(&format!("{}.>", code.symbols())).await?;
            if updates.send(Update::Linked(record)).await.is_err() {
                return Ok(());
            }
            while let Some(Ok(entry)) = watch.next().await {
                if let Some(update) = update(&nats, &bucket, &entry)
                    && updates.send(update).await.is_err()
                {
                    return Ok(());
                }
            }
            Err(Away)
        };
        let ended = tokio::select! {
            ended = listening() => ended,
            _connected_anew = connected.wait_for(|now| *now != times) => Ok(()),
            () = updates.closed() => return,
        };
        if ended.is_err() {
            sleep(PAUSE).await;
        }
    }
}

/// What an entry of the room says.
fn update(nats: &Nats, bucket: &kv::Store, entry: &Entry) -> Option<Update> {
    if entry.operation != Operation::Put {
        return None;
    }
    let (_code, what) = entry.key.split_once('.')?;
    match what.split_once('.') {
        None if what == "state" => {
            Some(Update::Record(read(entry)?, revision(bucket, entry.revision)))
        }
        Some(("at", server)) if !nats.is_own(server) => {
            Some(Update::Collected(server.to_owned(), read(entry)?))
        }
        _ => None,
    }
}
