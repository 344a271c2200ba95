//! Where somebody comes from, as far as an address tells.

use std::net::IpAddr;

/// Where a client or a visitor of the page comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Machine {
    /// The server's own machine, over loopback.
    Loopback,
    /// The server's own machine, over another of its addresses.
    This,
    /// Another machine, by its address. Behind NAT or a container's proxy that can be many.
    At(IpAddr),
}

impl Machine {
    /// The machine of a `peer` that talks to our address `local`. If the two are the same address, it is this
    /// one: that is what systems choose for a client of their own, and no other machine can have it.
    #[must_use]
    pub fn of(peer: IpAddr, local: IpAddr) -> Self {
        let [peer, local] = [peer, local].map(|address| address.to_canonical());
        if peer.is_loopback() {
            Self::Loopback
        } else if peer == local {
            Self::This
        } else {
            Self::At(peer)
        }
    }

    /// Equal for all addresses of this machine: a page that was opened at 127.0.0.1 and a client that connects to
    /// `::1`, or to the address in the network, are one visitor's.
    pub(super) fn whole(self) -> Self {
        if self == Self::Loopback { Self::This } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_of_this_machine_are_one() {
        let of =
            |peer: &str, local: &str| Machine::of(peer.parse().unwrap(), local.parse().unwrap());
        for (peer, local, machine) in [
            ("127.0.0.1", "127.0.0.1", Machine::Loopback),
            ("127.0.0.2", "127.0.0.1", Machine::Loopback),
            ("::1", "::1", Machine::Loopback),
            ("::ffff:127.0.0.1", "::ffff:127.0.0.1", Machine::Loopback),
            ("192.0.2.1", "192.0.2.1", Machine::This),
            ("::ffff:192.0.2.1", "192.0.2.1", Machine::This),
            ("2001:db8::1", "2001:db8::1", Machine::This),
        ] {
            assert_eq!(
                (of(peer, local), of(peer, local).whole()),
                (machine, Machine::This),
                "{peer}"
            );
        }
        let elsewhere = Machine::At([192, 0, 2, 2].into());
        assert_eq!(of("192.0.2.2", "192.0.2.1"), elsewhere);
        assert_eq!(of("::ffff:192.0.2.2", "::ffff:192.0.2.1"), elsewhere.whole());
        assert_ne!(of("2001:db8::2", "2001:db8::1"), of("2001:db8::3", "2001:db8::1"));
    }
}
