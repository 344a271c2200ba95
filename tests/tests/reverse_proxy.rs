//! `deploy/nginx.conf` as it is, but for ports and files: the page, the API and sessions come through
//! TLS, and every client as itself.
// nginx is Debian's.
#![cfg(target_os = "linux")]

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use streamgram_protocol::Event;
use streamgram_tests::{
    Browser, Nginx, PATIENCE, Response, Server, exchange, get, listener, make_certificate,
    named_program, raw_request,
};
use tokio::io::{Join, join};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::time::timeout;

const SETTINGS: &str = include_str!("../../deploy/nginx.conf");
/// Whose settings they are.
const NAME: &str = "streamgram.example";

/// nginx in front of a server.
struct Proxy {
    nginx: Nginx,
    http: SocketAddr,
    https: SocketAddr,
    clients: Vec<tokio::process::Child>,
}

impl Proxy {
    /// nginx on free ports, with a certificate of its own.
    fn of(server: &Server) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("nginx-{}", server.pid()));
        make_certificate(&folder, NAME);
        let [(plain, http), (tls, https)] = [listener(), listener()];
        let nginx = Nginx::start(&folder, &[plain, tls], &settings(server.http, http, https));
        Self { nginx, http, https, clients: Vec::new() }
    }

    /// A TLS connection from one of loopback's addresses. openssl speaks for us, and checks whom it
    /// speaks to.
    fn connect(&mut self, from: &str) -> Join<ChildStdout, ChildStdin> {
        let mut openssl = tokio::process::Command::new(named_program("openssl", "OPENSSL"))
            .args(["s_client", "-quiet", "-verify_quiet", "-verify_return_error"])
            .args(["-verify_hostname", NAME, "-servername", NAME, "-CAfile"])
            .arg(self.nginx.folder().join("fullchain.pem"))
            .args(["-bind", &format!("{from}:0"), "-connect", &self.https.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("openssl starts");
        let (input, output) = (openssl.stdin.take(), openssl.stdout.take());
        self.clients.push(openssl);
        join(output.expect("a pipe"), input.expect("a pipe"))
    }

    /// What a request gets.
    async fn get(&mut self, path: &str, headers: &str) -> Response {
        exchange(self.connect("127.0.0.1"), get_request(path, headers).as_bytes()).await
    }

    /// A session that a client asks for.
    async fn session(
        &mut self,
        from: &str,
        headers: &[(&'static str, &str)],
    ) -> Browser<Join<ChildStdout, ChildStdin>> {
        Browser::over(self.connect(from), NAME, headers).await
    }
}

/// The settings for these addresses, with the certificate of its own folder.
fn settings(server: SocketAddr, http: SocketAddr, https: SocketAddr) -> String {
    let mut settings = SETTINGS.to_owned();
    for (theirs, ours) in [
        ("listen 80;", format!("listen {http};")),
        ("listen 443 ssl;", format!("listen {https} ssl;")),
        ("listen [::]:80;", String::new()),
        ("listen [::]:443 ssl;", String::new()),
        ("http://127.0.0.1:8000;", format!("http://{server};")),
        ("/etc/ssl/streamgram/fullchain.pem", "fullchain.pem".into()),
        ("/etc/ssl/streamgram/privkey.pem", "privkey.pem".into()),
    ] {
        assert_eq!(settings.matches(theirs).count(), 1, "{theirs}");
        settings = settings.replace(theirs, &ours);
    }
    settings
}

fn get_request(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: {NAME}\r\nconnection: close\r\n{headers}\r\n")
}

#[tokio::test]
async fn the_page_the_api_and_sessions_come_through() {
    let flags = ["--host", NAME, "--trusted-proxy=127.0.0.1", "--require-origin"];
    let server = Server::start_with(&flags);
    let mut proxy = Proxy::of(&server);
    for path in ["/", "/api/refused", "/nothing"] {
        let (through, direct) = (proxy.get(path, "").await, get(server.http, path).await);
        assert_eq!((through.status, through.text()), (direct.status, direct.text()), "{path}");
        for header in ["content-security-policy", "content-type"] {
            assert_eq!(through.header(header), direct.header(header), "{path}");
        }
        assert!(through.header("strict-transport-security").is_some());
    }

    let info: Value = serde_json::from_str(proxy.get("/api/info", "").await.text()).unwrap();
    let shown = ["http", "tcp", "udp"].map(|name| info[name].as_str().unwrap_or_default());
    // The servers listen on one address each.
    assert_eq!(shown, [NAME, &server.tcp.to_string(), &server.udp.to_string()]);

    let mut browser = proxy.session("127.0.0.1", &[("origin", "https://streamgram.example")]).await;
    browser.open_both().await;
    browser.say(r#"{"send":{"id":1,"to":"both","text":"through nginx"}}"#).await;
    browser.until_count(2, |event| matches!(event, Event::Answered { .. })).await;

    let upgrade = "upgrade: websocket\r\nsec-websocket-version: 13\r\n\
                   sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\norigin: https://evil.example\r\n";
    assert_eq!(proxy.get("/ws", upgrade).await.status, 403);

    let plain = raw_request(proxy.http, get_request("/a?b", "").as_bytes()).await;
    let secure = format!("https://{NAME}/a?b");
    assert_eq!((plain.status, plain.header("location")), (301, Some(secure.as_str())));
}

#[tokio::test]
async fn a_client_is_counted_as_itself_whatever_it_says() {
    // Everybody here would be believed; so it is nginx that does not pass it on.
    let flags = ["--host", NAME, "--trusted-proxy=127.0.0.0/8", "--sessions-per-address=1"];
    let server = Server::start_with(&flags);
    let mut proxy = Proxy::of(&server);
    let mut first = proxy.session("127.0.0.2", &[]).await;
    first.until(|event| matches!(event, Event::Hello(_))).await;
    let mut other = proxy.session("127.0.0.3", &[]).await;
    other.until(|event| matches!(event, Event::Hello(_))).await;
    for forged in ["192.0.2.1", "192.0.2.1, 127.0.0.1"] {
        let again = proxy.session("127.0.0.2", &[("x-forwarded-for", forged)]).await;
        let closed = timeout(PATIENCE, again.closed()).await.expect("it has a session already");
        assert_eq!(closed.code, 1013, "{forged}");
    }
}
