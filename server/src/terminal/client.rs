//! The terminal clients, `streamgram tcp` and `streamgram udp`. They work as the article's clients, but show
//! what arrives when it arrives.
//!
//! A line is sent as typed, without a newline. An empty line or the end of the input ends the client, after
//! the owed replies, at most a second after the last of them. Other threads read the input and the sockets;
//! the one of the input also writes to TCP, which can take as long as the server does. This one decides and
//! shows.

use std::io::{self, ErrorKind, Write};
use std::mem;
use std::net::{Shutdown, TcpStream, ToSocketAddrs, UdpSocket};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use streamgram_protocol::MAX_DATAGRAM;

use super::event::Event;
use super::input::Input;
use super::screen::note;
use crate::udp_error;

/// How long the client waits for owed replies after the last line, and after each reply.
const OWED_PATIENCE: Duration = Duration::from_secs(1);
/// Events that wait to be shown; the threads that read wait when there are more.
const WAITING_EVENTS: usize = 64;
/// Lines that are sent again to the next address of a server if nobody listens at the first. More are not.
const LINES_AGAIN: usize = 64;

/// Talks to a TCP timestamp server.
///
/// # Errors
/// The connection cannot be made, or breaks.
pub fn tcp(server: &str) -> anyhow::Result<()> {
    let stream =
        TcpStream::connect(server).with_context(|| format!("cannot connect to {server}"))?;
    stream.set_nodelay(true)?;
    let (events, inbox) = sync_channel(WAITING_EVENTS);
    let mut input = Input::new()?;
    let mut screen = input.screen()?;
    let (mut reading, replies) = (stream.try_clone()?, events.clone());
    thread::spawn(move || read_stream(&mut reading, &replies));
    let writing = stream.try_clone()?;
    thread::spawn(move || write_stream(input, &writing, &events));

    let mut closed = false;
    let mut ending = None;
    while let Some(event) = next(&inbox, ending) {
        match event {
            Event::Sent | Event::InputEnded | Event::Failed(_) if closed => break,
            Event::InputEnded => {
                // FIN. The server still answers what it has received, then sends FIN too.
                stream.shutdown(Shutdown::Write)?;
                ending = Some(Instant::now() + OWED_PATIENCE);
            }
            Event::Reply(bytes) => {
                screen.show(&bytes)?;
                ending = ending.map(|_| Instant::now() + OWED_PATIENCE);
            }
            Event::PeerClosed if ending.is_some() => break,
            Event::PeerClosed => {
                closed = true;
                note(&format!("{server} has closed the connection"));
                if !screen.is_terminal() {
                    break;
                }
                // The prompt owns the terminal until the next line.
                note("press Enter to end");
            }
            Event::Failed(error) => return Err(error).context("the connection broke"),
            // Refusals and lines to be sent are UDP's.
            Event::Sent | Event::Line(_) | Event::Refused(_) => {}
        }
    }
    Ok(())
}

/// Writes each line as it is typed. Replies are read meanwhile: a server that waits until they are read
/// reads no more itself.
fn write_stream(input: Input, mut stream: &TcpStream, events: &SyncSender<Event>) {
    input.read(|line| match stream.write_all(&line) {
        Ok(()) => events.send(Event::Sent).is_ok(),
        Err(error) => {
            // The client may have ended first, here and below.
            let _told = events.send(Event::Failed(error));
            false
        }
    });
    let _told = events.send(Event::InputEnded);
}

/// Passes on what arrives until it ends.
fn read_stream(stream: &mut impl io::Read, events: &SyncSender<Event>) {
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        let event = match stream.read(&mut buffer) {
            Ok(0) => Event::PeerClosed,
            Ok(bytes) => Event::Reply(buffer[..bytes].to_vec()),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => Event::Failed(error),
        };
        let ended = matches!(event, Event::PeerClosed | Event::Failed(_));
        if events.send(event).is_err() || ended {
            return;
        }
    }
}

