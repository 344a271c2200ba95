//! Where others can open the page, and the QR code that leads there.

use std::net::SocketAddr;

use serde_json::Value;
use streamgram_protocol::scenario::MAX_QR_LINK;
use streamgram_tests::{Response, Server, get, raw_request};

/// The page's addresses in the network, as this server tells them there.
async fn told(server: SocketAddr) -> Vec<String> {
    let info = get(server, "/api/info").await;
    let info: Value = serde_json::from_slice(&info.body).expect("JSON");
    let lan = info["lan"].as_array().cloned().unwrap_or_default();
    lan.iter().map(|address| address.as_str().expect("an address").to_owned()).collect()
}

async fn qr(server: SocketAddr, host: &str, link: &str) -> Response {
    let head =
        format!("GET /api/qr.svg?{link} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    raw_request(server, head.as_bytes()).await
}

#[tokio::test]
async fn where_others_can_open_the_page_is_told_on_its_own_machine_alone() {
    let server = Server::start_at("0.0.0.0:0");
    let port = server.http.port();
    // A machine without a network has none.
    for address in told(([127, 0, 0, 1], port).into()).await {
        let at = address.strip_prefix("http://").and_then(|it| it.strip_suffix('/')).unwrap();
        let at: SocketAddr = at.parse().unwrap();
        assert!(!at.ip().is_loopback() && at.port() == port, "{at}");
        // From that address somebody else asks, as far as the server can tell.
        assert_eq!(told(at).await, [""; 0]);
    }
}

#[tokio::test]
async fn a_page_on_loopback_has_no_address_for_others() {
    assert_eq!(told(Server::start().http).await, [""; 0]);
}

#[tokio::test]
async fn a_qr_code_leads_to_this_page_and_nowhere_else() {
    let server = Server::start();
    let own = server.http.to_string();
    for (host, link) in [
        (own.as_str(), format!("http://{own}/")),
        (&own, format!("https://{own}/%23v1&text=hello%20%7Bn%7D&count=20")),
        ("localhost:8000", "http://localhost:8000/%23v1".into()),
        // What is no scenario is left out.
        (&own, format!("http://{own}/%23javascript:alert(1)")),
    ] {
        let response = qr(server.http, host, &link).await;
        assert_eq!(
            (response.status, response.header("content-type")),
            (200, Some("image/svg+xml"))
        );
        assert!(response.text().starts_with("<svg xmlns="), "{}", response.text());
    }
    let foreign = ["", "http://evil.example/", "javascript:alert(1)", "http://192.0.2.9/%23v1"];
    for link in foreign.map(str::to_owned).into_iter().chain([
        own.clone(),
        format!("ftp://{own}/"),
        format!("http://{own}"),
        format!("http://{own}@evil.example/"),
        format!("http://{own}/evil/%23v1"),
    ]) {
        assert_eq!(qr(server.http, &own, &link).await.status, 404, "{link}");
    }
    let link = |length| format!("http://{own}/%23v1&text={}", "x".repeat(length));
    let text = MAX_QR_LINK - link(0).len() + "%23".len() - "#".len();
    assert_eq!(qr(server.http, &own, &link(text)).await.status, 200);
    assert_eq!(qr(server.http, &own, &link(text + 1)).await.status, 414);
}
