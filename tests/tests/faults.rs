//! Accept, receive, send and what a leg needs fail, each in turn: the server goes on, what is owed
//! comes, and nothing comes twice.
//!
//! A non-blocking socket never says EINTR, and one that was never full never says EAGAIN to a send; the
//! other calls get these as well.
// strace makes the system calls fail.
#![cfg(target_os = "linux")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use streamgram_protocol::{Event, LegId, Protocol, ServerMessage};
use streamgram_tests::{Browser, Faults, PATIENCE, Server, binary, echoes, is_ctime, skip};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{sleep, timeout};

/// Of so many calls of a thread one fails, the first, then the second, and so on.
const EVERY: u32 = 3;
/// Failures that a round waits for.
const FAILURES: usize = 4;
/// How often the clients ask while calls fail.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// What must come all the same.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owed {
    /// Everything.
    All,
    /// Every reply of the UDP server. A stream or a session may break, and be seen to.
    Datagrams,
    /// Nothing but an end that is seen, and the replies to what comes afterwards.
    Later,
}

/// The tracer, unless this machine forbids it; that is said, once a test.
fn faults(server: &Server, what: &str) -> Option<Faults> {
    match Faults::inject(server, what, Path::new(env!("CARGO_TARGET_TMPDIR"))) {
        Ok(faults) => Some(faults),
        Err(refusal) => {
            skip(&format!("faults cannot be tested here: {refusal}"));
            None
        }
    }
}

/// Clients of every kind, and what they have asked.
struct Clients {
    datagrams: UdpSocket,
    asked: usize,
    streams: Vec<TcpStream>,
    browser: Browser,
    sends: u64,
}

impl Clients {
    async fn of(server: &Server) -> Self {
        let datagrams = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        datagrams.connect(server.udp).await.expect("an address");
        let browser = Browser::connect_both(server.http).await;
        Self { datagrams, asked: 0, streams: Vec::new(), browser, sends: 0 }
    }

    /// One datagram, one byte over a new connection, one line over both legs.
    async fn ask(&mut self, server: &Server) {
        self.datagrams.send(b"?").await.expect("there is room");
        self.asked += 1;
        let mut stream = TcpStream::connect(server.tcp).await.expect("the kernel accepts");
        let _sent = stream.write_all(b"x").await;
        self.streams.push(stream);
        self.send().await;
    }

