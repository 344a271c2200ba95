//! Sessions as the page has them: both legs, a line over both at a time, bursts, and a new session now
//! and then. What the server says is checked against what was sent.

use std::time::Instant;

use streamgram_protocol::{Event, Protocol};
use streamgram_tests::{Browser, echoes, is_ctime};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;

use crate::tally::IN_TIME;
use crate::visitor::{PAUSE, Visit};

/// Lines of one session, and the lines of its burst.
const LINES: usize = 20;
const BURST: usize = 20;

/// One session, from its upgrade to its end.
pub(crate) async fn page(visit: Visit) {
    let asked = Instant::now();
    let stream = TcpStream::connect(visit.http).await.expect("the server listens");
    let host = visit.http.to_string();
    let origin = format!("http://{host}");
    let mut page = Browser::over(stream, &host, &[("origin", &origin)]).await;
    page.until(|event| matches!(event, Event::Hello(_))).await;
    page.open_both().await;
    visit.tally.answered("a session with both legs", asked.elapsed());
    // Told of every raw client of this address, the floods too: not all, or there would be little else.
    if visit.number.is_multiple_of(10) {
        page.say(r#"{"watch":{"on":true}}"#).await;
    }
    for id in 1..=LINES {
        let text = format!("line {id} of visit {}: 你好, {}", visit.number, "x".repeat(7 * id));
        let asked = Instant::now();
        page.say(&format!(r#"{{"send":{{"id":{id},"to":"both","text":"{text}"}}}}"#)).await;
        settled(&mut page, id, 1, &visit).await;
        visit.tally.answered("a line over both legs", asked.elapsed());
        is_echoed(&page, text.as_bytes());
        let of_raw = |event: &Event| matches!(event, Event::Raw(_));
        visit.tally.saw("sightings of raw clients that pages were told of", page.count(of_raw));
        page.messages.clear();
        sleep(PAUSE).await;
    }
    let (id, interval) = (LINES + 1, [0, 5][visit.number % 2]);
    let asked = Instant::now();
    let burst = format!(r#""text":"burst {{n}};","count":{BURST},"interval_ms":{interval}"#);
    page.say(&format!(r#"{{"send":{{"id":{id},"to":"both",{burst}}}}}"#)).await;
    settled(&mut page, id, BURST, &visit).await;
    visit.tally.answered("a burst of 20 over both legs", asked.elapsed());
    let lines: String = (1..=BURST).map(|line| format!("burst {line};")).collect();
    is_echoed(&page, lines.as_bytes());
    // Some say that they go, the others lose their network.
    if visit.number.is_multiple_of(2) {
        page.frame(Message::Close(None)).await;
        while page.next_or_end().await.is_some() {}
    }
}

/// Reads on until every line of a send has its reply; over UDP, or is said to have none.
async fn settled(page: &mut Browser<TcpStream>, id: usize, lines: usize, visit: &Visit) {
    let since = Instant::now();
    let (mut answered, mut unanswered) = (0, 0);
    while answered + unanswered < 2 * lines {
        let message = page.next().await;
        assert!(since.elapsed() < IN_TIME, "send {id}: {answered} answers, {unanswered} without");
        let protocol = message.leg.map(|leg| leg.protocol);
        match message.event {
            Event::Answered { id: of, late: false, .. } if of == id as u64 => answered += 1,
            Event::NoReply { id: of, .. } if of == id as u64 => {
                assert_eq!(protocol, Some(Protocol::Udp), "TCP loses nothing");
                unanswered += 1;
            }
            event @ (Event::Error(_) | Event::Closed { .. } | Event::Refused { .. }) => {
                panic!("{event:?}")
            }
            _ => {}
        }
    }
    visit.tally.saw("lines of pages over TCP and UDP that were answered", answered);
    visit.tally.saw("datagrams of pages that were lost, and said to be", unanswered);
}

/// Checks the replies since the last look: those of TCP are the stamped line, those of UDP times.
fn is_echoed(page: &Browser<TcpStream>, sent: &[u8]) {
    let mut stream = Vec::new();
    for message in &page.messages {
        let Event::Reply { data, .. } = &message.event else { continue };
        let bytes = data.to_bytes().expect("text or hexadecimal digits");
        match message.leg.map(|leg| leg.protocol) {
            Some(Protocol::Tcp) => stream.extend_from_slice(&bytes),
            _ => assert!(is_ctime(&bytes), "{data:?}"),
        }
    }
    assert_eq!(echoes(&stream).concat(), sent);
}
