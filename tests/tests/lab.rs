//! Emulated paths: real TCP and real UDP over a bad link, to the same real servers.

use std::time::Duration;

use streamgram_protocol::{
    Cause, Code, Data, End, Event, Header, Packet, Protocol, Unanswered, Verdict,
};
use streamgram_tests::{Browser, Server};

/// A session with both legs open over the same link.
async fn connect(server: &Server, link: &str) -> Browser {
    let mut browser = Browser::connect(server.http).await;
    for protocol in ["tcp", "udp"] {
        let path = r#""path":"emulated""#;
        browser
            .say(&format!(r#"{{"open":{{"protocol":"{protocol}",{path},"link":{link}}}}}"#))
            .await;
        browser.until(|event| matches!(event, Event::Opened { .. })).await;
    }
    browser
}

fn packets(browser: &Browser, of: Protocol) -> Vec<&Packet> {
    let messages = browser.messages.iter();
    let of_this = messages.filter(|message| message.leg.is_some_and(|leg| leg.protocol == of));
    of_this
        .filter_map(|message| match &message.event {
            Event::Packet(packet) => Some(packet),
            _ => None,
        })
        .collect()
}

/// Lines of `of` that were answered, in the order of their answers.
fn answered(browser: &Browser, of: Protocol) -> Vec<u32> {
    let messages = browser.messages.iter();
    let of_this = messages.filter(|message| message.leg.is_some_and(|leg| leg.protocol == of));
    of_this
        .filter_map(|message| match message.event {
            Event::Answered { line, certain: true, .. } => Some(line),
            _ => None,
        })
        .collect()
}

fn carries(packet: &Packet, number: u32) -> bool {
    packet.line.is_some_and(|line| line.number == number)
}

const FIVE: &str = r#"{"send":{"id":1,"to":"both","text":"line {n}","count":5,"interval_ms":20}}"#;

#[tokio::test]
async fn tcp_sends_a_lost_line_again_and_udp_does_not_every_time() {
    let server = Server::start();
    for seed in 1..=3 {
        let link = format!(
            r#"{{"seed":{seed},"up":{{"delay_ms":20}},"down":{{"delay_ms":20}},
                "rules":[{{"lose_line":{{"line":3}}}}]}}"#
        );
        let mut browser = connect(&server, &link).await;
        browser.say(FIVE).await;
        browser.until(|event| matches!(event, Event::NoReply { .. })).await;
        browser.until_count(9, |event| matches!(event, Event::Answered { .. })).await;
        assert_eq!(answered(&browser, Protocol::Tcp), [1, 2, 3, 4, 5]);
        assert_eq!(answered(&browser, Protocol::Udp), [1, 2, 4, 5]);

        let tcp = packets(&browser, Protocol::Tcp);
        let third: Vec<_> =
            tcp.iter().filter(|packet| packet.from == End::Client && carries(packet, 3)).collect();
        assert!(third.len() >= 2, "{third:#?}");
        assert_eq!(third[0].verdict, Verdict::LostByRule);
        assert!(third[1..].iter().all(|packet| packet.retransmission));
        // After the timeout the stack sends everything that waits in one segment, and its event says so.
        let [_, last] = third[1].lines().unwrap();
        let hex = Data::Hex(third[1].hex.clone());
        let bytes = hex.to_bytes().unwrap();
        let payload = String::from_utf8_lossy(&bytes);
        assert!(
            (3..=5).all(|line| payload.contains(&format!("line {line}")) == (line <= last.number))
        );
        assert_eq!(last.number, 5);
        let lost = |of| {
            let packets = packets(&browser, of).into_iter();
            packets.filter(|packet| packet.verdict != Verdict::Delivered).count()
        };
        assert_eq!((lost(Protocol::Tcp), lost(Protocol::Udp)), (1, 1));
    }
}

#[tokio::test]
async fn a_lost_reply_is_sent_again_by_tcp_only() {
    let server = Server::start();
    let link = r#"{"down":{"delay_ms":10},"rules":[{"lose_reply":{"line":2}}]}"#;
    let mut browser = connect(&server, link).await;
    browser.say(FIVE).await;
    let silence = browser.until(|event| matches!(event, Event::NoReply { .. })).await;
    let expected = Event::NoReply { id: 1, line: 2, cause: Unanswered::TimedOut, certain: true };
    assert_eq!(silence.event, expected);
    browser.until_count(9, |event| matches!(event, Event::Answered { .. })).await;
    assert_eq!(answered(&browser, Protocol::Tcp), [1, 2, 3, 4, 5]);
    assert_eq!(answered(&browser, Protocol::Udp), [1, 3, 4, 5]);
    for protocol in Protocol::BOTH {
        let packets = packets(&browser, protocol);
        let lost: Vec<_> =
            packets.iter().filter(|packet| packet.verdict == Verdict::LostByRule).collect();
        assert!(matches!(lost[..], [packet] if packet.from == End::Gateway && carries(packet, 2)));
    }
}

