//! The transcript as a file: JSON Lines, whose fields are named as in `docs/protocol.md`, and text.
//! `docs/transcript.md` describes both.

use serde::Serialize;
use streamgram_protocol::{Data, Protocol, printable};

use super::status::{numbers, status_text};
use crate::i18n::figures::{Noun, count, counted, date_time};
use crate::i18n::language::Language;
use crate::session::leg_run::Status;
use crate::session::log::Log;
use crate::session::note::Note;
use crate::session::payload::Payload;
use crate::session::row::{Content, Row};

/// All rows that are kept, an object a line, behind a line that says how many were dropped.
pub(crate) fn json_lines(log: &Log) -> String {
    let head = json(&Head { r#type: "transcript", rows: log.len(), dropped: log.dropped });
    log.rows().fold(head, |file, row| file + &json(&record(row)))
}

/// All rows that are kept, a line each, behind a line that says how many were dropped.
pub(crate) fn text(language: Language, log: &Log, zone: i32) -> String {
    let head = language.text_head(&count(log.len() as u64), &count(log.dropped)) + "\n";
    log.rows().fold(head, |file, row| file + &line(language, row, zone) + "\n")
}

/// A payload as a line of text, or as hexadecimal digits.
pub(crate) fn written(payload: &Payload, hex: bool) -> String {
    if hex { Data::hex(&payload.bytes()) } else { printable(&payload.bytes()) }
}

/// A row as a line of text.
pub(crate) fn line(language: Language, row: &Row, zone: i32) -> String {
    let size = |bytes: usize| counted(language, bytes as u64, Noun::Byte);
    let what = match &row.content {
        Content::Line { place: number, payload, bytes, status, .. } => {
            let (size, (_, status)) = (size(*bytes), status_text(language, *status));
            format!("→ {number}  {size}  {status}  {}", written(payload, false))
        }
        Content::Reply { payload, answers } => {
            let (size, answers) = (size(payload.bytes().len()), numbers(*answers));
            format!("← {answers}  {size}  {}", written(payload, false))
        }
        Content::Note(note) => format!("· {}", printable(note.text(language).as_bytes())),
    };
    format!("{}  {}  {what}", date_time(row.at_us, zone), row.protocol.name())
}

/// The first line of the file.
#[derive(Serialize)]
struct Head {
    r#type: &'static str,
    rows: usize,
    dropped: u64,
}

/// A row as a line of the file.
#[derive(Serialize)]
struct Record<'r> {
    r#type: &'static str,
    at: String,
    protocol: Protocol,
    leg: u32,
    run: u32,
    #[serde(flatten)]
    fields: Fields<'r>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Fields<'r> {
    Sent {
        id: u64,
        line: u32,
        bytes: usize,
        #[serde(flatten)]
        data: Data,
        #[serde(flatten)]
        status: Status,
    },
    Reply {
        bytes: usize,
        #[serde(flatten)]
        data: Data,
        #[serde(skip_serializing_if = "Option::is_none")]
        answers: Option<(u32, u32)>,
    },
    Note(&'r Note),
}

fn record(row: &Row) -> Record<'_> {
    let data = |payload: &Payload| Data::from_bytes(&payload.bytes());
    let (r#type, fields) = match &row.content {
        Content::Line { id, number, payload, bytes, status, .. } => {
            let (id, line, bytes, status) = (*id, *number, *bytes, *status);
            ("sent", Fields::Sent { id, line, bytes, data: data(payload), status })
        }
        Content::Reply { payload, answers } => {
            let (bytes, answers) = (payload.kept(), *answers);
            ("reply", Fields::Reply { bytes, data: data(payload), answers })
        }
        Content::Note(note) => (note.event(), Fields::Note(note)),
    };
    let (at, protocol) = (date_time(row.at_us, 0), row.protocol);
    Record { r#type, at, protocol, leg: row.leg, run: row.run, fields }
}

fn json(record: &impl Serialize) -> String {
    serde_json::to_string(record).expect("all names of fields are text") + "\n"
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::{Cause, Unanswered};

    use super::*;
    use crate::session::log::tests::{line, lines, reply, row};

    fn log() -> Log {
        let mut log = Log::default();
        let lost = Status::NoReply { cause: Unanswered::TimedOut, certain: false };
        let answered = Status::Answered { rtt_us: 312, late: false, certain: true };
        let detail = Some("a \"limit\"".to_owned());
        log.push(line(7, 1));
        log.settle(Protocol::Tcp, 7, 1, answered);
        log.push(line(7, 2));
        log.settle(Protocol::Tcp, 7, 2, lost);
        let key = log.push(reply("[x] h\"i\n\u{202e}"));
        log.answers(key, 1, 1);
        let bytes = Payload::of(&Data::Hex("41e4bd".into()));
        log.push(Row {
            protocol: Protocol::Udp,
            ..row(Content::Reply { payload: bytes, answers: None })
        });
        log.push(row(Content::Note(Note::Closed { cause: Cause::Limit, detail })));
        log
    }

    #[test]
    fn json_lines_name_what_events_name() {
        let file = json_lines(&log());
        let at = "\"at\":\"1970-01-01T00:00:00.000000Z\"";
        let tcp = format!("{at},\"protocol\":\"tcp\",\"leg\":1,\"run\":1");
        let expected = [
            r#"{"type":"transcript","rows":5,"dropped":0}"#.to_owned(),
            format!(
                r#"{{"type":"sent",{tcp},"id":7,"line":1,"bytes":2,"text":"hi","status":"answered","rtt_us":312,"late":false,"certain":true}}"#
            ),
            format!(
                r#"{{"type":"sent",{tcp},"id":7,"line":2,"bytes":2,"text":"hi","status":"no_reply","cause":"timed_out","certain":false}}"#
            ),
            format!(
                "{{\"type\":\"reply\",{tcp},\"bytes\":11,\"text\":\"[x] h\\\"i\\n\u{202e}\",\"answers\":[1,1]}}"
            ),
            format!(
                r#"{{"type":"reply",{at},"protocol":"udp","leg":1,"run":1,"bytes":3,"hex":"41e4bd"}}"#
            ),
            format!(r#"{{"type":"closed",{tcp},"cause":"limit","detail":"a \"limit\""}}"#),
        ];
        assert_eq!(file.lines().collect::<Vec<_>>(), expected);
        assert!(file.ends_with("}\n"));
    }

    #[test]
    fn text_has_a_line_for_each_row_and_nothing_that_breaks_it() {
        let file = text(Language::En, &log(), 480);
        let expected = [
            "Streamgram transcript: 5 rows, 0 older rows dropped",
            "1970-01-01T08:00:00.000000+08:00  TCP  → 1  2 bytes  ✓ 0.31 ms  hi",
            "1970-01-01T08:00:00.000000+08:00  TCP  → 2  2 bytes  ✕ no reply (this line or a neighbour)  hi",
            "1970-01-01T08:00:00.000000+08:00  TCP  ← 1  11 bytes  [x] h\"i\\n\\u{202e}",
            "1970-01-01T08:00:00.000000+08:00  UDP  ←   3 bytes  A\\xe4\\xbd",
            "1970-01-01T08:00:00.000000+08:00  TCP  · closed: limit reached (a \"limit\")",
        ];
        assert_eq!(file.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_file_says_what_was_dropped() {
        let log = lines(0..20_007);
        assert!(json_lines(&log).starts_with(r#"{"type":"transcript","rows":20000,"dropped":7}"#));
        assert!(text(Language::Zh, &log, 0).lines().next().unwrap().contains("20,000"));
        assert_eq!(json_lines(&log).lines().count(), 20_001);
    }
}
