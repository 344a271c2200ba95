//! A model of the browser: sends messages, remembers every event, and can wait for one.

use std::collections::{HashSet, VecDeque};
use std::future::ready;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use streamgram_protocol::{Event, Protocol, SUBPROTOCOL, ServerMessage};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async, connect_async};

/// How long a test waits for something that must come: generous, machines differ.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How long what is promised within a second may take in a test: beside other work on the same machine
/// the scheduler alone can take a second.
pub const SOON: Duration = Duration::from_secs(5);

/// The client end of a session.
#[derive(Debug)]
pub struct Browser<S = MaybeTlsStream<TcpStream>> {
    socket: WebSocketStream<S>,
    /// What has come in the last frame and was not asked for yet.
    arrived: VecDeque<ServerMessage>,
    /// Everything that was asked for, in order.
    pub messages: Vec<ServerMessage>,
}

/// How a session ended, as the browser sees it.
#[derive(Debug, PartialEq, Eq)]
pub struct Closed {
    /// The close code.
    pub code: u16,
    /// The reason.
    pub reason: String,
}

/// A WebSocket that says nothing by itself.
///
/// # Panics
/// The server does not accept it.
pub async fn connect_raw(http: SocketAddr) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
    let request = asks_for_session(&http.to_string());
    let (socket, response) = connect_async(request).await.expect("the server upgrades");
    assert_eq!(response.headers()["sec-websocket-protocol"], SUBPROTOCOL);
    socket
}

pub(crate) fn asks_for_session(host: &str) -> Request {
    let mut request = format!("ws://{host}/ws").into_client_request().expect("a request");
    let offer = HeaderValue::from_static(SUBPROTOCOL);
    request.headers_mut().insert("sec-websocket-protocol", offer);
    request
}

impl Browser {
    /// A session that has said hello.
    ///
    /// # Panics
    /// It does not.
    pub async fn connect(http: SocketAddr) -> Self {
        let socket = connect_raw(http).await;
        let mut browser = Self { socket, arrived: VecDeque::new(), messages: Vec::new() };
        browser.until(|event| matches!(event, Event::Hello(_))).await;
        browser
    }

    /// A session with both legs open.
    ///
    /// # Panics
    /// They do not open.
    pub async fn connect_both(http: SocketAddr) -> Self {
        let mut browser = Self::connect(http).await;
        browser.open_both().await;
        browser
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Browser<S> {
    /// A session over a stream that leads to a server of this name, asked for with more headers.
    ///
    /// # Panics
    /// The server does not accept it.
    pub async fn over(stream: S, host: &str, headers: &[(&'static str, &str)]) -> Self {
        let mut request = asks_for_session(host);
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().expect("a header"));
        }
        let (socket, _response) = client_async(request, stream).await.expect("the server upgrades");
        Self { socket, arrived: VecDeque::new(), messages: Vec::new() }
    }

    /// Opens both legs.
    ///
    /// # Panics
    /// They do not open.
    pub async fn open_both(&mut self) {
        for protocol in Protocol::BOTH {
            let name = protocol.name().to_lowercase();
            self.say(&format!(r#"{{"open":{{"protocol":"{name}"}}}}"#)).await;
            self.until(|event| matches!(event, Event::Opened { .. })).await;
        }
    }

    /// Sends one message.
    ///
    /// # Panics
    /// The session is gone.
    pub async fn say(&mut self, json: &str) {
        self.frame(Message::text(json)).await;
    }

    /// Sends one message, if the session still takes it.
    pub async fn try_say(&mut self, json: &str) -> bool {
        self.socket.send(Message::text(json)).await.is_ok()
    }

    /// Sends any frame.
    ///
    /// # Panics
    /// The session is gone.
    pub async fn frame(&mut self, frame: Message) {
        self.socket.send(frame).await.expect("the session takes frames");
    }

    /// The next event.
    ///
    /// # Panics
    /// None comes, or something that is not one.
    pub async fn next(&mut self) -> ServerMessage {
        self.next_or_end().await.expect("the session lives")
    }

    /// The next event, or nothing if the session has ended.
    ///
    /// # Panics
    /// Neither comes, or something that is not an event.
    pub async fn next_or_end(&mut self) -> Option<ServerMessage> {
        if self.arrived.is_empty() {
            // The library answers pings.
            let no_ping =
                |frame: &Result<Message, _>| ready(!frame.as_ref().is_ok_and(Message::is_ping));
            let frame = timeout(PATIENCE, (&mut self.socket).filter(no_ping).next()).await;
            let frame = frame.unwrap_or_else(|_| panic!("nothing more after {:#?}", self.messages));
            let frame = frame?.ok().filter(|frame| !frame.is_close())?;
            let text = frame.into_text().expect("frames are text");
            let messages = ServerMessage::decode_frame(&text);
            self.arrived.extend(messages.map(|it| it.unwrap_or_else(|e| panic!("{e}: {text}"))));
        }
        let message = self.arrived.pop_front()?;
        self.messages.push(message.clone());
        Some(message)
    }

    /// Reads on to the first event that `wanted` accepts.
    ///
    /// # Panics
    /// It does not come.
    pub async fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> ServerMessage {
        loop {
            let message = self.next().await;
            if wanted(&message.event) {
                return message;
            }
        }
    }

    /// Reads on until `count` of all the events so far are accepted by `wanted`.
    ///
    /// # Panics
    /// They do not come.
    pub async fn until_count(&mut self, count: usize, wanted: impl Fn(&Event) -> bool) {
        while self.count(&wanted) < count {
            self.next().await;
        }
    }

    /// How many of all the events so far are accepted by `wanted`.
    pub fn count(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.messages.iter().filter(|message| wanted(&message.event)).count()
    }

    /// Every answer names a reply of its leg that was told before it; over UDP each names another one.
    ///
    /// # Panics
    /// If one does not.
    pub fn answers_name_their_replies(&self) {
        let (mut told, mut named) = (HashSet::new(), HashSet::new());
        for message in &self.messages {
            let Some(leg) = message.leg else { continue };
            match message.event {
                Event::Reply { offset, .. } => {
                    told.insert((leg, offset));
                }
                Event::Answered { reply, .. } => {
                    assert!(told.contains(&(leg, reply)), "no such reply yet: {message:?}");
                    let is_first = named.insert((leg, reply));
                    assert!(is_first || leg.protocol == Protocol::Tcp, "named twice: {message:?}");
                }
                _ => {}
            }
        }
    }

    /// Reads on to the end of the session.
    ///
    /// # Panics
    /// It does not end, or without a close frame.
    pub async fn closed(mut self) -> Closed {
        loop {
            let frame = timeout(PATIENCE, self.socket.next()).await.expect("the session ends");
            match frame.expect("a close frame first").expect("frames are whole") {
                Message::Close(Some(frame)) => {
                    let (code, reason) = (frame.code.into(), frame.reason.to_string());
                    return Closed { code, reason };
                }
                Message::Close(None) => panic!("a close frame without a code"),
                _ => {}
            }
        }
    }
}
