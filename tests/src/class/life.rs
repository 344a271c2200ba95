//! The life of a member's page: connections, one after the other, and what goes over them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use streamgram_protocol::room::{RoomCode, RoomRequest};
use streamgram_protocol::{ClientMessage, Code, Event, ServerMessage};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::Door;
use super::page::Page;
use crate::browser::asks_for_session;

/// Before a page tries again to connect, or to enter a room that could not be looked up.
const PAUSE: Duration = Duration::from_millis(200);
/// How long a page waits for a connection.
const CONNECT: Duration = Duration::from_secs(5);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What a member is to do.
pub(super) enum Command {
    /// Asks something, if it has a connection.
    Ask(RoomRequest),
    /// Ends its connection, and finds the server elsewhere from now on.
    Go(Door),
    /// Ends its connection, and stays away.
    Sleep,
    /// Comes back.
    Wake,
}

/// A member's page at work.
pub(super) struct Life {
    door: Door,
    /// The room to join; without one it opens one.
    code: Option<RoomCode>,
    commands: mpsc::UnboundedReceiver<Command>,
    page: Arc<watch::Sender<Page>>,
}

/// A connection is over.
struct Lost;

/// Its member is no longer wanted.
struct Gone;

impl Life {
    pub(super) fn new(
        door: Door,
        code: Option<RoomCode>,
        commands: mpsc::UnboundedReceiver<Command>,
        page: Arc<watch::Sender<Page>>,
    ) -> Self {
        Self { door, code, commands, page }
    }

    pub(super) async fn live(mut self) {
        while let Ok(()) = self.next_connection().await {
            let was_in = self.page.borrow().is_in;
            self.page.send_modify(|page| page.is_in = false);
            // Whom the server does not want does not ask it again at once.
            if !was_in {
                sleep(PAUSE).await;
            }
        }
    }

    async fn next_connection(&mut self) -> Result<(), Gone> {
        while self.page.borrow().is_asleep {
            let command = self.commands.recv().await.ok_or(Gone)?;
            self.settle(&command);
        }
        while let Ok(command) = self.commands.try_recv() {
            self.settle(&command);
        }
        let connecting = timeout(CONNECT, connect(self.door));
        let Some(mut socket) = connecting.await.ok().flatten() else { return Ok(()) };
        self.page.send_modify(Page::connected);
        if self.enter(&mut socket).await.is_err() {
            return Ok(());
        }
        loop {
            tokio::select! {
                frame = socket.next() => {
                    let at = Instant::now();
                    let Some(Ok(frame)) = frame else { return Ok(()) };
                    if self.take_in(&mut socket, frame, at).await.is_err() {
                        return Ok(());
                    }
                }
                command = self.commands.recv() => match command.ok_or(Gone)? {
                    Command::Ask(request) => if say(&mut socket, request).await.is_err() {
                        return Ok(());
                    },
                    other => {
                        self.settle(&other);
                        return Ok(());
                    }
                },
            }
        }
    }

    /// What needs no connection.
    fn settle(&mut self, command: &Command) {
        match command {
            Command::Go(door) => self.door = *door,
            // Answers are sent again with those that were not counted; and the page knows whether it sleeps.
            Command::Ask(_) | Command::Sleep | Command::Wake => {}
        }
    }

    async fn enter(&self, socket: &mut Socket) -> Result<(), Lost> {
        let back = self.page.borrow().entered.as_ref().map(|entered| entered.code);
        let request = match back.or(self.code) {
            Some(code) => self.page.borrow().join(code),
            None => RoomRequest::Open {},
        };
        say(socket, request).await
    }

    async fn take_in(&self, socket: &mut Socket, frame: Message, at: Instant) -> Result<(), Lost> {
        let Message::Text(text) = frame else {
            return if frame.is_close() { Err(Lost) } else { Ok(()) };
        };
        for message in ServerMessage::decode_frame(&text) {
            let message = message.unwrap_or_else(|error| panic!("{error}: {text}"));
            let is_away = matches!(&message.event, Event::Error(it) if it.code == Code::StoreAway);
            let mut owed = Vec::new();
            self.page.send_modify(|page| owed = page.told(message, at));
            for answer in owed {
                say(socket, answer.request()).await?;
            }
            if is_away {
                sleep(PAUSE).await;
                self.enter(socket).await?;
            }
        }
        Ok(())
    }
}

pub(super) async fn connect(door: Door) -> Option<Socket> {
    let mut request = asks_for_session(&door.at.to_string());
    if let Some(from) = door.from {
        request.headers_mut().insert("x-forwarded-for", from.parse().ok()?);
    }
    Some(connect_async(request).await.ok()?.0)
}

async fn say(socket: &mut Socket, request: RoomRequest) -> Result<(), Lost> {
    let text = ClientMessage::Room(request).encode();
    socket.send(Message::text(text)).await.map_err(|_| Lost)
}
