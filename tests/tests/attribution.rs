//! Which reply answers which line, when the UDP server is slow or loses datagrams: what is called answered was.
// strace makes the server slow, and is the witness of what it received.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::net::UdpSocket;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use streamgram_protocol::Event;
use streamgram_tests::{Browser, Faults, Server, skip};

const LOOPBACK: &str = "127.0.0.1:0";
/// A server there receives in another way: it has to learn at which address a datagram came.
const EVERYWHERE: &str = "0.0.0.0:0";
/// How long the server holds a reply, in microseconds: longer than a gateway waits for one.
const HELD_US: u64 = 1_400_000;

/// A tracer of the server's UDP thread, unless this machine forbids it.
async fn udp_faults(server: &Server, what: &str) -> Option<Faults> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let faults = Faults::inject_into_udp(server, what, folder).await;
    faults.inspect_err(|refusal| skip(&format!("the server cannot be slowed: {refusal}"))).ok()
}

/// Every line that was answered in time with certainty, in the order in which that was told.
fn certain(browser: &Browser) -> Vec<(u64, u32)> {
    let certain = browser.messages.iter().filter_map(|message| match message.event {
        Event::Answered { id, line, late: false, certain: true, .. } => Some((id, line)),
        _ => None,
    });
    certain.collect()
}

/// The replies that answers have named, in the order in which that was told.
fn named(browser: &Browser) -> Vec<u64> {
    let named = browser.messages.iter().filter_map(|message| match message.event {
        Event::Answered { reply, .. } => Some(reply),
        _ => None,
    });
    named.collect()
}

fn is_answered(event: &Event) -> bool {
    matches!(event, Event::Answered { .. })
}

