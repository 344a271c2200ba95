//! What is wrong is named, ends the smallest thing, and nobody else notices.

use streamgram_protocol::{Code, Event, Limits, Problem};
use streamgram_tests::{Browser, Closed, PATIENCE, Server, connect_raw};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// What the session says is wrong with a message.
async fn complaint(browser: &mut Browser, message: &str) -> Problem {
    browser.say(message).await;
    match browser.until(|event| matches!(event, Event::Error(_))).await.event {
        Event::Error(problem) => problem,
        _ => unreachable!(),
    }
}

/// The session still does what it is for.
async fn assert_alive(browser: &mut Browser) {
    let answers = browser.count(|event| matches!(event, Event::Answered { .. }));
    browser.say(r#"{"type":"send","id":99,"to":"both","text":"still here"}"#).await;
    browser.until_count(answers + 2, |event| matches!(event, Event::Answered { .. })).await;
}

#[tokio::test]
async fn a_message_that_is_wrong_is_named_and_the_session_lives_on() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    let long = "x".repeat(65_508);
    let send = |rest: &str| format!(r#"{{"type":"send","id":5,"to":"both",{rest}}}"#);
    let cases = [
        ("{".to_owned(), Code::BadJson, None),
        ("[1]".to_owned(), Code::BadJson, None),
        (r#"{"type":"dial"}"#.to_owned(), Code::UnknownType, Some("type")),
        (r#"{"type":"open","protocol":"sctp"}"#.to_owned(), Code::BadField, Some("protocol")),
        (
            r#"{"type":"open","protocol":"tcp","host":"192.0.2.1"}"#.to_owned(),
            Code::BadField,
            Some("host"),
        ),
        (send(r#""hex":"0""#), Code::BadField, Some("hex")),
        (send(r#""text":"x","count":1001"#), Code::OverLimit, Some("count")),
        (send(r#""text":"x","interval_ms":10001"#), Code::OverLimit, Some("interval_ms")),
        (send(&format!(r#""text":"{long}""#)), Code::OverLimit, Some("text")),
        (r#"{"type":"stop","id":9007199254740992}"#.to_owned(), Code::OverLimit, Some("id")),
    ];
    for (message, code, field) in cases {
        let problem = complaint(&mut browser, &message).await;
        assert_eq!((problem.code, problem.field.as_deref()), (code, field), "{problem:?}");
    }
    let sent = browser.count(|event| matches!(event, Event::Sent { .. }));
    assert_eq!(sent, 0, "nothing of a refused message goes out");
    assert_alive(&mut browser).await;
}

#[tokio::test]
async fn an_empty_line_over_tcp_is_explained_and_over_udp_a_datagram() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    let problem = complaint(&mut browser, r#"{"type":"send","id":1,"to":"both","text":""}"#).await;
    assert_eq!((problem.code, problem.id), (Code::Empty, Some(1)));
    browser.until(|event| matches!(event, Event::Answered { id: 1, .. })).await;
    assert_alive(&mut browser).await;
}

#[tokio::test]
async fn what_is_not_open_takes_nothing_and_what_is_open_is_not_opened_twice() {
    let server = Server::start();
    let mut browser = Browser::connect(server.http).await;
    let closed = [
        r#"{"type":"send","id":1,"to":"tcp","text":"x"}"#,
        r#"{"type":"send","id":1,"to":"udp","text":"x"}"#,
        r#"{"type":"close","protocol":"tcp"}"#,
        r#"{"type":"close","protocol":"tcp","how":"half"}"#,
        r#"{"type":"close","protocol":"udp"}"#,
        r#"{"type":"nodelay","on":true}"#,
    ];
    for message in closed {
        assert_eq!(complaint(&mut browser, message).await.code, Code::NotOpen, "{message}");
    }
    let mut browser = Browser::connect_both(server.http).await;
    for message in [r#"{"type":"open","protocol":"tcp"}"#, r#"{"type":"open","protocol":"udp"}"#] {
        assert_eq!(complaint(&mut browser, message).await.code, Code::AlreadyOpen, "{message}");
    }
    assert_alive(&mut browser).await;
}

#[tokio::test]
async fn one_send_more_than_a_leg_works_on_is_refused() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    let limit = Limits::default().sends_in_progress;
    let slow = |id: usize| {
        format!(r#"{{"type":"send","id":{id},"to":"udp","text":"x","count":9,"interval_ms":9000}}"#)
    };
    for id in 0..limit {
        browser.say(&slow(id)).await;
    }
    let problem = complaint(&mut browser, &slow(limit)).await;
    assert_eq!((problem.code, problem.id), (Code::TooManySends, Some(limit as u64)));
    browser.say(r#"{"type":"stop","id":0}"#).await;
    browser.until(|event| matches!(event, Event::Finished { id: 0, .. })).await;
    assert_alive(&mut browser).await;
}

async fn end_of(server: &Server, frame: Message) -> Closed {
    let mut browser = Browser::connect_both(server.http).await;
    browser.frame(frame).await;
    browser.closed().await
}

#[tokio::test]
async fn what_cannot_be_answered_ends_the_session_with_its_close_code() {
    let server = Server::start();
    let mut witness = Browser::connect_both(server.http).await;
    let limit = Limits::default().message_bytes;
    let long = end_of(&server, Message::text("x".repeat(limit + 1))).await;
    assert_eq!(long.code, 1009);
    assert!(long.reason.contains("524288"), "{long:?}");
    let binary = end_of(&server, Message::binary(b"x".as_slice())).await;
    assert_eq!(binary.code, 1003);
    let text = Frame::message(vec![0xff], OpCode::Data(Data::Text), true);
    assert_eq!(end_of(&server, Message::Frame(text)).await.code, 1007);
    let mut reserved = Frame::message(b"x".to_vec(), OpCode::Data(Data::Text), true);
    reserved.header_mut().rsv1 = true;
    assert_eq!(end_of(&server, Message::Frame(reserved)).await.code, 1002);
    assert_alive(&mut witness).await;
}

#[tokio::test]
async fn a_message_of_just_the_limit_is_read() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    let limit = Limits::default().message_bytes;
    let problem = complaint(&mut browser, &" ".repeat(limit)).await;
    assert_eq!(problem.code, Code::BadJson);
    assert_alive(&mut browser).await;
}

#[tokio::test]
async fn a_client_without_the_subprotocol_is_served() {
    let server = Server::start();
    let mut stream = TcpStream::connect(server.http).await.unwrap();
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        server.http
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains(r#""type":"hello""#) {
        let read = timeout(PATIENCE, stream.read_buf(&mut seen)).await.unwrap().unwrap();
        assert_ne!(read, 0, "{}", String::from_utf8_lossy(&seen));
    }
    assert!(seen.starts_with(b"HTTP/1.1 101"));
}

#[tokio::test]
async fn limits_that_an_operator_turns_are_told_and_kept() {
    let flags = ["--line-bytes", "10", "--burst-lines", "5", "--message-bytes", "2048"];
    let server = Server::start_with(&flags);
    let mut browser = Browser::connect_both(server.http).await;
    let Event::Hello(hello) = &browser.messages[0].event else { panic!("hello comes first") };
    let Limits { line_bytes, burst_lines, message_bytes, .. } = hello.limits;
    assert_eq!((line_bytes, burst_lines, message_bytes), (10, 5, 2_048));
    let problem =
        complaint(&mut browser, r#"{"type":"send","id":1,"to":"udp","text":"12345678901"}"#).await;
    assert_eq!(problem.detail, "line is 11 bytes, the limit is 10");
    let problem =
        complaint(&mut browser, r#"{"type":"send","id":1,"to":"udp","text":"x","count":6}"#).await;
    assert_eq!(problem.detail, "count is 6, it must be 1 to 5");
    browser.frame(Message::text("x".repeat(2_049))).await;
    assert_eq!(browser.closed().await.code, 1009);
    drop(connect_raw(server.http).await);
}
