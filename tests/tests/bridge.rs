//! The bridge over a real WebSocket: what a client asks for happens, and every step of it is told.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use streamgram_protocol::{
    Cause, Code, Data, Event, Limits, Path, Protocol, READ_BYTES, STAMP_LEN, ServerMessage,
};
use streamgram_tests::{Browser, PATIENCE, Server, connect_raw, echoes, is_ctime, is_stamped};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

/// What happened on one leg.
fn on(browser: &Browser, protocol: Protocol) -> impl Iterator<Item = &Event> {
    let on =
        move |message: &&ServerMessage| message.leg.is_some_and(|leg| leg.protocol == protocol);
    browser.messages.iter().filter(on).map(|message| &message.event)
}

fn is_answered(event: &Event) -> bool {
    matches!(event, Event::Answered { .. })
}

fn is_closed(event: &Event) -> bool {
    matches!(event, Event::Closed { .. })
}

/// The stream of replies, as the reply events tell it; their offsets must join without a gap.
fn replied(browser: &Browser) -> Vec<u8> {
    let mut stream = Vec::new();
    for event in on(browser, Protocol::Tcp) {
        if let Event::Reply { offset, bytes, data, .. } = event {
            assert_eq!(*offset, stream.len() as u64);
            stream.extend_from_slice(&data.to_bytes().expect("the server writes hex"));
            assert_eq!(*offset + *bytes as u64, stream.len() as u64);
        }
    }
    stream
}

/// The reads of the server as (offset, bytes); they must be numbered and join without a gap.
fn server_reads(browser: &Browser) -> Vec<(u64, usize)> {
    let mut reads = Vec::new();
    let mut end = 0;
    for event in on(browser, Protocol::Tcp) {
        if let Event::ServerRead { number, offset, bytes } = *event {
            assert_eq!((number, offset), (reads.len() as u64, end));
            end += bytes as u64;
            reads.push((offset, bytes));
        }
    }
    reads
}

/// The lines that were answered on a leg, in order; none of them late or in doubt.
fn answered(browser: &Browser, protocol: Protocol) -> Vec<(u64, u32)> {
    let answers = on(browser, protocol).filter_map(|event| match *event {
        Event::Answered { id, line, late, certain, .. } => {
            assert!(!late && certain, "{event:?}");
            Some((id, line))
        }
        _ => None,
    });
    answers.collect()
}

fn udp_replies(browser: &Browser) -> Vec<&Data> {
    let mut replies = Vec::new();
    for event in on(browser, Protocol::Udp) {
        if let Event::Reply { offset, bytes, data, .. } = event {
            assert_eq!((*offset, *bytes), (replies.len() as u64, 24));
            replies.push(data);
        }
    }
    replies
}

