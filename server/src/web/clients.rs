//! `GET /api/clients`: what was seen of raw clients so far, an observation a line.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use streamgram_protocol::{ClientMessage, Event, Limits, ServerMessage, Watch, printable};
use tokio::sync::OwnedSemaphorePermit;
use url::form_urlencoded;

use super::http::visitor::Visitor;
use super::state::Web;
use crate::observe::journal::ANSWERS_AT_ONCE;
use crate::observe::{Machine, RawFeed, Wanted};
use crate::session::{Recall, Unrecallable};

/// Bytes of an answer, which its last line may exceed. What does not fit is counted, as a session counts what it missed.
const ANSWER_BYTES: usize = 1 << 20;
/// An object on each line.
const LINES_OF_JSON: &str = "application/x-ndjson";
/// Seconds after which one may ask again when too many do.
const RETRY_AFTER_S: &str = "1";

/// The text of an answer, and the permit for it, which is given back once all of it is on its way.
struct Answer {
    text: Vec<u8>,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Answer {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

pub(super) async fn recall(
    State(web): State<Web>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Response {
    answer(&web.bridge.observer.feed, visitor.machine, query.as_deref().unwrap_or_default())
}

fn answer(feed: &RawFeed, visitor: Option<Machine>, query: &str) -> Response {
    let wanted = match wanted(query) {
        Ok(wanted) => wanted,
        Err(wrong) => return (StatusCode::BAD_REQUEST, wrong + "\n").into_response(),
    };
    let told = Recall::of(feed, visitor, wanted);
    let (recall, journal) = match (told, &feed.journal) {
        (Ok(recall), Some(journal)) => (recall, journal),
        (Err(Unrecallable::Unwatchable(why)), _) => {
            return (StatusCode::FORBIDDEN, format!("{why}\n")).into_response();
        }
        (Err(Unrecallable::Off) | Ok(_), _) => {
            return (StatusCode::NOT_FOUND, format!("{}\n", Unrecallable::Off)).into_response();
        }
    };
    let Ok(permit) = Arc::clone(&journal.answers).try_acquire_owned() else {
        let detail =
            format!("{ANSWERS_AT_ONCE} answers are on their way, the limit is {ANSWERS_AT_ONCE}\n");
        let retry = [(RETRY_AFTER, RETRY_AFTER_S)];
        return (StatusCode::SERVICE_UNAVAILABLE, retry, detail).into_response();
    };
    let answer = Bytes::from_owner(Answer { text: text(recall), _permit: permit });
    let headers = [(CONTENT_TYPE, LINES_OF_JSON), (CACHE_CONTROL, "no-store")];
    (headers, Body::from(answer)).into_response()
}

/// The lines of an answer.
fn text(mut recall: Recall) -> Vec<u8> {
    let mut text = serde_json::to_vec(&recall.head).unwrap_or_default();
    let mut last = recall.head.journal.now_us;
    while text.len() < ANSWER_BYTES
        && let Some(message) = recall.next()
    {
        last = message.at_us;
        message.append_to(&mut text);
    }
    let count = recall.missed();
    if count > 0 {
        let missed = ServerMessage { at_us: last, leg: None, event: Event::RawMissed { count } };
        missed.append_to(&mut text);
    }
    text.push(b'\n');
    text
}

/// Which clients a query asks for. The limits are those of the message `watch`.
///
/// # Errors
/// What is wrong with it.
fn wanted(query: &str) -> Result<Wanted, String> {
    let mut watch = Watch::all(true);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "port" if watch.port.is_none() => {
                let port = value.parse().ok();
                let wrong = || format!("port is {}, it must be 1 to 65535", quoted(&value));
                watch.port = Some(port.ok_or_else(wrong)?);
            }
            "token" if watch.token.is_none() => watch.token = Some(value.into_owned()),
            "port" | "token" => return Err(format!("{name} is there twice")),
            _ => return Err(format!("{} is not one of port, token", quoted(&name))),
        }
    }
    // One definition of what is allowed.
    let checked = ClientMessage::Watch(watch.clone()).check(&Limits::default());
    checked.map_err(|invalid| invalid.detail)?;
    Ok(Wanted { port: watch.port, token: watch.token })
}

fn quoted(text: &str) -> String {
    const CHARS: usize = 60;
    let text: String = text.chars().take(CHARS).collect();
    printable(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::Feed;

    use super::*;

    #[tokio::test]
    async fn one_answer_too_many_is_refused_until_another_is_on_its_way() {
        let feed = RawFeed::keeping(Feed::All, 1_024);
        let answer = || answer(&feed, None, "");
        let mut answers: Vec<_> = (0..ANSWERS_AT_ONCE).map(|_| answer()).collect();
        assert!(answers.iter().all(|answer| answer.status() == StatusCode::OK));
        assert_eq!(answer().status(), StatusCode::SERVICE_UNAVAILABLE);
        answers.pop();
        assert_eq!(answer().status(), StatusCode::OK);
    }

    #[test]
    fn a_query_says_which_clients() {
        let both = Wanted { port: Some(51_702), token: Some("a b".into()) };
        assert_eq!(wanted("port=51702&token=a%20b"), Ok(both));
        assert_eq!(wanted(""), Ok(Wanted::default()));
        for (query, wrong) in [
            ("port=0", "port is 0, it must be 1 to 65535"),
            ("port=70000", "port is 70000, it must be 1 to 65535"),
            ("port=x%0ay", "port is x\\ny, it must be 1 to 65535"),
            ("token=", "token is empty, every client has that"),
            ("token=a&token=b", "token is there twice"),
            ("prot=1", "prot is not one of port, token"),
        ] {
            assert_eq!(super::wanted(query), Err(wrong.into()), "{query}");
        }
        let long = wanted(&format!("token={}", "x".repeat(129))).unwrap_err();
        assert_eq!(long, "token is 129 bytes, the limit is 128");
    }
}
