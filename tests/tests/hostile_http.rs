//! HTTP clients that are slow, many, or ask under a false name; and what every answer tells a browser.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use streamgram_tests::{
    Browser, PATIENCE, Response, SOON, Server, Witness, get, raw_request, request, upgrade_request,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

async fn sent(http: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(http).await.expect("the server listens");
    stream.write_all(bytes).await.expect("it takes bytes");
    stream
}

/// Everything up to the end, however the connection ends.
async fn until_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let _end = timeout(PATIENCE, stream.read_to_end(&mut all)).await.expect("it ends");
    all
}

/// What a request gets that names a host.
async fn under(http: SocketAddr, path: &str, hosts: &str) -> Response {
    let request = format!("GET {path} HTTP/1.1\r\n{hosts}connection: close\r\n\r\n");
    raw_request(http, request.as_bytes()).await
}

#[tokio::test]
async fn a_request_that_does_not_come_is_not_waited_for() {
    let server = Server::start_with(&["--http-header-s=1"]);
    let before = server.open_files_at_rest();
    let witness = Witness::of(&server).await;
    let whole = format!("GET /healthz HTTP/1.1\r\nhost: {}\r\n\r\n", server.http);
    let mut silent = TcpStream::connect(server.http).await.unwrap();
    let mut half = sent(server.http, b"GET / HTTP/1.1\r\nhost: loc").await;
    let mut idle = sent(server.http, whole.as_bytes()).await;
    let dribble = async {
        let mut stream = sent(server.http, b"GET / HTTP/1.1\r\n").await;
        let since = Instant::now();
        while stream.write_all(b"x: y\r\n").await.is_ok() {
            assert!(since.elapsed() < PATIENCE, "a header for ever");
            sleep(Duration::from_millis(100)).await;
        }
    };
    let ended = async {
        assert_eq!(until_end(&mut silent).await, b"");
        until_end(&mut half).await;
        assert!(until_end(&mut idle).await.starts_with(b"HTTP/1.1 200 "));
    };
    tokio::join!(dribble, ended);
    witness.was_served().await;
    server.returns_to(before, PATIENCE).await;
}

#[tokio::test]
async fn an_answer_that_is_not_read_is_not_kept() {
    let server = Server::start_with(&["--http-write-s=1"]);
    let witness = Witness::of(&server).await;
    let info = format!("GET /api/info HTTP/1.1\r\nhost: {}\r\n\r\n", server.http);
    let before = server.resident_kib_at_rest();
    let mut stream = TcpStream::connect(server.http).await.unwrap();
    let asking = async { while stream.write_all(info.as_bytes()).await.is_ok() {} };
    timeout(PATIENCE, asking).await.expect("the server ends it");
    assert_eq!(server.refused("http_unread").await, 1);
    let grown = server.resident_kib().saturating_sub(before);
    assert!(grown <= 1_024, "{grown} KiB");
    witness.was_served().await;
}

#[tokio::test]
async fn one_connection_above_the_limit_is_closed_at_once() {
    let server = Server::start_with(&["--http-connections=5", "--http-connections-per-address=3"]);
    let stranger = || async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        socket.connect(server.http).await.unwrap()
    };
    let crowd = [stranger().await, stranger().await, stranger().await];
    assert_eq!(until_end(&mut stranger().await).await, b"");
    assert_eq!(server.refused("http_address_full").await, 1);
    // Whoever is admitted gets an answer, and keeps its place.
    let mut admitted = Vec::new();
    while let Some(stream) = answered(server.http).await {
        admitted.push(stream);
    }
    assert!(admitted.len() <= 2);
    drop((crowd, admitted));
    let since = Instant::now();
    while answered(server.http).await.is_none() {
        assert!(since.elapsed() < SOON, "a place that is free is given again");
    }
    assert!(server.refused("http_full").await > 0);
}

/// A connection that was admitted.
async fn answered(http: SocketAddr) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(http).await.expect("the server listens");
    let healthz = format!("GET /healthz HTTP/1.1\r\nhost: {http}\r\n\r\n");
    stream.write_all(healthz.as_bytes()).await.ok()?;
    let read = timeout(PATIENCE, stream.read(&mut [0; 9])).await.expect("an answer or the end");
    (read.ok()? > 0).then_some(stream)
}

