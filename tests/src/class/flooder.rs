//! Somebody who asks as fast as the server takes it, and comes back whenever it is thrown out. On a thread of its own,
//! so that those who are measured beside it do not wait for it themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use futures_util::stream::SplitStream;
use futures_util::{SinkExt, StreamExt};
use streamgram_protocol::room::{Join, RoomCode, RoomEvent, RoomRequest, Stage, Vote};
use streamgram_protocol::{ClientMessage, Event, ServerMessage};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::Door;
use super::life::connect;
use crate::PATIENCE;

/// Messages that are handed over at once.
const BATCH: u64 = 64;

/// What it does all the time.
#[derive(Debug, Clone, Copy)]
pub enum Flood {
    /// Votes that the room could count.
    Votes,
    /// Joins and leaves.
    Joins,
}

/// A flooder at work; it ends with its test.
#[derive(Debug)]
pub struct Flooder {
    told: Arc<Told>,
    is_over: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Told {
    asked: AtomicU64,
    connections: AtomicU64,
    floods: Notify,
}

impl Flooder {
    /// Begins.
    ///
    /// # Panics
    /// There is no thread for it.
    #[must_use]
    pub fn begin(flood: Flood, door: impl Into<Door>, code: RoomCode) -> Self {
        let (door, told) = (door.into(), Arc::new(Told::default()));
        let shared = Arc::clone(&told);
        let (is_over, mut over) = watch::channel(false);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let flooding = async {
                loop {
                    shared.connections.fetch_add(1, Ordering::Relaxed);
                    flood.connection(door, code, &shared).await;
                }
            };
            runtime.expect("a runtime").block_on(async {
                tokio::select! {
                    () = flooding => {}
                    _ = over.wait_for(|over| *over) => {}
                }
            });
        });
        Self { told, is_over, thread: Some(thread) }
    }

    /// Waits until it floods.
    ///
    /// # Panics
    /// It does not.
    pub async fn floods(&self) {
        let floods = self.told.floods.notified();
        timeout(PATIENCE, floods).await.expect("it gets in");
    }

    /// How much it has asked so far, and over how many connections.
    #[must_use]
    pub fn asked(&self) -> (u64, u64) {
        let Told { asked, connections, .. } = &*self.told;
        (asked.load(Ordering::Relaxed), connections.load(Ordering::Relaxed))
    }
}

impl Drop for Flooder {
    fn drop(&mut self) {
        self.is_over.send_replace(true);
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

impl Flood {
    /// One connection, until the server has had enough of it.
    async fn connection(self, door: Door, code: RoomCode, told: &Told) {
        let Some(socket) = connect(door).await else { return };
        let (mut writes, mut reads) = socket.split();
        let join = RoomRequest::Join(Join { code, member: None, key: None });
        if writes.send(text(join.clone())).await.is_err() {
            return;
        }
        let Some(step) = step(&mut reads).await else { return };
        // Who does not read is not read either.
        let reading = async { while let Some(Ok(_)) = reads.next().await {} };
        let writing = async {
            for number in 1.. {
                let message = match self {
                    Self::Votes => {
                        let choice = u8::from(number % 2 == 0);
                        let (step, stage) = (step.clone(), Stage::Predict);
                        text(RoomRequest::Vote(Vote { step, stage, choice, edit: number }))
                    }
                    Self::Joins if number % 2 == 0 => text(join.clone()),
                    Self::Joins => text(RoomRequest::Leave {}),
                };
                if writes.feed(message).await.is_err() {
                    return;
                }
                if told.asked.fetch_add(1, Ordering::Relaxed) == BATCH {
                    told.floods.notify_one();
                }
                if number % BATCH == 0 && writes.flush().await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = reading => {}
            () = writing => {}
        }
    }
}

/// The step at which the class is, as the first state has it.
async fn step(
    reads: &mut SplitStream<WebSocketStream<MaybeTlsStream<TcpStream>>>,
) -> Option<String> {
    loop {
        let Message::Text(frame) = reads.next().await?.ok()? else { continue };
        for message in ServerMessage::decode_frame(&frame) {
            match message.ok()?.event {
                Event::Room(RoomEvent::State(state)) => {
                    return Some(state.step.map(|step| step.id).unwrap_or_default());
                }
                Event::Error(_) => return None,
                _ => {}
            }
        }
    }
}

fn text(request: RoomRequest) -> Message {
    Message::text(ClientMessage::Room(request).encode())
}
