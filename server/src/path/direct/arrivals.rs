//! What comes to a direct leg's socket, and when.
//!
//! Linux dates what it receives and tells the date with a read (socket(7), SO_TIMESTAMPNS). Elsewhere, and where a
//! date is missing, only the read is known, and when the socket was last found empty.

use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use socket2::{SockRef, Socket};
use tokio::io::Interest;
use tokio::net::{TcpStream, UdpSocket};

use crate::dating::Moment;
use crate::path::turn::Arrival;

/// Bytes that are read at a time; more come with the next read.
const READ_BYTES: usize = 4 * 1024;

/// The receiving side of a leg's socket.
#[derive(Debug)]
pub(super) struct Arrivals {
    /// When the socket was last seen to be empty. That tokio knows of nothing does not count: it does not know yet
    /// what came while the thread was busy.
    emptied: Instant,
    /// Something was written since the last look.
    expects: bool,
}

/// What one read returned.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) bytes: Vec<u8>,
    pub(super) arrival: Arrival,
}

impl Arrivals {
    /// Of a socket that nothing can have come to yet.
    pub(super) fn of(socket: &Socket) -> Self {
        have_dated(socket);
        Self { emptied: Instant::now(), expects: false }
    }

    /// Something was written: the next read looks, even if tokio knows of nothing yet. Replies that pile up while a
    /// burst goes out would all have the date of the last one.
    pub(super) fn expect(&mut self) {
        self.expects = true;
    }

    /// Reads from a stream; `now` is before that.
    ///
    /// # Errors
    /// Nothing has come, or the connection has broken.
    pub(super) fn read(&mut self, stream: &TcpStream, now: Instant) -> io::Result<Received> {
        let mut all = None;
        let read = stream.try_io(Interest::READABLE, || {
            let received = self.look_into(stream, now)?;
            if (1..READ_BYTES).contains(&received.bytes.len()) {
                // There was no more. Told so, tokio saves the next turn a system call.
                all = Some(received);
                return Err(ErrorKind::WouldBlock.into());
            }
            Ok(received)
        });
        match all {
            Some(received) => Ok(received),
            None if self.expects => self.look_into(stream, now),
            None => read,
        }
    }

    fn look_into(&mut self, stream: &TcpStream, now: Instant) -> io::Result<Received> {
        self.expects = false;
        let mut received = self.look(&SockRef::from(stream), now)?;
        if received.bytes.len() == READ_BYTES {
            // The kernel puts segments together and dates the whole by its end. This may be a part of it.
            received.arrival.earliest = Some(self.emptied);
        } else {
            self.emptied = now;
        }
        Ok(received)
    }

    /// Receives a datagram; `now` is before that.
    ///
    /// # Errors
    /// None has come, or what the system says of an earlier one.
    pub(super) fn receive(&mut self, socket: &UdpSocket, now: Instant) -> io::Result<Received> {
        socket.try_io(Interest::READABLE, || self.look(&SockRef::from(socket), now))
    }

    fn look(&mut self, socket: &Socket, now: Instant) -> io::Result<Received> {
        let looked = received(|buffer| receive_dated(socket, buffer));
        if looked.as_ref().is_err_and(|error| error.kind() == ErrorKind::WouldBlock) {
            self.emptied = now;
        }
        let (bytes, date) = looked?;
        let arrival = match date {
            Some(since_1970) => Moment::now().date(since_1970, self.emptied).into(),
            None => Arrival { at: Instant::now(), earliest: Some(self.emptied) },
        };
        Ok(Received { bytes, arrival })
    }
}

/// The bytes that `receive` puts into a buffer, and what it says besides.
pub(super) fn received<Besides>(
    receive: impl FnOnce(&mut [u8]) -> io::Result<(usize, Besides)>,
) -> io::Result<(Vec<u8>, Besides)> {
    thread_local! {
        // A new buffer for each call would have to be cleared, also when there is nothing to read. A buffer
        // for each leg would take memory while it is idle.
        static BUFFER: RefCell<[u8; READ_BYTES]> = const { RefCell::new([0; READ_BYTES]) };
    }
    BUFFER.with_borrow_mut(|buffer| {
        let (bytes, besides) = receive(buffer)?;
        Ok((buffer[..bytes].to_vec(), besides))
    })
}

/// Has what comes dated. If no other program on the machine has asked for dates, they begin some milliseconds later.
#[cfg(target_os = "linux")]
fn have_dated(socket: &Socket) {
    use nix::sys::socket::{setsockopt, sockopt::ReceiveTimestampns};
    if let Err(error) = setsockopt(socket, ReceiveTimestampns, &true) {
        tracing::debug!(%error, "a leg gets no dates from the kernel");
    }
}

