//! The host names that this server answers to.
//!
//! A hostile page can point its own name to this address after it was loaded (DNS rebinding). Then the
//! browser treats our responses as that page's own. The host in the request shows it.

use std::net::IpAddr;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Uri, Version};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use streamgram_protocol::printable;

use crate::guard::refusals::Refusal;
use crate::web::state::Web;

/// The longest name of DNS (RFC 1035, section 2.3.4), a colon and a port.
const MAX_HOST_BYTES: usize = 255 + 6;

/// Refuses requests for other hosts.
///
/// A request of HTTP/1.0 without a host is served: it need not have one, and browsers always send one.
pub(crate) async fn check(State(web): State<Web>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let is_complete = request.version() == Version::HTTP_10 || headers.contains_key(HOST);
    let refused = match authority(request.uri(), headers).ok().filter(|_| is_complete) {
        Some(None) => None,
        Some(Some(authority)) if is_ours(authority.host(), &web.http_limits.hosts) => None,
        Some(Some(authority)) => {
            let detail = format!(
                "this server does not answer to {}; if it is to, start it with --host NAME\n",
                printable(authority.host().as_bytes())
            );
            Some((StatusCode::MISDIRECTED_REQUEST, detail))
        }
        None => Some((StatusCode::BAD_REQUEST, "one Host header with a host is needed\n".into())),
    };
    match refused {
        None => next.run(request).await,
        Some(refused) => {
            web.refusals.count(Refusal::HttpHost, Instant::now(), refused.1.trim_end());
            refused.into_response()
        }
    }
}

/// More than one host, or text that is not a host.
pub(crate) struct NotAHost;

/// The host and port of a request. If its target names one, that decides, and not the header (RFC 9112, section
/// 3.2.2).
pub(crate) fn authority(uri: &Uri, headers: &HeaderMap) -> Result<Option<Authority>, NotAHost> {
    let mut hosts = headers.get_all(HOST).into_iter();
    let (host, another) = (hosts.next(), hosts.next());
    if another.is_some() {
        return Err(NotAHost);
    }
    let host = host.map(|host| host_and_port(host.as_bytes())).transpose()?;
    let target = uri.authority().map(|target| host_and_port(target.as_str().as_bytes()));
    Ok(target.transpose()?.or(host))
}

/// A host, an optional port, and no user before them.
pub(crate) fn host_and_port(text: &[u8]) -> Result<Authority, NotAHost> {
    let authority = Authority::try_from(text).map_err(|_invalid| NotAHost)?;
    let rest = authority.as_str().strip_prefix(authority.host()).ok_or(NotAHost)?;
    let is_host = rest.is_empty() || rest.starts_with(':') && authority.port_u16().is_some();
    (is_host && text.len() <= MAX_HOST_BYTES).then_some(authority).ok_or(NotAHost)
}

fn is_ours(host: &str, names: &[String]) -> bool {
    address(host).is_some() || is_localhost(host) || names.contains(&plain(host))
}

/// The address that a host is, if it is not a name.
pub(crate) fn address(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    bare.unwrap_or(host).parse().ok()
}

/// Whether a name is one of everybody's own machine (RFC 6761, section 6.3).
pub(crate) fn is_localhost(host: &str) -> bool {
    let name = plain(host);
    name == "localhost" || name.ends_with(".localhost")
}

/// A name as it is compared. A dot at the end is the root of all names.
fn plain(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn is_served(host: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.append(HOST, HeaderValue::from_bytes(host.as_bytes()).unwrap());
        let names = ["lab.example".to_owned()];
        authority(&Uri::default(), &headers)
            .is_ok_and(|host| host.is_some_and(|host| is_ours(host.host(), &names)))
    }

    #[test]
    fn addresses_localhost_and_names_that_were_given_are_ours() {
        let addresses = ["127.0.0.1:8000", "[::1]:8000", "192.0.2.7"];
        let names = ["localhost", "LocalHost:1", "localhost.", "x.localhost", "Lab.Example.:8000"];
        for host in addresses.into_iter().chain(names) {
            assert!(is_served(host), "{host}");
        }
    }

    #[test]
    fn nothing_else_is() {
        for host in [
            "rebind.example",
            "lab.example.evil",
            "localhost.evil",
            "evillocalhost",
            "lab.example..",
            "127.0.0.1.evil",
            "[::1].evil",
            "",
            "a@127.0.0.1",
            "127.0.0.1 evil",
            "127.0.0.1:8000:1",
            "127.0.0.1:port",
            "[lab.example]",
        ] {
            assert!(!is_served(host), "{host}");
        }
    }
}
