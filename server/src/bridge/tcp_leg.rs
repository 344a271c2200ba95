//! One TCP connection of a session to the TCP timestamp server.
//!
//! Nothing here waits but [`TcpLeg::ready`]: the session asks what can be done now, and does it.

use std::fmt;
use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use streamgram_protocol::{Cause, Data, Event, How, LegId, Path, Unanswered};
use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::TcpStream;

use super::burst::{Bursts, Finished, Line};
use super::outbox::{Outbox, micros};
use super::stream_match::StreamMatch;
use super::{LEG_READ_BYTES, LINES_PER_TURN};
use crate::observe::{Inbox, Observer, Registration, Seen, cause_of};
use crate::path::direct;

/// A connection, from its SYN to its end.
pub(super) struct TcpLeg {
    on: LegId,
    target: SocketAddr,
    local: SocketAddr,
    nodelay: bool,
    state: State,
    pub(super) bursts: Bursts,
    writing: Option<Writing>,
    written: u64,
    received: u64,
    matching: StreamMatch,
    _registration: Registration,
}

enum State {
    Connecting(Pin<Box<dyn Future<Output = io::Result<Handshake>> + Send>>),
    Connected(io::Result<Handshake>),
    Open(TcpStream),
    HalfClosed(TcpStream),
}

struct Handshake {
    stream: TcpStream,
    took: Duration,
}

/// A line of which the socket has taken some bytes, perhaps none.
struct Writing {
    line: Line,
    started: Instant,
    written: usize,
}

/// What a leg could do without waiting.
#[derive(Debug)]
pub(super) enum Received {
    /// Bytes of the stream.
    Bytes(Vec<u8>),
    /// Nothing now.
    Nothing,
    /// The end of the connection.
    End(Cause, Option<io::Error>),
}

impl TcpLeg {
    /// Starts the handshake; it is given up after `patience`.
    pub(super) fn connect(
        on: LegId,
        target: SocketAddr,
        nodelay: bool,
        patience: Duration,
        observer: &Arc<Observer>,
        inbox: Inbox,
    ) -> io::Result<Self> {
        let (socket, local) = direct::bind_tcp(target)?;
        let registration = observer.register(on, local, inbox);
        let handshake = async move {
            let started = Instant::now();
            let stream = tokio::time::timeout(patience, socket.connect(target)).await??;
            Ok(Handshake { stream, took: started.elapsed() })
        };
        Ok(Self {
            on,
            target,
            local,
            nodelay,
            state: State::Connecting(Box::pin(handshake)),
            bursts: Bursts::default(),
            writing: None,
            written: 0,
            received: 0,
            matching: StreamMatch::default(),
            _registration: registration,
        })
    }

    pub(super) fn id(&self) -> LegId {
        self.on
    }

    /// Whether lines can be sent.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    /// Waits until something can be done: the handshake's end, bytes to read, room to write (if
    /// something waits for it). Without `room` for the events that come of it, nothing is read or
    /// written.
    ///
    /// # Cancel safety
    /// Losing a `select!` loses nothing.
    pub(super) async fn ready(&mut self, room: bool) {
        match &mut self.state {
            State::Connecting(handshake) => self.state = State::Connected(handshake.await),
            State::Connected(_) => {}
            State::Open(stream) | State::HalfClosed(stream) => {
                let interest = match self.writing {
                    _ if !room => return pending().await,
                    Some(_) => Interest::READABLE | Interest::WRITABLE,
                    None => Interest::READABLE,
                };
                // What `ready` fails with, the next read fails with too, and there it is handled.
                let _ready = stream.ready(interest).await;
            }
        }
    }

    /// Takes note of the end of the handshake.
    ///
    /// # Errors
    /// The connection could not be made.
    pub(super) fn settle(&mut self, outbox: &mut Outbox) -> io::Result<()> {
        if !matches!(self.state, State::Connected(_)) {
            return Ok(());
        }
        let ended = State::Connected(Err(io::ErrorKind::NotConnected.into()));
        let State::Connected(handshake) = std::mem::replace(&mut self.state, ended) else {
            return Ok(());
        };
        let Handshake { stream, took } = handshake?;
        stream.set_nodelay(self.nodelay)?;
        self.state = State::Open(stream);
        let opened = Event::Opened {
            path: Path::Direct,
            local: self.local.to_string(),
            peer: self.target.to_string(),
            handshake_us: Some(micros(took)),
            nodelay: Some(self.nodelay),
        };
        outbox.push(Instant::now(), self.on, opened);
        Ok(())
    }

