//! Which pages may open a session.
//!
//! The same-origin policy does not cover WebSockets: any page that somebody visits can open one to this
//! server (RFC 6455, section 10.2). But the browser says which page it was.

use axum::http::header::ORIGIN;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue};

use crate::config::HttpLimits;
use crate::web::http::host::host_and_port;

/// Whether a request to `host` for a session comes from the page itself, from an allowed origin, or from no
/// page at all.
pub(crate) fn is_allowed(
    headers: &HeaderMap,
    host: Option<&Authority>,
    limits: &HttpLimits,
) -> bool {
    let mut origins = headers.get_all(ORIGIN).into_iter();
    let Some(origin) = origins.next() else { return !limits.require_origin };
    if origins.next().is_some() {
        return false;
    }
    limits.origins.iter().any(|allowed| origin.as_bytes().eq_ignore_ascii_case(allowed.as_bytes()))
        || host.and_then(|host| is_own(origin, host)).unwrap_or(false)
}

/// Whether the origin has the host and port of the request. The scheme may differ, behind a proxy that
/// speaks TLS.
fn is_own(origin: &HeaderValue, host: &Authority) -> Option<bool> {
    let (scheme, origin) = origin.to_str().ok()?.split_once("://")?;
    let default = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    let port = |authority: &Authority| authority.port_u16().unwrap_or(default);
    let origin = host_and_port(origin.as_bytes()).ok()?;
    Some(origin.host().eq_ignore_ascii_case(host.host()) && port(&origin) == port(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_served(origin: &'static str, host: &'static str) -> bool {
        let limits = HttpLimits { origins: vec!["https://class.example".into()], ..limits() };
        let mut headers = HeaderMap::new();
        headers.append(ORIGIN, HeaderValue::from_static(origin));
        is_allowed(&headers, host.parse().ok().as_ref(), &limits)
    }

    fn limits() -> HttpLimits {
        use clap::Parser;

        use crate::config::{Cli, Command};

        let Command::Serve(serve) = Cli::parse_from(["streamgram"]).command() else { panic!() };
        serve.http_limits
    }

    #[test]
    fn the_page_itself_and_allowed_origins_are_served() {
        assert!(is_served("http://127.0.0.1:8000", "127.0.0.1:8000"));
        assert!(is_served("http://[::1]:8000", "[::1]:8000"));
        assert!(is_served("https://lab.example", "lab.example"));
        assert!(is_served("https://LAB.example", "lab.example:443"));
        assert!(is_served("https://class.example", "127.0.0.1:8000"));
    }

    #[test]
    fn others_are_not() {
        for origin in [
            "http://evil.example",
            "null",
            "",
            "http://127.0.0.1",
            "http://127.0.0.1:8001",
            "http://127.0.0.1:8000.evil.example",
            "http://127.0.0.1:8000@evil.example",
            "ftp://127.0.0.1:8000",
            "127.0.0.1:8000",
        ] {
            assert!(!is_served(origin, "127.0.0.1:8000"), "{origin}");
        }
    }

    #[test]
    fn no_origin_is_no_page_unless_one_is_required() {
        let strict = HttpLimits { require_origin: true, ..limits() };
        let nothing = HeaderMap::new();
        assert!(is_allowed(&nothing, None, &limits()) && !is_allowed(&nothing, None, &strict));
    }
}
