//! A session in process, with channels in place of a WebSocket and targets that misbehave.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_channel::mpsc::{Receiver, Sender, channel};
use futures_util::stream::iter;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use streamgram::config::WebSocketLimits;
use streamgram::guard::ports::Ports;
use streamgram::observe::{self, Observer, WAITING_OBSERVATIONS};
use streamgram::session::{Bridge, Command, Reachable, Session, Targets};
use streamgram_protocol::{
    Cause, ClientMessage, Code, Event, Limits, Protocol, ServerMessage, Unanswered,
};
use streamgram_tests::{PATIENCE, SOON};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// Events that a channel holds while nobody takes them.
const EVENTS_UNDER_WAY: usize = 4;

/// The client end of a session.
struct Client {
    commands: Sender<Command>,
    events: Receiver<ServerMessage>,
    limits: Limits,
    /// To which the targets report, if they do.
    observer: Arc<Observer>,
    session: JoinHandle<()>,
}

/// The session's ends of both channels.
struct Channels<Events> {
    commands: Receiver<Command>,
    events: Events,
}

impl<Events: Unpin> Stream for Channels<Events> {
    type Item = Command;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Command>> {
        self.commands.poll_next_unpin(cx)
    }
}

impl<Frame, Events: Sink<Frame> + Unpin> Sink<Frame> for Channels<Events> {
    type Error = Events::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.events.poll_ready_unpin(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, frame: Frame) -> Result<(), Self::Error> {
        self.events.start_send_unpin(frame)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.events.poll_flush_unpin(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.events.poll_close_unpin(cx)
    }
}

impl Client {
    fn start(targets: Targets, limits: Limits) -> Self {
        let (rates, ports) = (WebSocketLimits::default(), Ports::of_the_system());
        let observer = Arc::<Observer>::default();
        let bridge = Bridge::new(targets, limits, rates, Arc::clone(&observer), ports);
        Self::start_from(targets.tcp.ip(), &bridge, observer)
    }

    fn start_from(address: IpAddr, bridge: &Bridge, observer: Arc<Observer>) -> Self {
        let (commands, taken) = channel(0);
        let (told, events) = channel(EVENTS_UNDER_WAY);
        let told = told.with_flat_map(|frame: String| {
            let messages = ServerMessage::decode_frame(&frame).map(Result::unwrap);
            iter(messages.map(Ok).collect::<Vec<_>>())
        });
        let mut client = Channels { commands: taken, events: told };
        let limits = bridge.limits;
        let (tcp, udp) = (bridge.targets.tcp.to_string(), bridge.targets.udp.to_string());
        let reachable = Reachable { tcp, udp, faults: Vec::new(), lan: None };
        let session = Session::new(bridge.clone(), address, None, reachable);
        let session = tokio::spawn(async move { session.run(&mut client).await });
        Self { commands, events, limits, observer, session }
    }

    async fn say(&mut self, json: &str) {
        let command = ClientMessage::decode(json, &self.limits);
        let sent = timeout(PATIENCE, self.commands.send(command)).await;
        sent.expect("the session takes commands").expect("the session lives");
    }

    async fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> ServerMessage {
        loop {
            let message = timeout(PATIENCE, self.events.next()).await.expect("an event comes");
            let message = message.expect("the session lives");
            if wanted(&message.event) {
                return message;
            }
        }
    }