/// Talks to a UDP timestamp server. The status is 1 if nobody listens there.
///
/// # Errors
/// The address is wrong, or a datagram cannot be sent.
pub fn udp(server: &str) -> anyhow::Result<ExitCode> {
    let sockets = connected(server).with_context(|| format!("cannot reach {server}"))?;
    let (events, inbox) = sync_channel(WAITING_EVENTS);
    let mut input = Input::new()?;
    let mut screen = input.screen()?;
    for (place, socket) in sockets.iter().enumerate() {
        let (socket, events) = (socket.try_clone()?, events.clone());
        thread::spawn(move || read_datagrams(&socket, place, &events));
    }
    thread::spawn(move || {
        input.read(|line| events.send(Event::Line(line)).is_ok());
        // The client may have ended first.
        let _told = events.send(Event::InputEnded);
    });

    let mut peer = Peer::new(server, sockets);
    let mut ending = None;
    while ending.is_none() || peer.owed > 0 {
        match next(&inbox, ending) {
            None => {
                note(&format!("{} without a reply", peer.owed));
                break;
            }
            Some(Event::Line(line)) => peer.send(line)?,
            Some(Event::InputEnded) => ending = Some(Instant::now() + OWED_PATIENCE),
            Some(Event::Reply(bytes)) => {
                peer.replied();
                screen.show(&bytes)?;
                ending = ending.map(|_| Instant::now() + OWED_PATIENCE);
            }
            Some(Event::Refused(place)) if place == peer.place => peer.refused()?,
            // A refusal of an address that was left already.
            Some(Event::Refused(_)) => {}
            Some(Event::Failed(error)) => return Err(error).context("the socket failed"),
            // UDP has no connection that could be closed, and its lines are sent here.
            Some(Event::PeerClosed | Event::Sent) => {}
        }
    }
    Ok(if peer.was_refused { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A UDP server, at the first of its addresses where somebody listens.
struct Peer<'a> {
    server: &'a str,
    /// One for each address.
    sockets: Vec<UdpSocket>,
    place: usize,
    /// How many addresses have refused since the last reply.
    refusals: usize,
    /// What was sent since then.
    lines: Vec<Vec<u8>>,
    owed: u32,
    was_refused: bool,
}

impl<'a> Peer<'a> {
    fn new(server: &'a str, sockets: Vec<UdpSocket>) -> Self {
        let (place, refusals, owed) = (0, 0, 0);
        Self { server, sockets, place, refusals, lines: Vec::new(), owed, was_refused: false }
    }

    fn send(&mut self, line: Vec<u8>) -> anyhow::Result<()> {
        let length = line.len();
        if length > MAX_DATAGRAM {
            note(&format!("line is {length} bytes, the limit is {MAX_DATAGRAM}"));
            return Ok(());
        }
        loop {
            match self.sockets[self.place].send(&line) {
                Ok(_bytes) => break,
                // An earlier datagram was refused; this one has not been sent yet.
                Err(error) if udp_error::is_refusal(&error) => self.refused()?,
                Err(error) if udp_error::is_too_long(&error) => {
                    note(&udp_error::explained(error, length).to_string());
                    return Ok(());
                }
                Err(error) => return Err(error).context("a datagram could not be sent"),
            }
        }
        self.owed += 1;
        if self.lines.len() < LINES_AGAIN {
            self.lines.push(line);
        }
        Ok(())
    }

    fn replied(&mut self) {
        self.owed = self.owed.saturating_sub(1);
        self.refusals = 0;
        self.lines.clear();
    }

    /// Nobody listens at this address. The next one gets the lines, if there is one that has not refused.
    fn refused(&mut self) -> anyhow::Result<()> {
        let lines = mem::take(&mut self.lines);
        self.owed = 0;
        self.place = (self.place + 1) % self.sockets.len();
        self.refusals += 1;
        if self.refusals < self.sockets.len() {
            return lines.into_iter().try_for_each(|line| self.send(line));
        }
        self.refusals = 0;
        self.was_refused = true;
        note(&format!("refused: nobody listens on {}", self.server));
        Ok(())
    }
}

/// A socket for each address of a server.
fn connected(server: &str) -> io::Result<Vec<UdpSocket>> {
    let mut sockets = Vec::new();
    let mut failed = ErrorKind::AddrNotAvailable.into();
    for address in server.to_socket_addrs()? {
        let local = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        match UdpSocket::bind(local).and_then(|socket| socket.connect(address).map(|()| socket)) {
            Ok(socket) => sockets.push(socket),
            Err(error) => failed = error,
        }
    }
    if sockets.is_empty() { Err(failed) } else { Ok(sockets) }
}

/// Passes on what arrives from the address at a place.
fn read_datagrams(socket: &UdpSocket, place: usize, events: &SyncSender<Event>) {
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        let event = match socket.recv(&mut buffer) {
            Ok(bytes) => Event::Reply(buffer[..bytes].to_vec()),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) if udp_error::is_refusal(&error) => Event::Refused(place),
            Err(error) => Event::Failed(error),
        };
        let ended = matches!(event, Event::Failed(_));
        if events.send(event).is_err() || ended {
            return;
        }
    }
}

/// The next event; none once `ending` has passed.
fn next(inbox: &Receiver<Event>, ending: Option<Instant>) -> Option<Event> {
    let Some(ending) = ending else {
        return inbox.recv().ok();
    };
    inbox.recv_timeout(ending.saturating_duration_since(Instant::now())).ok()
}
