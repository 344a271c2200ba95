//! One client of a server, in a closed loop: so many requests are under way, the next one goes out when
//! a reply has come. What it does costs as little as it can, and is not part of what is counted.

use std::cell::Cell;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use futures_util::{SinkExt as _, StreamExt as _};
use streamgram_protocol::{CTIME_LEN, STAMP_LEN, SUBPROTOCOL};
use streamgram_tests::{PATIENCE, is_ctime, is_stamped};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::peers::Speech;

/// What every request carries.
pub(crate) const LINE: &[u8; 16] = b"0123456789abcdef";
/// The reply of a TCP server.
const REPLY: usize = STAMP_LEN + LINE.len();

/// How long a load lasts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    Time(Duration),
    Replies(usize),
}

/// One client, connected.
#[derive(Debug)]
pub(crate) enum Client {
    Tcp(TcpStream),
    Udp { socket: UdpSocket, in_flight: usize, asked: VecDeque<Instant> },
    Session(Session),
    Frame(WebSocketStream<TcpStream>),
}

impl Client {
    /// Connects, and makes sure that the first reply is right.
    pub(crate) async fn connect(speech: Speech, at: SocketAddr, in_flight: usize) -> Self {
        let mut client = match speech {
            Speech::Tcp => Self::Tcp(stream(at).await),
            Speech::Udp => {
                let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
                socket.connect(at).await.expect("UDP has no handshake");
                Self::Udp { socket, in_flight, asked: VecDeque::new() }
            }
            Speech::Session => Self::Session(Session::connect(at, Legs::TCP).await),
            Speech::Frame => Self::Frame(web_socket(at, "").await),
        };
        client.answer().await;
        client
    }

    /// Keeps requests under way until the next reply, and says how long that took.
    pub(crate) async fn answer(&mut self) -> Duration {
        let begun = Instant::now();
        match self {
            Self::Tcp(stream) => {
                stream.write_all(LINE).await.expect("TCP takes bytes");
                let mut reply = [0; REPLY];
                stream.read_exact(&mut reply).await.expect("TCP answers");
                assert!(is_stamped(&reply) && reply.ends_with(LINE), "{reply:?}");
            }
            Self::Udp { socket, in_flight, asked } => {
                while asked.len() < *in_flight {
                    asked.push_back(Instant::now());
                    socket.send(LINE).await.expect("the socket takes a datagram");
                }
                let mut reply = [0; 2 * CTIME_LEN];
                let bytes = socket.recv(&mut reply).await.expect("UDP answers");
                assert!(is_ctime(&reply[..bytes]), "{reply:?}");
                return asked.pop_front().map_or(Duration::ZERO, |asked| asked.elapsed());
            }
            Self::Session(session) => session.answer().await,
            Self::Frame(socket) => {
                socket.send(Message::binary(LINE.as_slice())).await.expect("a frame goes out");
                let mut bytes = 0;
                while bytes < REPLY {
                    bytes += frame(socket).await.len();
                }
            }
        }
        begun.elapsed()
    }
}

/// Runs all clients at once to the goal, and returns how long each reply took.
pub(crate) async fn run(clients: &mut [Client], goal: Goal) -> Vec<Duration> {
    let (time, replies) = match goal {
        Goal::Time(time) => (time, usize::MAX),
        Goal::Replies(replies) => (20 * PATIENCE, replies),
    };
    let (end, left) = (Instant::now() + time, Cell::new(replies));
    let one = async |client: &mut Client| {
        let mut times = Vec::new();
        while left.get() > 0 && Instant::now() < end {
            left.set(left.get() - 1);
            times.push(client.answer().await);
        }
        times
    };
    let all = timeout(time + PATIENCE, join_all(clients.iter_mut().map(one))).await;
    all.expect("a server answers every request").concat()
}

/// The legs of a session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Legs {
    open: &'static [&'static str],
    to: &'static str,
    /// Events of a line that a client waits for at least, and how many of them say what came of it.
    events: usize,
    outcomes: usize,
}