/// Five lines, the reply to the first of which is held; over either path each gets its own.
async fn a_held_reply_belongs_to_its_line(path: &str, udp: &str) {
    let server = Server::start_on([LOOPBACK, LOOPBACK, udp], &[]);
    let mut browser = Browser::connect(server.http).await;
    browser.say(&format!(r#"{{"open":{{"protocol":"udp","path":"{path}"}}}}"#)).await;
    browser.until(|event| matches!(event, Event::Opened { .. })).await;
    let held = format!("sendto,sendmsg,sendmmsg:delay_enter={HELD_US}:when=1");
    let Some(_faults) = udp_faults(&server, &held).await else { return };
    // All the same: no content tells them apart, and answers wait for their certainty.
    browser.say(r#"{"send":{"id":1,"to":"udp","text":"x"}}"#).await;
    browser.until(|event| matches!(event, Event::ServerDatagram { .. })).await;
    browser.say(r#"{"send":{"id":2,"to":"udp","text":"x","count":4,"interval_ms":1}}"#).await;
    browser.until_count(5, is_answered).await;

    assert_eq!(certain(&browser), [(1, 1), (2, 1), (2, 2), (2, 3), (2, 4)]);
    assert_eq!(named(&browser), [0, 1, 2, 3, 4]);
    browser.answers_name_their_replies();
    let (mut seen, mut answered) = (0, 0);
    for message in &browser.messages {
        match message.event {
            Event::ServerDatagram { .. } => seen += 1,
            Event::Answered { id, rtt_us, .. } => {
                answered += 1;
                assert!(answered <= seen, "before the server had it: {:#?}", browser.messages);
                assert!(id == 2 || rtt_us >= HELD_US, "{message:?}");
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_reply_that_the_server_holds_for_long_belongs_to_its_own_line_over_a_link() {
    a_held_reply_belongs_to_its_line("emulated", LOOPBACK).await;
}

#[tokio::test]
async fn a_reply_that_the_server_holds_for_long_belongs_to_its_own_line() {
    a_held_reply_belongs_to_its_line("direct", LOOPBACK).await;
}

#[tokio::test]
async fn so_it_is_with_a_server_of_every_address() {
    a_held_reply_belongs_to_its_line("direct", EVERYWHERE).await;
}

#[tokio::test]
async fn of_a_burst_that_overfills_the_servers_buffer_exactly_the_lines_that_it_took_are_answered()
{
    an_overfilled_buffer(LOOPBACK, 1).await;
}

#[tokio::test]
async fn so_they_are_by_a_server_of_every_address() {
    an_overfilled_buffer(EVERYWHERE, 8).await;
}

/// `batch`: how many datagrams the server receives at once.
async fn an_overfilled_buffer(udp: &str, batch: u32) {
    let server = Server::start_on([LOOPBACK, LOOPBACK, udp], &["--no-reply-ms=10000"]);
    let mut browser = Browser::connect_both(server.http).await;
    // Slow enough that a session which is held up for half a second is not 128 replies behind: those would be in doubt.
    let slow = format!("recvfrom,recvmsg,recvmmsg:delay_enter={}", 6_000 * batch);
    let Some(faults) = udp_faults(&server, &slow).await else { return };
    // The first burst leaves no room. What of the second is taken comes after lines that are lost.
    browser.say(r#"{"send":{"id":1,"to":"udp","text":"<1 {n}>","count":500}}"#).await;
    browser.until_count(100, is_answered).await;
    // Some of it is as long as they.
    browser.say(r#"{"send":{"id":22,"to":"udp","text":"<22 {n}>","count":500}}"#).await;
    let is_silence = |event: &Event| matches!(event, Event::NoReply { .. });
    browser.until_count(1_000, |event| is_answered(event) || is_silence(event)).await;
    let numbers = |received: &str| {
        let (id, line) = received.split('>').next()?.split_once(' ')?;
        Some((id.parse().ok()?, line.parse().ok()?))
    };
    let taken: BTreeSet<_> = faults.log().split("\"<").skip(1).filter_map(numbers).collect();
    for burst in [1, 22] {
        let taken = taken.iter().filter(|(id, _)| *id == burst).count();
        assert!((1..500).contains(&taken), "of burst {burst} the server took {taken}");
    }
    assert_eq!(BTreeSet::from_iter(certain(&browser)), taken);
    let lost = |event: &Event| matches!(event, Event::NoReply { certain: true, .. });
    assert_eq!(browser.count(lost), 1_000 - taken.len());

    // Nothing is left in doubt.
    faults.stop().await;
    browser.say(r#"{"send":{"id":3,"to":"udp","text":"<1 500>"}}"#).await;
    browser.until(is_answered).await;
    assert_eq!(certain(&browser).last(), Some(&(3, 1)));
}

#[tokio::test]
async fn what_is_lost_beside_a_flood_of_others_is_never_called_answered() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    let Some(faults) = udp_faults(&server, "recvfrom,recvmsg,recvmmsg:delay_enter=500").await
    else {
        return;
    };
    let enough = Arc::new(AtomicBool::new(false));
    let (others, until, to) =
        (UdpSocket::bind("127.0.0.1:0").unwrap(), Arc::clone(&enough), server.udp);
    let flood = thread::spawn(move || {
        while !until.load(Ordering::Relaxed) {
            others.send_to(b"flood", to).unwrap();
            thread::sleep(Duration::from_micros(50));
        }
    });
    let burst = r#"{"send":{"id":1,"to":"udp","text":"<{n}>","count":400,"interval_ms":1}}"#;
    browser.say(burst).await;
    let is_silence = |event: &Event| matches!(event, Event::NoReply { .. });
    browser.until_count(400, |event| is_answered(event) || is_silence(event)).await;
    enough.store(true, Ordering::Relaxed);
    flood.join().unwrap();
    let number = |received: &str| received.split('>').next()?.parse().ok();
    let taken: BTreeSet<u32> = faults.log().split("\"<").skip(1).filter_map(number).collect();
    assert!((1..400).contains(&taken.len()), "the server took {} of 400", taken.len());
    let answered: BTreeSet<u32> = certain(&browser).into_iter().map(|(_, line)| line).collect();
    assert_eq!(answered, taken);
}

#[tokio::test]
async fn equal_lines_that_all_arrive_are_all_certain() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    for id in 1..=20 {
        // Fewer than any buffer has room for.
        let burst = format!(r#"{{"send":{{"id":{id},"to":"udp","text":"x","count":100}}}}"#);
        browser.say(&burst).await;
        browser.until_count(100 * id, is_answered).await;
    }
    let lines = (1..=20).flat_map(|id| (1..=100).map(move |line| (id, line)));
    assert_eq!(certain(&browser), lines.collect::<Vec<_>>());
}

#[tokio::test]
async fn an_answer_that_waits_for_its_certainty_still_names_its_own_reply() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    let Some(_faults) = udp_faults(&server, "sendto,sendmsg,sendmmsg:delay_enter=50000").await
    else {
        return;
    };
    browser.say(r#"{"send":{"id":1,"to":"udp","text":"x","count":5}}"#).await;
    browser.until_count(5, is_answered).await;
    // All that were sent before the server told of them are certain once it has told of the last, after four replies. It
    // may have told of the first before the second was sent.
    let mut replies = 0;
    let has_waited = browser.messages.iter().any(|message| match message.event {
        Event::Reply { offset, .. } => {
            replies = offset + 1;
            false
        }
        Event::Answered { reply, .. } => reply + 1 < replies,
        _ => false,
    });
    assert!(has_waited, "{:#?}", browser.messages);
    assert_eq!(certain(&browser), [(1, 1), (1, 2), (1, 3), (1, 4), (1, 5)]);
    assert_eq!(named(&browser), [0, 1, 2, 3, 4]);
    browser.answers_name_their_replies();
}

#[tokio::test]
async fn equal_lines_of_which_some_were_lost_are_in_doubt_and_the_next_line_is_not() {
    let server = Server::start_with(&["--no-reply-ms=6000"]);
    let mut browser = Browser::connect_both(server.http).await;
    let slow = "recvfrom,recvmsg,recvmmsg:delay_enter=2000";
    let Some(faults) = udp_faults(&server, slow).await else { return };
    browser.say(r#"{"send":{"id":1,"to":"udp","text":"x","count":1000}}"#).await;
    let is_silence = |event: &Event| matches!(event, Event::NoReply { .. });
    browser.until_count(1_000, |event| is_answered(event) || is_silence(event)).await;
    let lost = browser.count(is_silence);
    assert!((1..1_000).contains(&lost), "{lost} of 1,000 were lost");
    let in_doubt = |event: &Event| {
        matches!(
            event,
            Event::NoReply { certain: false, .. } | Event::Answered { certain: false, .. }
        )
    };
    let doubts = browser.count(in_doubt);
    assert_eq!(browser.count(|event| is_silence(event) && in_doubt(event)), lost);
    assert!(doubts > lost, "{doubts} in doubt, {lost} lost");
    browser.answers_name_their_replies();

    faults.stop().await;
    browser.say(r#"{"send":{"id":2,"to":"udp","text":"x"}}"#).await;
    browser.until(is_answered).await;
    assert_eq!(certain(&browser).last(), Some(&(2, 1)));
}
