//! The log: whatever strangers send, its lines are the server's own, hold no payload, do not flood it,
//! and stop nothing where nobody reads them.
// Stopped by a signal, which Windows has not.
#![cfg(unix)]

use std::env;
use std::process::{Command, Stdio};
use std::time::Instant;

use futures_util::future::join_all;
use serde_json::Value;
use streamgram::config::LogFormat;
use streamgram::guard::refusals::LOG_INTERVAL;
use streamgram::operate::logs;
use streamgram_protocol::{Event, STAMP_LEN, is_hidden};
use streamgram_tests::{
    Browser, PATIENCE, RawSocket, SOON, Server, Witness, binary, get, masked_frame, raw_request,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

/// Clears a terminal, names its window, begins a line, colours and turns what follows, and ends it.
const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;title\u{7}\r\nforged\u{9b}31m\u{202e}\u{2066}x\0";
/// The part of it that a header field may hold (RFC 9110, section 5.5).
const HOSTILE_FIELD: &str = "\u{9b}31m\u{202e}\u{2066}x";

/// A server that logs all it can, to a pipe.
fn logging(flags: &[&str]) -> Server {
    let mut command = Command::new(binary());
    command.args(["--log", "trace"]).args(flags).stderr(Stdio::piped());
    Server::spawn(command)
}

/// The log of a server that ends well.
fn log_of(server: Server) -> String {
    let (status, log) = server.stop();
    assert!(status.success(), "{status}");
    String::from_utf8(log).expect("the log is UTF-8")
}

/// Sends a text wherever the protocols have room for one that need not mean anything.
async fn send_as_payload(server: &Server, text: &str) {
    let mut stream = TcpStream::connect(server.tcp).await.expect("the server listens");
    stream.write_all(text.as_bytes()).await.expect("it takes bytes");
    let reply = timeout(PATIENCE, stream.read(&mut [0; 1])).await;
    assert_eq!(reply.expect("in time").expect("a reply"), 1);
    // A reset is noted.
    stream.set_zero_linger().expect("a reset can be asked for");
    drop(stream);

    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    socket.send_to(text.as_bytes(), server.udp).await.expect("there is room");
    timeout(PATIENCE, socket.recv(&mut [0; 64])).await.expect("in time").expect("a reply");

    let mut browser = Browser::connect_both(server.http).await;
    let (json, hex) = (Value::from(text), hex(text));
    for broken in [
        text,
        &format!(r#"{{{json}:{{}}}}"#),
        &format!(r#"{{"send":{{"id":1,"to":"both","text":"x",{json}:1}}}}"#),
        &format!(r#"{{"send":{{"id":1,"to":{json},"text":"x"}}}}"#),
        &format!(r#"{{"send":{{"id":1,"to":"both","hex":{json}}}}}"#),
    ] {
        browser.say(broken).await;
        browser.until(|event| matches!(event, Event::Error(_))).await;
    }
    browser.say(&format!(r#"{{"send":{{"id":1,"to":"both","text":{json}}}}}"#)).await;
    browser.say(&format!(r#"{{"send":{{"id":2,"to":"both","hex":"{hex}"}}}}"#)).await;
    browser.until_count(4, |event| matches!(event, Event::Answered { .. })).await;
    browser.frame(Message::Ping(text.to_owned().into())).await;
    browser.frame(Message::binary(text.to_owned())).await;
    assert_eq!(browser.closed().await.code, 1003);

    const RESERVED_BIT_AND_TEXT: u8 = 0xd1;
    const CLOSE: u8 = 0x88;
    let close = [&4000_u16.to_be_bytes(), text.as_bytes()].concat();
    for (frame, code) in [
        (masked_frame(RESERVED_BIT_AND_TEXT, text.as_bytes()), 1002),
        (masked_frame(CLOSE, &close), 4000),
    ] {
        let socket = RawSocket::connect(server.http, "").await;
        assert_eq!(socket.write(frame).closed().await.code, code);
    }
}

/// Sends a text in the head of requests; the answers may be whatever they like.
async fn send_in_heads(server: &Server, text: &str) {
    let http = server.http;
    let host = format!("host: {http}\r\nconnection: close\r\n");
    let ws = "connection: upgrade, close\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
              sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for request in [
        format!("GET /{text} HTTP/1.1\r\n{host}\r\n"),
        format!("{text} / HTTP/1.1\r\n{host}\r\n"),
        format!("GET / HTTP/1.1\r\nhost: {text}\r\nconnection: close\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{host}user-agent: {text}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{host}x-forwarded-for: {text}\r\n\r\n"),
        format!("GET /ws HTTP/1.1\r\nhost: {http}\r\n{ws}origin: {text}\r\n\r\n"),
    ] {
        raw_request(http, request.as_bytes()).await;
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// A log of all that strangers can have noted, with hostile text wherever there is room for it.
async fn hostile_log(format: &str) -> String {
    let server = logging(&["--log-format", format, "--trusted-proxy=127.0.0.0/8"]);
    send_as_payload(&server, HOSTILE).await;
    send_in_heads(&server, HOSTILE).await;
    send_in_heads(&server, HOSTILE_FIELD).await;
    let forwarded = format!("x-forwarded-for: {HOSTILE_FIELD}\r\n");
    let broken = masked_frame(0xff, HOSTILE.as_bytes());
    let socket = RawSocket::connect(server.http, &forwarded).await;
    assert_eq!(socket.write(broken).closed().await.code, 1002);
    let log = log_of(server);
    for noted in [
        "http_host",
        "ws_origin",
        "ws_protocol",
        "a TCP connection ended",
        "an HTTP connection ended",
    ] {
        assert!(log.contains(noted), "nothing was noted as {noted}: {log}");
    }
    log
}

/// Every line of a log, once nothing in it can speak to a terminal or turn the text.
fn harmless_lines(log: &str) -> Vec<&str> {
    let hidden = log.chars().find(|c| is_hidden(*c) && *c != '\n');
    assert_eq!(hidden, None, "{log:?}");
    assert!(log.ends_with('\n'), "{log:?}");
    log.lines().collect()
}

/// Whether this is a time as the log writes it (RFC 3339), in UTC.
fn is_time(text: &str) -> bool {
    let shape = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c });
    shape.eq("0000-00-00T00:00:00.000000Z".chars())
}

/// Time, level and message of a line of the text log.
fn is_text_line(line: &str) -> bool {
    line.split_once(' ').is_some_and(|(time, rest)| {
        let level = rest.trim_start().split(' ').next();
        let levels = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"];
        is_time(time) && level.is_some_and(|level| levels.contains(&level))
    })
}

/// The same of the JSON log.
fn json_line(line: &str) -> Value {
    let object: Value =
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    for field in ["timestamp", "level", "message"] {
        assert!(object[field].is_string(), "{field} is missing: {line}");
    }
    assert!(object["timestamp"].as_str().is_some_and(is_time), "{line}");
    object
}

#[tokio::test]
async fn hostile_text_neither_speaks_to_a_terminal_nor_forges_a_line() {
    let log = hostile_log("human").await;
    for line in harmless_lines(&log) {
        assert!(is_text_line(line), "{line}");
    }
}

#[tokio::test]
async fn every_line_of_a_json_log_is_an_object() {
    let log = hostile_log("json").await;
    for line in harmless_lines(&log) {
        json_line(line);
    }
}

/// No stranger's text reaches the log today. That of a panic does: this test is its own child, and
/// panics there.
#[test]
fn text_that_does_reach_the_log_is_escaped() {
    const FORMAT: &str = "STREAMGRAM_TEST_PANIC";
    if let Ok(format) = env::var(FORMAT) {
        let format = if format == "json" { LogFormat::Json } else { LogFormat::Human };
        let _log = logs::start("error".parse().unwrap(), format);
        panic!("{HOSTILE}");
    }
    for format in ["human", "json"] {
        let mut this = Command::new(env::current_exe().unwrap());
        this.args(["--exact", "text_that_does_reach_the_log_is_escaped"]).env(FORMAT, format);
        let output = this.output().unwrap();
        assert!(!output.status.success());
        let log = String::from_utf8(output.stderr).unwrap();
        let &[line] = harmless_lines(&log).as_slice() else { panic!("{log}") };
        if format == "json" {
            let message = &json_line(line)["message"];
            assert!(message.as_str().is_some_and(|message| message.ends_with(HOSTILE)), "{line}");
        } else {
            assert!(is_text_line(line) && line.contains("forged"), "{line}");
        }
    }
}

#[tokio::test]
async fn payloads_are_not_logged() {
    const MARKER: &str = "q7Vx2-this-is-a-secret";
    let server = logging(&[]);
    send_as_payload(&server, MARKER).await;
    let log = log_of(server);
    assert!(log.contains("ws_protocol"), "{log}");
    let bytes = format!("{:?}", MARKER.as_bytes());
    for form in [MARKER, &hex(MARKER), bytes.trim_matches(['[', ']'])] {
        assert!(!log.to_lowercase().contains(&form.to_lowercase()), "{log}");
    }
}

#[tokio::test]
async fn a_thousand_refusals_are_a_line_each_interval_and_counted_exactly() {
    let server = logging(&["--log-format=json"]);
    let since = Instant::now();
    let request = "GET / HTTP/1.1\r\nhost: evil.example\r\n";
    let last = format!("{request}connection: close\r\n\r\n");
    let hundred = format!("{request}\r\n").repeat(99) + &last;
    join_all((0..10).map(|_| raw_request(server.http, hundred.as_bytes()))).await;
    assert_eq!(server.refused("http_host").await, 1_000);
    // Time is what is tested: the next refusal after it is logged, with all before it.
    sleep(LOG_INTERVAL).await;
    raw_request(server.http, last.as_bytes()).await;
    assert_eq!(server.refused("http_host").await, 1_001);
    let intervals = since.elapsed().as_secs() / LOG_INTERVAL.as_secs();
    let log = log_of(server);
    let lines = log.lines().map(json_line).filter(|line| line["reason"] == "http_host");
    let times: Vec<_> = lines.map(|line| line["times"].as_u64().expect("a number")).collect();
    assert!(times.len() as u64 <= 1 + intervals, "{times:?} in {intervals} intervals");
    assert_eq!(times.iter().sum::<u64>(), 1_001, "{times:?}");
}

/// Lines that fill a pipe, and all the room that the server has for more.
const LINES: usize = 6_000;

/// Clients come and go, each with a line of the log; nobody waits for that.
async fn nothing_stops(server: &Server) {
    let witness = Witness::of(server).await;
    for _ in 0..LINES {
        let mut client = TcpStream::connect(server.tcp).await.expect("the server listens");
        // One after the other: a crowd that the kernel has no room for would hold up the witness.
        client.write_all(b"x").await.expect("it takes bytes");
        client.read_exact(&mut [0; STAMP_LEN + 1]).await.expect("a reply");
        client.set_zero_linger().expect("a reset can be asked for");
    }
    witness.was_served().await;
    let since = Instant::now();
    assert_eq!(get(server.http, "/healthz").await.status, 200);
    assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
}

#[tokio::test]
async fn a_log_that_nobody_reads_stops_nothing() {
    let server = logging(&[]);
    nothing_stops(&server).await;
    let lines = log_of(server).lines().count();
    assert!(lines < LINES, "{lines} lines found room");
}

#[tokio::test]
async fn a_log_whose_reader_has_gone_stops_nothing() {
    let mut server = logging(&[]);
    drop(server.stderr());
    nothing_stops(&server).await;
    log_of(server);
}

#[tokio::test]
async fn a_standard_error_that_is_closed_stops_nothing() {
    let mut command = Command::new("sh");
    command.args(["-c", r#"exec "$0" "$@" 2>&-"#]).arg(binary()).args(["--log", "trace"]);
    let server = Server::spawn(command);
    nothing_stops(&server).await;
    log_of(server);
}
