//! Where others can open the page, and the QR code that leads there.

use std::net::SocketAddr;

use serde_json::Value;
use streamgram_protocol::scenario::MAX_QR_LINK;
use streamgram_tests::{Response, Server, raw_request, request, skip};

/// The page's addresses in the network, as this server tells them there.
async fn told(server: SocketAddr) -> Vec<String> {
    told_with(server, "").await
}

/// The same for a request with more header lines.
async fn told_with(server: SocketAddr, headers: &str) -> Vec<String> {
    let info = request(server, "GET", "/api/info", headers).await;
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
async fn behind_a_proxy_that_is_not_trusted_nobody_is_told() {
    let server = Server::start_at("0.0.0.0:0");
    let here: SocketAddr = ([127, 0, 0, 1], server.http.port()).into();
    if told(here).await.is_empty() {
        return skip("it needs a network");
    }
    for passed_on in ["x-forwarded-for: 203.0.113.9", "forwarded: for=203.0.113.9", "via: 1.1 x"] {
        assert_eq!(told_with(here, &format!("{passed_on}\r\n")).await, [""; 0], "{passed_on}");
    }
    // A name is not one that only this machine knows.
    let named = Server::start_on(["0.0.0.0:0"; 3], &["--host=lab.example"]);
    let head = "GET /api/info HTTP/1.1\r\nhost: lab.example\r\nconnection: close\r\n\r\n";
    let info = raw_request(([127, 0, 0, 1], named.http.port()).into(), head.as_bytes()).await;
    assert!(!info.text().contains("\"lan\""), "{}", info.text());
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
        // A proxy may show the page in a folder.
        (&own, format!("http://{own}/class/lab-1/%23v1")),
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
        format!("http://{own}/evil%23v1"),
        format!("http://{own}/evil?/%23v1"),
        format!("http://{own}.evil.example/%23v1"),
    ]) {
        assert_eq!(qr(server.http, &own, &link).await.status, 404, "{link}");
    }
    let link = |length| format!("http://{own}/%23v1&text={}", "x".repeat(length));
    let text = MAX_QR_LINK - link(0).len() + "%23".len() - "#".len();
    assert_eq!(qr(server.http, &own, &link(text)).await.status, 200);
    assert_eq!(qr(server.http, &own, &link(text + 1)).await.status, 414);
}
