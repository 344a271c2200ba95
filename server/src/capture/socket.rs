//! The socket that sees packets (packet(7)): from IP's header on, whatever the interface.

use std::io::{self, ErrorKind, IoSliceMut, Read};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, LinkAddr, MsgFlags, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;
use nix::{cmsg_space, libc, setsockopt_impl, sockopt_impl};
use socket2::{Domain, Protocol, SockFilter, Type};
use streamgram_protocol::CAPTURED_BYTES;

use super::filter::{self, Step};
use super::views::View;
use crate::dating::Moment;

/// `ETH_P_ALL`: only a socket for everything sees what leaves.
const EVERYTHING: u16 = 3;
/// Bytes of packets, with what the kernel keeps beside them, that may wait to be read; one more is dropped by the
/// kernel, and counted. Without CAP_NET_ADMIN it gives no more than `net.core.rmem_max`.
const RECEIVE_BUFFER_BYTES: usize = 4 << 20;

sockopt_impl!(
    /// What leaves is not looked at (packet(7), since Linux 4.20).
    IgnoreOutgoing,
    SetOnly,
    libc::SOL_PACKET,
    PACKET_IGNORE_OUTGOING,
    bool
);
/// Its number, which `libc` lacks.
const PACKET_IGNORE_OUTGOING: libc::c_int = 23;

/// The socket.
#[derive(Debug)]
pub(super) struct Socket {
    socket: socket2::Socket,
}

/// What a read gives.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) view: View,
    /// How many packets the kernel had dropped before it, since the socket was opened.
    pub(super) dropped: Option<u32>,
}

impl Socket {
    /// Opens it; until a filter is attached it sees nothing.
    pub(super) fn open(patience: Duration) -> io::Result<Self> {
        let everything = Protocol::from(i32::from(EVERYTHING.to_be()));
        let socket = socket2::Socket::new(Domain::PACKET, Type::DGRAM, Some(everything))?;
        let opened = Self { socket };
        opened.attach(&[filter::NOTHING])?;
        opened.drain()?;
        // Switched on when packets are wanted, it would be too late for the first of them.
        setsockopt(&opened.socket, sockopt::ReceiveTimestampns, &true)?;
        setsockopt(&opened.socket, sockopt::RxqOvfl, &1)?;
        if setsockopt(&opened.socket, sockopt::RcvBufForce, &RECEIVE_BUFFER_BYTES).is_err() {
            opened.socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
        }
        opened.socket.set_read_timeout(Some(patience))?;
        Ok(opened)
    }

    /// Takes what this filter takes, from now on.
    pub(super) fn attach(&self, program: &[Step]) -> io::Result<()> {
        // The kernel would copy what leaves before the filter sees it: a tenth of what a UDP reply takes. An older one
        // cannot do without.
        let takes_nothing = program == [filter::NOTHING];
        let _saved = setsockopt(&self.socket, IgnoreOutgoing, &takes_nothing);
        let step = |step: &Step| SockFilter::new(step.code, step.then, step.otherwise, step.value);
        self.socket.attach_filter(&program.iter().map(step).collect::<Vec<_>>())
    }

    /// Throws away what was there before the filter.
    fn drain(&self) -> io::Result<()> {
        self.socket.set_nonblocking(true)?;
        loop {
            match (&self.socket).read(&mut [0]) {
                Ok(_nobody_looks_at_it) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        self.socket.set_nonblocking(false)
    }

    /// The next packet, if there is one; if it `waits`, or if one comes within the patience. It is dated no earlier than
    /// `previous`, the one before it: the kernel hands them over in their order.
    pub(super) fn receive(
        &self,
        buffer: &mut [u8; CAPTURED_BYTES],
        waits: bool,
        previous: Instant,
    ) -> io::Result<Option<Received>> {
        let mut control = cmsg_space!(TimeSpec, u32);
        let mut parts = [IoSliceMut::new(buffer)];
        // So that its whole length is told.
        let mut flags = MsgFlags::MSG_TRUNC;
        flags.set(MsgFlags::MSG_DONTWAIT, !waits);
        let fd = self.socket.as_raw_fd();
        let received = match recvmsg::<LinkAddr>(fd, &mut parts, Some(&mut control), flags) {
            Ok(received) => received,
            Err(Errno::EAGAIN | Errno::EINTR) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let moment = Moment::now();
        let (mut since_1970, mut dropped) = (None, None);
        for message in received.cmsgs()? {
            match message {
                ControlMessageOwned::ScmTimestampns(at) => since_1970 = Some(Duration::from(at)),
                ControlMessageOwned::RxqOvfl(count) => dropped = Some(count),
                _ => {}
            }
        }
        let (length, address) = (received.bytes, received.address);
        let Some((address, since_1970)) = address.zip(since_1970) else { return Ok(None) };
        let view = View {
            at: moment.date(since_1970, previous),
            interface: address.ifindex(),
            over_loopback: address.hatype() == filter::LOOPBACK,
            leaves: address.pkttype() == filter::LEAVES,
            length,
            bytes: buffer[..length.min(CAPTURED_BYTES)].into(),
        };
        Ok(Some(Received { view, dropped }))
    }
}
