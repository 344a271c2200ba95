//! The time of a reply is when its socket had it, however late the session reads it.
// Linux alone tells that time, and strace holds the session up.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::time::{Duration, Instant};

use streamgram_protocol::Event;
use streamgram_tests::{Browser, Faults, Server, skip};

/// How long every read of a leg is held up, in microseconds.
const HELD_US: u64 = 200_000;
const LINES: usize = 3;

async fn a_held_read_does_not_move_the_time(protocol: &str) {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    let held = format!("recvmsg:delay_enter={HELD_US}");
    let faults = Faults::inject(&server, &held, Path::new(env!("CARGO_TARGET_TMPDIR")));
    let _faults = match faults {
        Ok(faults) => faults,
        Err(refusal) => return skip(&format!("the session cannot be held up: {refusal}")),
    };
    for id in 1..=LINES {
        let asked = Instant::now();
        browser.say(&format!(r#"{{"send":{{"id":{id},"to":"{protocol}","text":"x"}}}}"#)).await;
        browser.until_count(id, |event| matches!(event, Event::Answered { .. })).await;
        assert!(asked.elapsed() >= Duration::from_micros(HELD_US), "the read is held up");
    }
    for message in &browser.messages {
        match message.event {
            Event::Answered { rtt_us, .. } => assert!(rtt_us < HELD_US / 2, "{message:?}"),
            Event::Reply { earlier_us, .. } => assert_eq!(earlier_us, None, "{message:?}"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_session_that_is_held_up_does_not_move_the_time_of_a_datagram() {
    a_held_read_does_not_move_the_time("udp").await;
}

#[tokio::test]
async fn a_session_that_is_held_up_does_not_move_the_time_of_bytes() {
    a_held_read_does_not_move_the_time("tcp").await;
}

#[tokio::test]
async fn events_do_not_wait_for_a_reply_that_takes_long() {
    let server = Server::start();
    let mut browser = Browser::connect(server.http).await;
    let link = r#"{"up":{"delay_ms":2000},"down":{"delay_ms":2000}}"#;
    let open = format!(r#"{{"open":{{"protocol":"udp","path":"emulated","link":{link}}}}}"#);
    browser.say(&open).await;
    browser.until(|event| matches!(event, Event::Opened { .. })).await;
    let asked = Instant::now();
    browser.say(r#"{"send":{"id":1,"to":"udp","text":"x"}}"#).await;
    browser.until(|event| matches!(event, Event::Sent { .. })).await;
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
}
