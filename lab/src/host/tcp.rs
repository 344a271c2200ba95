//! An end of a TCP connection.

use std::fmt;

use smoltcp::socket::tcp::{CongestionControl, Socket, SocketBuffer, State as Rfc9293};
use smoltcp::time::Duration;
use streamgram_protocol::{Congestion, End, Link};

use super::patience::Patience;
use super::stack::{Stack, address};
use super::{Host, Outgoing};
use crate::shim::{Shim, segment};
use crate::{Micros, Options};

/// The article's port; not 7, which Wireshark takes for ECHO.
const GATEWAY_PORT: u16 = 25_677;
/// The first of the ports for clients (RFC 6335).
const CLIENT_PORT: u16 = 49_152;
/// How long an ACK waits for company, where acknowledgements are delayed.
const ACK_DELAY: Duration = Duration::from_millis(10);

/// Where a connection stands, seen from one end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The handshake is under way.
    Connecting,
    /// Both ends can send.
    Open,
    /// The peer has sent FIN; this end can still send. What it sent before may still be there to read.
    PeerClosed,
    /// This end has sent FIN, or will once its bytes are out; the peer may still send.
    Closing,
    /// Both directions have ended in order.
    Closed,
    /// Torn down with RST, by either end.
    Reset,
    /// Given up: the peer has not been heard for as long as the options say.
    TimedOut,
}

/// A host with a TCP socket.
pub struct Tcp {
    stack: Stack,
    shim: Shim,
    patience: Patience,
    /// Why the connection ended out of order, if it did.
    ended: Option<State>,
}

impl fmt::Debug for Tcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tcp").field("state", &self.state()).finish_non_exhaustive()
    }
}

impl Host for Tcp {
    fn open(end: End, link: &Link, options: Options, seed: u64, now: Micros) -> Self {
        let buffer = || SocketBuffer::new(vec![0; options.buffer]);
        let mut socket = Socket::new(buffer(), buffer());
        socket.set_congestion_control(match link.congestion {
            Congestion::Reno => CongestionControl::Reno,
            Congestion::Cubic => CongestionControl::Cubic,
        });
        socket.set_ack_delay(link.delayed_ack.then_some(ACK_DELAY));
        socket.set_nagle_enabled(end == End::Client && !options.nodelay);
        let mut stack = Stack::new(end, link, seed, now, socket);
        let (socket, interface) = stack.with_interface::<Socket<'static>>();
        // Neither can fail: the socket is new, the ports and the addresses are constants.
        let _connects = match end {
            End::Client => socket
                .connect(
                    interface.context(),
                    (address(End::Gateway), GATEWAY_PORT),
                    (address(End::Client), CLIENT_PORT),
                )
                .is_ok(),
            End::Gateway => socket.listen(GATEWAY_PORT).is_ok(),
        };
        let patience = Patience::new(options.give_up);
        Self { stack, shim: Shim::default(), patience, ended: None }
    }

    fn ingress(&mut self, now: Micros, packet: &[u8], _datagram: Option<u64>) {
        let was_over = self.socket().state() == Rfc9293::Closed;
        self.patience.heard(now);
        self.stack.ingress(now, &self.shim.receive(packet));
        let is_over = self.socket().state() == Rfc9293::Closed;
        if is_over && !was_over && segment(packet).is_some_and(|segment| segment.rst()) {
            self.ended = Some(State::Reset);
        }
    }

    fn egress(&mut self, now: Micros) -> Option<Outgoing> {
        if self.patience.is_over(now) && self.ended.is_none() {
            self.end(State::TimedOut);
        }
        if self.patience.nudges(now) {
            // Once: switching it on makes an idle connection speak now, off again keeps it quiet
            // later.
            self.socket_mut().set_keep_alive(Some(ACK_DELAY));
            self.socket_mut().set_keep_alive(None);
        }
        let mut packet = self.stack.egress(now)?;
        let kind = self.shim.transmit(&mut packet);
        Some(Outgoing { bytes: packet, kind, datagram: None })
    }

    fn due(&mut self, now: Micros) -> Option<Micros> {
        self.patience.outstanding(now, self.is_outstanding());
        let timers = [self.stack.due(now), self.patience.due()];
        timers.into_iter().flatten().min()
    }

    /// Its buffers are there from the start.
    fn held(&self) -> usize {
        0
    }
}

impl Tcp {
    fn socket(&self) -> &Socket<'static> {
        self.stack.socket()
    }

    fn socket_mut(&mut self) -> &mut Socket<'static> {
        self.stack.socket_mut()
    }

    fn is_outstanding(&self) -> bool {
        match self.socket().state() {
            Rfc9293::SynSent
            | Rfc9293::SynReceived
            | Rfc9293::FinWait1
            | Rfc9293::Closing
            | Rfc9293::LastAck => true,
            Rfc9293::Established | Rfc9293::CloseWait => self.socket().send_queue() > 0,
            Rfc9293::Closed | Rfc9293::Listen | Rfc9293::FinWait2 | Rfc9293::TimeWait => false,
        }
    }

    /// Ends the connection with RST.
    fn end(&mut self, state: State) {
        self.ended = Some(state);
        self.socket_mut().abort();
    }

    pub(crate) fn state(&self) -> State {
        match (self.ended, self.socket().state()) {
            (Some(ended), _) => ended,
            (None, Rfc9293::Listen | Rfc9293::SynSent | Rfc9293::SynReceived) => State::Connecting,
            (None, Rfc9293::Established) => State::Open,
            (None, Rfc9293::CloseWait) => State::PeerClosed,
            (None, Rfc9293::FinWait1 | Rfc9293::FinWait2 | Rfc9293::Closing | Rfc9293::LastAck) => {
                State::Closing
            }
            (None, Rfc9293::TimeWait | Rfc9293::Closed) => State::Closed,
        }
    }

    pub(crate) fn set_nodelay(&mut self, on: bool) {
        self.socket_mut().set_nagle_enabled(!on);
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> usize {
        // It refuses when the connection cannot send: then it has taken nothing.
        self.socket_mut().send_slice(bytes).unwrap_or(0)
    }

    /// Bytes that were written and are not acknowledged.
    pub(crate) fn queued(&self) -> usize {
        self.socket().send_queue()
    }

    pub(crate) fn free(&self) -> usize {
        let socket = self.socket();
        if socket.may_send() { socket.send_capacity() - socket.send_queue() } else { 0 }
    }

    /// Reads everything behind what the buffer holds; how much that was.
    pub(crate) fn read(&mut self, bytes: &mut Vec<u8>) -> usize {
        let before = bytes.len();
        let socket = self.socket_mut();
        // The ring buffer hands out what is contiguous, so twice is enough.
        while socket.can_recv() {
            let piece = socket.recv(|piece| {
                bytes.extend_from_slice(piece);
                (piece.len(), piece.len())
            });
            if piece.is_err() {
                break;
            }
        }
        bytes.len() - before
    }

    pub(crate) fn close(&mut self) {
        self.socket_mut().close();
    }

    pub(crate) fn reset(&mut self) {
        if self.socket().state() != Rfc9293::Closed {
            self.end(State::Reset);
        }
    }
}
