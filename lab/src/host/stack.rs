//! smoltcp: an interface without Ethernet, one socket, and the two ends of a wire.

use std::collections::VecDeque;
use std::iter;
use std::sync::Arc;

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{self, Checksum, DeviceCapabilities, Medium};
use smoltcp::socket::AnySocket;
use smoltcp::time::Instant;
use smoltcp::wire::{HardwareAddress, IpCidr, Ipv4Address};
use streamgram_protocol::{End, Link};

use crate::Micros;

/// The address of an end, in a range for private use (RFC 1918).
pub(super) fn address(end: End) -> Ipv4Address {
    match end {
        End::Client => Ipv4Address::new(10, 0, 0, 1),
        End::Gateway => Ipv4Address::new(10, 0, 0, 2),
    }
}

pub(super) struct Stack {
    mtu: usize,
    sent: VecDeque<Arc<[u8]>>,
    interface: Interface,
    sockets: SocketSet<'static>,
    socket: SocketHandle,
}

impl Stack {
    pub(super) fn new(
        end: End,
        link: &Link,
        seed: u64,
        now: Micros,
        socket: impl AnySocket<'static>,
    ) -> Self {
        let (mtu, mut sent) = (link.mtu.into(), VecDeque::new());
        let mut device = Device { mtu, arrived: None, sent: &mut sent };
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = seed;
        let mut interface = Interface::new(config, &mut device, instant(now));
        interface.update_ip_addrs(|addresses| {
            // It has room for one, and this is the first.
            let _room = addresses.push(IpCidr::new(address(end).into(), 24));
        });
        let mut sockets = SocketSet::new(Vec::with_capacity(1));
        let socket = sockets.add(socket);
        Self { mtu, sent, interface, sockets, socket }
    }

    pub(super) fn socket<S: AnySocket<'static>>(&self) -> &S {
        self.sockets.get(self.socket)
    }

    pub(super) fn socket_mut<S: AnySocket<'static>>(&mut self) -> &mut S {
        self.sockets.get_mut(self.socket)
    }

    /// The socket, with the interface that some of its calls need.
    pub(super) fn with_interface<S: AnySocket<'static>>(&mut self) -> (&mut S, &mut Interface) {
        (self.sockets.get_mut(self.socket), &mut self.interface)
    }

    /// Takes one packet: a burst in one go would be answered with one ACK.
    pub(super) fn ingress(&mut self, now: Micros, packet: &[u8]) {
        let mut device = Device { mtu: self.mtu, arrived: Some(packet), sent: &mut self.sent };
        self.interface.poll_ingress_single(instant(now), &mut device, &mut self.sockets);
    }

    pub(super) fn egress(&mut self, now: Micros) -> Option<Arc<[u8]>> {
        if self.sent.is_empty() {
            let mut device = Device { mtu: self.mtu, arrived: None, sent: &mut self.sent };
            self.interface.poll_egress(instant(now), &mut device, &mut self.sockets);
        }
        self.sent.pop_front()
    }

    pub(super) fn due(&mut self, now: Micros) -> Option<Micros> {
        let at = self.interface.poll_at(instant(now), &self.sockets)?;
        Some(u64::try_from(at.total_micros()).unwrap_or(0))
    }
}

/// The stack's own time.
pub(super) fn instant(now: Micros) -> Instant {
    Instant::from_micros(i64::try_from(now).unwrap_or(i64::MAX))
}

/// The wire, as the stack sees it during one call.
struct Device<'w> {
    mtu: usize,
    arrived: Option<&'w [u8]>,
    sent: &'w mut VecDeque<Arc<[u8]>>,
}

impl phy::Device for Device<'_> {
    type RxToken<'a>
        = Received<'a>
    where
        Self: 'a;
    type TxToken<'a>
        = Sending<'a>
    where
        Self: 'a;

    fn receive(&mut self, _now: Instant) -> Option<(Received<'_>, Sending<'_>)> {
        let packet = self.arrived.take()?;
        Some((Received(packet), Sending(self.sent)))
    }

    fn transmit(&mut self, _now: Instant) -> Option<Sending<'_>> {
        Some(Sending(self.sent))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = self.mtu;
        // The wire loses packets and leaves their bytes alone. UDP's checksum is looked at all the
        // same: a number of a datagram that comes again could mix the fragments of two.
        capabilities.checksum.tcp = Checksum::Tx;
        capabilities
    }
}

struct Received<'a>(&'a [u8]);

impl phy::RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, take: F) -> R {
        take(self.0)
    }
}

struct Sending<'a>(&'a mut VecDeque<Arc<[u8]>>);

impl phy::TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, fill: F) -> R {
        let mut packet: Arc<[u8]> = iter::repeat_n(0, length).collect();
        let result = fill(Arc::make_mut(&mut packet));
        self.0.push_back(packet);
        result
    }
}
