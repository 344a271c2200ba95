//! Which sources may be answered: no address that must be forged, and no service that would answer our
//! reply.

use std::net::{IpAddr, SocketAddr};

use streamgram_protocol::CTIME_LEN;

use crate::guard::refusals::Refusal;

/// Ports below this belong to services (RFC 6335): echo, daytime, chargen, DNS, NTP, SNMP. No client sends
/// from one, and many services would answer.
const FIRST_CLIENT_PORT: u16 = 1_024;
/// Services on higher ports that answer anything and are used to flood others: SSDP, NFS, WS-Discovery,
/// SIP, multicast DNS, CoAP, memcached.
const SERVICE_PORTS: [u16; 7] = [1_900, 2_049, 3_702, 5_060, 5_353, 5_683, 11_211];

const WEEKDAYS: [&[u8]; 7] = [b"Sun", b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat"];
const MONTHS: [&[u8]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// Why a datagram from `peer` to the server at `own` is not answered, if it is not.
///
/// The list is from `dg_badinput` in OpenBSD's inetd and from what is known to be used for reflection
/// (US-CERT TA14-017A). The broadcast address of a network cannot be recognised without its mask, but the
/// system refuses to send to it.
#[must_use]
pub fn refusal(peer: SocketAddr, own: SocketAddr, payload: &[u8]) -> Option<Refusal> {
    let (address, port) = (peer.ip().to_canonical(), peer.port());
    if port < FIRST_CLIENT_PORT || SERVICE_PORTS.contains(&port) {
        Some(Refusal::UdpPort)
    } else if !is_one_machine(address) {
        Some(Refusal::UdpAddress)
    } else if port == own.port() && may_be_own(address, own.ip().to_canonical()) {
        Some(Refusal::UdpOwn)
    } else if is_reply(payload) {
        Some(Refusal::UdpReply)
    } else {
        None
    }
}

/// Whether it can be the address of a single sender (RFC 6890).
fn is_one_machine(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, ..] = address.octets();
            // Not "this network", not multicast, not the reserved range that ends with broadcast.
            first != 0 && first < 224
        }
        IpAddr::V6(address) => !address.is_unspecified() && !address.is_multicast(),
    }
}

/// Whether a sender with our port can be this server. A server that listens on every address does not
/// know which are its own, so then no address may send from its port.
fn may_be_own(address: IpAddr, own: IpAddr) -> bool {
    own.is_unspecified() || address == own || own.is_loopback() && address.is_loopback()
}

/// Whether it is a reply of a server like this one: two of them would answer each other for ever.
fn is_reply(payload: &[u8]) -> bool {
    let text = payload.trim_ascii_end();
    let text = text.strip_suffix(b"\0").unwrap_or(text);
    <&[u8; CTIME_LEN]>::try_from(text).is_ok_and(is_ctime)
}

/// Whether it is a time as a server like this one writes it.
#[must_use]
pub fn is_ctime(text: &[u8; CTIME_LEN]) -> bool {
    let shape = text.iter().zip(b"Xxx Xxx 00 00:00:00 0000").all(|(byte, like)| match like {
        b'0' => byte.is_ascii_digit() || *byte == b' ',
        b'X' | b'x' => true,
        _ => byte == like,
    });
    shape && WEEKDAYS.contains(&&text[..3]) && MONTHS.contains(&&text[4..7])
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    const OWN: &str = "192.0.2.1:23135";

    fn of(peer: &str, payload: &[u8]) -> Option<Refusal> {
        refusal(peer.parse().unwrap(), OWN.parse().unwrap(), payload)
    }

    #[test]
    fn an_ordinary_client_is_answered() {
        for peer in ["198.51.100.1:40000", "127.0.0.1:1024", "[2001:db8::1]:65535"] {
            assert_eq!(of(peer, b"hello"), None);
            assert_eq!(of(peer, b""), None);
        }
    }

    #[test]
    fn services_are_not() {
        let ports = [0, 7, 13, 17, 19, 37, 53, 69, 123, 161, 389, 1_023, 1_900, 2_049, 11_211];
        for port in ports {
            assert_eq!(of(&format!("198.51.100.1:{port}"), b""), Some(Refusal::UdpPort), "{port}");
        }
    }

    #[test]
    fn addresses_of_many_or_of_nobody_are_not() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "[::]",
            "[ff02::1]",
            "[::ffff:224.0.0.1]",
        ] {
            let peer = format!("{address}:40000");
            assert_eq!(of(&peer, b""), Some(Refusal::UdpAddress), "{address}");
        }
    }

    #[test]
    fn the_server_itself_is_not() {
        assert_eq!(of("192.0.2.1:23135", b""), Some(Refusal::UdpOwn));
        assert_eq!(of("[::ffff:192.0.2.1]:23135", b""), Some(Refusal::UdpOwn));
        assert_eq!(of("192.0.2.1:23136", b""), None);
        assert_eq!(of("192.0.2.2:23135", b""), None);
        let at = |own: &str, peer: &str| refusal(peer.parse().unwrap(), own.parse().unwrap(), b"");
        assert_eq!(at("0.0.0.0:23135", "192.0.2.2:23135"), Some(Refusal::UdpOwn));
        assert_eq!(at("[::]:23135", "127.0.0.1:23135"), Some(Refusal::UdpOwn));
        assert_eq!(at("127.0.0.1:23135", "127.0.0.2:23135"), Some(Refusal::UdpOwn));
    }

    #[test]
    fn a_reply_is_not() {
        let peer = "198.51.100.1:40000";
        for reply in
            ["Mon Nov 23 05:52:57 2026", "Thu Jan  1 00:00:00 1970", "Sun Jan  2 00:00:00 0000\r\n"]
        {
            assert_eq!(of(peer, reply.as_bytes()), Some(Refusal::UdpReply), "{reply}");
        }
        assert_eq!(of(peer, b"Mon Nov 23 05:52:57 2026\0"), Some(Refusal::UdpReply));
        for other in [
            "Mon Nov 23 05:52:57 202",
            "Mon Now 23 05:52:57 2026",
            "Mon Nov 23 05-52-57 2026",
            "it is Mon Nov 23 05:52:57 2026",
        ] {
            assert_eq!(of(peer, other.as_bytes()), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_there_is_a_verdict(
            address: [u8; 16], port: u16, is_v4: bool, payload: Vec<u8>,
        ) {
            let [a, b, c, d, ..] = address;
            let address = if is_v4 { Ipv4Addr::new(a, b, c, d).into() } else { IpAddr::from(address) };
            let verdict = refusal((address, port).into(), OWN.parse().unwrap(), &payload);
            if port < 1_024 || address.is_multicast() || address.is_unspecified() {
                prop_assert!(verdict.is_some());
            }
        }
    }
}
