//! Attackers over a WebSocket who do not listen, do not finish, or vanish.

use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{FutureExt as _, SinkExt as _};
use streamgram_protocol::{Event, Limits};
use streamgram_tests::{Browser, RawSocket, connect_raw, masked_frame};
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;

use super::websocket::{PING, TEXT};
use crate::visitor::{Kind, Visit};

pub(super) const KINDS: [Kind; 6] = [
    Kind { name: "WebSocket: answers no ping", at_once: 3, visit: |it| silent(it).boxed() },
    Kind { name: "WebSocket: never finishes", at_once: 3, visit: |it| unfinished(it).boxed() },
    Kind { name: "WebSocket: a burst, never reads", at_once: 3, visit: |it| unread(it).boxed() },
    Kind { name: "WebSocket: vanishes in mid-burst", at_once: 3, visit: |it| vanish(it).boxed() },
    Kind { name: "WebSocket: a lab, and vanishes", at_once: 2, visit: |it| vanish_lab(it).boxed() },
    Kind { name: "WebSocket: 50 handshakes at once", at_once: 1, visit: |it| crowd(it).boxed() },
];

const OPENS: [&str; 2] = [r#"{"open":{"protocol":"tcp"}}"#, r#"{"open":{"protocol":"udp"}}"#];

async fn silent(visit: Visit) {
    let opens = OPENS.map(|open| masked_frame(TEXT, open.as_bytes())).concat();
    let closed = RawSocket::connect(visit.http, "").await.write(opens).closed().await;
    assert_eq!(closed.code, 1008, "{closed:?}");
}

/// Holds a message that is as long as it may be but for its end, and answers no ping either.
async fn unfinished(visit: Visit) {
    let unfinished = vec![b' '; Limits::default().message_bytes - 1];
    let frames = [masked_frame(0x01, &unfinished), masked_frame(PING, b"")].concat();
    let closed = RawSocket::connect(visit.http, "").await.write(frames).closed().await;
    assert_eq!(closed.code, 1008, "{closed:?}");
}

/// Reads nothing of the events of 1,000 long lines, for some seconds.
async fn unread(visit: Visit) {
    let mut socket = connect_raw(visit.http).await;
    let line = "x".repeat(10_000);
    let burst = format!(r#"{{"send":{{"id":1,"to":"both","text":"{line}","count":1000}}}}"#);
    for message in OPENS.into_iter().chain([burst.as_str()]) {
        socket.send(Message::text(message)).await.expect("the session takes frames");
    }
    sleep(Duration::from_secs(5)).await;
}

async fn vanish(visit: Visit) {
    let mut session = Browser::connect_both(visit.http).await;
    let burst = r#"{"send":{"id":1,"to":"both","text":"x","count":500,"interval_ms":10}}"#;
    session.say(burst).await;
    session.until(|event| matches!(event, Event::Answered { .. })).await;
}

/// Over a path on which nothing comes back any more.
async fn vanish_lab(visit: Visit) {
    let mut session = Browser::connect(visit.http).await;
    let emulated = r#""path":"emulated","link":{"up":{"delay_ms":100},"down":{"delay_ms":100}}"#;
    for protocol in ["tcp", "udp"] {
        session.say(&format!(r#"{{"open":{{"protocol":"{protocol}",{emulated}}}}}"#)).await;
        session.until(|event| matches!(event, Event::Opened { .. })).await;
        let lost = format!(r#""protocol":"{protocol}","link":{{"up":{{"loss":100}}}}"#);
        session.say(&format!(r#"{{"link":{{{lost}}}}}"#)).await;
    }
    session.say(r#"{"send":{"id":1,"to":"both","text":"x","count":100}}"#).await;
    session.until(|event| matches!(event, Event::Sent { .. })).await;
}

async fn crowd(visit: Visit) {
    let crowd = join_all((0..50).map(|_| connect_raw(visit.http))).await;
    sleep(Duration::from_millis(500)).await;
    drop(crowd);
}