    async fn open(&mut self, protocol: &str) -> ServerMessage {
        self.say(&format!(r#"{{"open":{{"protocol":"{protocol}"}}}}"#)).await;
        self.until(|event| matches!(event, Event::Opened { .. })).await
    }

    async fn no_reply(&mut self) -> (u64, u32, Unanswered, bool) {
        let message = self.until(|event| matches!(event, Event::NoReply { .. })).await;
        match message.event {
            Event::NoReply { id, line, cause, certain } => (id, line, cause, certain),
            other => unreachable!("no_reply was waited for: {other:?}"),
        }
    }

    async fn closed(&mut self) -> (Cause, Option<String>) {
        let message = self.until(|event| matches!(event, Event::Closed { .. })).await;
        match message.event {
            Event::Closed { cause, detail } => (cause, detail),
            other => unreachable!("the end was waited for: {other:?}"),
        }
    }
}

/// What the article's reader must see within a second.
async fn within_a_second<T>(what: impl Future<Output = T>) -> T {
    timeout(SOON, what).await.expect("soon")
}

/// A port where nobody listens, and which nobody else gets as long as the socket lives.
fn closed_tcp_port() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
    let address = socket.local_addr().expect("a bound socket");
    (socket, address)
}

/// The same for UDP: a socket that is connected to another takes nothing from anybody else.
async fn closed_udp_port() -> (UdpSocket, SocketAddr) {
    let socket = udp_target().await;
    let address = socket.local_addr().expect("a bound socket");
    socket.connect(address).await.expect("its own address");
    (socket, address)
}

async fn udp_target() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").await.expect("a free port")
}

async fn tcp_target() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a free port")
}

/// A client with an open TCP leg to `target`, and the target's end of it.
async fn connected(target: &TcpListener) -> (Client, TcpStream) {
    let tcp = target.local_addr().expect("a bound socket");
    let mut client = Client::start(Targets { tcp, udp: tcp }, Limits::default());
    client.open("tcp").await;
    let accepted = timeout(PATIENCE, target.accept()).await.expect("the leg connects");
    (client, accepted.expect("a connection").0)
}

