//! A row of the transcript: a line that went out, a reply, or a note. Rows keep facts; words are made
//! when a row is shown.

use streamgram_protocol::Protocol;

use super::leg_run::Status;
use super::note::Note;
use super::payload::Payload;

/// A row. `Eq` lets rows that are shared be told equal by their address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// Counts up in the transcript; a row's identity.
    pub(crate) key: u64,
    /// Unix time in microseconds.
    pub(crate) at_us: u64,
    pub(crate) protocol: Protocol,
    /// The leg that it happened to; 0 before the first.
    pub(crate) leg: u32,
    /// The run that it belongs to, from 1; 0 before the first.
    pub(crate) run: u32,
    pub(crate) content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    Line {
        /// The send that it belongs to.
        id: u64,
        number: u32,
        /// Its number in the run, whose sends are numbered through.
        place: u32,
        payload: Payload,
        bytes: usize,
        status: Status,
    },
    Reply {
        payload: Payload,
        /// The first and the last line of the run that it answers, where that is known.
        answers: Option<(u32, u32)>,
    },
    Note(Note),
}

impl Row {
    /// The lines of its run that it is about, from the first to the last.
    pub(crate) fn lines(&self) -> Option<(u32, u32)> {
        match &self.content {
            Content::Line { place, .. } => Some((*place, *place)),
            Content::Reply { answers, .. } => *answers,
            Content::Note(_) => None,
        }
    }

    /// What went out or came back, if this is about bytes.
    pub(crate) fn payload(&self) -> Option<&Payload> {
        match &self.content {
            Content::Line { payload, .. } | Content::Reply { payload, .. } => Some(payload),
            Content::Note(_) => None,
        }
    }

    /// Bytes of memory that its payload takes. The lines of a burst share one text: the first pays.
    pub(crate) fn weight(&self) -> usize {
        match &self.content {
            Content::Line { payload, number: 1, .. } | Content::Reply { payload, .. } => {
                payload.kept()
            }
            Content::Line { .. } | Content::Note(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::Data;

    use super::*;

    #[test]
    fn a_burst_s_text_weighs_once() {
        let payload = Payload::of_lines(&Data::Text("x".repeat(100)));
        let line = |number| {
            let content = Content::Line {
                id: 1,
                number,
                place: number,
                payload: payload.line(number),
                bytes: 100,
                status: Status::Waiting,
            };
            Row { key: 0, at_us: 0, protocol: Protocol::Tcp, leg: 1, run: 1, content }
        };
        assert_eq!([1, 2, 3].map(|number| line(number).weight()), [100, 0, 0]);
    }
}
