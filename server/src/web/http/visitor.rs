//! Who asks for something, and by which of our names or addresses.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::rejection::ExtensionRejection;
use axum::extract::{Extension, FromRequestParts};
use axum::http::request::Parts;
use axum::http::uri::Authority;

use super::client_address::{client_address, own_address};
use super::host;
use super::listener::Peer;
use crate::observe::Machine;
use crate::web::state::Web;

/// Whoever is at the other end of a request, behind proxies too.
#[derive(Debug)]
pub(crate) struct Visitor {
    /// Its address, to count it and to log it.
    pub(crate) address: IpAddr,
    /// Where it comes from, if no proxy hides that.
    pub(crate) machine: Option<Machine>,
    /// The host and port that it asked for.
    pub(crate) host: Option<Authority>,
    /// The address of ours that the connection ends at, which may be a proxy's.
    pub(crate) local: IpAddr,
}

/// How somebody came to this machine, and can come again, to another port too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way<'a> {
    Address(IpAddr),
    Name(&'a str),
}

impl FromRequestParts<Web> for Visitor {
    type Rejection = ExtensionRejection;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, ExtensionRejection> {
        let Extension(peer) = Extension::<Peer>::from_request_parts(parts, web).await?;
        let (ip, headers, proxies) = (peer.address.ip(), &parts.headers, &web.http_limits.proxies);
        let own = own_address(ip, headers, proxies);
        Ok(Self {
            address: client_address(ip, headers, proxies),
            machine: own.map(|own| Machine::of(own, peer.local)),
            host: host::authority(&parts.uri, headers).ok().flatten(),
            local: peer.local,
        })
    }
}

impl Visitor {
    /// By which name or address it came. It is the one that the visitor used: behind a translation of addresses
    /// (NAT), ours is not known outside.
    pub(crate) fn way(&self) -> Way<'_> {
        way(self.host.as_ref().map(Authority::host), self.local)
    }
}

fn way(host: Option<&str>, local: IpAddr) -> Way<'_> {
    let Some(host) = host else { return Way::Address(local) };
    match host::address(host) {
        // 0.0.0.0 leads to loopback.
        Some(address) if address.is_unspecified() => Way::Address(local),
        Some(address) => Way::Address(address.to_canonical()),
        // A name of both 127.0.0.1 and ::1. The connection has used one of them, unless it was passed on.
        None if host::is_localhost(host) && local.is_loopback() => Way::Address(local),
        None if host::is_localhost(host) => Way::Address(Ipv4Addr::LOCALHOST.into()),
        None => Way::Name(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visitor_comes_again_as_it_came() {
        let by = |host: Option<&'static str>, local: &str| match way(host, local.parse().unwrap()) {
            Way::Address(address) => address.to_string(),
            Way::Name(name) => format!("the name {name}"),
        };
        for (host, local, expected) in [
            ("192.0.2.1", "192.0.2.1", "192.0.2.1"),
            // The address outside of a container, and inside.
            ("192.0.2.1", "172.17.0.2", "192.0.2.1"),
            ("[2001:db8::1]", "2001:db8::1", "2001:db8::1"),
            ("[::ffff:192.0.2.1]", "192.0.2.1", "192.0.2.1"),
            ("0.0.0.0", "127.0.0.1", "127.0.0.1"),
            ("[::]", "::1", "::1"),
            ("localhost", "::1", "::1"),
            ("LocalHost", "127.0.0.1", "127.0.0.1"),
            ("localhost", "172.17.0.2", "127.0.0.1"),
            ("lab.example", "192.0.2.1", "the name lab.example"),
        ] {
            assert_eq!(by(Some(host), local), expected, "{host} {local}");
        }
        assert_eq!(by(None, "192.0.2.1"), "192.0.2.1");
    }
}
