//! A stop while clients talk, sessions run and attackers do their worst: nothing that is owed is lost,
//! and it does not take longer than promised.
// Windows has no signals.
#![cfg(unix)]

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use streamgram_tests::{Browser, Closed, PATIENCE, Server, connect_raw};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};
use tokio::time::{interval, timeout};

const CLIENTS: usize = 100;
const SESSIONS: usize = 50;
const ATTACKERS: usize = 20;
/// What a stop may take.
const PROMISED: Duration = Duration::from_secs(10);
/// A byte that no stamp has in it.
const LINE: &[u8] = b"xxxxxxxx";

/// A client that sends lines and reads replies until the server ends; then it ends as well.
struct Client {
    sent: Arc<AtomicU64>,
    answered: JoinHandle<u64>,
}

impl Client {
    async fn connect(server: &Server) -> Self {
        let stream = TcpStream::connect(server.tcp).await.expect("the server listens");
        let (mut replies, mut lines) = stream.into_split();
        let sent = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&sent);
        let sending = tokio::spawn(async move {
            let mut pulse = interval(Duration::from_millis(20));
            while lines.write_all(LINE).await.is_ok() {
                counter.fetch_add(LINE.len() as u64, Ordering::SeqCst);
                pulse.tick().await;
            }
        });
        let answered = tokio::spawn(async move {
            let (mut answered, mut buffer) = (0, [0; 4096]);
            loop {
                let read = timeout(PATIENCE, replies.read(&mut buffer)).await;
                match read.expect("replies or the end").expect("FIN, not RST") {
                    0 => break,
                    bytes => answered += echoed(&buffer[..bytes]),
                }
            }
            sending.abort();
            answered
        });
        Self { sent, answered }
    }
}

fn echoed(replies: &[u8]) -> u64 {
    replies.iter().filter(|byte| LINE.contains(byte)).count() as u64
}

/// Does harm in one of several ways until it is let go of.
async fn attack(kind: usize, server: [std::net::SocketAddr; 3]) {
    let [http, tcp, udp] = server;
    let forever = std::future::pending::<()>();
    match kind % 7 {
        0 => {
            let mut half = TcpStream::connect(http).await.expect("the server listens");
            half.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n").await.expect("it is taken");
            forever.await;
        }
        1 => {
            let _silent = TcpStream::connect(http).await.expect("the server listens");
            forever.await;
        }
        2 => {
            let _silent = TcpStream::connect(tcp).await.expect("the server listens");
            forever.await;
        }
        3 => {
            let mut unread = TcpStream::connect(tcp).await.expect("the server listens");
            while unread.write_all(&[b'y'; 4096]).await.is_ok() {}
        }
        4 => {
            let stream = TcpStream::connect(tcp).await.expect("the server listens");
            let (mut replies, mut flood) = stream.into_split();
            let reading = async { while let Ok(1..) = replies.read(&mut [0; 65536]).await {} };
            let flooding = async { while flood.write_all(&[b'y'; 4096]).await.is_ok() {} };
            tokio::join!(reading, flooding);
        }
        5 => {
            let _unread = connect_raw(http).await;
            forever.await;
        }
        _ => {
            let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
            let mut pulse = interval(Duration::from_millis(1));
            loop {
                let _lost = socket.send_to(b"y", udp).await;
                pulse.tick().await;
            }
        }
    }
}

/// One stop, and how long it took.
async fn stop() -> Duration {
    let mut server = Server::start();
    let at = [server.http, server.tcp, server.udp];
    let mut attackers = JoinSet::new();
    for kind in 0..ATTACKERS {
        attackers.spawn(attack(kind, at));
    }
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(Client::connect(&server).await);
    }
    let mut sessions = JoinSet::new();
    for _ in 0..SESSIONS {
        let mut session = Browser::connect_both(server.http).await;
        let burst = r#"{"send":{"id":1,"to":"both","text":"x","count":500,"interval_ms":10}}"#;
        session.say(burst).await;
        sessions.spawn(session.closed());
    }

    let owed: Vec<_> = clients.iter().map(|client| client.sent.load(Ordering::SeqCst)).collect();
    let since = Instant::now();
    let pid = server.pid().to_string();
    let asked = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(asked.is_ok_and(|status| status.success()), "the process takes signals");
    let status = spawn_blocking(move || server.wait()).await.expect("it ends");
    let took = since.elapsed();
    assert_eq!(status.code(), Some(0));
    for (client, owed) in clients.into_iter().zip(owed) {
        let answered = client.answered.await.expect("it read to the end");
        assert!(owed > 0 && answered >= owed, "{answered} of {owed} bytes");
    }
    for Closed { code, reason } in sessions.join_all().await {
        assert_eq!((code, reason.as_str()), (1001, "the server is stopping"));
    }
    took
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_under_load_loses_no_owed_reply() {
    let took = stop().await;
    assert!(took < PROMISED, "{took:?}");
}
