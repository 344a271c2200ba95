//! What happened in a run, in a sentence: computed from what was observed, never known in
//! advance.

use streamgram_protocol::{Protocol, STAMP_LEN, Unanswered};

use crate::i18n::figures::{Noun, count, counted, duration};
use crate::i18n::language::Language;
use crate::session::leg_run::{LegRun, Status};
use crate::session::run::Run;

/// Stretches of lines that are named; of more, only the number of lines is told.
const NAMED_RUNS: usize = 5;

/// The figures of one protocol, and what they show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) protocol: Protocol,
    /// `7 reads, 7 replies`
    pub(crate) figures: String,
    /// A sentence about them.
    pub(crate) meaning: String,
}

/// A run and its findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// `20 sends`
    pub(crate) sends: String,
    pub(crate) findings: Vec<Finding>,
}

impl Verdict {
    /// The verdict on a run.
    pub(crate) fn of(language: Language, run: &Run) -> Self {
        let findings = run.legs().map(|leg| {
            let Finding { protocol, figures, meaning } = finding(language, leg);
            let overlapped = leg.overlapped.then(|| language.run_overlapped().to_owned());
            let relinked = leg.relinked.then(|| language.run_relinked().to_owned());
            let said = [Some(meaning), relinked, overlapped];
            let said: Vec<_> = said.into_iter().flatten().collect();
            let meaning = said.join(language.between_sentences());
            Finding { protocol, figures, meaning }
        });
        let sends = run.legs().map(|leg| leg.of).max().unwrap_or(0);
        Self { sends: counted(language, sends.into(), Noun::Send), findings: findings.collect() }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let findings = self.findings.iter();
        let each =
            findings.map(|finding| format!("{} {}", finding.protocol.name(), finding.figures));
        write!(f, "{}: {}", self.sends, each.collect::<Vec<_>>().join("; "))
    }
}

fn finding(language: Language, send: &LegRun) -> Finding {
    let (figures, meaning) = match send.protocol {
        Protocol::Tcp => (stream_figures(language, send), stream_meaning(language, send)),
        Protocol::Udp => (datagram_figures(language, send), datagram_meaning(language, send)),
    };
    let meaning = still_open(language, send).unwrap_or(meaning);
    Finding { protocol: send.protocol, figures, meaning }
}

fn still_open(language: Language, send: &LegRun) -> Option<String> {
    if !send.is_open() {
        return None;
    }
    let sent = send.lines.len() as u64;
    let waiting = send.count(|status| status == Status::Waiting);
    Some(if send.finished {
        language.awaiting(&counted(language, waiting, Noun::Line))
    } else {
        language.going_out(&count(sent), &count(send.of.into()))
    })
}

fn stream_figures(language: Language, send: &LegRun) -> String {
    let reads = counted(language, send.own_reads().count() as u64, Noun::Read);
    language.verdict_pair(&reads, &counted(language, complete_replies(send), Noun::Reply))
}

/// Replies of the server that have come back whole: one to each of its reads.
fn complete_replies(send: &LegRun) -> u64 {
    let received = send.pieces.last().map_or(0, |piece| piece.offset + piece.bytes as u64);
    let end = |offset: u64, bytes: usize, number: u64| {
        offset + bytes as u64 + STAMP_LEN as u64 * (number + 1)
    };
    let whole =
        send.own_reads().filter(|read| end(read.offset, read.bytes, read.number) <= received);
    whole.count() as u64
}

fn stream_meaning(language: Language, send: &LegRun) -> String {
    if let Some(missing) = missing(language, send) {
        return missing;
    }
    let (lines, reads) = (send.lines.len(), send.own_reads().count());
    match (lines, reads) {
        (1, 1) => round_trip(send).map_or_else(
            || language.stream_single().into(),
            |time| language.stream_single_after(&time),
        ),
        (1, _) => language.stream_split(&read_sizes(send)),
        _ if reads < lines => {
            let sends = counted(language, lines as u64, Noun::Send);
            language.stream_merged(&sends, &counted(language, reads as u64, Noun::Piece))
        }
        _ if reads == lines => language.stream_one_by_one().into(),
        _ => language.stream_more_reads(&read_sizes(send)),
    }
}