/// Ends the sending on TCP and reads on to the end of the connection: then nothing more can come.
async fn finish_tcp(browser: &mut Browser) {
    browser.say(r#"{"close":{"protocol":"tcp","how":"half"}}"#).await;
    browser.until(is_closed).await;
}

#[tokio::test]
async fn hello_says_who_the_server_is_and_what_it_allows() {
    let server = Server::start();
    let browser = Browser::connect(server.http).await;
    let first = &browser.messages[0];
    let Event::Hello(hello) = &first.event else { panic!("{first:?}") };
    assert_eq!(hello.limits, Limits::default());
    assert_eq!(hello.tcp, server.tcp.to_string());
    assert_eq!(hello.udp, server.udp.to_string());
}

#[tokio::test]
async fn opened_tells_both_addresses_and_the_handshake() {
    let server = Server::start();
    let browser = Browser::connect_both(server.http).await;
    let opened: Vec<_> = browser
        .messages
        .iter()
        .filter_map(|message| match &message.event {
            Event::Opened { path, local, peer, handshake_us, nodelay } => {
                assert_eq!(*path, Path::Direct);
                let local: SocketAddr = local.parse().unwrap();
                assert!(local.ip().is_loopback() && local.port() > 0);
                Some((message.leg.unwrap(), peer.clone(), handshake_us.is_some(), *nodelay))
            }
            _ => None,
        })
        .collect();
    let [(tcp, tcp_peer, true, Some(true)), (udp, udp_peer, false, None)] = opened.as_slice()
    else {
        panic!("{opened:?}")
    };
    assert_eq!((tcp.protocol, tcp.number, tcp_peer), (Protocol::Tcp, 1, &server.tcp.to_string()));
    assert_eq!((udp.protocol, udp.number, udp_peer), (Protocol::Udp, 2, &server.udp.to_string()));
}

#[tokio::test]
async fn one_line_is_answered_on_both_legs() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    browser.say(r#"{"send":{"id":1,"to":"both","text":"hello"}}"#).await;
    browser.until_count(2, is_answered).await;

    let stream = replied(&browser);
    assert!(is_stamped(&stream));
    assert_eq!(&stream[STAMP_LEN..], b"hello");
    let [Data::Text(time)] = udp_replies(&browser).as_slice() else {
        panic!("{:#?}", browser.messages)
    };
    assert!(is_ctime(time.as_bytes()), "{time}");
    assert_eq!(server_reads(&browser), [(0, 5)]);
    for protocol in Protocol::BOTH {
        assert_eq!(answered(&browser, protocol), [(1, 1)]);
        let finished = Event::Finished { id: 1, lines: 1, of: 1 };
        assert_eq!(on(&browser, protocol).filter(|event| **event == finished).count(), 1);
    }
}

#[tokio::test]
async fn what_the_server_saw_stands_before_the_answer_that_rests_on_it() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    let burst = r#"{"send":{"id":1,"to":"both","text":"line {n}","count":50,"interval_ms":1}}"#;
    browser.say(burst).await;
    browser.until_count(100, is_answered).await;

    let (mut line_ends, mut seen, mut received, mut reads) = (Vec::new(), 0, 0, 0);
    for event in on(&browser, Protocol::Tcp) {
        match *event {
            Event::Sent { offset, bytes, .. } => line_ends.push(offset + bytes as u64),
            Event::ServerRead { bytes, .. } => (seen, reads) = (seen + bytes as u64, reads + 1),
            Event::Reply { bytes, .. } => {
                received += bytes as u64;
                assert!(received <= seen + reads * STAMP_LEN as u64, "more than it had read");
            }
            Event::Answered { line, .. } => {
                let end = line_ends[usize::try_from(line).unwrap() - 1];
                assert!(end <= seen, "line {line} is answered and was not read");
                assert!(end < received, "line {line} is answered and is not back");
            }
            _ => {}
        }
    }
    let (mut datagrams, mut replies) = (0, 0);
    for event in on(&browser, Protocol::Udp) {
        match event {
            Event::ServerDatagram { .. } => datagrams += 1,
            Event::Reply { .. } => replies += 1,
            _ => {}
        }
        assert!(replies <= datagrams, "more replies than the server had datagrams");
    }
    assert_eq!((datagrams, replies), (50, 50));
}

