//! Sessions whose legs are emulated paths, each as bad as its link says; some are closed, some reset,
//! some just left. Every line comes to something.

use std::time::Instant;

use streamgram_protocol::{Event, Protocol};
use streamgram_tests::Browser;

use crate::visitor::Visit;

/// Lines of one burst, over each leg.
const LINES: usize = 10;

/// Every knob, and rules.
const LINKS: [&str; 7] = [
    r#"{"up":{"delay_ms":20,"jitter_ms":10,"loss":5},"down":{"delay_ms":20,"jitter_ms":10,"loss":5}}"#,
    r#"{"up":{"delay_ms":10,"duplicate":20,"reorder":20},"down":{"delay_ms":10,"duplicate":20}}"#,
    r#"{"up":{"rate_kbit":256,"limit":20},"down":{"delay_ms":5}}"#,
    r#"{"mtu":576,"up":{"loss":2},"down":{"loss":2}}"#,
    r#"{"rules":[{"black_out":{"from_ms":50,"to_ms":1200}}]}"#,
    r#"{"congestion":"cubic","delayed_ack":true,"down":{"delay_ms":50,"jitter_ms":50}}"#,
    r#"{"rules":[{"lose_line":{"line":3}},{"lose_reply":{"line":5}}]}"#,
];

/// One session over one bad link.
pub(crate) async fn lab(visit: Visit) {
    let mut lab = Browser::connect(visit.http).await;
    let mut link = LINKS[visit.number % LINKS.len()].to_owned();
    let seed = format!(r#"{{"seed":{},"#, visit.number);
    link.replace_range(..1, &seed);
    let asked = Instant::now();
    for protocol in ["tcp", "udp"] {
        let emulated = format!(r#""path":"emulated","link":{link}"#);
        lab.say(&format!(r#"{{"open":{{"protocol":"{protocol}",{emulated}}}}}"#)).await;
        lab.until(|event| matches!(event, Event::Opened { .. })).await;
    }
    visit.tally.answered_at_last("a lab with both legs", asked.elapsed());
    let asked = Instant::now();
    let text = "x".repeat([5, 1_500][visit.number / LINKS.len() % 2]);
    let burst = format!(r#""text":"{{n}}{text}","count":{LINES},"interval_ms":20"#);
    lab.say(&format!(r#"{{"send":{{"id":1,"to":"both",{burst}}}}}"#)).await;
    settled(&mut lab, &visit).await;
    visit.tally.answered_at_last("a burst of 10 over a lab", asked.elapsed());
    // The third kind of end is a browser that vanishes.
    let how = ["close", "reset", ""][visit.number % 3];
    if !how.is_empty() {
        let is_closed = |event: &Event| matches!(event, Event::Closed { .. });
        lab.say(&format!(r#"{{"close":{{"protocol":"tcp","how":"{how}"}}}}"#)).await;
        lab.say(r#"{"close":{"protocol":"udp"}}"#).await;
        lab.until_count(2, is_closed).await;
    }
}

/// Reads on until every line was answered or, over UDP, is said not to be.
async fn settled(lab: &mut Browser, visit: &Visit) {
    let (mut answered, mut unanswered) = (0, 0);
    while answered + unanswered < 2 * LINES {
        let message = lab.next().await;
        let protocol = message.leg.map(|leg| leg.protocol);
        match message.event {
            Event::Answered { late: false, .. } => answered += 1,
            Event::NoReply { .. } => {
                assert_eq!(protocol, Some(Protocol::Udp), "TCP sends again");
                unanswered += 1;
            }
            event @ (Event::Error(_) | Event::Closed { .. } | Event::Refused { .. }) => {
                panic!("{event:?}")
            }
            _ => {}
        }
    }
    visit.tally.saw("lines of labs over TCP and UDP that were answered", answered);
    visit.tally.saw("datagrams of labs that their links lost, and said to be", unanswered);
}