/// Receives, and says when the kernel had the last of it, counted from 1970.
#[cfg(target_os = "linux")]
fn receive_dated(socket: &Socket, buffer: &mut [u8]) -> io::Result<(usize, Option<Duration>)> {
    use std::io::IoSliceMut;
    use std::os::fd::AsRawFd as _;

    use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
    use nix::sys::time::TimeSpec;

    thread_local! {
        static CONTROL: RefCell<Vec<u8>> = RefCell::new(nix::cmsg_space!(TimeSpec));
    }
    CONTROL.with_borrow_mut(|control| {
        let (socket, mut place) = (socket.as_raw_fd(), [IoSliceMut::new(buffer)]);
        let received = recvmsg::<()>(socket, &mut place, Some(control), MsgFlags::empty())?;
        let date = received.cmsgs().into_iter().flatten().find_map(|message| match message {
            ControlMessageOwned::ScmTimestampns(date) => Some(date.into()),
            _ => None,
        });
        Ok((received.bytes, date))
    })
}

#[cfg(not(target_os = "linux"))]
fn have_dated(_socket: &Socket) {}

#[cfg(not(target_os = "linux"))]
fn receive_dated(mut socket: &Socket, buffer: &mut [u8]) -> io::Result<(usize, Option<Duration>)> {
    Ok((io::Read::read(&mut socket, buffer)?, None))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn udp_pair() -> [UdpSocket; 2] {
        let [one, other] =
            [UdpSocket::bind("127.0.0.1:0").await, UdpSocket::bind("127.0.0.1:0").await];
        let (one, other) = (one.unwrap(), other.unwrap());
        one.connect(other.local_addr().unwrap()).await.unwrap();
        other.connect(one.local_addr().unwrap()).await.unwrap();
        [one, other]
    }

    async fn tcp_pair() -> [TcpStream; 2] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let one = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        [one, listener.accept().await.unwrap().0]
    }

    fn would_block(received: io::Result<Received>) -> bool {
        received.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    #[tokio::test]
    async fn without_a_date_something_came_after_the_socket_was_last_found_empty() {
        let [socket, peer] = udp_pair().await;
        let began = Instant::now();
        let mut arrivals = Arrivals { emptied: began, expects: false };
        // tokio has not looked, so this is not known to be empty.
        assert!(would_block(arrivals.receive(&socket, Instant::now())));
        let mut earliest = began;
        for _ in 0..3 {
            peer.send(b"x").await.unwrap();
            socket.readable().await.unwrap();
            let read = Instant::now();
            let Received { bytes, arrival } = arrivals.receive(&socket, read).unwrap();
            assert_eq!((bytes.as_slice(), arrival.earliest), (b"x".as_slice(), Some(earliest)));
            assert!(arrival.at >= read);
            earliest = Instant::now();
            assert!(would_block(arrivals.receive(&socket, earliest)));
        }
    }

    #[tokio::test]
    async fn a_read_that_is_not_full_has_emptied_a_stream() {
        let [stream, peer] = tcp_pair().await;
        let mut arrivals = Arrivals { emptied: Instant::now(), expects: false };
        for _ in 0..3 {
            assert_eq!(peer.try_write(b"x").unwrap(), 1);
            stream.readable().await.unwrap();
            let read = Instant::now();
            assert_eq!(arrivals.read(&stream, read).unwrap().bytes, b"x");
            assert_eq!(arrivals.emptied, read);
            // Without a system call.
            assert!(would_block(arrivals.read(&stream, Instant::now())));
            assert_eq!(arrivals.emptied, read);
        }
        drop(peer);
        stream.readable().await.unwrap();
        assert_eq!(arrivals.read(&stream, Instant::now()).unwrap().bytes, b"");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_kernel_dates_what_comes_however_late_it_is_read() {
        let [socket, peer] = udp_pair().await;
        let mut arrivals = Arrivals::of(&SockRef::from(&socket));
        let mut is_dated = false;
        // Dates begin a little after the first socket has asked for them.
        for _ in 0..100 {
            peer.send(b"x").await.unwrap();
            let sent = Instant::now();
            socket.readable().await.unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
            let Received { arrival, .. } = arrivals.receive(&socket, Instant::now()).unwrap();
            assert_eq!(arrival.earliest, None);
            is_dated |= arrival.at < sent + Duration::from_millis(5);
        }
        assert!(is_dated);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_part_of_what_the_kernel_dated_may_have_come_earlier() {
        let [stream, peer] = tcp_pair().await;
        let mut arrivals = Arrivals::of(&SockRef::from(&stream));
        let bytes = [b'x'; READ_BYTES + 1];
        assert_eq!(peer.try_write(&bytes).unwrap(), bytes.len());
        let mut read = 0;
        while read < bytes.len() {
            stream.readable().await.unwrap();
            let emptied = arrivals.emptied;
            let Ok(Received { bytes, arrival }) = arrivals.read(&stream, Instant::now()) else {
                continue;
            };
            let is_full = bytes.len() == READ_BYTES;
            assert!(!is_full || arrival.earliest == Some(emptied), "{arrival:?}");
            read += bytes.len();
        }
    }
}
