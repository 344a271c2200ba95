//! The terminal clients, `streamgram tcp` and `streamgram udp`. They work as the article's clients, but show
//! what arrives when it arrives.
//!
//! A line is sent as typed, without a newline. An empty line or the end of the input ends the client, after
//! the owed replies, within a second. Two threads read, one the input and one the socket; this one decides
//! and shows.

use std::io::{self, ErrorKind, Write};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use streamgram_protocol::MAX_DATAGRAM;

use super::event::Event;
use super::input::Input;
use super::screen::note;

/// How long the client waits for owed replies after the last line.
const OWED_PATIENCE: Duration = Duration::from_secs(1);
/// Events that wait to be shown; the threads that read wait when there are more.
const WAITING_EVENTS: usize = 64;

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
    thread::spawn(move || read(&replies, |buffer| io::Read::read(&mut reading, buffer), true));
    thread::spawn(move || input.read(&events));

    let mut closed = false;
    let mut ending = None;
    while let Some(event) = next(&inbox, ending) {
        match event {
            Event::Line(_) if closed => break,
            Event::Line(line) => (&stream).write_all(&line).context("the connection broke")?,
            Event::InputEnded if closed => break,
            Event::InputEnded => {
                // FIN. The server still answers what it has received, then sends FIN too.
                stream.shutdown(Shutdown::Write)?;
                ending = Some(Instant::now() + OWED_PATIENCE);
            }
            Event::Reply(bytes) => screen.show(&bytes)?,
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
        }
    }
    Ok(())
}

/// Talks to a UDP timestamp server.
///
/// # Errors
/// The address is wrong, or a datagram cannot be sent.
pub fn udp(server: &str) -> anyhow::Result<()> {
    let socket = connected(server).with_context(|| format!("cannot reach {server}"))?;
    let (events, inbox) = sync_channel(WAITING_EVENTS);
    let mut input = Input::new()?;
    let mut screen = input.screen()?;
    let (reading, replies) = (socket.try_clone()?, events.clone());
    thread::spawn(move || read(&replies, |buffer| reading.recv(buffer), false));
    thread::spawn(move || input.read(&events));

    let mut owed = 0_u32;
    let mut ending = None;
    while ending.is_none() || owed > 0 {
        match next(&inbox, ending) {
            None => {
                note(&format!("{owed} without a reply"));
                break;
            }
            Some(Event::Line(line)) => {
                send(&socket, &line)?;
                owed += 1;
            }
            Some(Event::InputEnded) => ending = Some(Instant::now() + OWED_PATIENCE),
            Some(Event::Reply(bytes)) => {
                owed = owed.saturating_sub(1);
                screen.show(&bytes)?;
            }
            Some(Event::Failed(error)) if error.kind() == ErrorKind::ConnectionRefused => {
                owed = owed.saturating_sub(1);
                note(&format!("refused: nobody listens on {server}"));
            }
            Some(Event::Failed(error)) => return Err(error).context("the socket failed"),
            // UDP has no connection that could be closed.
            Some(Event::PeerClosed) => {}
        }
    }
    Ok(())
}

/// A socket of the family that the address needs.
fn connected(server: &str) -> io::Result<UdpSocket> {
    let mut outcome = Err(ErrorKind::AddrNotAvailable.into());
    for address in std::net::ToSocketAddrs::to_socket_addrs(server)? {
        let local = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        outcome =
            UdpSocket::bind(local).and_then(|socket| socket.connect(address).map(|()| socket));
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

fn send(socket: &UdpSocket, line: &[u8]) -> anyhow::Result<()> {
    let length = line.len();
    if length > MAX_DATAGRAM {
        note(&format!("line is {length} bytes, the limit is {MAX_DATAGRAM}"));
        return Ok(());
    }
    let mut outcome = socket.send(line);
    if matches!(&outcome, Err(error) if error.kind() == ErrorKind::ConnectionRefused) {
        // An earlier datagram was refused; this one has not been sent yet.
        outcome = socket.send(line);
    }
    outcome.map(drop).context("a datagram could not be sent")
}

/// The next event; none once `ending` has passed.
fn next(inbox: &Receiver<Event>, ending: Option<Instant>) -> Option<Event> {
    let Some(ending) = ending else {
        return inbox.recv().ok();
    };
    inbox.recv_timeout(ending.saturating_duration_since(Instant::now())).ok()
}

/// Passes on what arrives until it ends; a stream ends with a read of nothing.
fn read(
    events: &SyncSender<Event>,
    mut receive: impl FnMut(&mut [u8]) -> io::Result<usize>,
    is_stream: bool,
) {
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        let event = match receive(&mut buffer) {
            Ok(0) if is_stream => Event::PeerClosed,
            Ok(bytes) => Event::Reply(buffer[..bytes].to_vec()),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => Event::Failed(error),
        };
        let ended = match &event {
            Event::PeerClosed => true,
            Event::Failed(error) => is_stream || error.kind() != ErrorKind::ConnectionRefused,
            _ => false,
        };
        if events.send(event).is_err() || ended {
            return;
        }
    }
}
