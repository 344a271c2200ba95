//! The transcript as a file: JSON Lines, whose fields are named as in `docs/protocol.md`, and text.
//! `docs/transcript.md` describes both.

use streamgram_protocol::{Data, Object, printable};

use super::status::{numbers, status_text};
use crate::i18n::figures::{Noun, count, counted, date_time};
use crate::i18n::language::Language;
use crate::session::last_send::Status;
use crate::session::log::Log;
use crate::session::note::Note;
use crate::session::row::{Payload, Row, What};

/// All rows that are kept, an object a line, behind a line that says how many were dropped.
pub(crate) fn json_lines(log: &Log) -> String {
    let head = Object::new().text("type", "transcript").bare("rows", &log.len());
    let head = head.bare("dropped", &log.dropped).written() + "\n";
    log.rows().fold(head, |file, row| file + &object(row).written() + "\n")
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
    let what = match &row.what {
        What::Line { number, payload, bytes, status, .. } => {
            let (size, (_, status)) = (size(*bytes), status_text(language, *status));
            format!("→ {number}  {size}  {status}  {}", written(payload, false))
        }
        What::Reply { payload, answers } => {
            let (size, answers) = (size(payload.bytes().len()), numbers(*answers));
            format!("← {answers}  {size}  {}", written(payload, false))
        }
        What::Note(note) => format!("· {}", printable(note.text(language).as_bytes())),
    };
    format!("{}  {}  {what}", date_time(row.at_us, zone), row.protocol.name())
}

fn object(row: &Row) -> Object {
    let object = |kind: &str| {
        let object = Object::new().text("type", kind).text("at", &date_time(row.at_us, 0));
        object.word("protocol", row.protocol).bare("leg", &row.leg)
    };
    match &row.what {
        What::Line { id, number, payload, bytes, status } => {
            let line = object("sent").bare("id", id).bare("line", number).bare("bytes", bytes);
            with_status(with_payload(line, payload), *status)
        }
        What::Reply { payload, answers } => {
            let reply = with_payload(object("reply").bare("bytes", &payload.kept()), payload);
            match answers {
                Some((first, last)) => reply.bare("answers", &format_args!("[{first},{last}]")),
                None => reply,
            }
        }
        What::Note(note) => noted(note, object),
    }
}

fn with_payload(object: Object, payload: &Payload) -> Object {
    match Data::from_bytes(&payload.bytes()) {
        Data::Text(text) => object.text("text", &text),
        Data::Hex(hex) => object.text("hex", &hex),
    }
}

fn with_status(line: Object, status: Status) -> Object {
    match status {
        Status::Waiting => line.text("status", "waiting"),
        Status::Answered { rtt_us, late, certain } => {
            let line = line.text("status", "answered").bare("rtt_us", &rtt_us);
            line.bare("late", &late).bare("certain", &certain)
        }
        Status::NoReply { cause, certain } => {
            line.text("status", "no_reply").word("cause", cause).bare("certain", &certain)
        }
    }
}

/// A note as the event that it was made of.
fn noted(note: &Note, object: impl Fn(&str) -> Object) -> Object {
    match note {
        Note::Connected { handshake_us } => object("opened").bare("handshake_us", handshake_us),
        Note::SocketOpen => object("opened"),
        Note::Nodelay(nodelay) => object("nodelay_set").bare("nodelay", nodelay),
        Note::HalfClosed => object("half_closed"),
        Note::Refused { peer } => object("refused").text("peer", peer),
        Note::Closed { cause, detail: None } => object("closed").word("cause", cause),
        Note::Closed { cause, detail: Some(detail) } => {
            object("closed").word("cause", cause).text("detail", detail)
        }
        Note::ServerSawEnd(cause) => object("server_closed").word("cause", cause),
        Note::LinkChanged => object("link_set"),
        Note::Stopped { lines, of } => object("finished").bare("lines", lines).bare("of", of),
        Note::SessionEnded => object("session_ended"),
        Note::Gap { away_us } => object("gap").bare("away_us", away_us),
        Note::Objection(detail) => object("error").text("detail", detail),
    }
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::{Cause, Protocol, Unanswered};

    use super::*;
    use crate::session::log::tests::{line, reply, row};

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
        log.answers(key, 1);
        let bytes = Payload::of(&Data::Hex("41e4bd".into()));
        log.push(Row {
            protocol: Protocol::Udp,
            ..row(What::Reply { payload: bytes, answers: None })
        });
        log.push(row(What::Note(Note::Closed { cause: Cause::Limit, detail })));
        log
    }

    #[test]
    fn json_lines_name_what_events_name() {
        let file = json_lines(&log());
        let at = "\"at\":\"1970-01-01T00:00:00.000000Z\"";
        let tcp = format!("{at},\"protocol\":\"tcp\",\"leg\":1");
        let expected = [
            r#"{"type":"transcript","rows":5,"dropped":0}"#.to_owned(),
            format!(
                r#"{{"type":"sent",{tcp},"id":7,"line":1,"bytes":2,"text":"hi","status":"answered","rtt_us":312,"late":false,"certain":true}}"#
            ),
            format!(
                r#"{{"type":"sent",{tcp},"id":7,"line":2,"bytes":2,"text":"hi","status":"no_reply","cause":"timed_out","certain":false}}"#
            ),
            format!(
                "{{\"type\":\"reply\",{tcp},\"bytes\":11,\"text\":\"[x] h\\\"i\\u000a\u{202e}\",\"answers\":[1,1]}}"
            ),
            format!(r#"{{"type":"reply",{at},"protocol":"udp","leg":1,"bytes":3,"hex":"41e4bd"}}"#),
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
            "1970-01-01T08:00:00.000000+08:00  TCP  → 2  2 bytes  ✕ no reply (this or a neighbour)  hi",
            "1970-01-01T08:00:00.000000+08:00  TCP  ← 1  11 bytes  [x] h\"i\\n\\u{202e}",
            "1970-01-01T08:00:00.000000+08:00  UDP  ←   3 bytes  A\\xe4\\xbd",
            "1970-01-01T08:00:00.000000+08:00  TCP  · ended by a limit (a \"limit\")",
        ];
        assert_eq!(file.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_file_says_what_was_dropped() {
        let mut log = Log::default();
        for number in 0..20_007 {
            log.push(line(1, number));
        }
        assert!(json_lines(&log).starts_with(r#"{"type":"transcript","rows":20000,"dropped":7}"#));
        assert!(text(Language::Zh, &log, 0).lines().next().unwrap().contains("20,000"));
        assert_eq!(json_lines(&log).lines().count(), 20_001);
    }
}
