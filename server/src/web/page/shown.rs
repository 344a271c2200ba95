//! The addresses that are shown to a visitor: those at which this visitor reaches the servers.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::lan;
use crate::web::http::visitor::{Visitor, Way};

/// Where a visitor reaches a listener, as HOST:PORT.
///
/// A listener of one address is there. One of every address is reached by the name or the address by which the
/// visitor came. Behind a proxy that is the proxy's, which need not lead to this port.
pub(crate) fn shown(listening: SocketAddr, visitor: &Visitor) -> String {
    if !listening.ip().is_unspecified() {
        return listening.to_string();
    }
    match visitor.way() {
        Way::Name(name) => format!("{name}:{}", listening.port()),
        Way::Address(address) => {
            SocketAddr::new(of_family(listening, address), listening.port()).to_string()
        }
    }
}

/// The page itself: what the visitor asked for has led here.
pub(crate) fn page(listening: SocketAddr, visitor: &Visitor) -> String {
    match (visitor.way(), &visitor.host) {
        (Way::Name(_), Some(host)) => host.to_string(),
        _ => shown(listening, visitor),
    }
}

/// The same address, or another one of this machine if a listener of IPv4 does not listen there.
fn of_family(listening: SocketAddr, address: IpAddr) -> IpAddr {
    if listening.is_ipv6() || address.is_ipv4() {
        address
    } else if address.is_loopback() {
        Ipv4Addr::LOCALHOST.into()
    } else {
        lan::interfaces(listening).first().copied().unwrap_or(listening.ip())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitor(host: &str, local: &str) -> Visitor {
        let local = local.parse().unwrap();
        Visitor { address: local, machine: None, host: host.parse().ok(), local }
    }

    #[test]
    fn a_listener_of_one_address_is_there_and_one_of_all_is_where_the_visitor_came() {
        let at = |listening: &str, host: &str, local: &str| {
            shown(listening.parse().unwrap(), &visitor(host, local))
        };
        for (listening, host, local, expected) in [
            ("10.0.0.2:7", "lab.example", "192.0.2.1", "10.0.0.2:7"),
            ("[fe80::7%3]:7", "127.0.0.1:8000", "127.0.0.1", "[fe80::7%3]:7"),
            ("0.0.0.0:7", "192.0.2.1:8000", "192.0.2.1", "192.0.2.1:7"),
            ("0.0.0.0:7", "lab.example", "192.0.2.1", "lab.example:7"),
            ("0.0.0.0:7", "localhost:8000", "127.0.0.1", "127.0.0.1:7"),
            ("0.0.0.0:7", "localhost:8000", "::1", "127.0.0.1:7"),
            ("[::]:7", "localhost:8000", "::1", "[::1]:7"),
            ("[::]:7", "[2001:db8::1]:8000", "2001:db8::1", "[2001:db8::1]:7"),
            ("[::]:7", "192.0.2.1:8000", "192.0.2.1", "192.0.2.1:7"),
        ] {
            assert_eq!(at(listening, host, local), expected, "{listening} {host}");
        }
    }

    #[test]
    fn the_page_is_where_it_was_asked_for() {
        let at = |host, local| page("0.0.0.0:8000".parse().unwrap(), &visitor(host, local));
        assert_eq!(at("lab.example", "10.0.0.1"), "lab.example");
        assert_eq!(at("192.0.2.1:8000", "192.0.2.1"), "192.0.2.1:8000");
    }
}
