//! The address of the client of a request, also behind a proxy.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Header fields that proxies add (RFC 7239; RFC 9110, section 7.6.3; and by custom).
const OF_A_PROXY: [HeaderName; 6] = [
    FORWARDED_FOR,
    HeaderName::from_static("forwarded"),
    HeaderName::from_static("via"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-real-ip"),
];

/// The address of the client behind `peer`.
///
/// Every proxy adds the address of its own peer at the end of `X-Forwarded-For`. So the list is read from
/// the end, as long as the proxy that wrote an entry is trusted. Earlier entries can be forged, and so can what
/// stands before something that is no address.
pub(crate) fn client_address(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let is_believed = |address: IpAddr| proxies.iter().any(|network| network.contains(&address));
    let lines: Vec<_> = headers.get_all(FORWARDED_FOR).into_iter().collect();
    let mut heard_from = lines
        .iter()
        .rev()
        .flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','))
        .map_while(|entry| str::from_utf8(entry).ok()?.trim().parse::<IpAddr>().ok());
    let mut client = peer.to_canonical();
    while is_believed(client) {
        let Some(before) = heard_from.next() else { break };
        client = before.to_canonical();
    }
    client
}

/// The same address, if it is the client's own. The address of a proxy, trusted or not, is shared by all
/// clients behind it, and on this machine it would be a loopback address. A loopback address that a proxy
/// reports is one of the proxy's machine, which need not be this one.
pub(crate) fn own_address(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> Option<IpAddr> {
    let is_believed = |address: &IpAddr| proxies.iter().any(|network| network.contains(address));
    let was_passed_on = OF_A_PROXY.iter().any(|name| headers.contains_key(name));
    if was_passed_on && !is_believed(&peer.to_canonical()) {
        return None;
    }
    Some(client_address(peer, headers, proxies)).filter(|client| {
        !is_believed(client) && (!client.is_loopback() || peer.to_canonical().is_loopback())
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn proxies() -> [IpNet; 2] {
        ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]
    }

    fn headers(forwarded: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        headers
    }

    fn client(peer: &str, forwarded: &[&'static str]) -> String {
        client_address(peer.parse().unwrap(), &headers(forwarded), &proxies()).to_string()
    }

    #[test]
    fn the_address_of_a_proxy_is_nobodys_own() {
        let own = |peer: &str, headers: &HeaderMap| {
            own_address(peer.parse().unwrap(), headers, &proxies()).map(|own| own.to_string())
        };
        assert_eq!(own("192.0.2.1", &headers(&[])).as_deref(), Some("192.0.2.1"));
        assert_eq!(own("::ffff:192.0.2.1", &headers(&[])).as_deref(), Some("192.0.2.1"));
        assert_eq!(own("10.0.0.1", &headers(&["198.51.100.1"])).as_deref(), Some("198.51.100.1"));
        assert_eq!(own("10.0.0.1", &headers(&[])), None);
        assert_eq!(own("10.0.0.1", &headers(&["127.0.0.1"])), None);
        assert_eq!(own("127.0.0.1", &headers(&["198.51.100.1"])), None);
        for name in OF_A_PROXY {
            let passed_on = HeaderMap::from_iter([(name, "1.1 x".parse().unwrap())]);
            assert_eq!(own("127.0.0.1", &passed_on), None);
        }
    }

    #[test]
    fn only_a_proxy_is_believed() {
        assert_eq!(client("192.0.2.1", &["198.51.100.1"]), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("::ffff:10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("fd00::1", &["2001:db8::1"]), "2001:db8::1");
    }

    #[test]
    fn what_the_client_wrote_itself_is_not_read() {
        assert_eq!(client("10.0.0.1", &["1.1.1.1, 198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["1.1.1.1", "198.51.100.1, 10.0.0.2"]), "198.51.100.1");
    }

    #[test]
    fn without_an_address_to_read_it_is_the_last_one_known() {
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["nonsense"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.1, nonsense, 10.0.0.2"]), "10.0.0.2");
        for nonsense in ["198.51.100.2:80", "unknown", "", "caf\u{e9}"] {
            let lines = ["198.51.100.1", nonsense, "10.0.0.2"].map(|line| line.as_bytes());
            let lines = lines.map(|line| (FORWARDED_FOR, HeaderValue::from_bytes(line).unwrap()));
            let mut headers = HeaderMap::new();
            headers.extend(lines.map(|(name, line)| (Some(name), line)));
            let address = client_address([10, 0, 0, 1].into(), &headers, &proxies());
            assert_eq!(address.to_string(), "10.0.0.2", "{nonsense}");
        }
    }
}
