//! The addresses at which other machines can open the page.
//!
//! Only a browser on this machine gets them that knows the page by a loopback address. Strangers should not
//! learn the addresses of a private network.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use crate::observe::Machine;
use crate::web::http::visitor::{Visitor, Way};

/// An address for documentation (RFC 5737), which is in no network.
const ELSEWHERE: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 1), 9);

/// The page's addresses in the network as URLs, the likeliest first. None if it listens on loopback only,
/// or if the visitor is not on this machine.
pub(crate) fn addresses(listening: SocketAddr, visitor: &Visitor) -> Vec<String> {
    let is_here = visitor.machine == Some(Machine::Loopback);
    let knows_no_better = matches!(visitor.way(), Way::Address(address) if address.is_loopback());
    if !is_here || !knows_no_better || listening.ip().is_loopback() {
        return Vec::new();
    }
    let ips =
        if listening.ip().is_unspecified() { interfaces(listening) } else { vec![listening.ip()] };
    ips.into_iter().map(|ip| format!("http://{}/", SocketAddr::new(ip, listening.port()))).collect()
}

/// The addresses of this machine's interfaces; none if the system does not say.
pub(super) fn interfaces(listening: SocketAddr) -> Vec<IpAddr> {
    let there =
        if_addrs::get_if_addrs().unwrap_or_default().into_iter().map(|interface| interface.ip());
    in_order(there, listening.is_ipv6(), on_the_way_out())
}

fn in_order(
    there: impl Iterator<Item = IpAddr>,
    with_v6: bool,
    first: Option<IpAddr>,
) -> Vec<IpAddr> {
    let mut ips: Vec<_> =
        there.filter(|ip| is_for_others(*ip) && (ip.is_ipv4() || with_v6)).collect();
    ips.sort_by_key(|ip| (Some(*ip) != first, ip.is_ipv6(), *ip));
    ips.dedup();
    ips
}

/// Whether other machines can use an address. Link-local addresses need the name of an interface, which
/// differs from machine to machine.
fn is_for_others(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local() && !ip.is_unspecified(),
        IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unicast_link_local() && !ip.is_unspecified(),
    }
}

/// The address that this machine uses to talk to others, which is not that of a container's bridge. Nothing
/// is sent: a UDP socket only looks up its route.
fn on_the_way_out() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(ELSEWHERE).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_on_the_way_out_comes_first_and_what_nobody_else_can_use_not_at_all() {
        let there = [
            "127.0.0.1",
            "172.17.0.1",
            "169.254.1.1",
            "fe80::1",
            "2001:db8::1",
            "::1",
            "192.168.1.5",
        ];
        let there = || there.into_iter().map(|ip| ip.parse().unwrap());
        let shown = |with_v6, first: &str| {
            let ips = in_order(there(), with_v6, first.parse().ok());
            ips.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(shown(false, "192.168.1.5"), ["192.168.1.5", "172.17.0.1"]);
        assert_eq!(shown(true, ""), ["172.17.0.1", "192.168.1.5", "2001:db8::1"]);
    }
}