    async fn send(&mut self) {
        self.sends += 1;
        let send = format!(r#"{{"send":{{"id":{},"to":"both","text":"x"}}}}"#, self.sends);
        let _taken = self.browser.try_say(&send).await;
    }

    /// Looks at everything that has come, once calls succeed again and others have been served.
    async fn are_satisfied(mut self, owed: Owed) {
        let came = self.datagrams_that_came();
        assert!(came <= self.asked, "{came} replies to {} datagrams", self.asked);
        assert!(came == self.asked || owed == Owed::Later, "{came} of {}", self.asked);

        for mut stream in self.streams {
            // More bytes wake a connection that was told too early that there are none.
            let _sent = stream.write_all(b"y").await;
            let _sent = stream.shutdown().await;
            let mut replies = Vec::new();
            let read = timeout(PATIENCE, stream.read_to_end(&mut replies)).await;
            let ended = read.expect("a connection is answered or ends");
            let echoed = echoes(&replies).concat();
            assert!(b"xy".starts_with(&echoed), "{echoed:?}");
            assert!((ended.is_ok() && echoed == b"xy") || owed != Owed::All, "{ended:?}");
        }

        self.sends += 1;
        let send = format!(r#"{{"send":{{"id":{},"to":"both","text":"y"}}}}"#, self.sends);
        let mut lives = self.browser.try_say(&send).await;
        while lives && !is_settled(&self.browser.messages, self.sends) {
            lives = self.browser.next_or_end().await.is_some();
        }
        is_shown_once(&self.browser.messages);
        self.browser.answers_name_their_replies();
        if owed == Owed::All {
            let answers = self.browser.count(|event| matches!(event, Event::Answered { .. }));
            assert_eq!(answers as u64, 2 * self.sends, "{:#?}", self.browser.messages);
        }
    }

    fn datagrams_that_came(&self) -> usize {
        let mut reply = [0; 64];
        let mut came = 0;
        while let Ok(bytes) = self.datagrams.try_recv(&mut reply) {
            assert!(is_ctime(&reply[..bytes]));
            came += 1;
        }
        came
    }
}

/// Whether every send has been carried out or refused on both legs, and every line of it has its end.
fn is_settled(messages: &[ServerMessage], sends: u64) -> bool {
    let mut done = BTreeSet::new();
    let (mut sent, mut ended) = (BTreeSet::new(), BTreeSet::new());
    for ServerMessage { event, leg, .. } in messages {
        let name = leg.map(|leg| leg.protocol.name());
        match event {
            Event::Finished { id, .. } => done.extend(name.map(|name| (name, *id))),
            Event::Error(problem) => {
                let name = problem.protocol.map(Protocol::name).or(name);
                done.extend(name.zip(problem.id));
            }
            Event::Sent { id, line, .. } => sent.extend(name.map(|name| (name, *id, *line))),
            Event::Answered { id, line, .. } | Event::NoReply { id, line, .. } => {
                ended.extend(name.map(|name| (name, *id, *line)));
            }
            _ => {}
        }
    }
    let all = |protocol: Protocol| (1..=sends).all(|id| done.contains(&(protocol.name(), id)));
    Protocol::BOTH.into_iter().all(all) && sent.is_subset(&ended)
}

/// No line is answered twice, or given up and then answered without a word that it is late; no byte
/// of a reply is shown twice or left out.
fn is_shown_once(messages: &[ServerMessage]) {
    let mut ends: BTreeMap<_, Vec<&Event>> = BTreeMap::new();
    let mut replies: BTreeMap<_, u64> = BTreeMap::new();
    for ServerMessage { event, leg, .. } in messages {
        let Some(LegId { protocol, number }) = *leg else { continue };
        match event {
            Event::Answered { id, line, .. } | Event::NoReply { id, line, .. } => {
                ends.entry((number, *id, *line)).or_default().push(event);
            }
            Event::Reply { offset, bytes, .. } => {
                let next = replies.entry(number).or_default();
                assert_eq!(offset, next, "{messages:#?}");
                *next += if protocol == Protocol::Tcp { *bytes as u64 } else { 1 };
            }
            _ => {}
        }
    }
    for (line, ends) in ends {
        let once =
            matches!(ends[..], [_] | [Event::NoReply { .. }, Event::Answered { late: true, .. }]);
        assert!(once, "{line:?}: {ends:#?}");
    }
}

/// Whoever comes now is served.
async fn is_served(server: &Server) {
    let mut clients = Clients::of(server).await;
    clients.ask(server).await;
    let mut reply = [0; 64];
    let bytes = timeout(PATIENCE, clients.datagrams.recv(&mut reply)).await;
    assert!(is_ctime(&reply[..bytes.expect("a reply comes").expect("a datagram")]));
    clients.asked = 0;
    clients.are_satisfied(Owed::All).await;
}

/// Lets calls of a server fail with an error, the first of some, then the second, and so on.
async fn fail_in_turn(server: Server, calls: &str, error: &str, owed: Owed) {
    for first in 1..=EVERY {
        let mut clients = Clients::of(&server).await;
        let what = format!("{calls}:error={error}:when={first}+{EVERY}");
        let Some(faults) = faults(&server, &what) else { return };
        // A handshake needs more than one reply that comes.
        let newcomer =
            (owed == Owed::All).then(|| tokio::spawn(Browser::connect_both(server.http)));
        let since = Instant::now();
        while faults.count() < FAILURES {
            assert!(since.elapsed() < PATIENCE, "{what}: {} have failed", faults.count());
            clients.ask(&server).await;
            sleep(ASK_EVERY).await;
        }
        faults.stop().await;
        // In this order: what is served now wakes what was told too early that there is nothing, and
        // the UDP server has answered what came before.
        is_served(&server).await;
        clients.are_satisfied(owed).await;
        if let Some(newcomer) = newcomer {
            newcomer.await.expect("a session that began meanwhile has both legs");
        }
    }
}

async fn each(calls: &str, errors: &[&str], owed: Owed) {
    join_all(errors.iter().map(|error| fail_in_turn(Server::start(), calls, error, owed))).await;
}

#[tokio::test]
async fn an_accept_that_fails_loses_no_client() {
    let errors =
        ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "ECONNABORTED", "EPERM", "EINTR", "EAGAIN"];
    each("accept4", &errors, Owed::All).await;
}

#[tokio::test]
async fn a_wait_that_is_interrupted_loses_nothing() {
    each("epoll_wait,epoll_pwait", &["EINTR"], Owed::All).await;
}

#[tokio::test]
async fn a_receive_that_fails_ends_no_more_than_its_own_stream_and_no_datagram_is_lost() {
    let errors = ["EAGAIN", "EINTR", "ENOBUFS", "ENOMEM", "EPERM", "EIO", "ECONNRESET"];
    each("recvfrom,recvmsg,recvmmsg", &errors, Owed::Datagrams).await;
}

#[tokio::test]
async fn a_refusal_that_a_receive_reports_is_that_of_its_own_datagrams() {
    each("recvfrom,recvmsg,recvmmsg", &["ECONNREFUSED"], Owed::Datagrams).await;
}

#[tokio::test]
async fn a_send_that_fails_ends_no_more_than_its_own_stream() {
    let errors = ["EINTR", "ENOBUFS", "ENOMEM", "EPERM", "EIO", "ECONNREFUSED", "EPIPE"];
    each("sendto,sendmsg,sendmmsg,writev", &errors, Owed::Later).await;
}

#[tokio::test]
async fn a_log_that_cannot_be_written_stops_nothing() {
    let mut command = Command::new(binary());
    command.stderr(OpenOptions::new().write(true).open("/dev/full").unwrap());
    fail_in_turn(Server::spawn(command), "accept4", "EMFILE", Owed::All).await;
}

#[tokio::test]
async fn a_leg_that_cannot_be_opened_says_so_and_opens_once_it_can() {
    let faults_of_legs = [
        ("socket", "EMFILE"),
        ("socket", "ENFILE"),
        ("socket", "ENOBUFS"),
        ("socket", "ENOMEM"),
        ("socket", "EPERM"),
        ("bind", "EADDRINUSE"),
        ("bind", "ENOMEM"),
        ("connect", "EADDRNOTAVAIL"),
        ("connect", "ECONNREFUSED"),
        ("connect", "EPERM"),
        ("connect", "ENETUNREACH"),
        ("getsockname", "ENOBUFS"),
        ("epoll_ctl", "ENOMEM"),
        ("epoll_ctl", "ENOSPC"),
    ];
    join_all(faults_of_legs.map(|(call, error)| async move {
        let server = Server::start();
        let mut browser = Browser::connect(server.http).await;
        let Some(faults) = faults(&server, &format!("{call}:error={error}")) else { return };
        for name in ["tcp", "udp"] {
            browser.say(&format!(r#"{{"open":{{"protocol":"{name}"}}}}"#)).await;
            let refused = |event: &Event| {
                let said =
                    matches!(event, Event::Closed { .. } | Event::Refused { .. } | Event::Error(_));
                assert!(!matches!(event, Event::Opened { .. }), "{call} {error}");
                said
            };
            browser.until(refused).await;
        }
        assert!(faults.count() >= 2, "{call} {error}");
        faults.stop().await;
        for name in ["tcp", "udp"] {
            browser.say(&format!(r#"{{"open":{{"protocol":"{name}"}}}}"#)).await;
            browser.until(|event| matches!(event, Event::Opened { .. })).await;
        }
        browser.say(r#"{"send":{"id":1,"to":"both","text":"x"}}"#).await;
        browser.until_count(2, |event| matches!(event, Event::Answered { .. })).await;
        is_served(&server).await;
    }))
    .await;
}

#[tokio::test]
async fn a_listener_of_the_operator_that_dies_ends_the_process_and_is_named() {
    let mut command = Command::new(binary());
    command.arg("--admin=127.0.0.1:0").stderr(Stdio::piped());
    let mut server = Server::spawn(command);
    let Some(faults) = faults(&server, "accept4:error=EINVAL") else { return };
    let _asks = TcpStream::connect(server.admin.unwrap()).await.unwrap();
    let (status, mut stderr) = tokio::task::spawn_blocking(move || {
        let status = server.wait();
        (status, server.stderr().expect("a pipe"))
    })
    .await
    .unwrap();
    faults.stop().await;
    let mut said = String::new();
    std::io::Read::read_to_string(&mut stderr, &mut said).unwrap();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("the admin listener has ended"), "{said}");
}

#[tokio::test]
async fn a_call_that_keeps_failing_costs_little_processor_time() {
    for what in ["accept4:error=EMFILE", "recvfrom,recvmsg,recvmmsg:error=ENOMEM"] {
        let server = Server::start();
        let datagrams = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        let Some(faults) = faults(&server, what) else { return };
        datagrams.send_to(b"?", server.udp).await.unwrap();
        let _waiting = TcpStream::connect(server.tcp).await.unwrap();
        let since = Instant::now();
        while faults.count() < FAILURES {
            assert!(since.elapsed() < PATIENCE, "{what}: {} have failed", faults.count());
            sleep(ASK_EVERY).await;
        }
        let before = server.processor_ms();
        sleep(Duration::from_secs(1)).await;
        let used = server.processor_ms() - before;
        assert!(used < 100, "{what}: {used} ms in a second");
        faults.stop().await;
        is_served(&server).await;
    }
}