#[tokio::test]
async fn tcp_with_nobody_listening_is_refused_within_a_second_and_the_session_lives_on() {
    let (_port, tcp) = closed_tcp_port();
    let udp = udp_target().await;
    let targets = Targets { tcp, udp: udp.local_addr().unwrap() };
    let mut client = Client::start(targets, Limits::default());
    for leg in 1..=3 {
        client.say(r#"{"open":{"protocol":"tcp"}}"#).await;
        let is_end = |event: &Event| matches!(event, Event::Refused { .. } | Event::Closed { .. });
        let refused = within_a_second(client.until(is_end)).await;
        assert_eq!(refused.event, Event::Refused { peer: tcp.to_string() });
        assert_eq!(refused.leg.unwrap().number, leg);
    }
    client.open("udp").await;
    client.say(r#"{"send":{"id":1,"to":"udp","text":"x"}}"#).await;
    client.until(|event| matches!(event, Event::Sent { .. })).await;
    assert_eq!(udp.recv(&mut [0; 9]).await.unwrap(), 1);
}

#[tokio::test]
async fn udp_with_nobody_listening_is_refused_within_a_second_and_the_leg_stays_open() {
    let (_port, udp) = closed_udp_port().await;
    let mut client = Client::start(Targets { tcp: udp, udp }, Limits::default());
    client.open("udp").await;
    for id in 1..=3 {
        client.say(&format!(r#"{{"send":{{"id":{id},"to":"udp","text":"x"}}}}"#)).await;
        let refused = client.until(|event| matches!(event, Event::Refused { .. }));
        let refused = within_a_second(refused).await;
        assert_eq!(refused.event, Event::Refused { peer: udp.to_string() });
        assert_eq!(refused.leg.unwrap().protocol, Protocol::Udp);
        let unanswered = within_a_second(client.no_reply()).await;
        assert_eq!(unanswered, (id, 1, Unanswered::Refused, true));
    }
    client.say(r#"{"close":{"protocol":"udp"}}"#).await;
    assert_eq!(client.closed().await, (Cause::Closed, None));
}

#[tokio::test]
async fn every_line_of_a_burst_to_nobody_is_reported_once() {
    let (_port, udp) = closed_udp_port().await;
    let mut client = Client::start(Targets { tcp: udp, udp }, Limits::default());
    client.open("udp").await;
    client.say(r#"{"send":{"id":1,"to":"udp","text":"x","count":50}}"#).await;
    let mut unanswered = Vec::new();
    while unanswered.len() < 50 {
        let (_, line, cause, _) = client.no_reply().await;
        assert_eq!(cause, Unanswered::Refused);
        unanswered.push(line);
    }
    unanswered.sort_unstable();
    assert_eq!(unanswered, (1..=50).collect::<Vec<_>>());
}

/// What Linux does while a listener's queue is full: it drops the SYN.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_handshake_that_nobody_answers_is_given_up_in_time() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let listener = socket.listen(1).unwrap();
    let tcp = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(waiting) = timeout(Duration::from_millis(500), TcpStream::connect(tcp)).await {
        queue.push(waiting.unwrap());
    }

    let limits = Limits { connect_ms: 300, ..Limits::default() };
    let mut client = Client::start(Targets { tcp, udp: tcp }, limits);
    client.say(r#"{"open":{"protocol":"tcp"}}"#).await;
    let end = client.until(|event| matches!(event, Event::Closed { .. } | Event::Opened { .. }));
    let end = end.await;
    assert!(matches!(end.event, Event::Closed { cause: Cause::TimedOut, .. }), "{end:?}");
    assert!(end.at_us >= 300_000, "{end:?}");
    client.say(r#"{"open":{"protocol":"tcp"}}"#).await;
    assert_eq!(client.closed().await.0, Cause::TimedOut);
}

#[tokio::test]
async fn a_handshake_under_way_can_be_closed_and_the_leg_opened_again() {
    let target = tcp_target().await;
    let tcp = target.local_addr().unwrap();
    let mut client = Client::start(Targets { tcp, udp: tcp }, Limits::default());
    for _ in 0..20 {
        client.say(r#"{"open":{"protocol":"tcp"}}"#).await;
        client.say(r#"{"close":{"protocol":"tcp"}}"#).await;
        assert_eq!(client.closed().await, (Cause::Closed, None));
    }
    client.open("tcp").await;
}

#[tokio::test]
async fn a_datagram_that_is_never_answered_is_reported_in_time() {
    let target = udp_target().await;
    let udp = target.local_addr().unwrap();
    let limits = Limits { no_reply_ms: 150, ..Limits::default() };
    let mut client = Client::start(Targets { tcp: udp, udp }, limits);
    client.open("udp").await;
    client.say(r#"{"send":{"id":1,"to":"udp","text":"x"}}"#).await;
    let sent = client.until(|event| matches!(event, Event::Sent { .. })).await;
    let silent = client.until(|event| matches!(event, Event::NoReply { .. })).await;
    let cause = Unanswered::TimedOut;
    assert_eq!(silent.event, Event::NoReply { id: 1, line: 1, cause, certain: true });
    assert!(silent.at_us - sent.at_us >= 150_000, "{sent:?} {silent:?}");
}

#[tokio::test]
async fn a_reply_after_its_time_is_late() {
    let target = udp_target().await;
    let udp = target.local_addr().unwrap();
    let limits = Limits { no_reply_ms: 50, ..Limits::default() };
    let mut client = Client::start(Targets { tcp: udp, udp }, limits);
    client.open("udp").await;
    client.say(r#"{"send":{"id":1,"to":"udp","text":"x"}}"#).await;
    let (_, leg) = target.recv_from(&mut [0; 9]).await.unwrap();
    assert_eq!(client.no_reply().await, (1, 1, Unanswered::TimedOut, true));
    target.send_to(b"at last", leg).await.unwrap();
    let answered = client.until(|event| matches!(event, Event::Answered { .. })).await;
    let Event::Answered { id: 1, line: 1, late: true, rtt_us, .. } = answered.event else {
        panic!("{answered:?}")
    };
    assert!(rtt_us >= 50_000);
}

#[tokio::test]
async fn a_target_that_closes_ends_the_leg_and_what_it_owed() {
    let target = tcp_target().await;
    let (mut client, mut connection) = connected(&target).await;
    client.say(r#"{"send":{"id":1,"to":"tcp","text":"hello","count":2}}"#).await;
    connection.read_exact(&mut [0; 10]).await.unwrap();
    drop(connection);
    for line in 1..=2 {
        assert_eq!(client.no_reply().await, (1, line, Unanswered::Closed, true));
    }
    assert_eq!(client.closed().await, (Cause::PeerClosed, None));
    client.open("tcp").await;
}

#[tokio::test]
async fn a_target_that_resets_ends_the_leg_and_the_burst() {
    let target = tcp_target().await;
    let (mut client, mut connection) = connected(&target).await;
    let slow = r#"{"send":{"id":1,"to":"tcp","text":"hello","count":9,"interval_ms":10000}}"#;
    client.say(slow).await;
    connection.read_exact(&mut [0; 5]).await.unwrap();
    connection.set_zero_linger().unwrap();
    drop(connection);
    let finished = client.until(|event| matches!(event, Event::Finished { .. })).await;
    assert_eq!(finished.event, Event::Finished { id: 1, lines: 1, of: 9 });
    assert_eq!(client.no_reply().await, (1, 1, Unanswered::Closed, true));
    let (cause, detail) = client.closed().await;
    assert_eq!(cause, Cause::PeerReset);
    assert!(detail.is_some_and(|detail| !detail.is_empty()));
    client.open("tcp").await;
}

#[tokio::test]
async fn what_is_under_way_when_a_leg_is_closed_stays_unanswered() {
    let (tcp, udp) = (tcp_target().await, udp_target().await);
    let targets = Targets { tcp: tcp.local_addr().unwrap(), udp: udp.local_addr().unwrap() };
    let mut client = Client::start(targets, Limits::default());
    for (id, protocol) in [(1, "tcp"), (2, "udp")] {
        client.open(protocol).await;
        let send = format!(r#"{{"send":{{"id":{id},"to":"{protocol}","text":"x"}}}}"#);
        client.say(&send).await;
        client.until(|event| matches!(event, Event::Sent { .. })).await;
        client.say(&format!(r#"{{"close":{{"protocol":"{protocol}"}}}}"#)).await;
        assert_eq!(client.no_reply().await, (id, 1, Unanswered::Closed, true));
        assert_eq!(client.closed().await, (Cause::Closed, None));
    }
}

#[tokio::test]
async fn a_session_ends_with_its_commands_and_its_target_sees_fin() {
    let target = tcp_target().await;
    let (client, mut connection) = connected(&target).await;
    let Client { commands, session, events, .. } = client;
    drop(commands);
    timeout(PATIENCE, session).await.expect("the session ends").unwrap();
    let read = timeout(PATIENCE, connection.read(&mut [0; 9])).await.expect("the leg ends");
    assert_eq!(read.expect("FIN, not RST"), 0);
    drop(events);
}

#[tokio::test]
async fn a_session_ends_in_the_middle_of_a_burst() {
    let target = tcp_target().await;
    let (mut client, mut connection) = connected(&target).await;
    client.open("udp").await;
    let burst = r#"{"send":{"id":1,"to":"both","text":"x","count":1000,"interval_ms":1}}"#;
    client.say(burst).await;
    connection.read_exact(&mut [0; 5]).await.unwrap();
    drop(client.commands);
    timeout(PATIENCE, client.session).await.expect("the session ends").unwrap();
    let mut rest = Vec::new();
    timeout(PATIENCE, connection.read_to_end(&mut rest)).await.expect("the leg ends").unwrap();
    assert!(rest.len() < 995, "the burst was stopped");
}

#[tokio::test]
async fn a_session_ends_when_nobody_takes_its_events_any_more() {
    let target = tcp_target().await;
    let (client, mut connection) = connected(&target).await;
    let Client { mut commands, session, events, .. } = client;
    drop(events);
    let stop = ClientMessage::decode(r#"{"close":{"protocol":"udp"}}"#, &Limits::default());
    commands.send(stop).await.unwrap();
    timeout(PATIENCE, session).await.expect("the session ends").unwrap();
    let read = timeout(PATIENCE, connection.read(&mut [0; 9])).await.expect("the leg ends");
    assert_eq!(read.unwrap(), 0);
}

/// Waits until a count has stood still for a while, and returns it.
async fn at_rest(count: &AtomicUsize) -> usize {
    const WHILE: Duration = Duration::from_millis(500);
    loop {
        let before = count.load(Ordering::Relaxed);
        sleep(WHILE).await;
        if before > 0 && before == count.load(Ordering::Relaxed) {
            return before;
        }
    }
}

/// A burst of 40 MB to a target that echoes, and a client that takes events only when all is at rest.
async fn burst_without_a_listener() {
    const LINE: usize = 40_000;
    const LINES: usize = 1_000;
    // The kernel's buffers of both sockets hold some megabytes, the more the faster the leg has read before.
    const HALF: usize = LINE * LINES / 2;
    let target = tcp_target().await;
    let (mut client, connection) = connected(&target).await;
    let received = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&received);
    tokio::spawn(async move {
        let (mut reads, mut writes) = connection.into_split();
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(bytes @ 1..) = reads.read(&mut buffer).await {
            counter.fetch_add(bytes, Ordering::Relaxed);
            writes.write_all(&buffer[..bytes]).await.expect("the leg reads");
        }
    });
    let line = "x".repeat(LINE);
    client
        .say(&format!(r#"{{"send":{{"id":1,"to":"tcp","text":"{line}","count":{LINES}}}}}"#))
        .await;
    let before = timeout(PATIENCE, at_rest(&received)).await.expect("the burst comes to a halt");
    assert!(before < HALF, "{before} bytes went out while nobody took an event");

    let (mut back, mut sent) = (0, 0);
    while back < LINE * LINES {
        let wanted = |event: &Event| matches!(event, Event::Reply { .. } | Event::Sent { .. });
        match client.until(wanted).await.event {
            Event::Reply { bytes, offset, .. } => {
                assert_eq!(offset, back as u64);
                back += bytes;
            }
            _ => sent += 1,
        }
    }
    assert_eq!((back, sent), (LINE * LINES, LINES));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_takes_no_events_stops_its_burst_and_gets_everything_later() {
    burst_without_a_listener().await;
}

#[test]
fn a_session_that_waits_for_its_client_leaves_its_thread_to_others() {
    let (done, outcome) = std::sync::mpsc::channel();
    // A session that never yields would hold up this test too, if it ran on this thread.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(burst_without_a_listener());
        done.send(()).expect("the test waits");
    });
    outcome.recv_timeout(PATIENCE).expect("the session lets others on its thread run");
}

#[tokio::test]
async fn a_client_that_takes_no_events_is_not_listened_to() {
    let (_port, udp) = closed_udp_port().await;
    let mut client = Client::start(Targets { tcp: udp, udp }, Limits::default());
    let mistake = || ClientMessage::decode("nonsense", &Limits::default());
    let mut taken = 0;
    let endless = async {
        loop {
            client.commands.send(mistake()).await.unwrap();
            taken += 1;
        }
    };
    timeout(Duration::from_secs(1), endless).await.expect_err("an endless loop does not end");
    assert!(taken < 10_000, "{taken} commands were taken while nobody took an event");

    // A send that was given up may have left its command in the channel.
    for _ in 0..taken {
        client.until(|event| matches!(event, Event::Error(_))).await;
    }
    client.say(r#"{"open":{"protocol":"udp"}}"#).await;
    client.until(|event| matches!(event, Event::Opened { .. })).await;
}

/// A target that answers each byte by itself, and reports that to the session before it can look.
async fn echo_bytes(client: &Client, connection: &mut TcpStream, from: usize, bytes: usize) {
    let leg = connection.peer_addr().expect("it is connected");
    let watcher = client.observer.watcher_of(Protocol::Tcp, leg).expect("the leg is registered");
    connection.read_exact(&mut vec![0; bytes]).await.expect("the bytes come");
    for at in (from..from + bytes).map(|at| at as u64) {
        watcher.report(observe::Event::Read { number: at, offset: at, bytes: 1 });
    }
    let replies = "[Mon Nov 23 05:52:57 2026] x".repeat(bytes);
    connection.write_all(replies.as_bytes()).await.expect("the leg reads");
}

#[tokio::test]
async fn after_reads_were_missed_no_tcp_answer_is_certain_until_all_is_answered() {
    let target = tcp_target().await;
    let (mut client, mut connection) = connected(&target).await;
    let mut certain = Vec::new();
    let (mut from, many) = (0, WAITING_OBSERVATIONS + 100);
    for (id, bytes) in [(1, many), (2, 1)] {
        let line = "x".repeat(bytes);
        client.say(&format!(r#"{{"send":{{"id":{id},"to":"tcp","text":"{line}"}}}}"#)).await;
        client.until(|event| matches!(event, Event::Finished { .. })).await;
        echo_bytes(&client, &mut connection, from, bytes).await;
        from += bytes;
        let answered = client.until(|event| matches!(event, Event::Answered { .. })).await;
        if let Event::Answered { id, certain: is_certain, .. } = answered.event {
            certain.push((id, is_certain));
        }
    }
    assert_eq!(certain, [(1, false), (2, true)]);
}

#[tokio::test]
async fn after_datagrams_were_missed_no_udp_answer_is_certain_until_the_next_is_told_of() {
    let target = udp_target().await;
    let udp = target.local_addr().unwrap();
    let mut client = Client::start(Targets { tcp: udp, udp }, Limits::default());
    client.open("udp").await;
    let mut certain = Vec::new();
    for id in 1..=3_u64 {
        client.say(&format!(r#"{{"send":{{"id":{id},"to":"udp","text":"{id}"}}}}"#)).await;
        let mut line = [0; 9];
        let (bytes, leg) = target.recv_from(&mut line).await.unwrap();
        let watcher = client.observer.watcher_of(Protocol::Udp, leg).expect("it is registered");
        let fill = |observations| {
            (0..observations).for_each(|_| watcher.report(observe::Event::Accepted));
        };
        // What is told of the second is among what the session misses.
        fill(if id == 2 { WAITING_OBSERVATIONS } else { 0 });
        watcher.datagram(Instant::now(), &line[..bytes], None);
        fill(usize::from(id == 2));
        target.send_to(b"now", leg).await.unwrap();
        watcher.datagram_replied();
        let answered = client.until(|event| matches!(event, Event::Answered { .. })).await;
        if let Event::Answered { id, certain: is_certain, .. } = answered.event {
            certain.push((id, is_certain));
        }
    }
    assert_eq!(certain, [(1, true), (2, false), (3, true)]);
}

#[tokio::test]
async fn an_address_takes_a_quarter_of_the_ports_for_legs_that_come_and_go() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tcp = listener.local_addr().unwrap();
    let targets = Targets { tcp, udp: tcp };
    let (rates, ports) = (WebSocketLimits::default(), Ports::new(16));
    let bridge = Bridge::new(targets, Limits::default(), rates, Arc::default(), ports);
    let start = |address| Client::start_from(address, &bridge, Arc::default());
    let [one, other] = [[192, 0, 2, 1], [192, 0, 2, 2]].map(IpAddr::from);
    // Two sessions, and the same address.
    let mut sessions = [one, one].map(start);
    for session in &mut sessions {
        for _ in 0..2 {
            session.open("tcp").await;
            session.say(r#"{"close":{"protocol":"tcp"}}"#).await;
            session.closed().await;
        }
    }
    for session in &mut sessions {
        session.say(r#"{"open":{"protocol":"tcp"}}"#).await;
        let refused = session.until(|event| matches!(event, Event::Error(_))).await.event;
        let Event::Error(problem) = refused else { unreachable!() };
        assert_eq!(problem.code, Code::OverLimit);
        assert!(problem.detail.starts_with("192.0.2.1 opened 4 TCP legs"), "{problem:?}");
    }
    start(other).open("tcp").await;
}