fn read_sizes(send: &LegRun) -> String {
    let sizes: Vec<_> = send.own_reads().take(4).map(|read| count(read.bytes as u64)).collect();
    let more = if send.own_reads().count() > sizes.len() { " + …" } else { "" };
    sizes.join(" + ") + more
}

fn datagram_figures(language: Language, send: &LegRun) -> String {
    // What came, copies included: an answer is told once for each line.
    let datagrams = counted(language, send.reads.len() as u64, Noun::Datagram);
    let replies = counted(language, send.pieces.len() as u64, Noun::Reply);
    language.verdict_pair(&datagrams, &replies)
}

fn datagram_meaning(language: Language, send: &LegRun) -> String {
    if let Some(missing) = missing(language, send) {
        return missing;
    }
    let cut = send.reads.iter().find(|read| read.kept < read.bytes);
    if let Some(read) = cut {
        let [bytes, kept] =
            [read.bytes, read.kept].map(|it| counted(language, it as u64, Noun::Byte));
        return language.datagram_cut(&bytes, &kept);
    }
    let late = send.count(|status| matches!(status, Status::Answered { late: true, .. }));
    if late > 0 {
        return language.datagram_late(&counted(language, late, Noun::Reply));
    }
    if send.reads.len().max(send.pieces.len()) > send.lines.len() {
        return language.datagram_copies().into();
    }
    match (send.lines.len(), round_trip(send)) {
        (1, Some(time)) => language.datagram_single_after(&time),
        (1, None) => language.datagram_single().into(),
        _ => language.datagram_boundaries().into(),
    }
}

/// What stayed without an answer, if anything did.
fn missing(language: Language, send: &LegRun) -> Option<String> {
    let without = |cause: Unanswered| {
        let is = |status| matches!(status, Status::NoReply { cause: other, .. } if other == cause);
        let lines = send.lines.iter().filter(|line| is(line.status));
        let numbers: Vec<_> = lines.map(|line| line.number).collect();
        (!numbers.is_empty()).then_some(numbers)
    };
    let lines = |number: usize| counted(language, number as u64, Noun::Line);
    let one_of = send.count(|status| matches!(status, Status::NoReply { certain: false, .. }));
    if without(Unanswered::Refused).is_some() {
        return Some(language.missing_refused().into());
    }
    if let Some(numbers) = without(Unanswered::TimedOut) {
        return Some(if one_of > 0 {
            language.missing_one_of(&lines(numbers.len()))
        } else {
            language.missing_timed_out(&named(language, &numbers))
        });
    }
    if let Some(numbers) = without(Unanswered::Closed) {
        return Some(language.missing_closed(&named(language, &numbers)));
    }
    let unsent = (send.of as usize).saturating_sub(send.lines.len());
    (unsent > 0).then(|| language.missing_unsent(&lines(unsent)))
}

/// `line 3`, `lines 3, 7–9`, or how many if that would be long; the numbers rise.
fn named(language: Language, numbers: &[u32]) -> String {
    let runs = numbers.chunk_by(|one, next| one + 1 == *next).map(|run| match run {
        [first, .., last] => format!("{first}–{last}"),
        _ => run[0].to_string(),
    });
    let runs: Vec<_> = runs.collect();
    match (numbers, runs.len()) {
        ([only], _) => language.strip_line_named(&only.to_string()),
        (_, ..=NAMED_RUNS) => {
            let list = runs.into_iter().reduce(|one, two| language.verdict_pair(&one, &two));
            language.strip_lines_named(&list.unwrap_or_default())
        }
        _ => counted(language, numbers.len() as u64, Noun::Line),
    }
}

