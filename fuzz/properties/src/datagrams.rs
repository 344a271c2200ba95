//! Datagrams at the UDP server's filter, from whomever they claim to come.
//!
//! An input is a row of datagrams, each behind a head of eight bytes: what kind of source, two bytes of
//! its address, its port, the milliseconds since the one before, and the payload's length.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use chrono::NaiveDateTime;
use streamgram::config::UdpLimits;
use streamgram::timestamp::udp::rates::Rates;
use streamgram::timestamp::udp::sources;

/// Where the server is.
const OWN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 23_135);
/// So low that a short input comes to them.
const LIMITS: UdpLimits =
    UdpLimits { udp_per_address_per_s: 2, udp_per_network_per_s: 4, udp_per_s: 8 };
/// Seconds' worth of its rate that a source may use at once.
const AT_ONCE_S: u32 = 2;

/// Whom the server answers is somebody who can have asked, and nobody is answered above a rate.
///
/// # Panics
/// It is not, or somebody is.
pub fn udp_datagrams(mut input: &[u8]) {
    let start = Instant::now();
    let (mut rates, mut now) = (Rates::new(&LIMITS, start), start);
    let mut answered = HashMap::new();
    while let Some(([kind, a, b, high, low, ms_high, ms_low, length], rest)) =
        input.split_first_chunk()
    {
        let (payload, rest) = rest.split_at(rest.len().min((*length).into()));
        input = rest;
        now += Duration::from_millis(u16::from_be_bytes([*ms_high, *ms_low]).into());
        let peer = SocketAddr::new(address(*kind, *a, *b), u16::from_be_bytes([*high, *low]));
        if sources::refusal(peer, OWN, payload).is_some() {
            continue;
        }
        can_have_asked(peer, payload);
        if rates.refusal(peer.ip(), now).is_none() {
            for (whom, per_second) in rates_of(peer.ip().to_canonical()) {
                let count: &mut u32 = answered.entry(whom).or_default();
                *count += 1;
                // The part of a second that has begun counts as one.
                let seconds = u32::try_from((now - start).as_secs()).expect("a short input") + 1;
                let most = per_second * (AT_ONCE_S + seconds);
                assert!(*count <= most, "{peer}: {count} in {seconds} s");
            }
        }
    }
}

fn address(kind: u8, a: u8, b: u8) -> IpAddr {
    match kind % 8 {
        0 => Ipv4Addr::new(198, 51, a, b).into(),
        1 => Ipv6Addr::new(0x2001, 0xdb8, 0, a.into(), 0, 0, 0, b.into()).into(),
        2 => Ipv4Addr::new(198, 51, a, b).to_ipv6_mapped().into(),
        3 => Ipv4Addr::new(127, 0, a, b).into(),
        4 => Ipv4Addr::new(a, b, a, b).into(),
        5 => Ipv6Addr::from_bits(u128::from_be_bytes([a; 16])).into(),
        6 => OWN.ip(),
        _ => Ipv4Addr::new(192, 0, 2, 1).to_ipv6_mapped().into(),
    }
}

fn can_have_asked(peer: SocketAddr, payload: &[u8]) {
    let address = peer.ip().to_canonical();
    assert!(peer.port() >= 1_024, "{peer} is a service");
    assert_ne!((address, peer.port()), (OWN.ip(), OWN.port()));
    let is_many = match address {
        IpAddr::V4(address) => address.is_broadcast() || address.is_multicast(),
        IpAddr::V6(address) => address.is_multicast(),
    };
    assert!(!is_many && !address.is_unspecified(), "{address} is not one machine");
    // chrono alone also reads what we would not write: days without a blank before them, signs.
    if let Ok(time) = std::str::from_utf8(payload)
        && let Ok(time_read) = NaiveDateTime::parse_from_str(time, "%a %b %e %T %Y")
    {
        let written = time_read.format("%a %b %e %T %Y").to_string();
        assert_ne!(written, time, "our own reply is answered");
    }
}

/// Whose rates an answer counts against, as text, each with its limit.
fn rates_of(address: IpAddr) -> Vec<(String, u32)> {
    let all = (String::from("all"), LIMITS.udp_per_s);
    let UdpLimits { udp_per_address_per_s: own, udp_per_network_per_s: network, .. } = LIMITS;
    match address {
        _ if address.is_loopback() => vec![all],
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            vec![(v4.to_string(), own), (format!("{a}.{b}.{c}.0/24"), network), all]
        }
        IpAddr::V6(v6) => vec![(format!("{:x?}/64", &v6.segments()[..4]), own), all],
    }
}