#[tokio::test]
async fn a_trusted_proxy_is_not_one_address() {
    let flags = ["--http-connections-per-address=1", "--trusted-proxy=127.0.0.0/8"];
    let server = Server::start_with(&flags);
    let _first = Browser::connect(server.http).await;
    let _second = Browser::connect(server.http).await;
    assert_eq!(get(server.http, "/healthz").await.status, 200);
}

#[tokio::test]
async fn only_names_of_ours_are_answered_to() {
    let server = Server::start_with(&["--host=lab.example", "--host=other.example"]);
    for host in [
        "localhost",
        "LOCALHOST:9",
        "127.0.0.1",
        "[::1]:9",
        "192.0.2.7",
        "Lab.Example:80",
        "other.example",
    ] {
        let answer = under(server.http, "/healthz", &format!("host: {host}\r\n")).await;
        assert_eq!(answer.status, 200, "{host}");
    }
    for (refused, host) in (1..).zip(["rebind.evil.example", "lab.example.evil", "localhost.evil"])
    {
        for path in ["/", "/healthz", "/ws"] {
            let answer = under(server.http, path, &format!("host: {host}\r\n")).await;
            assert_eq!(answer.status, 421, "{host}{path}");
            assert!(answer.text().contains(host) && answer.text().contains("--host"));
        }
        assert_eq!(server.refused("http_host").await, 3 * refused);
    }
    for hosts in ["", "host: \r\n", "host: a\r\nhost: b\r\n", "host: a@localhost\r\n"] {
        assert_eq!(under(server.http, "/healthz", hosts).await.status, 400, "{hosts:?}");
    }
    let old = raw_request(server.http, b"GET /healthz HTTP/1.0\r\n\r\n").await;
    assert_eq!(old.status, 200, "HTTP/1.0 needs no host");
}

#[tokio::test]
async fn a_target_that_names_a_host_decides() {
    let server = Server::start();
    for (target, hosts, status) in [
        ("http://localhost/healthz", "host: evil.example\r\n", 200),
        ("http://evil.example/healthz", "host: localhost\r\n", 421),
        ("http://evil.example@localhost/healthz", "host: localhost\r\n", 400),
        ("http://localhost/healthz", "", 400),
        ("http://localhost/healthz", "host: localhost\r\nhost: localhost\r\n", 400),
    ] {
        assert_eq!(under(server.http, target, hosts).await.status, status, "{target} {hosts:?}");
    }
    // Nor does the header decide whose page opens a session, or what a QR code leads to.
    let origin = format!("origin: http://{}\r\n", server.http);
    let asking = upgrade_request(server.http, "http://localhost/ws", &origin);
    let mut asked = sent(server.http, asking.as_bytes()).await;
    asked.shutdown().await.expect("it takes a FIN");
    assert!(until_end(&mut asked).await.starts_with(b"HTTP/1.1 403 "));
    let code = "http://127.0.0.1/api/qr.svg?http://localhost/";
    assert_eq!(under(server.http, code, "host: localhost\r\n").await.status, 404);
}

#[tokio::test]
async fn the_operators_address_answers_to_the_same_names() {
    let server = Server::start_with(&["--admin=127.0.0.1:0", "--host=lab.example"]);
    let admin = server.admin.expect("an address for the operator");
    for (host, status) in
        [("localhost", 200), ("192.0.2.7:8001", 200), ("lab.example", 200), ("rebind.example", 421)]
    {
        for path in ["/metrics", "/healthz", "/readyz"] {
            let answer = under(admin, path, &format!("host: {host}\r\n")).await;
            assert_eq!(answer.status, status, "{host}{path}");
            assert_eq!(
                answer.text().contains("streamgram_sessions "),
                path == "/metrics" && status == 200
            );
        }
    }
    assert_eq!(
        under(admin, "http://rebind.example/metrics", "host: localhost\r\n").await.status,
        421
    );
}

