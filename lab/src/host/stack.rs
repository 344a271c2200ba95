//! smoltcp: an interface without Ethernet, one socket, and the two ends of a wire as vectors.

use std::collections::VecDeque;

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{self, DeviceCapabilities, Medium};
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
    device: Device,
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
        let mut device = Device { mtu: link.mtu.into(), ..Device::default() };
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = seed;
        let mut interface = Interface::new(config, &mut device, instant(now));
        interface.update_ip_addrs(|addresses| {
            // It has room for one, and this is the first.
            let _room = addresses.push(IpCidr::new(address(end).into(), 24));
        });
        let mut sockets = SocketSet::new(Vec::with_capacity(1));
        let socket = sockets.add(socket);
        Self { device, interface, sockets, socket }
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
    pub(super) fn ingress(&mut self, now: Micros, packet: Vec<u8>) {
        self.device.arrived = Some(packet);
        self.interface.poll_ingress_single(instant(now), &mut self.device, &mut self.sockets);
    }

    pub(super) fn egress(&mut self, now: Micros) -> Option<Vec<u8>> {
        if self.device.sent.is_empty() {
            self.interface.poll_egress(instant(now), &mut self.device, &mut self.sockets);
        }
        self.device.sent.pop_front()
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

#[derive(Default)]
struct Device {
    mtu: usize,
    arrived: Option<Vec<u8>>,
    sent: VecDeque<Vec<u8>>,
}

impl phy::Device for Device {
    type RxToken<'a> = Received;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, _now: Instant) -> Option<(Received, Sending<'_>)> {
        let packet = self.arrived.take()?;
        Some((Received(packet), Sending(&mut self.sent)))
    }

    fn transmit(&mut self, _now: Instant) -> Option<Sending<'_>> {
        Some(Sending(&mut self.sent))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = self.mtu;
        capabilities
    }
}

struct Received(Vec<u8>);

impl phy::RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, take: F) -> R {
        take(&self.0)
    }
}

struct Sending<'a>(&'a mut VecDeque<Vec<u8>>);

impl phy::TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, fill: F) -> R {
        let mut packet = vec![0; length];
        let result = fill(&mut packet);
        self.0.push_back(packet);
        result
    }
}
