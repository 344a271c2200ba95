//! What a browser gets over HTTP: the API, the page if the binary has one, and nothing else.

use serde_json::Value;
use streamgram_protocol::Limits;
use streamgram_tests::{Server, get, request};

#[tokio::test]
async fn info_tells_version_addresses_and_limits() {
    // Where the operator looks is nobody else's business.
    let server = Server::start_with(&["--admin=127.0.0.1:0"]);
    let response = get(server.http, "/api/info").await;
    assert_eq!((response.status, response.header("content-type")), (200, Some("application/json")));
    let info: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(info["version"], env!("CARGO_PKG_VERSION"));
    for (name, address) in [("http", server.http), ("tcp", server.tcp), ("udp", server.udp)] {
        assert_eq!(info[name], address.to_string());
    }
    assert_eq!(info["admin"], Value::Null);
    assert_eq!(info["limits"], serde_json::to_value(Limits::default()).unwrap());
}

#[tokio::test]
async fn health_is_200_while_everything_serves() {
    let server = Server::start();
    let response = get(server.http, "/healthz").await;
    assert_eq!((response.status, response.text()), (200, "ok\n"));
}

#[tokio::test]
async fn what_is_not_there_is_404_wherever_the_path_leads() {
    let server = Server::start();
    for path in [
        "/nothing",
        "/api",
        "/api/",
        "/api/info/",
        "/index.html/",
        "/..%2fCargo.toml",
        "/../Cargo.toml",
        "/../../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "/..%5cCargo.toml",
        "//etc/passwd",
        "/%00",
        "/index.html%00",
        "/index.html.br",
        "/.gitignore",
    ] {
        let response = get(server.http, path).await;
        assert_eq!(response.status, 404, "{path}");
        assert!(!response.text().contains("[package]") && !response.text().contains("root:"));
    }
}

#[tokio::test]
async fn only_get_and_head_are_allowed() {
    let server = Server::start();
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        for path in ["/", "/nothing", "/api/info", "/healthz"] {
            let response = request(server.http, method, path, "content-length: 0\r\n").await;
            assert_eq!(response.status, 405, "{method} {path}");
            assert!(response.header("allow").is_some_and(|allow| allow.contains("GET")));
        }
    }
}

#[tokio::test]
async fn head_tells_what_get_would_and_sends_no_content() {
    let server = Server::start();
    for path in ["/", "/api/info", "/healthz"] {
        let (whole, head) =
            (get(server.http, path).await, request(server.http, "HEAD", path, "").await);
        assert_eq!((whole.status, head.body.len()), (head.status, 0), "{path}");
        assert_eq!(whole.header("content-type"), head.header("content-type"), "{path}");
    }
}

#[tokio::test]
async fn a_plain_request_for_the_websocket_is_a_clients_mistake() {
    let server = Server::start();
    let status = get(server.http, "/ws").await.status;
    assert!((400..500).contains(&status), "{status}");
}

/// The document as it is, if the binary has a page.
async fn document(server: &Server) -> Option<String> {
    let response = get(server.http, "/").await;
    if response.status == 503 {
        assert!(response.text().contains("cargo xtask run"), "{}", response.text());
        return None;
    }
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(response.header("cache-control"), Some("no-cache"));
    assert_eq!(response.header("content-encoding"), None);
    Some(response.text().to_owned())
}

/// The files that a document names: every quoted word that looks like one.
fn files_in(document: &str) -> Vec<String> {
    let mut files: Vec<_> = document
        .split(['"', '\''])
        .map(|quoted| quoted.trim_start_matches('.').trim_start_matches('/'))
        .filter(|name| name.rsplit_once('.').is_some_and(|(_, end)| content_type(end).is_some()))
        .filter(|name| !name.contains([' ', ':', '\n']))
        .map(|name| format!("/{name}"))
        .collect();
    files.sort_unstable();
    files.dedup();
    files
}

fn content_type(end: &str) -> Option<&'static str> {
    Some(match end {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        _ => return None,
    })
}

#[tokio::test]
async fn the_document_is_the_page_or_says_how_to_build_it() {
    let server = Server::start();
    if let Some(document) = document(&server).await {
        assert!(document.to_lowercase().starts_with("<!doctype html>"), "{document}");
        assert_eq!(get(server.http, "/index.html").await.text(), document);
    }
}

#[tokio::test]
async fn a_proxy_may_show_the_page_in_a_folder() {
    let server = Server::start();
    let Some(document) = document(&server).await else { return };
    // What begins with a slash would lead out of the folder.
    let mut texts = vec![document.clone()];
    for script in files_in(&document).iter().filter(|file| file.starts_with("/start-")) {
        texts.push(get(server.http, script).await.text().to_owned());
    }
    assert_eq!(texts.len(), 2, "the document and the script that starts the page");
    for text in texts {
        assert!(!["\"/", "'/"].iter().any(|outside| text.contains(outside)), "{text}");
    }
}

#[tokio::test]
async fn the_document_comes_in_the_best_encoding_that_the_client_takes() {
    let server = Server::start();
    let Some(document) = document(&server).await else { return };
    for (accepted, encoding) in [
        ("gzip, deflate, br, zstd", Some("br")),
        ("br;q=0, gzip", Some("gzip")),
        ("gzip;q=0.5", Some("gzip")),
        ("deflate", None),
        ("identity", None),
        ("gzip;q=0, br;q=0", None),
    ] {
        let header = format!("accept-encoding: {accepted}\r\n");
        let response = request(server.http, "GET", "/", &header).await;
        assert_eq!((response.status, response.header("content-encoding")), (200, encoding));
        assert_eq!(response.header("vary"), Some("accept-encoding"));
        assert_eq!(response.header("content-type"), Some("text/html; charset=utf-8"));
        match encoding {
            None => assert_eq!(response.text(), document),
            Some(_) => assert!(response.body.len() < document.len(), "{accepted}"),
        }
        if encoding == Some("gzip") {
            assert!(response.body.starts_with(&[0x1f, 0x8b]), "RFC 1952");
        }
    }
}

#[tokio::test]
async fn the_pages_files_are_found_and_may_be_kept_for_ever() {
    let server = Server::start();
    let Some(document) = document(&server).await else { return };
    let files = files_in(&document);
    for end in [".css", ".js", ".wasm"] {
        assert!(files.iter().any(|file| file.ends_with(end)), "no {end} in {files:?}");
    }
    for file in files {
        let response = get(server.http, &file).await;
        let kind = file.rsplit_once('.').and_then(|(_, end)| content_type(end));
        assert_eq!((response.status, response.header("content-type")), (200, kind), "{file}");
        let caching = response.header("cache-control").unwrap();
        assert!(caching.contains("immutable") && caching.contains("max-age=31536000"), "{file}");
        let small = request(server.http, "GET", &file, "accept-encoding: br\r\n").await;
        assert_eq!(small.header("content-encoding"), Some("br"), "{file}");
        assert!(small.body.len() < response.body.len(), "{file}");
        if file.ends_with(".wasm") {
            assert!(response.body.starts_with(b"\0asm"), "{file}");
        }
    }
}
