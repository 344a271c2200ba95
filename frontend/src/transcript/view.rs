//! How a person looks at the transcript: which rows, in which list, and how they are written.

use streamgram_protocol::{Data, Protocol};

use crate::i18n::language::Language;
use crate::session::leg_run::Status;
use crate::session::payload::Payload;
use crate::session::row::{Content, Row};

/// What can be chosen above the transcript.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) filter: Filter,
    pub(crate) list: List,
    /// Payloads as hexadecimal digits, not as text.
    pub(crate) hex: bool,
    /// Times since the row before, not times of day.
    pub(crate) delta: bool,
    /// The rows of all runs, not only of the one that is shown.
    pub(crate) all_runs: bool,
}

/// Where the rows stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum List {
    /// Each protocol's in its lane.
    #[default]
    Lanes,
    /// In one list in order of time: both, or those of one protocol.
    One(Option<Protocol>),
}

/// Which rows are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// What a row must contain, as typed.
    pub(crate) query: String,
    pub(crate) direction: Direction,
    pub(crate) outcome: Outcome,
}

/// Which way a row went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Direction {
    #[default]
    All,
    Sent,
    Received,
    Notes,
}

/// How a line stands; only lines have an outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Outcome {
    #[default]
    All,
    Answered,
    Waiting,
    NoReply,
}

/// A filter made ready: the query as bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Test {
    needle: Vec<u8>,
    /// Letters of ASCII stand for both their cases.
    folded: bool,
    direction: Direction,
    outcome: Outcome,
    run: Option<u32>,
    /// In which notes are read.
    language: Language,
}

impl View {
    /// The filter made ready. Where payloads are shown as hex, a query of whole bytes in hex means those.
    pub(crate) fn test(&self, language: Language, run: Option<u32>) -> Test {
        let Filter { query, direction, outcome } = &self.filter;
        let hex = Data::Hex(query.clone());
        let bytes = if self.hex { hex.to_bytes().ok() } else { None };
        let folded = bytes.is_none();
        let needle = bytes.map_or_else(|| query.to_ascii_lowercase().into(), |it| it.into_owned());
        let run = run.filter(|_| !self.all_runs);
        Test { needle, folded, direction: *direction, outcome: *outcome, run, language }
    }
}

impl Test {
    /// Whether every row passes.
    pub(crate) fn is_open(&self) -> bool {
        self.needle.is_empty()
            && (self.direction, self.outcome, self.run) == (Direction::All, Outcome::All, None)
    }

    /// How many bytes of the row are looked through.
    pub(crate) fn looks_through(&self, row: &Row) -> usize {
        let payload = row.payload().filter(|_| !self.needle.is_empty());
        payload.map_or(0, Payload::kept)
    }

    /// Whether this row passes.
    pub(crate) fn passes(&self, row: &Row) -> bool {
        self.run.is_none_or(|run| row.run == run)
            && self.is_wanted(&row.content)
            && (self.needle.is_empty() || self.is_in(&row.content))
    }

    fn is_wanted(&self, content: &Content) -> bool {
        let direction = match content {
            Content::Line { .. } => Direction::Sent,
            Content::Reply { .. } => Direction::Received,
            Content::Note(_) => Direction::Notes,
        };
        let outcome = match content {
            Content::Line { status: Status::Waiting, .. } => Outcome::Waiting,
            Content::Line { status: Status::Answered { .. }, .. } => Outcome::Answered,
            Content::Line { status: Status::NoReply { .. }, .. } => Outcome::NoReply,
            Content::Reply { .. } | Content::Note(_) => Outcome::All,
        };
        [Direction::All, direction].contains(&self.direction)
            && (self.outcome == Outcome::All || self.outcome == outcome)
    }

    fn is_in(&self, content: &Content) -> bool {
        match content {
            Content::Line { payload: Payload::Bytes(bytes), .. }
            | Content::Reply { payload: Payload::Bytes(bytes), .. } => self.is_in_bytes(bytes),
            Content::Line { payload, .. } | Content::Reply { payload, .. } => {
                self.is_in_bytes(&payload.bytes())
            }
            Content::Note(note) => {
                self.folded && self.is_in_bytes(note.text(self.language).as_bytes())
            }
        }
    }