    /// Sends what is due, as far as the socket takes it; true if more could go at once.
    ///
    /// # Errors
    /// The connection has broken.
    pub(super) fn send(&mut self, outbox: &mut Outbox) -> io::Result<bool> {
        let State::Open(stream) = &self.state else {
            return Ok(false);
        };
        for _ in 0..LINES_PER_TURN {
            if outbox.is_full() {
                return Ok(false);
            }
            let now = Instant::now();
            let next =
                || Some(Writing { line: self.bursts.take_line(now)?, started: now, written: 0 });
            let Some(mut writing) = self.writing.take().or_else(next) else {
                return Ok(false);
            };
            let complete = writing.go_on(stream)?;
            if !complete {
                self.writing = Some(writing);
                return Ok(false);
            }
            let Writing { line, started, written } = writing;
            let (on, done) = (self.on, Instant::now());
            outbox.push(
                started,
                on,
                Event::Sent {
                    id: line.id,
                    line: line.number,
                    offset: self.written,
                    bytes: written,
                    done_us: outbox.at_us(done),
                },
            );
            self.written += written as u64;
            self.matching.sent(line.id, line.number, started, self.written);
            if let Some(finished) = line.last {
                outbox.push(done, on, finished.event());
            }
        }
        Ok(true)
    }

    /// Reads what has come.
    pub(super) fn receive(&self) -> Received {
        let (State::Open(stream) | State::HalfClosed(stream)) = &self.state else {
            return Received::Nothing;
        };
        let mut buffer = [0; LEG_READ_BYTES];
        match stream.try_read(&mut buffer) {
            Ok(0) => Received::End(Cause::PeerClosed, None),
            Ok(bytes) => Received::Bytes(buffer[..bytes].to_vec()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Received::Nothing,
            Err(error) => Received::End(cause_of(&error), Some(error)),
        }
    }

    /// Reports bytes that were read. What the server saw before it wrote them must have been
    /// [`noted`](Self::note) first.
    pub(super) fn replied(&mut self, bytes: &[u8], now: Instant, outbox: &mut Outbox) {
        let (on, offset) = (self.on, self.received);
        self.received += bytes.len() as u64;
        let data = Data::from_bytes(bytes);
        outbox.push(now, on, Event::Reply { offset, bytes: bytes.len(), data });
        for answer in self.matching.received(self.received) {
            outbox.push(now, on, answer.event(now));
        }
    }

    /// Takes note of what the server saw of this leg.
    pub(super) fn note(&mut self, seen: &Seen) {
        if let Seen::Read { number, offset, bytes } = *seen {
            self.matching.server_read(number, offset, bytes);
        }
    }

    /// Turns TCP_NODELAY.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn set_nodelay(&mut self, nodelay: bool) -> io::Result<()> {
        if let State::Open(stream) | State::HalfClosed(stream) = &self.state {
            stream.set_nodelay(nodelay)?;
        }
        self.nodelay = nodelay;
        Ok(())
    }

    /// Sends FIN; replies are still read. Does not wait: it is one system call.
    ///
    /// # Errors
    /// The connection has broken.
    pub(super) async fn half_close(&mut self, outbox: &mut Outbox) -> io::Result<()> {
        let closed = State::Connected(Err(io::ErrorKind::NotConnected.into()));
        match std::mem::replace(&mut self.state, closed) {
            State::Open(mut stream) => {
                self.stop_sending(outbox);
                stream.shutdown().await?;
                self.state = State::HalfClosed(stream);
                outbox.push(Instant::now(), self.on, Event::HalfClosed);
            }
            other => self.state = other,
        }
        Ok(())
    }

    /// Ends the connection and reports what stays unanswered.
    pub(super) fn end(mut self, cause: Cause, error: Option<&io::Error>, outbox: &mut Outbox) {
        let (on, now) = (self.on, Instant::now());
        self.stop_sending(outbox);
        for silence in self.matching.end() {
            outbox.push(now, on, silence.event(Unanswered::Closed));
        }
        if cause == Cause::Reset
            && let State::Open(stream) | State::HalfClosed(stream) = &self.state
        {
            // With a linger time of zero, closing sends RST instead of FIN (socket(7)).
            if let Err(error) = stream.set_zero_linger() {
                tracing::debug!(%error, "a leg is closed instead of reset");
            }
        }
        let refused = error.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
        let event = if refused {
            Event::Refused { peer: self.target.to_string() }
        } else {
            Event::Closed { cause, detail: error.map(ToString::to_string) }
        };
        outbox.push(now, on, event);
    }

    fn stop_sending(&mut self, outbox: &mut Outbox) {
        let cut = self.writing.take().map(|writing| writing.line);
        for finished in self.bursts.stop_all(cut) {
            outbox.push(Instant::now(), self.on, finished.event());
        }
    }
}

impl Writing {
    /// Writes until the line is out or the socket is full; whether it is out.
    fn go_on(&mut self, stream: &TcpStream) -> io::Result<bool> {
        while self.written < self.line.bytes.len() {
            match stream.try_write(&self.line.bytes[self.written..]) {
                Ok(bytes) => self.written += bytes,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

impl Finished {
    pub(super) fn event(&self) -> Event {
        let Self { id, lines, of } = *self;
        Event::Finished { id, lines, of }
    }
}

impl fmt::Debug for TcpLeg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpLeg").field("on", &self.on).finish_non_exhaustive()
    }
}

/// What a client's way of closing means for the leg that is closed.
pub(super) fn cause_of_closing(how: How) -> Cause {
    match how {
        How::Reset => Cause::Reset,
        How::Close | How::Half => Cause::Closed,
    }
}