#[tokio::test]
async fn a_burst_is_one_stream_over_tcp_and_twenty_datagrams_over_udp() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    browser.say(r#"{"send":{"id":7,"to":"both","text":"line {n}","count":20}}"#).await;
    browser.until_count(40, is_answered).await;
    finish_tcp(&mut browser).await;

    let lines: Vec<_> = (1..=20).map(|n| format!("line {n}")).collect();
    let each_once: Vec<_> = (1..=20).map(|n| (7, n)).collect();
    for protocol in Protocol::BOTH {
        assert_eq!(answered(&browser, protocol), each_once, "{protocol:?}");
    }

    let bytes = lines.concat();
    let reads = server_reads(&browser);
    assert_eq!(reads.iter().map(|(_, bytes)| bytes).sum::<usize>(), bytes.len());
    let stream = replied(&browser);
    assert_eq!(stream.len(), bytes.len() + STAMP_LEN * reads.len());
    let echoes = echoes(&stream);
    let echoed: Vec<_> = echoes.iter().map(|echo| echo.len()).collect();
    assert_eq!(echoed, reads.iter().map(|(_, bytes)| *bytes).collect::<Vec<_>>());
    assert_eq!(echoes.concat(), bytes.as_bytes());

    let datagrams: Vec<_> = on(&browser, Protocol::Udp)
        .filter_map(|event| match *event {
            Event::ServerDatagram { number, bytes, kept } => Some((number, bytes, kept)),
            _ => None,
        })
        .collect();
    let expected = (0..).zip(&lines).map(|(number, line)| (number, line.len(), line.len()));
    assert_eq!(datagrams, expected.collect::<Vec<_>>());
    assert_eq!(udp_replies(&browser).len(), 20);
}

#[tokio::test]
async fn a_long_line_is_cut_at_1024_by_tcp_and_stays_one_datagram() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    let line = "汉".repeat(500);
    browser.say(&format!(r#"{{"send":{{"id":1,"to":"both","text":"{line}"}}}}"#)).await;
    browser.until_count(2, is_answered).await;

    assert_eq!(server_reads(&browser), [(0, READ_BYTES), (1_024, 476)]);
    assert_eq!(echoes(&replied(&browser)).concat(), line.as_bytes());
    for event in on(&browser, Protocol::Tcp) {
        // 1,024 is no multiple of three: whatever pieces the replies came in, each has a cut character.
        let is_text = matches!(event, Event::Reply { data: Data::Text(_), .. });
        assert!(!is_text, "{event:?}");
    }
    let datagram = Event::ServerDatagram { number: 0, bytes: 1_500, kept: READ_BYTES };
    assert_eq!(on(&browser, Protocol::Udp).filter(|event| **event == datagram).count(), 1);
    assert_eq!(udp_replies(&browser).len(), 1);
}

#[tokio::test]
async fn what_happens_at_once_is_told_in_one_frame() {
    let server = Server::start();
    let mut session = connect_raw(server.http).await;
    let messages = [
        r#"{"open":{"protocol":"udp"}}"#,
        r#"{"send":{"id":1,"to":"udp","text":"line","count":100}}"#,
    ];
    for message in messages {
        session.send(Message::text(message)).await.unwrap();
    }
    let mut most = 0;
    let finished = |frame: &str| frame.contains(r#""event":{"finished":"#);
    loop {
        let frame = timeout(PATIENCE, session.next()).await.expect("all lines go out");
        let frame = frame.unwrap().unwrap().into_text().unwrap();
        most = most.max(ServerMessage::decode_frame(&frame).map(Result::unwrap).count());
        if finished(&frame) {
            break;
        }
    }
    assert!(most > 1, "every event had a frame of its own");
}

#[tokio::test]
async fn an_interval_is_never_cut_short() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    let burst = r#"{"send":{"id":1,"to":"both","text":"tick","count":30,"interval_ms":20}}"#;
    browser.say(burst).await;
    browser.until_count(2, |event| matches!(event, Event::Finished { .. })).await;

    for protocol in Protocol::BOTH {
        let sent: Vec<_> = browser
            .messages
            .iter()
            .filter(|message| message.leg.is_some_and(|leg| leg.protocol == protocol))
            .filter(|message| matches!(message.event, Event::Sent { .. }))
            .map(|message| message.at_us)
            .collect();
        assert_eq!(sent.len(), 30);
        let gaps: Vec<_> = sent.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.iter().all(|gap| *gap >= 20_000), "{protocol:?}: {gaps:?}");
    }
}

