//! A well-behaved client of each surface, who asks again and again while something else goes on.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use streamgram_protocol::Event;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, UdpSocket};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::{Browser, PATIENCE, SOON, Server, is_ctime, is_stamped};

/// Between two rounds of questions.
const PAUSE: Duration = Duration::from_millis(20);

/// The witness at work.
#[derive(Debug)]
pub struct Witness {
    asking: JoinHandle<Duration>,
    enough: oneshot::Sender<()>,
}

impl Witness {
    /// Opens a session with both legs, and begins to ask.
    ///
    /// # Panics
    /// There is no session.
    pub async fn of(server: &Server) -> Self {
        Self::at(Ipv4Addr::LOCALHOST, server).await
    }

    /// The same, but its clients of TCP and UDP are at another address of this machine.
    ///
    /// # Panics
    /// There is no session.
    pub async fn at(address: Ipv4Addr, server: &Server) -> Self {
        let (enough, mut stop) = oneshot::channel();
        let mut browser = Browser::connect_both(server.http).await;
        let (tcp, udp) = (server.tcp, server.udp);
        let asking = tokio::spawn(async move {
            let mut worst = Duration::ZERO;
            for id in 1.. {
                worst = worst.max(tcp_answer(address, tcp).await);
                worst = worst.max(udp_answer(address, udp).await);
                worst = worst.max(session_answer(&mut browser, id).await);
                if timeout(PAUSE, &mut stop).await.is_ok() {
                    break;
                }
            }
            worst
        });
        Self { asking, enough }
    }

    /// Asks no more; every answer came, and soon.
    ///
    /// # Panics
    /// One did not.
    #[expect(clippy::print_stdout, reason = "a figure to look at, with --nocapture")]
    pub async fn was_served(self) {
        // Whoever has nothing to answer any more has panicked, which the next line shows.
        let _told = self.enough.send(());
        let worst = self.asking.await.expect("every question was answered");
        println!("the witness waited {worst:?} at most");
        assert!(worst < SOON, "the witness waited {worst:?}");
    }
}

async fn tcp_answer(address: Ipv4Addr, server: SocketAddr) -> Duration {
    let asked = Instant::now();
    let reply = timeout(PATIENCE, async {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind((address, 0).into()).expect("a free port");
        let mut stream = socket.connect(server).await.expect("TCP accepts");
        stream.write_all(b"witness").await.expect("TCP takes bytes");
        stream.shutdown().await.expect("TCP takes a FIN");
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).await.expect("TCP answers");
        reply
    });
    let reply = reply.await.expect("TCP answers in time");
    assert!(is_stamped(&reply) && reply.ends_with(b" witness"), "{reply:?}");
    asked.elapsed()
}

async fn udp_answer(address: Ipv4Addr, server: SocketAddr) -> Duration {
    let asked = Instant::now();
    let socket = UdpSocket::bind((address, 0)).await.expect("a free port");
    let mut reply = [0; 64];
    loop {
        socket.send_to(b"witness", server).await.expect("the socket takes a datagram");
        // A datagram may be lost where a buffer is full, on loopback too: it is asked for again.
        if let Ok(bytes) = timeout(Duration::from_millis(200), socket.recv(&mut reply)).await {
            assert!(is_ctime(&reply[..bytes.expect("the server listens")]));
            return asked.elapsed();
        }
        assert!(asked.elapsed() < PATIENCE, "UDP answers in time");
    }
}

async fn session_answer(browser: &mut Browser, id: u64) -> Duration {
    let asked = Instant::now();
    browser.messages.clear();
    browser.say(&format!(r#"{{"send":{{"id":{id},"to":"tcp","text":"witness"}}}}"#)).await;
    browser.until(|event| matches!(event, Event::Answered { .. })).await;
    asked.elapsed()
}
