//! The files of the page, embedded in the binary.
//!
//! `cargo xtask` builds them into `server/site`, which packages contain and git does not. Every file has compressed siblings (`.br`, `.gz`). The name
//! of every file but the document contains a hash of its content.

use axum::http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY,
};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{AppendHeaders, IntoResponse, Response};
use rust_embed::Embed;

const DOCUMENT: &str = "index.html";
/// A file with a hash in its name never changes: cached for a year, the longest time in RFC 9111.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// The document is checked each time, or a new version would not be noticed.
const ASK_FIRST: &str = "no-cache";

const NO_PAGE: &str = "\
This streamgram was built without its page. In its source folder,

    cargo xtask run     builds the page and serves it
    cargo xtask dist    builds a release binary with the page inside

The TCP and UDP servers, /ws and /api/info work as they are.
";

#[derive(Embed)]
#[folder = "site"]
struct Site;

/// Every other path is a file of the page.
pub(crate) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        let allowed = [(ALLOW, "GET, HEAD")];
        return (StatusCode::METHOD_NOT_ALLOWED, allowed, "only GET and HEAD\n").into_response();
    }
    let path = uri.path().trim_start_matches('/');
    let path = if path.is_empty() { DOCUMENT } else { path };
    let known = content_type(path).filter(|_| Site::get(path).is_some());
    match known {
        Some(content_type) => file(path, content_type, &headers),
        None if path == DOCUMENT => (StatusCode::SERVICE_UNAVAILABLE, NO_PAGE).into_response(),
        None => (StatusCode::NOT_FOUND, "there is nothing here\n").into_response(),
    }
}

fn file(path: &str, content_type: &'static str, headers: &HeaderMap) -> Response {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    let caching = if path == DOCUMENT { ASK_FIRST } else { FOR_EVER };
    let head = [(CONTENT_TYPE, content_type), (CACHE_CONTROL, caching), (VARY, "accept-encoding")];
    for (encoding, suffix) in encodings(accepted.unwrap_or_default()) {
        if let Some(file) = Site::get(&format!("{path}{suffix}")) {
            let encoded = encoding.map(|encoding| AppendHeaders([(CONTENT_ENCODING, encoding)]));
            return (head, encoded, file.data).into_response();
        }
    }
    StatusCode::NOT_FOUND.into_response()
}

/// The encodings that a client takes, best first, and how the file's name ends in each.
fn encodings(accepted: &str) -> impl Iterator<Item = (Option<&'static str>, &'static str)> {
    let takes = |name: &str| {
        accepted.split(',').any(|offer| {
            let mut parts = offer.split(';').map(str::trim);
            parts.next() == Some(name) && parts.all(|quality| quality != "q=0")
        })
    };
    let br = takes("br").then_some((Some("br"), ".br"));
    let gzip = takes("gzip").then_some((Some("gzip"), ".gz"));
    br.into_iter().chain(gzip).chain([(None, "")])
}

fn content_type(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "json" => "application/json",
        _ => return None,
    })
}
