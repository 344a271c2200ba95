//! A row of the transcript, on one line: what does not fit is cut, and stands in the row's detail.

use std::rc::Rc;

use yew::prelude::*;

use super::status::{numbers, status_text};
use crate::i18n::figures::{Noun, counted, duration, time_of_day};
use crate::i18n::language::Language;
use crate::result::pointed::Pointed;
use crate::session::payload::Payload;
use crate::session::row::{Content, Row};
use crate::ui::bytes::{digits, piecewise};

/// Bytes of a payload that a row has room for, on the widest page.
const ROW_BYTES: usize = 240;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) language: Language,
    /// Minutes east of UTC.
    pub(crate) zone: i32,
    /// Payloads as hexadecimal digits.
    pub(crate) hex: bool,
    /// Times since the row before.
    pub(crate) delta: bool,
    /// Rows say whose they are.
    pub(crate) protocol: bool,
    /// What is pointed at in another view, and the run that this is about.
    pub(crate) pointed: Option<(u32, Pointed)>,
}

/// Where a row stands in its list.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    /// Its element's id, if it is the chosen one.
    pub(crate) id: Option<String>,
    /// Counted from 1.
    pub(crate) at: usize,
    pub(crate) of: usize,
    pub(crate) before: Option<&'a Rc<Row>>,
}

/// A row.
pub(crate) fn row(look: Look, row: &Row, place: Place<'_>) -> Html {
    let language = look.language;
    let Place { id, at, of, before } = place;
    let selected = id.as_ref().map(|_| "true");
    let time = match before {
        _ if !look.delta => time_of_day(row.at_us, look.zone),
        Some(before) => since(row.at_us, before.at_us),
        None => "–".into(),
    };
    let (kind, status, arrow, said, body, size, outcome) = match &row.content {
        Content::Line { place: number, payload, bytes, status, .. } => {
            let (word, outcome) = status_text(language, *status);
            let (arrow, said) =
                (format!("→ {number}"), format!("{} {number}", language.sent_line()));
            ("line", word, arrow, said, head(look, payload, *bytes), Some(*bytes), outcome)
        }
        Content::Reply { payload, answers } => {
            let (number, bytes) = (numbers(*answers), payload.kept());
            let (arrow, said) =
                (format!("← {number}"), format!("{} {number}", language.received()));
            ("reply", "", arrow, said, head(look, payload, bytes), Some(bytes), String::new())
        }
        Content::Note(note) => {
            let (status, arrow) = if note.is_bad() { ("bad", "!") } else { ("", "·") };
            let said = language.only_notes().to_owned();
            ("note", status, arrow.into(), said, note.text(language).into(), None, String::new())
        }
    };
    let size = size.map(|bytes| counted(language, bytes as u64, Noun::Byte));
    // All rows are made of the same elements: those of rows that leave serve rows that come.
    html! {
        <div class="row" role="option" {id} aria-selected={selected} data-kind={kind} data-status={status}
            data-protocol={row.protocol.name()} data-pointed={is_pointed(look, row).then_some("true")} aria-posinset={at.to_string()} aria-setsize={of.to_string()}>
            <time>{ time }</time>
            if look.protocol {
                <span class="row-protocol">{ row.protocol.name() }</span>
            }
            <span class="row-arrow" role="img" aria-label={said}>{ arrow }</span>
            <code class={if kind == "note" { "row-note" } else { "row-bytes" }}>{ body }</code>
            <span class="row-size">{ size.unwrap_or_default() }</span>
            <span class="row-status">{ outcome }</span>
        </div>
    }
}

fn is_pointed(look: Look, row: &Row) -> bool {
    look.pointed.zip(pointed(row)).is_some_and(|((run, it), own)| row.run == run && own.meets(it))
}

/// The lines that a row is about.
pub(crate) fn pointed(row: &Row) -> Option<Pointed> {
    row.lines().map(|(first, last)| Pointed { protocol: row.protocol, first, last })
}

/// A time since the row before. What the page notes by itself has the time of its own clock, so that
/// can be before zero.
fn since(at_us: u64, before_us: u64) -> String {
    let sign = if at_us < before_us { '−' } else { '+' };
    format!("{sign}{}", duration(at_us.abs_diff(before_us)))
}

fn head(look: Look, payload: &Payload, bytes: usize) -> Html {
    let most = if look.hex { ROW_BYTES / 3 } else { ROW_BYTES };
    let head = payload.head(most);
    html! {
        <>
            if look.hex && bytes > 0 { { digits(&head) } } else { { piecewise(look.language, &head) } }
            if head.len() < bytes {
                <span class="row-more">{ "…" }</span>
            }
        </>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::log::tests;
    use crate::ui::tests::rendered;
    use streamgram_protocol::Data;

    const LOOK: Look = Look {
        language: Language::En,
        zone: 0,
        hex: false,
        delta: false,
        protocol: false,
        pointed: None,
    };

    async fn markup(look: Look, content: Content) -> String {
        let before = Rc::new(tests::row(content.clone()));
        let shown = Row { at_us: 1_500, ..tests::row(content) };
        let place = Place { id: None, at: 3, of: 9, before: Some(&before) };
        rendered(row(look, &shown, place)).await
    }

    fn reply(data: &Data) -> Content {
        Content::Reply { payload: Payload::of(data), answers: None }
    }

    #[tokio::test]
    async fn a_hostile_payload_stays_text() {
        let data = Data::Text("<img src=x onerror=alert(1)>\u{202e}\u{1b}[2J".into());
        let markup = markup(LOOK, reply(&data)).await;
        assert!(markup.contains("&lt;img src=x onerror=alert(1)&gt;"), "{markup}");
        assert!(markup.contains(r"\u{202e}\x1b"), "{markup}");
        assert!(!markup.contains("<img"), "{markup}");
    }

    #[tokio::test]
    async fn a_cut_character_is_shown_as_hex() {
        let markup = markup(LOOK, reply(&Data::Hex("41e4bd".into()))).await;
        assert!(markup.contains(r#"A<span class="escape">\xe4\xbd</span>"#), "{markup}");
    }

    #[tokio::test]
    async fn a_row_says_its_place_and_in_hex_its_bytes_and_the_time_since_the_one_before() {
        let look = Look { hex: true, delta: true, protocol: true, ..LOOK };
        let markup = markup(look, reply(&Data::Text("A\n".into()))).await;
        for part in ["aria-posinset=\"3\"", "aria-setsize=\"9\"", "41 0a", "+1.50 ms", ">TCP<"] {
            assert!(markup.contains(part), "{part}: {markup}");
        }
    }

    #[tokio::test]
    async fn a_long_payload_is_cut_in_its_row() {
        let markup = markup(LOOK, reply(&Data::Text("x".repeat(60_000)))).await;
        assert_eq!(markup.matches("xx").count(), ROW_BYTES / 2);
        assert!(markup.contains("60,000 bytes"), "{markup}");
    }
}