#[tokio::test]
async fn the_delay_of_the_link_is_the_round_trip() {
    let server = Server::start();
    let mut browser = connect(&server, r#"{"up":{"delay_ms":100},"down":{"delay_ms":50}}"#).await;
    let is_tcp = |event: &Event| matches!(event, Event::Opened { handshake_us: Some(_), .. });
    let opened = browser.messages.iter().find(|message| is_tcp(&message.event)).unwrap();
    let Event::Opened { handshake_us: Some(handshake), .. } = opened.event else { panic!("TCP") };
    assert!((150_000..1_500_000).contains(&handshake), "{handshake}");
    browser.say(r#"{"send":{"id":1,"to":"both","text":"x"}}"#).await;
    browser.until_count(2, |event| matches!(event, Event::Answered { .. })).await;
    for message in &browser.messages {
        if let Event::Answered { rtt_us, .. } = message.event {
            assert!((150_000..1_500_000).contains(&rtt_us), "{rtt_us}");
        }
    }
}

#[tokio::test]
async fn a_duplicate_is_answered_twice_over_udp_and_told_once_as_answered() {
    let server = Server::start();
    let mut browser = connect(&server, r#"{"up":{"duplicate":100}}"#).await;
    browser.say(r#"{"send":{"id":1,"to":"udp","text":"x"}}"#).await;
    browser.until_count(2, |event| matches!(event, Event::Reply { .. })).await;
    browser.say(r#"{"send":{"id":2,"to":"udp","text":"y"}}"#).await;
    browser.until_count(4, |event| matches!(event, Event::Reply { .. })).await;
    assert_eq!(answered(&browser, Protocol::Udp), [1, 1]);
    let observed = |event: &Event| matches!(event, Event::ServerDatagram { .. });
    assert_eq!(browser.count(observed), 4);
}

#[tokio::test]
async fn fin_and_rst_pass_through_in_both_directions() {
    let server = Server::start();
    for (how, seen) in
        [("half", Cause::PeerClosed), ("close", Cause::PeerClosed), ("reset", Cause::PeerReset)]
    {
        let mut browser = connect(&server, r#"{"up":{"delay_ms":5}}"#).await;
        browser.until_count(1, |event| matches!(event, Event::ServerAccepted {})).await;
        browser.say(&format!(r#"{{"close":{{"protocol":"tcp","how":"{how}"}}}}"#)).await;
        let closed = browser.until(|event| matches!(event, Event::ServerClosed { .. })).await;
        assert_eq!(closed.event, Event::ServerClosed { cause: seen }, "{how}");
        let is_end = |packet: &&&Packet| match packet.header {
            Header::Tcp { flags, .. } => flags.fin || flags.rst,
            Header::Udp { .. } => false,
        };
        if how == "half" {
            // The server closes its side too, and its FIN comes back.
            let closed = browser.until(|event| matches!(event, Event::Closed { .. })).await;
            assert_eq!(closed.event, Event::Closed { cause: Cause::PeerClosed, detail: None });
            let packets = packets(&browser, Protocol::Tcp);
            assert_eq!(packets.iter().filter(is_end).count(), 2);
        } else {
            assert!(packets(&browser, Protocol::Tcp).iter().any(|packet| is_end(&packet)));
        }
    }
}

#[tokio::test]
async fn where_everything_is_lost_connecting_is_given_up_and_the_syns_are_told() {
    let server = Server::start_with(&["--lab-give-up-ms=4000"]);
    let mut browser = Browser::connect(server.http).await;
    browser
        .say(r#"{"open":{"protocol":"tcp","path":"emulated","link":{"up":{"loss":100}}}}"#)
        .await;
    let closed = browser.until(|event| matches!(event, Event::Closed { .. })).await;
    let Event::Closed { cause, detail } = closed.event else { panic!("it is closed") };
    assert_eq!(cause, Cause::TimedOut);
    assert!(detail.unwrap().contains("4000 ms"));
    // Sent at 0, 1 and 3 seconds.
    let packets = packets(&browser, Protocol::Tcp);
    let is_lost_syn = |packet: &&Packet| {
        matches!(packet.header, Header::Tcp { flags, .. } if flags.syn)
            && packet.verdict == Verdict::Lost
    };
    assert_eq!(packets.into_iter().filter(is_lost_syn).count(), 3);
}

#[tokio::test]
async fn knobs_can_be_turned_under_way() {
    let server = Server::start();
    let mut browser = connect(&server, "{}").await;
    browser.say(r#"{"send":{"id":1,"to":"udp","text":"x"}}"#).await;
    browser.until(|event| matches!(event, Event::Answered { .. })).await;
    browser.say(r#"{"link":{"protocol":"udp","link":{"up":{"loss":100}}}}"#).await;
    browser.until(|event| matches!(event, Event::LinkSet {})).await;
    browser.say(r#"{"send":{"id":2,"to":"udp","text":"x"}}"#).await;
    let silence = browser.until(|event| matches!(event, Event::NoReply { .. })).await;
    assert!(matches!(silence.event, Event::NoReply { id: 2, .. }));

    for (link, field) in [
        (r#"{"up":{"loss":101}}"#, "link.up.loss"),
        (r#"{"down":{"delay_ms":10001}}"#, "link.down.delay_ms"),
        (r#"{"up":{"jitter_ms":-1}}"#, "link.up.jitter_ms"),
        (r#"{"mtu":575}"#, "link.mtu"),
        (r#"{"up":{"rate_kbit":0}}"#, "link.up.rate_kbit"),
        (r#"{"up":{"limit":0}}"#, "link.up.limit"),
        (r#"{"rules":[{"black_out":{"from_ms":5,"to_ms":5}}]}"#, "link.rules[0].from_ms"),
        (r#"{"speed":1}"#, "link.speed"),
    ] {
        browser.say(&format!(r#"{{"link":{{"protocol":"udp","link":{link}}}}}"#)).await;
        let error = browser.until(|event| matches!(event, Event::Error(_))).await;
        let Event::Error(problem) = error.event else { panic!("an error") };
        assert_eq!(problem.field.as_deref(), Some(field), "{problem:?}");
    }
    // The old link stays: everything is still lost.
    browser.say(r#"{"send":{"id":3,"to":"udp","text":"x"}}"#).await;
    let silence = browser.until(|event| matches!(event, Event::NoReply { .. })).await;
    assert!(matches!(silence.event, Event::NoReply { id: 3, .. }));
}

#[tokio::test]
async fn a_leg_without_a_lab_has_no_link() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    browser.say(r#"{"link":{"protocol":"tcp","link":{}}}"#).await;
    let error = browser.until(|event| matches!(event, Event::Error(_))).await;
    assert!(matches!(error.event, Event::Error(problem) if problem.code == Code::NotEmulated));
}

#[tokio::test]
async fn a_line_above_the_limit_of_emulated_datagrams_is_refused() {
    let server = Server::start();
    let mut browser = connect(&server, "{}").await;
    let line = "x".repeat(8_165);
    browser.say(&format!(r#"{{"send":{{"id":1,"to":"both","text":"{line}"}}}}"#)).await;
    let error = browser.until(|event| matches!(event, Event::Error(_))).await;
    let Event::Error(problem) = error.event else { panic!("an error") };
    assert_eq!((problem.code, problem.protocol), (Code::OverLimit, Some(Protocol::Udp)));
    assert!(problem.detail.contains("8164"), "{problem:?}");
    browser.until(|event| matches!(event, Event::Answered { .. })).await;
    assert_eq!(answered(&browser, Protocol::Tcp), [1]);

    let line = "x".repeat(8_164);
    browser.say(&format!(r#"{{"send":{{"id":2,"to":"udp","text":"{line}"}}}}"#)).await;
    browser.until(|event| matches!(event, Event::Answered { .. })).await;
    assert_eq!(answered(&browser, Protocol::Udp), [1]);
}

#[tokio::test]
async fn the_server_emulates_as_many_paths_as_it_may() {
    let server = Server::start_with(&["--labs=3"]);
    let first = connect(&server, "{}").await;
    let mut second = Browser::connect(server.http).await;
    let open =
        |protocol: &str| format!(r#"{{"open":{{"protocol":"{protocol}","path":"emulated"}}}}"#);
    second.say(&open("udp")).await;
    second.until(|event| matches!(event, Event::Opened { .. })).await;
    second.say(&open("tcp")).await;
    let error = second.until(|event| matches!(event, Event::Error(_))).await;
    assert!(matches!(error.event, Event::Error(problem) if problem.code == Code::TooManyLabs));
    // What the first session had is free once it is gone.
    drop(first);
    loop {
        second.say(&open("tcp")).await;
        let next =
            second.until(|event| matches!(event, Event::Error(_) | Event::Opened { .. })).await;
        if matches!(next.event, Event::Opened { .. }) {
            break;
        }
    }
}

#[tokio::test]
async fn packets_beyond_the_limit_are_counted_and_a_path_that_carries_too_many_ends() {
    let server = Server::start_with(&["--lab-packets=10", "--lab-packets-per-s=300"]);
    let mut browser = connect(&server, "{}").await;
    browser.say(r#"{"send":{"id":1,"to":"udp","text":"x","count":50,"interval_ms":0}}"#).await;
    browser.until_count(50, |event| matches!(event, Event::Answered { .. })).await;
    browser.say(r#"{"close":{"protocol":"udp"}}"#).await;
    browser.until(|event| matches!(event, Event::Closed { .. })).await;
    let missed = browser.messages.iter().map(|message| match message.event {
        Event::PacketsMissed { count }
            if message.leg.is_some_and(|leg| leg.protocol == Protocol::Udp) =>
        {
            count
        }
        _ => 0,
    });
    assert_eq!((packets(&browser, Protocol::Udp).len(), missed.sum::<u64>()), (10, 90));

    browser.say(r#"{"open":{"protocol":"udp","path":"emulated"}}"#).await;
    browser.say(r#"{"send":{"id":2,"to":"udp","text":"x","count":1000,"interval_ms":0}}"#).await;
    let closed = browser.until(|event| matches!(event, Event::Closed { .. })).await;
    let Event::Closed { cause, detail } = closed.event else { panic!("it is closed") };
    assert_eq!(cause, Cause::Limit);
    assert!(detail.unwrap().contains("300"));
    let other = tokio::time::timeout(Duration::from_secs(5), Browser::connect_both(server.http));
    other.await.unwrap();
}

#[tokio::test]
async fn a_path_does_not_outlive_its_limit() {
    let server = Server::start_with(&["--lab-lifetime-s=1"]);
    let mut browser = connect(&server, "{}").await;
    for _ in Protocol::BOTH {
        let closed = browser.until(|event| matches!(event, Event::Closed { .. })).await;
        let Event::Closed { cause, detail } = closed.event else { panic!("it is closed") };
        assert_eq!(cause, Cause::Limit);
        assert!(detail.unwrap().contains("1 s"));
    }
}

/// The median round trip of lines that are sent every 5 ms, in microseconds.
async fn median_round_trip(browser: &mut Browser, id: u32) -> u64 {
    let send = r#""to":"both","text":"x","count":100,"interval_ms":5"#;
    browser.say(&format!(r#"{{"send":{{"id":{id},{send}}}}}"#)).await;
    let of_this =
        |event: &Event| matches!(event, Event::Answered { id: of, .. } if *of == u64::from(id));
    browser.until_count(200, of_this).await;
    let mut round_trips: Vec<_> = browser
        .messages
        .iter()
        .filter_map(|message| match message.event {
            Event::Answered { id: of, rtt_us, .. } if of == u64::from(id) => Some(rtt_us),
            _ => None,
        })
        .collect();
    round_trips.sort_unstable();
    round_trips[round_trips.len() / 2]
}

#[tokio::test]
async fn a_session_that_floods_its_paths_leaves_others_their_time() {
    let server = Server::start_with(&["--lab-packets-per-s=4000000"]);
    let mut other = Browser::connect_both(server.http).await;
    let alone = median_round_trip(&mut other, 1).await;

    let way = r#"{"duplicate":50,"limit":10000}"#;
    let link = format!(r#"{{"mtu":576,"up":{way},"down":{way}}}"#);
    let mut hostile = connect(&server, &link).await;
    let line = "x".repeat(8_000);
    let flood = format!(r#""to":"both","text":"{line}","count":1000,"interval_ms":0"#);
    for id in 0..10 {
        hostile.say(&format!(r#"{{"send":{{"id":{id},{flood}}}}}"#)).await;
    }
    let flooding = tokio::spawn(async move {
        hostile.until(|event| matches!(event, Event::Closed { .. })).await;
    });
    let beside = median_round_trip(&mut other, 2).await;
    assert!(!flooding.is_finished(), "it floods all the while");
    flooding.abort();
    // A figure would depend on the machine; waiting for the other's whole burst would take seconds.
    assert!(beside < 100_000, "{beside} µs beside it, {alone} µs alone");
}