#[tokio::test]
async fn every_answer_tells_a_browser_to_keep_to_itself() {
    let server = Server::start_with(&["--sessions=0"]);
    let http = server.http;
    let upgrade = |more: &str| {
        let request = upgrade_request(http, "/ws", more);
        async move {
            // A refused upgrade leaves the connection as it was: its end has to be asked for.
            let mut stream = sent(http, request.as_bytes()).await;
            stream.shutdown().await.expect("it takes a FIN");
            let answer = until_end(&mut stream).await;
            String::from_utf8(answer).expect("text")
        }
    };
    let mut heads = vec![upgrade("").await, upgrade("origin: http://evil.example\r\n").await];
    assert!(heads[0].starts_with("HTTP/1.1 503 "), "{}", heads[0]);
    assert!(heads[0].to_lowercase().contains("\r\nretry-after: "), "{}", heads[0]);
    assert!(heads[1].starts_with("HTTP/1.1 403 "), "{}", heads[1]);
    for (method, path, headers, status) in [
        ("GET", "/healthz", "", 200),
        ("GET", "/api/info", "", 200),
        ("GET", "/api/refused", "", 200),
        ("GET", "/nothing", "", 404),
        ("POST", "/", "", 405),
        ("GET", "/ws", "", 400),
    ] {
        let answer = request(http, method, path, headers).await;
        assert_eq!(answer.status, status, "{path}");
        heads.push(answer.head().to_owned());
    }
    heads.push(request(http, "GET", "/", "").await.head().to_owned());
    heads.push(under(http, "/", "host: evil.example\r\n").await.head().to_owned());
    for head in heads.iter().map(|head| head.to_lowercase()) {
        for header in [
            "content-security-policy: default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
             style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
             trusted-types sweep",
            "cross-origin-opener-policy: same-origin",
            "cross-origin-resource-policy: same-origin",
            "permissions-policy: camera=()",
            "referrer-policy: no-referrer",
            "x-content-type-options: nosniff",
        ] {
            assert!(head.contains(&format!("\r\n{header}")), "{header} is missing: {head}");
        }
    }
}

#[tokio::test]
async fn a_client_that_ends_its_side_gets_its_answer() {
    let server = Server::start_with(&["--sessions=0"]);
    let request = upgrade_request(server.http, "/ws", "");
    // Whether the end comes while the answer is being made is for the scheduler to say.
    for _ in 0..50 {
        let mut client = sent(server.http, request.as_bytes()).await;
        client.shutdown().await.expect("it takes a FIN");
        let answer = until_end(&mut client).await;
        assert!(answer.starts_with(b"HTTP/1.1 503 "), "{}", String::from_utf8_lossy(&answer));
    }
}

#[tokio::test]
async fn a_head_that_is_too_long_or_broken_is_refused() {
    let server = Server::start();
    let witness = Witness::of(&server).await;
    let host = format!("host: {}\r\n", server.http);
    let long = |bytes: usize| "x".repeat(bytes);
    let many = (0..200).map(|number| format!("x-{number}: y\r\n")).collect::<String>();
    for (request, statuses) in [
        (format!("GET / HTTP/1.1\r\n{host}x: {}\r\n\r\n", long(64 << 10)), [431, 431]),
        (format!("GET / HTTP/1.1\r\n{host}{many}\r\n"), [431, 431]),
        (format!("GET /{} HTTP/1.1\r\n{host}\r\n", long(1 << 20)), [414, 431]),
        (format!("GET / HTTP/9.9\r\n{host}\r\n"), [400, 505]),
        ("\u{16}\u{3}\u{1} this is not HTTP\r\n\r\n".into(), [400, 400]),
        (
            format!("GET / HTTP/1.1\r\n{host}content-length: 1\r\ncontent-length: 2\r\n\r\n"),
            [400, 400],
        ),
        (format!("GET / HTTP/1.1\r\n{host}bad header\r\n\r\n"), [400, 400]),
    ] {
        let answer = raw_request(server.http, request.as_bytes()).await;
        let shown = &request[..request.len().min(60)];
        assert!(statuses.contains(&answer.status), "{} for {shown}", answer.status);
    }
    witness.was_served().await;
}
