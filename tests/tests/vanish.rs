//! Clients that vanish, or read nothing, leave nothing behind and cost nothing.
// What is left behind is read from /proc.
#![cfg(target_os = "linux")]

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use streamgram_protocol::Event;
use streamgram_tests::{Browser, PATIENCE, Server, connect_raw};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

async fn is_served(server: &Server) {
    let mut browser = Browser::connect_both(server.http).await;
    browser.say(r#"{"send":{"id":1,"to":"both","text":"x"}}"#).await;
    browser.until_count(2, |event| matches!(event, Event::Answered { .. })).await;
}

#[tokio::test]
async fn browsers_that_vanish_in_mid_burst_leave_nothing_behind() {
    let server = Server::start();
    let before = server.open_files_at_rest();
    let mut browsers = Vec::new();
    for _ in 0..20 {
        let mut browser = Browser::connect_both(server.http).await;
        let burst = r#"{"send":{"id":1,"to":"both","text":"x","count":500,"interval_ms":10}}"#;
        browser.say(burst).await;
        browser.until(|event| matches!(event, Event::Answered { .. })).await;
        browsers.push(browser);
    }
    // A WebSocket and two legs each, and the TCP server's end of one of them.
    assert!(server.open_files() >= before + 20 * 4);
    drop(browsers);
    server.returns_to(before, Duration::from_secs(5)).await;
    is_served(&server).await;
}

#[tokio::test]
async fn three_hundred_sessions_one_after_the_other_leave_nothing_behind() {
    let server = Server::start();
    let before = server.open_files_at_rest();
    for _ in 0..300 {
        drop(Browser::connect_both(server.http).await);
    }
    server.returns_to(before, Duration::from_secs(5)).await;
    is_served(&server).await;
}

#[tokio::test]
async fn three_hundred_legs_of_one_session_leave_nothing_behind() {
    let server = Server::start();
    let mut browser = Browser::connect(server.http).await;
    let before = server.open_files_at_rest();
    let is_closed = |event: &Event| matches!(event, Event::Closed { .. });
    for round in 0..300 {
        let (name, how) = [("tcp", "close"), ("tcp", "reset"), ("udp", "close")][round % 3];
        browser.say(&format!(r#"{{"open":{{"protocol":"{name}"}}}}"#)).await;
        browser.until(|event| matches!(event, Event::Opened { .. })).await;
        let close = format!(r#"{{"close":{{"protocol":"{name}","how":"{how}"}}}}"#);
        browser.say(&close).await;
        browser.until(is_closed).await;
    }
    server.returns_to(before, Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_client_that_reads_nothing_costs_no_processor_time() {
    const BURST: u32 = 1_000;
    let server = Server::start();
    let mut socket = connect_raw(server.http).await;
    let line = "x".repeat(60_000);
    let burst = format!(r#"{{"send":{{"id":1,"to":"tcp","text":"{line}","count":{BURST}}}}}"#);
    socket.send(Message::text(r#"{"open":{"protocol":"tcp"}}"#)).await.unwrap();
    let is_opened = |frame: &Message| frame.to_text().is_ok_and(|text| text.contains("opened"));
    let opened = async { while !is_opened(&socket.next().await.unwrap().unwrap()) {} };
    timeout(PATIENCE, opened).await.expect("the leg opens");
    socket.send(Message::text(burst)).await.unwrap();

    // All buffers on the way are full when the server has nothing more to do.
    let mut used = server.processor_ms();
    let at_rest = async {
        loop {
            sleep(Duration::from_secs(1)).await;
            let now = server.processor_ms();
            if now - used < 200 {
                return;
            }
            used = now;
        }
    };
    let patience = PATIENCE / 2;
    timeout(patience, at_rest).await.expect("a session that cannot go on does nothing");
    is_served(&server).await;
}
