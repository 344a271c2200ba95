//! Bad input: every mistake has its answer, and nobody but the one who made it notices.

use std::net::SocketAddr;
use std::time::Duration;

use streamgram_protocol::{Code, Event, Limits, Problem, Protocol};
use streamgram_tests::{
    Browser, Closed, PATIENCE, RawSocket, Server, get, masked_frame, masked_head,
};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

/// Says something wrong and returns what the session makes of it.
async fn mistake(browser: &mut Browser, json: &str) -> Problem {
    browser.say(json).await;
    let message = browser.until(|event| matches!(event, Event::Error(_))).await;
    assert_eq!(message.leg, None);
    match message.event {
        Event::Error(problem) => problem,
        other => unreachable!("an error was waited for: {other:?}"),
    }
}

/// A good line is answered on both legs.
async fn lives_on(browser: &mut Browser) {
    let id = browser.messages.len() + 1_000_000;
    let of_this =
        |event: &Event| matches!(event, Event::Answered { id: of, .. } if *of == id as u64);
    browser.say(&format!(r#"{{"send":{{"id":{id},"to":"both","text":"good"}}}}"#)).await;
    browser.until_count(2, of_this).await;
}

#[tokio::test]
async fn what_is_not_one_named_message_is_bad_json_and_the_session_lives_on() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    let deep = "[".repeat(100_000);
    for json in [
        "",
        " ",
        "{",
        "nonsense",
        "null",
        "1",
        r#""stop""#,
        "[]",
        r#"["stop",1]"#,
        r#"["nodelay",true]"#,
        r#"[{"stop":{"id":1}}]"#,
        "{}",
        r#"{"stop":{"id":1},"nodelay":{"on":true}}"#,
        r#"{"stop":{"id":1},"stop":{"id":1}}"#,
        r#"{"stop":{"id":1}}{}"#,
        r#"{"stop":{"id":1}},"#,
        r#"{"stop":{"id":1}"#,
        r#"{"stop":{"id":1},}"#,
        r#"{"stop":{"id":1,}}"#,
        r#"{"stop":[1,2]}"#,
        r#"{stop:{"id":1}}"#,
        r#"{"\ud800":{}}"#,
        r#"{"send":{"id":1,"to":"tcp","text":"\ud800"}}"#,
        "\u{0}",
        &deep,
    ] {
        browser.say(json).await;
        let is_error = |event: &Event| matches!(event, Event::Error(_));
        // A session that carries this out says nothing; the answer to the next message shows.
        let shown = &json[..json.len().min(40)];
        browser.say(r#"{"marker":{}}"#).await;
        let first = browser.until(is_error).await;
        let Event::Error(problem) = first.event else { unreachable!("an error was waited for") };
        assert_eq!(problem.code, Code::BadJson, "{shown}: {problem:?}");
        assert!(!problem.detail.is_empty());
        browser.until(is_error).await;
        lives_on(&mut browser).await;
    }
}

#[tokio::test]
async fn a_name_that_is_unknown_is_quoted_and_the_session_lives_on() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    let deep = format!(r#"{{"dial":{}"#, "[".repeat(100_000));
    for (json, name) in [
        (r#"{"dial":{"host":"192.0.2.1:80"}}"#, "`dial`"),
        (r#"{"dial":null}"#, "`dial`"),
        (r#"{"dial":{},"stop":{"id":1}}"#, "`dial`"),
        (r#"{"SEND":{"id":1,"to":"tcp","text":"x"}}"#, "`SEND`"),
        (r#"{"type":"stop","id":1}"#, "`type`"),
        (r#"{"":{}}"#, "``"),
        (r#"{"\u0000":{}}"#, "`\u{0}`"),
        (&deep, "`dial`"),
    ] {
        let problem = mistake(&mut browser, json).await;
        let shown = &json[..json.len().min(40)];
        assert_eq!((problem.code, problem.field), (Code::UnknownMessage, None), "{shown}");
        assert!(problem.detail.contains(name), "{shown}: {}", problem.detail);
        lives_on(&mut browser).await;
    }
}

#[tokio::test]
async fn a_message_that_is_no_object_is_named_and_the_session_lives_on() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    for json in [
        r#"{"stop":null}"#,
        r#"{"stop":1}"#,
        r#"{"stop":"1"}"#,
        r#"{"stop":[]}"#,
        r#"{"nodelay":true}"#,
        r#"{"send":[1,"tcp","x"]}"#,
    ] {
        let problem = mistake(&mut browser, json).await;
        assert_eq!((problem.code, problem.field), (Code::BadField, None), "{json}");
        assert_eq!(problem.message.as_deref(), json.split('"').nth(1), "{json}");
        lives_on(&mut browser).await;
    }
}

#[tokio::test]
async fn a_field_that_is_wrong_is_named_and_the_session_lives_on() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    for (json, field) in [
        (r#"{"open":{}}"#, "protocol"),
        (r#"{"open":{"protocol":"sctp"}}"#, "protocol"),
        (r#"{"open":{"protocol":"tcp","path":"192.0.2.1:80"}}"#, "path"),
        (r#"{"open":{"protocol":"tcp","host":"192.0.2.1:80"}}"#, "host"),
        (r#"{"open":{"protocol":"tcp","nodelay":"yes"}}"#, "nodelay"),
        (r#"{"open":{"protocol":"udp","nodelay":true}}"#, "nodelay"),
        (r#"{"close":{"protocol":"tcp","how":"politely"}}"#, "how"),
        (r#"{"close":{"protocol":"udp","how":"half"}}"#, "how"),
        (r#"{"close":{"protocol":"udp","how":"reset"}}"#, "how"),
        (r#"{"nodelay":{}}"#, "on"),
        (r#"{"nodelay":{"on":1}}"#, "on"),
        (r#"{"stop":{}}"#, "id"),
        (r#"{"stop":{"id":-1}}"#, "id"),
        (r#"{"stop":{"id":1,"id":1}}"#, "id"),
        (r#"{"stop":["x"]}"#, "[0]"),
        (r#"{"send":{"to":"tcp","text":"x"}}"#, "id"),
        (r#"{"send":{"id":1.5,"to":"tcp","text":"x"}}"#, "id"),
        (r#"{"send":{"id":1,"text":"x"}}"#, "to"),
        (r#"{"send":{"id":1,"to":"127.0.0.1:1","text":"x"}}"#, "to"),
        (r#"{"send":{"id":1,"to":"tcp"}}"#, "text"),
        (r#"{"send":{"id":1,"to":"tcp","text":["x"]}}"#, "text"),
        (r#"{"link":{"protocol":"tcp","link":{"rules":[{"lose":{"line":1}}]}}}"#, "link.rules[0]"),
        (r#"{"send":{"id":1,"to":"tcp","text":"x","hex":"78"}}"#, "hex"),
        (r#"{"send":{"id":1,"to":"tcp","hex":"7g"}}"#, "hex"),
        (r#"{"send":{"id":1,"to":"tcp","hex":"787"}}"#, "hex"),
        (r#"{"send":{"id":1,"to":"tcp","text":"x","count":-1}}"#, "count"),
        (r#"{"send":{"id":1,"to":"tcp","text":"x","count":4294967296}}"#, "count"),
        (r#"{"send":{"id":1,"to":"tcp","text":"x","interval_ms":0.5}}"#, "interval_ms"),
        (r#"{"send":{"id":1,"to":"tcp","text":"x","cuont":2}}"#, "cuont"),
    ] {
        let problem = mistake(&mut browser, json).await;
        assert_eq!(
            (problem.code, problem.field.as_deref()),
            (Code::BadField, Some(field)),
            "{json}"
        );
        assert!(!problem.detail.is_empty(), "{json}");
        let name = json.split('"').nth(1);
        assert_eq!(problem.message.as_deref(), name, "{json}");
        lives_on(&mut browser).await;
    }
}

#[tokio::test]
async fn a_field_that_is_out_of_range_is_named_with_its_limit_and_nothing_is_sent() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    let send = |rest: &str| format!(r#"{{"send":{{"id":5,"to":"both",{rest}}}}}"#);
    let long = "x".repeat(65_508);
    // Short enough as line 1 and as line 999, and one byte too long as line 1,000.
    let growing = format!(r#""text":"{}{{n}}","count":1000"#, "x".repeat(65_504));
    let cases = [
        (send(r#""text":"x","count":0"#), "count", "1000"),
        (send(r#""text":"x","count":1001"#), "count", "1000"),
        (send(r#""text":"x","interval_ms":10001"#), "interval_ms", "10000"),
        (send(&format!(r#""text":"{long}""#)), "text", "65507"),
        (send(&format!(r#""hex":"{}""#, "00".repeat(65_508))), "hex", "65507"),
        (send(&growing), "text", "65507"),
    ];
    for (json, field, limit) in cases {
        let problem = mistake(&mut browser, &json).await;
        assert_eq!((problem.code, problem.field.as_deref()), (Code::OverLimit, Some(field)));
        assert_eq!((problem.message.as_deref(), problem.id), (Some("send"), Some(5)));
        assert!(problem.detail.contains(limit), "{}", problem.detail);
        lives_on(&mut browser).await;
    }
    let problem = mistake(&mut browser, r#"{"stop":{"id":9007199254740992}}"#).await;
    assert_eq!((problem.code, problem.field.as_deref()), (Code::OverLimit, Some("id")));
    lives_on(&mut browser).await;
    assert_eq!(browser.count(|event| matches!(event, Event::Sent { id: 5, .. })), 0);
}

#[tokio::test]
async fn what_is_just_within_its_limit_is_done() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    for rest in [
        r#""text":"x","count":1000"#.to_owned(),
        r#""text":"x","interval_ms":10000"#.to_owned(),
        format!(r#""hex":"{}""#, "00".repeat(65_507)),
    ] {
        let id = browser.messages.len();
        browser.say(&format!(r#"{{"send":{{"id":{id},"to":"tcp",{rest}}}}}"#)).await;
        let is_finished =
            |event: &Event| matches!(event, Event::Finished { id: of, .. } if *of == id as u64);
        browser.until(is_finished).await;
        lives_on(&mut browser).await;
    }
    browser.say(r#"{"send":{"id":9007199254740991,"to":"tcp","text":"x"}}"#).await;
    let greatest =
        |event: &Event| matches!(event, Event::Answered { id: 9_007_199_254_740_991, .. });
    browser.until(greatest).await;
    assert_eq!(browser.count(|event| matches!(event, Event::Error(_))), 0);
}

#[tokio::test]
async fn an_empty_line_is_an_error_over_tcp_and_a_datagram_over_udp() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    for data in [r#""text":"""#, r#""hex":"""#, r#""hex":"  ""#] {
        let json = format!(r#"{{"send":{{"id":8,"to":"both",{data}}}}}"#);
        let problem = mistake(&mut browser, &json).await;
        assert_eq!((problem.code, problem.protocol), (Code::Empty, Some(Protocol::Tcp)));
        assert_eq!((problem.message.as_deref(), problem.id), (Some("send"), Some(8)));
        let udp = browser.until(|event| matches!(event, Event::Answered { id: 8, .. })).await;
        assert_eq!(udp.leg.unwrap().protocol, Protocol::Udp);
        lives_on(&mut browser).await;
    }
}

#[tokio::test]
async fn a_send_on_a_leg_that_is_not_open_is_refused_and_not_queued() {
    let server = Server::start();
    let mut browser = Browser::connect(server.http).await;
    for (name, protocol) in [("tcp", Protocol::Tcp), ("udp", Protocol::Udp)] {
        let json = format!(r#"{{"send":{{"id":3,"to":"{name}","text":"x"}}}}"#);
        let problem = mistake(&mut browser, &json).await;
        assert_eq!((problem.code, problem.protocol), (Code::NotOpen, Some(protocol)));
        assert_eq!((problem.message.as_deref(), problem.id), (Some("send"), Some(3)));
        let problem =
            mistake(&mut browser, &format!(r#"{{"close":{{"protocol":"{name}"}}}}"#)).await;
        assert_eq!((problem.code, problem.protocol), (Code::NotOpen, Some(protocol)));
        assert_eq!(problem.message.as_deref(), Some("close"));
    }
    let problem = mistake(&mut browser, r#"{"nodelay":{"on":true}}"#).await;
    assert_eq!((problem.code, problem.message.as_deref()), (Code::NotOpen, Some("nodelay")));

    for name in ["tcp", "udp"] {
        browser.say(&format!(r#"{{"open":{{"protocol":"{name}"}}}}"#)).await;
        browser.until(|event| matches!(event, Event::Opened { .. })).await;
    }
    lives_on(&mut browser).await;
    assert_eq!(browser.count(|event| matches!(event, Event::Sent { id: 3, .. })), 0);
}

#[tokio::test]
async fn a_send_to_both_goes_out_on_the_leg_that_is_open() {
    let server = Server::start();
    let mut browser = Browser::connect(server.http).await;
    browser.say(r#"{"open":{"protocol":"udp"}}"#).await;
    let problem = mistake(&mut browser, r#"{"send":{"id":1,"to":"both","text":"x"}}"#).await;
    assert_eq!((problem.code, problem.protocol), (Code::NotOpen, Some(Protocol::Tcp)));
    let answered = browser.until(|event| matches!(event, Event::Answered { id: 1, .. })).await;
    assert_eq!(answered.leg.unwrap().protocol, Protocol::Udp);
}

#[tokio::test]
async fn a_leg_that_is_open_or_about_to_be_is_not_opened_again() {
    let server = Server::start();
    let mut browser = Browser::connect(server.http).await;
    for (name, protocol) in [("tcp", Protocol::Tcp), ("udp", Protocol::Udp)] {
        let open = format!(r#"{{"open":{{"protocol":"{name}"}}}}"#);
        browser.say(&open).await;
        for _ in 0..3 {
            let problem = mistake(&mut browser, &open).await;
            assert_eq!((problem.code, problem.protocol), (Code::AlreadyOpen, Some(protocol)));
            assert_eq!(problem.message.as_deref(), Some("open"));
        }
    }
    browser.until_count(2, |event| matches!(event, Event::Opened { .. })).await;
    lives_on(&mut browser).await;
    assert_eq!(browser.count(|event| matches!(event, Event::Opened { .. })), 2);
}

#[tokio::test]
async fn the_seventeenth_send_in_progress_is_refused_on_each_leg() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    for id in 1..=16 {
        let slow = format!(
            r#"{{"send":{{"id":{id},"to":"both","text":"x","count":2,"interval_ms":10000}}}}"#
        );
        browser.say(&slow).await;
    }
    browser.until_count(32, |event| matches!(event, Event::Sent { .. })).await;
    browser.say(r#"{"send":{"id":17,"to":"both","text":"x"}}"#).await;
    browser.until_count(2, |event| matches!(event, Event::Error(_))).await;
    let problems: Vec<_> = browser
        .messages
        .iter()
        .filter_map(|message| match &message.event {
            Event::Error(problem) => Some((problem.code, problem.protocol.unwrap(), problem.id)),
            _ => None,
        })
        .collect();
    let refused = |protocol| (Code::TooManySends, protocol, Some(17));
    assert_eq!(problems, Protocol::BOTH.map(refused));

    browser.say(r#"{"stop":{"id":16}}"#).await;
    lives_on(&mut browser).await;
}

/// Sends `frames` by hand, and returns how the session ends.
async fn closed_by(http: SocketAddr, frames: Vec<u8>) -> Closed {
    RawSocket::connect(http, "").await.write(frames).closed().await
}

#[tokio::test]
async fn a_message_above_the_limit_closes_with_1009_and_says_so() {
    let server = Server::start();
    let http = server.http;
    let text = |length: usize| masked_frame(0x81, &vec![b' '; length]);
    let half = vec![b' '; 200 * 1024];
    let in_fragments = [masked_frame(0x01, &half), masked_frame(0x80, &half)].concat();
    for frames in [
        text(256 * 1024 + 1),
        text(2 * 1024 * 1024),
        in_fragments,
        masked_head(0x81, 16 * 1024 * 1024),
        masked_head(0x82, 1 << 62),
    ] {
        let closed = closed_by(http, frames).await;
        assert_eq!(closed.code, 1009, "{closed:?}");
        assert!(closed.reason.contains("262144"), "{closed:?}");
    }
}

#[tokio::test]
async fn a_message_of_exactly_the_limit_is_read() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    let json = format!(r#"{{"stop":{}{{}}}}"#, " ".repeat(256 * 1024 - 11));
    assert_eq!(json.len(), 256 * 1024);
    let problem = mistake(&mut browser, &json).await;
    assert_eq!((problem.code, problem.field.as_deref()), (Code::BadField, Some("id")));
    lives_on(&mut browser).await;
}

#[tokio::test]
async fn a_binary_frame_closes_with_1003_and_says_so() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    browser.frame(Message::binary(b"{}".to_vec())).await;
    let closed = browser.closed().await;
    assert_eq!(closed.code, 1003);
    assert!(closed.reason.contains("text frames"), "{closed:?}");
}

#[tokio::test]
async fn text_that_is_not_utf8_closes_with_1007() {
    let server = Server::start();
    for payload in [b"\xff".as_slice(), b"{\"\xc3\x28\":{}}", b"\xed\xa0\x80", b"\xf0\x9f"] {
        let closed = closed_by(server.http, masked_frame(0x81, payload)).await;
        assert_eq!(closed.code, 1007, "{payload:?}: {closed:?}");
    }
}

#[tokio::test]
async fn a_broken_frame_closes_with_1002() {
    let server = Server::start();
    let unmasked = b"\x81\x02{}".to_vec();
    for (what, frames) in [
        ("unmasked", unmasked),
        ("RSV1", masked_frame(0xc1, b"{}")),
        ("opcode 3", masked_frame(0x83, b"{}")),
        ("opcode 11", masked_frame(0x8b, b"{}")),
        ("a continuation of nothing", masked_frame(0x80, b"{}")),
        ("a ping of 126 bytes", masked_frame(0x89, &[0; 126])),
        ("a ping in fragments", masked_frame(0x09, b"")),
    ] {
        let closed = closed_by(server.http, frames).await;
        assert_eq!(closed.code, 1002, "{what}: {closed:?}");
        assert!(!closed.reason.is_empty(), "{what}");
    }
}

#[tokio::test]
async fn a_ping_is_answered_with_its_own_bytes() {
    const PONG: u8 = 0xa;
    let server = Server::start();
    let socket = RawSocket::connect(server.http, "").await;
    let mut socket = socket.write(masked_frame(0x89, b"are you there"));
    let pong = async {
        loop {
            let (opcode, payload) = socket.frame().await;
            if opcode == PONG {
                return payload;
            }
        }
    };
    assert_eq!(timeout(PATIENCE, pong).await.unwrap(), b"are you there");
}

#[tokio::test]
async fn a_client_without_the_subprotocol_is_served() {
    let server = Server::start();
    for headers in ["", "sec-websocket-protocol: chat\r\n"] {
        let socket = RawSocket::connect(server.http, headers).await;
        assert!(!socket.answer.contains("sec-websocket-protocol"), "{}", socket.answer);
        let open = br#"{"open":{"protocol":"udp"}}"#;
        let mut socket = socket.write(masked_frame(0x81, open));
        for kind in [r#""event":{"hello":"#, r#""event":{"opened":"#] {
            let (_, payload) = timeout(PATIENCE, socket.frame()).await.unwrap();
            let text = String::from_utf8(payload).unwrap();
            assert!(text.contains(kind), "{text}");
        }
    }
}

#[tokio::test]
async fn no_extension_is_negotiated() {
    let server = Server::start();
    let offer = "sec-websocket-extensions: permessage-deflate\r\n";
    let socket = RawSocket::connect(server.http, offer).await;
    assert!(!socket.answer.contains("sec-websocket-extensions"), "{}", socket.answer);
}

#[tokio::test]
async fn other_sessions_do_not_notice() {
    let server = Server::start();
    let mut witness = Browser::connect_both(server.http).await;
    let burst = r#"{"send":{"id":1,"to":"both","text":"{n}","count":1000,"interval_ms":2}}"#;
    witness.say(burst).await;
    for _ in 0..3 {
        closed_by(server.http, masked_frame(0x81, &[0xff])).await;
        closed_by(server.http, b"\x81\x02{}".to_vec()).await;
        closed_by(server.http, masked_head(0x81, 1 << 40)).await;
        let mut other = Browser::connect_both(server.http).await;
        mistake(&mut other, "nonsense").await;
    }
    witness.until_count(2_000, |event| matches!(event, Event::Answered { .. })).await;
    let is_trouble = |event: &Event| {
        matches!(event, Event::Error(_) | Event::NoReply { .. } | Event::Closed { .. })
    };
    assert_eq!(witness.count(is_trouble), 0);
}

#[tokio::test]
async fn limits_that_flags_set_are_told_and_hold() {
    let server = Server::start_with(&[
        "--burst-lines=5",
        "--line-bytes=10",
        "--message-bytes=2048",
        "--interval-ms=50",
        "--sends-in-progress=1",
        "--no-reply-ms=700",
        "--connect-ms=900",
        "--labs=3",
        "--lab-give-up-ms=800",
        "--lab-packets=90",
        "--lab-packets-per-s=900",
        "--lab-lifetime-s=60",
    ]);
    let limits = Limits {
        burst_lines: 5,
        line_bytes: 10,
        message_bytes: 2_048,
        interval_ms: 50,
        sends_in_progress: 1,
        no_reply_ms: 700,
        connect_ms: 900,
        labs: 3,
        lab_give_up_ms: 800,
        lab_packets: 90,
        lab_packets_per_s: 900,
        lab_lifetime_s: 60,
    };
    let mut browser = Browser::connect_both(server.http).await;
    let Event::Hello(hello) = &browser.messages[0].event else { panic!("hello comes first") };
    assert_eq!(hello.limits, limits);
    let info: serde_json::Value =
        serde_json::from_str(get(server.http, "/api/info").await.text()).unwrap();
    assert_eq!(info["limits"], serde_json::to_value(limits).unwrap());

    for (rest, field, limit) in [
        (r#""text":"x","count":6"#, "count", "5"),
        (r#""text":"12345678901""#, "text", "10"),
        (r#""text":"x","interval_ms":51"#, "interval_ms", "50"),
    ] {
        let json = format!(r#"{{"send":{{"id":1,"to":"both",{rest}}}}}"#);
        let problem = mistake(&mut browser, &json).await;
        assert_eq!((problem.code, problem.field.as_deref()), (Code::OverLimit, Some(field)));
        assert!(problem.detail.contains(limit), "{}", problem.detail);
        lives_on(&mut browser).await;
    }
    browser.say(r#"{"send":{"id":2,"to":"udp","text":"x","count":5,"interval_ms":50}}"#).await;
    let problem = mistake(&mut browser, r#"{"send":{"id":3,"to":"udp","text":"x"}}"#).await;
    assert_eq!((problem.code, problem.id), (Code::TooManySends, Some(3)));

    browser.say(&" ".repeat(2_049)).await;
    let closed = timeout(Duration::from_secs(5), browser.closed()).await.unwrap();
    assert_eq!(closed.code, 1009);
    assert!(closed.reason.contains("2048"), "{closed:?}");
}
