//! Attackers over a WebSocket who say what nobody may say: from another origin, in broken frames, too
//! much, too fast.

use futures_util::FutureExt as _;
use streamgram_protocol::{Code, Event, Limits};
use streamgram_tests::{Browser, RawSocket, masked_frame, masked_head, upgrade_request};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;

use super::{floods, narrow, sent, until_end};
use crate::visitor::{Kind, Visit};

pub(super) const TEXT: u8 = 0x81;
pub(super) const PING: u8 = 0x89;

pub(super) const KINDS: [Kind; 7] = [
    Kind { name: "WebSocket: another origin", at_once: 1, visit: |it| origin(it).boxed() },
    Kind { name: "WebSocket: broken frames", at_once: 2, visit: |it| broken(it).boxed() },
    Kind { name: "WebSocket: malformed JSON", at_once: 2, visit: |it| malformed(it).boxed() },
    Kind { name: "WebSocket: pings, never reads", at_once: 2, visit: |it| pings(it).boxed() },
    Kind { name: "WebSocket: mistakes, never reads", at_once: 2, visit: |it| mistakes(it).boxed() },
    Kind { name: "WebSocket: too many bytes", at_once: 1, visit: |it| bytes(it).boxed() },
    Kind { name: "WebSocket: floods its lab", at_once: 1, visit: |it| lab(it).boxed() },
];

async fn origin(visit: Visit) {
    for origin in ["http://evil.example", "null", "http://127.0.0.1:1"] {
        let request = upgrade_request(visit.http, "/ws", &format!("origin: {origin}\r\n"));
        let mut stream = sent(visit.http, request.as_bytes()).await;
        stream.shutdown().await.expect("it takes a FIN");
        let answer = until_end(&mut stream).await;
        assert!(answer.starts_with(b"HTTP/1.1 403 "), "{}", String::from_utf8_lossy(&answer));
    }
}

/// Each ends its session, with the code that says why.
async fn broken(visit: Visit) {
    let whole = Limits::default().message_bytes;
    for (frames, code) in [
        (vec![0x81, 0x01, b'x'], 1002),
        (masked_frame(0xc1, b"x"), 1002),
        (masked_frame(0x83, b"x"), 1002),
        (masked_frame(0x80, b"orphan"), 1002),
        (masked_frame(PING, &[b'x'; 126]), 1002),
        (masked_frame(0x82, b"binary"), 1003),
        (masked_frame(TEXT, b"\xff"), 1007),
        (masked_head(TEXT, 16 << 20), 1009),
        (masked_frame(TEXT, &vec![b' '; whole + 1]), 1009),
    ] {
        let closed = RawSocket::connect(visit.http, "").await.write(frames).closed().await;
        assert_eq!(closed.code, code, "{closed:?}");
    }
}

/// Each is answered with an error, and the session lives on.
async fn malformed(visit: Visit) {
    let mut session = Browser::connect(visit.http).await;
    let deep = "[".repeat(100_000);
    for json in ["", "null", "[]", "{}", r#"{"\ud800":{}}"#, r#"{"stop":{"id":1,}}"#, &deep] {
        session.say(json).await;
        let error = session.until(|event| matches!(event, Event::Error(_))).await;
        let Event::Error(problem) = error.event else { unreachable!("an error was waited for") };
        assert_eq!(problem.code, Code::BadJson, "{problem:?}");
    }
    session.frame(Message::Close(None)).await;
}

/// A session that begins and then floods until it is ended.
async fn flooded(visit: Visit, frame: Vec<u8>) {
    let mut stream = narrow(visit.http).await;
    let request = upgrade_request(visit.http, "/ws", "");
    stream.write_all(request.as_bytes()).await.expect("an upgrade");
    floods(stream, &frame).await;
}

async fn pings(visit: Visit) {
    flooded(visit, masked_frame(PING, &[b'x'; 125]).repeat(100)).await;
}

async fn mistakes(visit: Visit) {
    flooded(visit, masked_frame(TEXT, br#"{"x":{}}"#).repeat(100)).await;
}

async fn bytes(visit: Visit) {
    flooded(visit, masked_frame(TEXT, &[b' '; 400_000])).await;
}

/// As many packets as its path carries, or more than it may, and it vanishes.
async fn lab(visit: Visit) {
    let mut session = Browser::connect(visit.http).await;
    let link = r#"{"mtu":576,"up":{"duplicate":50,"limit":10000}}"#;
    for protocol in ["tcp", "udp"] {
        let emulated = format!(r#""path":"emulated","link":{link}"#);
        session.say(&format!(r#"{{"open":{{"protocol":"{protocol}",{emulated}}}}}"#)).await;
        session.until(|event| matches!(event, Event::Opened { .. })).await;
    }
    let line = "x".repeat(8_000);
    let burst = format!(r#""to":"both","text":"{line}","count":1000,"interval_ms":0"#);
    session.say(&format!(r#"{{"send":{{"id":1,{burst}}}}}"#)).await;
    session.until(|event| matches!(event, Event::Closed { .. } | Event::Finished { .. })).await;
}