/// The round trip of a single line.
fn round_trip(send: &LegRun) -> Option<String> {
    match send.lines.as_slice() {
        [line] => match line.status {
            Status::Answered { rtt_us, .. } => Some(duration(rtt_us)),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::leg_run::Read;
    use crate::session::leg_run::tests::{ANSWERED, LOST, merged, piece, sent};

    fn answered(mut send: LegRun) -> LegRun {
        send.lines.iter_mut().for_each(|line| line.status = ANSWERED);
        send.piece(0, piece(127, 116));
        send
    }

    fn datagram(bytes: usize, kept: usize, status: Status) -> LegRun {
        let mut send = sent(Protocol::Udp, &[(bytes, status)]);
        send.read(0, Read { number: 0, offset: 0, bytes, kept });
        send
    }

    #[test]
    fn what_merged_is_said_with_its_numbers() {
        let finding = finding(Language::En, &answered(merged()));
        assert_eq!(finding.figures, "3 reads, 3 replies");
        assert!(finding.meaning.starts_with("The server read 5 sends in 3 pieces"), "{finding:?}");
    }

    #[test]
    fn the_same_sends_read_one_by_one_are_not_called_merged() {
        let mut send = merged();
        send.lines.truncate(2);
        send.of = 2;
        assert!(
            finding(Language::En, &answered(send))
                .meaning
                .starts_with("This time every send was read")
        );
    }

    #[test]
    fn a_split_names_its_pieces() {
        let mut send = sent(Protocol::Tcp, &[(1_500, ANSWERED)]);
        send.read(0, Read { number: 0, offset: 0, bytes: 1_024, kept: 1_024 });
        send.read(0, Read { number: 1, offset: 1_024, bytes: 476, kept: 476 });
        assert!(finding(Language::En, &send).meaning.contains("1,024 + 476"));
    }

    #[test]
    fn a_datagram_is_whole_cut_or_missing() {
        let whole = finding(Language::En, &datagram(5, 5, ANSWERED));
        assert_eq!(
            whole.meaning,
            "The reply came after 0.31 ms. It is the time alone; UDP’s server sends no echo."
        );
        assert!(
            finding(Language::En, &datagram(1_500, 1_024, ANSWERED))
                .meaning
                .contains("keeps 1,024 bytes")
        );
        assert_eq!(
            finding(Language::En, &datagram(5, 5, LOST)).meaning,
            "No reply to line 1; UDP sends nothing again."
        );
    }

    #[test]
    fn lines_that_are_missing_are_named_if_they_are_few() {
        let named = |numbers: &[u32]| named(Language::En, numbers);
        assert_eq!(named(&[3]), "line 3");
        assert_eq!(named(&[3, 7, 8, 9]), "lines 3, 7–9");
        assert_eq!(named(&[1, 3, 5, 7, 9, 11]), "6 lines");
    }

    #[test]
    fn every_datagram_and_reply_that_came_is_counted() {
        let mut send = sent(Protocol::Udp, &[(5, ANSWERED); 3]);
        for number in 0..6 {
            send.read(0, Read { number, offset: 0, bytes: 5, kept: 5 });
            send.piece(0, piece(number, 24));
        }
        let finding = finding(Language::En, &send);
        assert_eq!(finding.figures, "6 datagrams, 6 replies");
        assert!(finding.meaning.contains("copies"), "{finding:?}");
    }

    #[test]
    fn while_something_is_awaited_nothing_is_concluded() {
        let waiting = finding(Language::En, &datagram(5, 5, Status::Waiting));
        assert_eq!(waiting.meaning, "Waiting for the reply to 1 line.");
    }

    #[test]
    fn a_send_that_was_stopped_says_what_did_not_go_out() {
        let mut send = answered(merged());
        send.of = 9;
        assert_eq!(finding(Language::En, &send).meaning, "4 lines did not go out.");
    }
}