#[tokio::test]
async fn lines_that_look_like_stamps_are_answered_once_each_and_in_order() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    let line = "[Mon Nov 23 05:52:57 2026] x";
    let burst =
        format!(r#"{{"send":{{"id":3,"to":"tcp","text":"{line}","count":200,"interval_ms":0}}}}"#);
    browser.say(&burst).await;
    browser.until_count(200, is_answered).await;
    finish_tcp(&mut browser).await;
    assert_eq!(answered(&browser, Protocol::Tcp), (1..=200).map(|n| (3, n)).collect::<Vec<_>>());

    let reads = server_reads(&browser);
    let (stream, mut at, mut echoed) = (replied(&browser), 0, Vec::new());
    for (_, bytes) in reads {
        assert!(is_stamped(&stream[at..]));
        echoed.extend_from_slice(&stream[at + STAMP_LEN..at + STAMP_LEN + bytes]);
        at += STAMP_LEN + bytes;
    }
    assert_eq!(at, stream.len());
    assert_eq!(echoed, line.repeat(200).as_bytes());
}

#[tokio::test]
async fn a_tcp_answer_names_the_piece_with_the_last_byte_of_its_line() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    let long = "x".repeat(3 * READ_BYTES);
    browser.say(r#"{"send":{"id":1,"to":"tcp","text":"x","count":500}}"#).await;
    browser.say(&format!(r#"{{"send":{{"id":2,"to":"tcp","text":"{long}","count":3}}}}"#)).await;
    browser.until_count(503, is_answered).await;

    let reads = server_reads(&browser);
    let (mut ends, mut pieces, mut named) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
    for event in on(&browser, Protocol::Tcp) {
        match *event {
            Event::Sent { id, line, offset, bytes, .. } => {
                ends.insert((id, line), offset + bytes as u64);
            }
            Event::Reply { offset, bytes, .. } => {
                pieces.insert(offset, offset + bytes as u64);
            }
            Event::Answered { id, line, reply, .. } => {
                let end = ends[&(id, line)];
                let read = reads.iter().take_while(|(offset, _)| *offset < end).count();
                let end = end + (STAMP_LEN * read) as u64;
                let piece = reply..pieces[&reply];
                assert!(piece.contains(&(end - 1)), "{event:?}: {piece:?} without {end}");
                named.insert(reply);
            }
            _ => {}
        }
    }
    assert!(named.len() < 503, "no piece answered several lines");
}

#[tokio::test]
async fn nodelay_is_what_was_asked_for_and_can_be_turned() {
    let server = Server::start();
    let mut browser = Browser::connect(server.http).await;
    browser.say(r#"{"open":{"protocol":"tcp","nodelay":false}}"#).await;
    let opened = browser.until(|event| matches!(event, Event::Opened { .. })).await;
    assert!(matches!(opened.event, Event::Opened { nodelay: Some(false), .. }), "{opened:?}");
    for on in [true, false] {
        browser.say(&format!(r#"{{"nodelay":{{"on":{on}}}}}"#)).await;
        let set = browser.until(|event| matches!(event, Event::NodelaySet { .. })).await;
        assert_eq!(set.event, Event::NodelaySet { nodelay: on });
    }
    browser.say(r#"{"send":{"id":1,"to":"tcp","text":"x"}}"#).await;
    browser.until(is_answered).await;
}

#[tokio::test]
async fn after_a_half_close_what_is_owed_still_comes() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    browser.say(r#"{"send":{"id":1,"to":"tcp","text":"x","count":100}}"#).await;
    browser.until(|event| matches!(event, Event::Finished { .. })).await;
    browser.say(r#"{"close":{"protocol":"tcp","how":"half"}}"#).await;
    let closed = browser.until(is_closed).await;
    assert_eq!(closed.event, Event::Closed { cause: Cause::PeerClosed, detail: None });
    assert_eq!(answered(&browser, Protocol::Tcp).len(), 100);
    assert_eq!(browser.count(|event| *event == Event::HalfClosed {}), 1);

    browser.say(r#"{"send":{"id":2,"to":"udp","text":"x"}}"#).await;
    browser.until(is_answered).await;
}

#[tokio::test]
async fn nothing_is_sent_on_a_leg_that_is_half_closed() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    let slow = r#"{"send":{"id":1,"to":"tcp","text":"x","count":9,"interval_ms":10000}}"#;
    browser.say(slow).await;
    browser.until(|event| matches!(event, Event::Sent { .. })).await;
    browser.say(r#"{"close":{"protocol":"tcp","how":"half"}}"#).await;
    browser.say(r#"{"send":{"id":2,"to":"tcp","text":"y"}}"#).await;
    let error = browser.until(|event| matches!(event, Event::Error(_))).await;
    let Event::Error(problem) = error.event else { unreachable!("an error was waited for") };
    assert_eq!((problem.code, problem.id), (Code::NotOpen, Some(2)));
    let finished = Event::Finished { id: 1, lines: 1, of: 9 };
    assert_eq!(browser.count(|event| *event == finished), 1);
}

#[tokio::test]
async fn closing_is_told_from_both_ends() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    for (how, here, there) in
        [("close", Cause::Closed, Cause::PeerClosed), ("reset", Cause::Reset, Cause::PeerReset)]
    {
        // Of a leg that ends before the server has accepted it, the server tells nothing.
        browser.say(r#"{"send":{"id":1,"to":"tcp","text":"x"}}"#).await;
        browser.until(|event| matches!(event, Event::Answered { .. })).await;
        browser.say(&format!(r#"{{"close":{{"protocol":"tcp","how":"{how}"}}}}"#)).await;
        let closed = browser.until(is_closed).await;
        assert_eq!(closed.event, Event::Closed { cause: here, detail: None });
        let seen = browser.until(|event| matches!(event, Event::ServerClosed { .. })).await;
        assert_eq!(seen.event, Event::ServerClosed { cause: there });
        assert_eq!(seen.leg, closed.leg);
        browser.say(r#"{"open":{"protocol":"tcp"}}"#).await;
        browser.until(|event| matches!(event, Event::Opened { .. })).await;
    }
    browser.say(r#"{"close":{"protocol":"udp"}}"#).await;
    let closed = browser.until(is_closed).await;
    assert_eq!(closed.event, Event::Closed { cause: Cause::Closed, detail: None });
}

#[tokio::test]
async fn a_leg_that_is_opened_again_is_another_leg() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    for number in 3..=6 {
        let name = if number % 2 == 1 { "tcp" } else { "udp" };
        browser.say(&format!(r#"{{"close":{{"protocol":"{name}"}}}}"#)).await;
        browser.say(&format!(r#"{{"open":{{"protocol":"{name}"}}}}"#)).await;
        let opened = browser.until(|event| matches!(event, Event::Opened { .. })).await;
        assert_eq!(opened.leg.unwrap().number, number);
        browser.say(&format!(r#"{{"send":{{"id":1,"to":"{name}","text":"x"}}}}"#)).await;
        let sent = browser.until(|event| matches!(event, Event::Sent { .. })).await;
        assert!(matches!(sent.event, Event::Sent { offset: 0, .. }), "{sent:?}");
        assert_eq!(browser.until(is_answered).await.leg, opened.leg);
    }
}

#[tokio::test]
async fn stop_ends_a_burst_before_its_last_line_on_both_legs() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    let slow = r#"{"send":{"id":1,"to":"both","text":"x","count":1000,"interval_ms":10000}}"#;
    browser.say(slow).await;
    browser.until_count(2, |event| matches!(event, Event::Sent { .. })).await;
    browser.say(r#"{"stop":{"id":1}}"#).await;
    let finished = Event::Finished { id: 1, lines: 1, of: 1_000 };
    browser.until_count(2, |event| *event == finished).await;
    browser.until_count(2, is_answered).await;
}

#[tokio::test]
async fn a_send_does_not_wait_for_a_burst_that_is_in_progress() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    let slow = r#"{"send":{"id":1,"to":"both","text":"b","count":1000,"interval_ms":1000}}"#;
    browser.say(slow).await;
    browser.until_count(2, |event| matches!(event, Event::Sent { .. })).await;
    browser.say(r#"{"send":{"id":2,"to":"both","text":"now"}}"#).await;
    browser.until_count(2, |event| matches!(event, Event::Answered { id: 2, .. })).await;
    let is_finished = |event: &Event| matches!(event, Event::Finished { id: 1, .. });
    assert_eq!(browser.count(is_finished), 0, "the burst runs on");
    browser.say(r#"{"stop":{"id":1}}"#).await;
    browser.until_count(2, is_finished).await;
}

#[tokio::test]
async fn hex_goes_out_as_bytes() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    browser.say(r#"{"send":{"id":1,"to":"both","hex":"e4 BD a0"}}"#).await;
    browser.until_count(2, is_answered).await;
    browser.say(r#"{"send":{"id":2,"to":"both","hex":"f0"}}"#).await;
    browser.until_count(4, is_answered).await;
    assert_eq!(server_reads(&browser), [(0, 3), (3, 1)]);
    assert_eq!(echoes(&replied(&browser)), ["你".as_bytes(), &[0xf0]]);
    let as_text: Vec<_> = on(&browser, Protocol::Tcp)
        .filter_map(|event| match event {
            Event::Reply { data, .. } => Some(matches!(data, Data::Text(_))),
            _ => None,
        })
        .collect();
    assert_eq!(as_text, [true, false]);
}

#[tokio::test]
async fn the_numbers_of_lines_stand_where_n_stood() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    let burst = r#"{"send":{"id":1,"to":"tcp","text":"{n}/{n};","count":12}}"#;
    browser.say(burst).await;
    browser.until_count(12, is_answered).await;
    let expected: String = (1..=12).map(|n| format!("{n}/{n};")).collect();
    assert_eq!(echoes(&replied(&browser)).concat(), expected.as_bytes());
}

#[tokio::test]
async fn an_empty_datagram_goes_out_and_is_answered() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    browser.say(r#"{"send":{"id":1,"to":"udp","text":""}}"#).await;
    browser.until(is_answered).await;
    let datagram = Event::ServerDatagram { number: 0, bytes: 0, kept: 0 };
    assert_eq!(browser.count(|event| *event == datagram), 1);
    assert_eq!(udp_replies(&browser).len(), 1);
}

#[tokio::test]
async fn the_longest_line_is_answered_on_both_legs() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    let line = "x".repeat(Limits::default().line_bytes);
    browser.say(&format!(r#"{{"send":{{"id":1,"to":"both","text":"{line}"}}}}"#)).await;
    browser.until_count(2, is_answered).await;
    assert!(echoes(&replied(&browser)).concat() == line.as_bytes(), "the echo differs");
}

#[tokio::test]
async fn two_sessions_see_only_their_own_legs() {
    let server = Server::start();
    let mut first = Browser::connect_both(server.http).await;
    let mut second = Browser::connect_both(server.http).await;
    first.say(r#"{"send":{"id":1,"to":"both","text":"first","count":5}}"#).await;
    second.say(r#"{"send":{"id":2,"to":"both","text":"second!","count":7}}"#).await;
    first.until_count(10, is_answered).await;
    second.until_count(14, is_answered).await;
    finish_tcp(&mut first).await;
    finish_tcp(&mut second).await;
    for (browser, id, text, lines) in [(&first, 1, "first", 5), (&second, 2, "second!", 7)] {
        let each_once: Vec<_> = (1..=lines).map(|line| (id, line)).collect();
        for protocol in Protocol::BOTH {
            assert_eq!(answered(browser, protocol), each_once);
        }
        let bytes: usize = server_reads(browser).iter().map(|(_, bytes)| bytes).sum();
        assert_eq!(bytes, each_once.len() * text.len());
        let is_datagram = |event: &Event| matches!(event, Event::ServerDatagram { .. });
        assert_eq!(browser.count(is_datagram), each_once.len());
    }
}
