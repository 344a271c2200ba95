//! A row of the transcript: a line that went out, a reply, or a note.

use std::rc::Rc;

use streamgram_protocol::{Data, Piece, Unanswered, pieces};
use yew::prelude::*;

use crate::figures::{Noun, counted, duration, time_of_day};
use crate::lane::{Row, What};
use crate::language::{Language, use_language};
use crate::last_send::Status;

/// Bytes of a payload that a row shows; of more it says how many there are.
const SHOWN_BYTES: usize = 400;

#[derive(Properties, PartialEq)]
pub(crate) struct TranscriptRowProps {
    pub(crate) row: Rc<Row>,
    /// Minutes east of UTC.
    pub(crate) zone: i32,
}

/// A row.
#[component]
pub(crate) fn TranscriptRow(TranscriptRowProps { row, zone }: &TranscriptRowProps) -> Html {
    let language = use_language();
    let time = html! { <time>{ time_of_day(row.at_us, *zone) }</time> };
    match &row.what {
        What::Line { send, number, bytes, status } => {
            let (kind, text) = status_text(language, *status);
            html! {
                <li class="row" data-kind="line" data-status={kind}>
                    { time }
                    <span class="row-arrow"><span class="visually-hidden">{ language.sent_line() }{ " " }</span>
                        <span aria-hidden="true">{ "→ " }</span>{ number }</span>
                    <code class="row-bytes">{ payload(language, &send.data.line(*number).unwrap_or_default()) }</code>
                    <span class="row-size">{ counted(language, *bytes as u64, Noun::Byte) }</span>
                    <span class="row-status">{ text }</span>
                </li>
            }
        }
        What::Reply { data, bytes, answers } => html! {
            <li class="row" data-kind="reply">
                { time }
                <span class="row-arrow"><span class="visually-hidden">{ language.received() }{ " " }</span>
                    <span aria-hidden="true">{ "← " }</span>{ answers.map(numbers) }</span>
                <code class="row-bytes">{ reply(language, data) }</code>
                <span class="row-size">{ counted(language, *bytes as u64, Noun::Byte) }</span>
                <span class="row-status"></span>
            </li>
        },
        What::Note(note) => {
            let tone = if note.is_bad() { "bad" } else { "plain" };
            html! {
                <li class="row" data-kind="note" data-tone={tone}>
                    { time }
                    <span class="row-arrow" aria-hidden="true">{ if tone == "bad" { "!" } else { "·" } }</span>
                    <span class="row-note">{ note.text(language) }</span>
                </li>
            }
        }
    }
}

fn status_text(language: Language, status: Status) -> (&'static str, String) {
    match status {
        Status::Waiting => ("waiting", language.status_waiting().into()),
        Status::Answered { rtt_us, late, certain } => {
            let time = duration(rtt_us);
            let text = if late { language.status_late(&time) } else { format!("✓ {time}") };
            ("answered", if certain { text } else { language.or_a_neighbour(&text) })
        }
        Status::NoReply { cause, certain } => {
            let text = match cause {
                Unanswered::TimedOut => language.status_no_reply(),
                Unanswered::Refused => language.status_refused(),
                Unanswered::Closed => language.status_leg_ended(),
            };
            ("lost", if certain { text.into() } else { language.this_or_a_neighbour(text) })
        }
    }
}

/// The lines that a reply answers: `3` or `3–5`.
fn numbers((first, last): (u32, u32)) -> String {
    if first == last { first.to_string() } else { format!("{first}–{last}") }
}

fn reply(language: Language, data: &Data) -> Html {
    data.to_bytes().map_or_else(|_| html! {}, |bytes| payload(language, &bytes))
}

/// Bytes as text, what is not text as escapes that look like escapes.
pub(crate) fn payload(language: Language, bytes: &[u8]) -> Html {
    let shown = &bytes[..bytes.len().min(SHOWN_BYTES)];
    let left = bytes.len() - shown.len();
    html! {
        <>
            for piece in pieces(shown) {
                { match piece {
                    Piece::Text(text) => html! { { text } },
                    Piece::Escape(escape) => html! { <span class="escape">{ escape }</span> },
                } }
            }
            if left > 0 {
                <span class="row-more">{ " " }{ language.more_bytes(&counted(language, left as u64, Noun::Byte)) }</span>
            }
            if bytes.is_empty() {
                <span class="row-more">{ language.empty() }</span>
            }
        </>
    }
}

#[cfg(test)]
mod tests {
    use yew::LocalServerRenderer;

    use super::*;

    async fn markup(what: What) -> String {
        let row = Rc::new(Row { key: 0, at_us: 0, what });
        let props = TranscriptRowProps { row, zone: 0 };
        LocalServerRenderer::<TranscriptRow>::with_props(props).hydratable(false).render().await
    }

    #[tokio::test]
    async fn a_hostile_payload_stays_text() {
        let data = Data::Text("<img src=x onerror=alert(1)>\u{202e}\u{1b}[2J".into());
        let markup = markup(What::Reply { data, bytes: 36, answers: None }).await;
        assert!(markup.contains("&lt;img src=x onerror=alert(1)&gt;"), "{markup}");
        assert!(markup.contains(r"\u{202e}\x1b"), "{markup}");
        assert!(!markup.contains("<img"), "{markup}");
    }

    #[tokio::test]
    async fn a_cut_character_is_shown_as_hex() {
        let markup =
            markup(What::Reply { data: Data::Hex("41e4bd".into()), bytes: 3, answers: None }).await;
        assert!(markup.contains(r#"A<span class="escape">\xe4\xbd</span>"#), "{markup}");
    }

    #[tokio::test]
    async fn a_long_payload_says_how_much_is_not_shown() {
        let data = Data::Text("x".repeat(SHOWN_BYTES + 100));
        let markup = markup(What::Reply { data, bytes: 500, answers: None }).await;
        assert!(markup.contains("100 bytes"), "{markup}");
    }

    #[test]
    fn what_is_not_certain_says_so() {
        let status = Status::NoReply { cause: Unanswered::TimedOut, certain: false };
        let one_of = status_text(Language::En, status);
        assert_eq!(one_of, ("lost", "✕ no reply (this or a neighbour)".into()));
    }
}