impl Legs {
    /// A line over it is `sent`, `finished`, `server_read`, `reply`, `answered`.
    pub(crate) const TCP: Self = Self { open: &[r#""tcp""#], to: "tcp", events: 5, outcomes: 1 };
    /// Of a datagram that is lost there are fewer events.
    pub(crate) const BOTH: Self =
        Self { open: &[r#""tcp""#, r#""udp""#], to: "both", events: 5, outcomes: 2 };
    /// A TCP leg over a link of 20 ms each way, whose packets are events too.
    pub(crate) const LAB: Self = Self {
        open: &[r#""tcp","path":"emulated","link":{"up":{"delay_ms":20},"down":{"delay_ms":20}}"#],
        to: "tcp",
        events: 5,
        outcomes: 1,
    };
}

/// A session of Streamgram's. Events are counted in their text, however many come in a frame.
#[derive(Debug)]
pub(crate) struct Session {
    socket: WebSocketStream<TcpStream>,
    legs: Legs,
    /// Datagrams that had no reply within two seconds.
    pub(crate) lost: usize,
}

impl Session {
    pub(crate) async fn connect(at: SocketAddr, legs: Legs) -> Self {
        let mut session = Self { socket: web_socket(at, SUBPROTOCOL).await, legs, lost: 0 };
        for leg in legs.open {
            session.say(format!(r#"{{"open":{{"protocol":{leg}}}}}"#)).await;
            while count(&frame(&mut session.socket).await, r#""event":{"opened":"#) == 0 {}
        }
        session
    }

    /// Sends a line and waits for all that is told of it.
    pub(crate) async fn answer(&mut self) {
        let to = self.legs.to;
        let line = std::str::from_utf8(LINE).expect("it is text");
        self.say(format!(r#"{{"send":{{"id":1,"to":"{to}","text":"{line}"}}}}"#)).await;
        let (mut events, mut outcomes) = (0, 0);
        while events < self.legs.events || outcomes < self.legs.outcomes {
            let frame = frame(&mut self.socket).await;
            let is_refused = [r#""event":{"error":"#, r#""event":{"closed":"#]
                .iter()
                .any(|it| count(&frame, it) > 0);
            assert!(!is_refused, "{}", String::from_utf8_lossy(&frame));
            let lost = count(&frame, r#""event":{"no_reply":"#);
            self.lost += lost;
            events += count(&frame, r#""at_us":"#);
            outcomes += lost + count(&frame, r#""event":{"answered":"#);
        }
    }

    /// Answers pings, for ever.
    pub(crate) async fn idle(&mut self) -> ! {
        loop {
            frame(&mut self.socket).await;
        }
    }

    async fn say(&mut self, json: String) {
        self.socket.send(Message::text(json)).await.expect("the session takes messages");
    }
}

/// How often a word stands in a frame.
fn count(frame: &[u8], word: &str) -> usize {
    std::str::from_utf8(frame).map_or(0, |text| text.matches(word).count())
}

async fn stream(at: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(at).await.expect("the server listens");
    stream.set_nodelay(true).expect("TCP has the option");
    stream
}

async fn web_socket(at: SocketAddr, protocol: &'static str) -> WebSocketStream<TcpStream> {
    let mut request = format!("ws://{at}/ws").into_client_request().expect("a request");
    if !protocol.is_empty() {
        let offer = HeaderValue::from_static(protocol);
        request.headers_mut().insert("sec-websocket-protocol", offer);
    }
    let (socket, _response) = client_async(request, stream(at).await).await.expect("an upgrade");
    socket
}

/// The next frame that carries something.
async fn frame(
    socket: &mut WebSocketStream<TcpStream>,
) -> impl AsRef<[u8]> + std::ops::Deref<Target = [u8]> {
    loop {
        let frame = socket.next().await.expect("the session lives").expect("frames are whole");
        if !frame.is_ping() && !frame.is_pong() {
            assert!(!frame.is_close(), "{frame}");
            return frame.into_data();
        }
    }
}