    fn is_in_bytes(&self, bytes: &[u8]) -> bool {
        bytes.windows(self.needle.len()).any(|window| {
            if self.folded {
                window.eq_ignore_ascii_case(&self.needle)
            } else {
                window == self.needle
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::session::leg_run::tests::{ANSWERED, LOST};
    use crate::session::log::tests::{line, reply, row};
    use crate::session::note::Note;

    fn view(query: &str) -> View {
        View { filter: Filter { query: query.into(), ..Filter::default() }, ..View::default() }
    }

    fn finds(query: &str, row: &Row) -> bool {
        view(query).test(Language::En, None).passes(row)
    }

    #[test]
    fn a_query_is_found_anywhere_and_ascii_in_either_case() {
        let reply = reply("[Mon] Hello 你好");
        for query in ["", "hello", "HELLO", "[mon", "你好", "o 你", "[Mon] Hello 你好"] {
            assert!(finds(query, &reply), "{query}");
        }
        for query in ["hallo", "[Mon] Hello 你好!", "好你"] {
            assert!(!finds(query, &reply), "{query}");
        }
        let empty = row(Content::Reply { payload: Payload::Bytes(Rc::new([])), answers: None });
        assert!(finds("", &empty) && !finds("x", &empty));
    }

    #[test]
    fn numbered_lines_are_searched_as_they_went_out() {
        let payload = Payload::of_lines(&Data::Text("line {n}".into())).line(42);
        let row = row(Content::Line {
            id: 1,
            number: 42,
            place: 42,
            payload,
            bytes: 7,
            status: ANSWERED,
        });
        assert!(finds("line 42", &row) && !finds("{n}", &row));
    }

    #[test]
    fn notes_are_searched_in_the_language_that_they_are_shown_in() {
        let note = row(Content::Note(Note::LinkSet));
        assert!(view("changed").test(Language::En, None).passes(&note));
        assert!(view("已更改").test(Language::Zh, None).passes(&note));
        assert!(!view("changed").test(Language::Zh, None).passes(&note));
    }

    #[test]
    fn over_hex_a_query_of_whole_bytes_means_bytes() {
        let hex = |query: &str| View { hex: true, ..view(query) }.test(Language::En, None);
        let row = reply("AZ");
        assert!(hex("41 5a").passes(&row) && hex("415A").passes(&row) && hex("az").passes(&row));
        assert!(!hex("61").passes(&row));
        assert!(!finds("41", &row));
    }

    #[test]
    fn direction_and_outcome_are_those_of_the_row() {
        let with = |status| {
            let payload = Payload::of(&Data::Text("x".into()));
            row(Content::Line { id: 1, number: 1, place: 1, payload, bytes: 1, status })
        };
        let rows = [
            line(1, 1),
            with(ANSWERED),
            with(LOST),
            reply("x"),
            row(Content::Note(Note::HalfClosed)),
        ];
        let shown = |direction, outcome| {
            let filter = Filter { direction, outcome, query: String::new() };
            let test = View { filter, ..View::default() }.test(Language::En, None);
            rows.iter().map(|row| if test.passes(row) { '+' } else { '-' }).collect::<String>()
        };
        assert_eq!(shown(Direction::All, Outcome::All), "+++++");
        assert_eq!(shown(Direction::Sent, Outcome::All), "+++--");
        assert_eq!(shown(Direction::Received, Outcome::All), "---+-");
        assert_eq!(shown(Direction::Notes, Outcome::All), "----+");
        assert_eq!(shown(Direction::All, Outcome::Waiting), "+----");
        assert_eq!(shown(Direction::All, Outcome::Answered), "-+---");
        assert_eq!(shown(Direction::Sent, Outcome::NoReply), "--+--");
    }
}
