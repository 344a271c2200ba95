//! What happened to the last send, in a sentence: computed from what was observed, never known in
//! advance.

use streamgram_protocol::{Protocol, STAMP_LEN, Unanswered};

use crate::figures::{count, counted, duration};
use crate::lane::Lane;
use crate::last_send::{LastSend, Status};
use crate::page::Page;
use crate::trace::Sum;

/// The figures of one protocol, and what they show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) protocol: Protocol,
    /// `7 reads, 7 replies`
    pub(crate) figures: String,
    /// A sentence about them.
    pub(crate) meaning: String,
}

/// The last send and its findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// `20 sends`
    pub(crate) sends: String,
    pub(crate) findings: Vec<Finding>,
}

impl Verdict {
    /// The verdict on the page's last send, if there was one.
    pub(crate) fn of(page: &Page) -> Option<Self> {
        let sends = [&page.tcp, &page.udp].map(|lane| lane.last_send.as_ref());
        let latest = sends.iter().flatten().map(|send| send.id).max()?;
        let mut sends = sends.into_iter().flatten().filter(|send| send.id == latest);
        let first = sends.next()?;
        let findings = [Some(first), sends.next()].into_iter().flatten().map(|send| {
            let Finding { protocol, figures, mut meaning } = finding(send);
            meaning.extend(on_the_wire(page.lane(protocol), send));
            Finding { protocol, figures, meaning }
        });
        let findings = findings.collect();
        Some(Self { sends: counted(first.of.into(), "send"), findings })
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

fn finding(send: &LastSend) -> Finding {
    let (figures, meaning) = match send.protocol {
        Protocol::Tcp => (stream_figures(send), stream_meaning(send)),
        Protocol::Udp => (datagram_figures(send), datagram_meaning(send)),
    };
    let meaning = match still_open(send) {
        Some(waiting) => waiting,
        None => meaning,
    };
    Finding { protocol: send.protocol, figures, meaning }
}

/// What the send's packets came to, over an emulated path.
fn on_the_wire(lane: &Lane, send: &LastSend) -> Option<String> {
    let Sum { packets, bytes, again, lost, duplicated, overtaken } = lane.trace.since(send.id);
    if packets == 0 {
        return None;
    }
    let bytes = counted(bytes, "byte");
    let last = send.lines.iter().filter_map(|line| match line.status {
        Status::Answered { rtt_us, .. } => Some(rtt_us),
        _ => None,
    });
    let slowest = last.max().map(|rtt| format!("; the slowest answer took {}", duration(rtt)));
    let slowest = slowest.unwrap_or_default();
    Some(match lane.protocol {
        Protocol::Tcp => format!(
            " On the wire: {}, {} sent again, {bytes} with all headers{slowest}.",
            counted(packets, "segment"),
            count(again)
        ),
        Protocol::Udp => format!(
            " On the wire: {}, {bytes} with all headers; {} lost, {} duplicated, {} out of order{slowest}.",
            counted(packets, "packet"),
            count(lost),
            count(duplicated),
            count(overtaken)
        ),
    })
}

fn still_open(send: &LastSend) -> Option<String> {
    if !send.is_open() {
        return None;
    }
    let sent = send.lines.len() as u64;
    let waiting = send.count(|status| status == Status::Waiting);
    Some(if send.finished {
        format!("Waiting for the answer to {}.", counted(waiting, "line"))
    } else {
        format!("{} of {} lines are out.", count(sent), count(send.of.into()))
    })
}

fn stream_figures(send: &LastSend) -> String {
    let reads = send.own_reads().count() as u64;
    format!("{}, {}", counted(reads, "read"), counted(complete_replies(send), "reply"))
}

/// Replies of the server that have come back whole: one to each of its reads.
fn complete_replies(send: &LastSend) -> u64 {
    let received = send.pieces.last().map_or(0, |piece| piece.offset + piece.bytes as u64);
    let end = |offset: u64, bytes: usize, number: u64| {
        offset + bytes as u64 + STAMP_LEN as u64 * (number + 1)
    };
    let whole =
        send.own_reads().filter(|read| end(read.offset, read.bytes, read.number) <= received);
    whole.count() as u64
}

fn stream_meaning(send: &LastSend) -> String {
    if let Some(missing) = missing(send) {
        return missing;
    }
    let (lines, reads) = (send.lines.len(), send.own_reads().count());
    let took = round_trip(send).map(|rtt| format!(" after {rtt}")).unwrap_or_default();
    match (lines, reads) {
        (1, 1) => format!("The bytes came back behind a stamp{took}."),
        (1, _) => format!(
            "One send, split into reads of {} bytes: the server reads 1,024 at a time, and every read \
             got a stamp of its own.",
            read_sizes(send)
        ),
        _ if reads < lines => format!(
            "The server read {} in {}: a stream keeps the bytes in order, not where one send ended \
             and the next began.",
            counted(lines as u64, "send"),
            counted(reads as u64, "piece"),
        ),
        _ if reads == lines => {
            "This time every send was read on its own. TCP does not promise that: \
                                send faster, and they merge."
                .into()
        }
        _ => format!(
            "More reads than sends: the server reads at most 1,024 bytes at a time, here {}.",
            read_sizes(send)
        ),
    }
}

fn read_sizes(send: &LastSend) -> String {
    let sizes: Vec<_> = send.own_reads().take(4).map(|read| count(read.bytes as u64)).collect();
    let more = if send.own_reads().count() > sizes.len() { " + …" } else { "" };
    sizes.join(" + ") + more
}

fn datagram_figures(send: &LastSend) -> String {
    let replies = send.count(|status| matches!(status, Status::Answered { .. }));
    let datagrams = counted(send.reads.len() as u64, "datagram");
    format!("{datagrams}, {}", counted(replies, "reply"))
}

fn datagram_meaning(send: &LastSend) -> String {
    if let Some(missing) = missing(send) {
        return missing;
    }
    let cut = send.reads.iter().find(|read| read.kept < read.bytes);
    if let Some(read) = cut {
        return format!(
            "A datagram of {} bytes, whole or not at all: a program that calls recv(1024), as the \
             article's does, keeps {} and loses the rest.",
            count(read.bytes as u64),
            count(read.kept as u64)
        );
    }
    let late = send.count(|status| matches!(status, Status::Answered { late: true, .. }));
    if late > 0 {
        return format!("{} came late, and nobody asked for it again.", counted(late, "reply"));
    }
    let took = round_trip(send).map(|rtt| format!(" after {rtt}")).unwrap_or_default();
    match send.lines.len() {
        1 => format!("The time alone came back{took}; the reply carries no echo."),
        _ => {
            "Every send arrived as it was sent: a datagram keeps its boundaries. The replies carry \
              the time alone."
                .into()
        }
    }
}

/// What stayed without an answer, if anything did.
fn missing(send: &LastSend) -> Option<String> {
    let without = |cause: Unanswered| {
        send.count(
            |status| matches!(status, Status::NoReply { cause: other, .. } if other == cause),
        )
    };
    let one_of = send.count(|status| matches!(status, Status::NoReply { certain: false, .. }));
    let lines = |number| counted(number, "line");
    if without(Unanswered::Refused) > 0 {
        return Some("Refused: nobody listens there.".into());
    }
    if without(Unanswered::TimedOut) > 0 {
        let which = if one_of > 0 { ", which of them cannot be told" } else { "" };
        let number = without(Unanswered::TimedOut);
        return Some(format!("{} without a reply{which}; UDP sends nothing again.", lines(number)));
    }
    if without(Unanswered::Closed) > 0 {
        let number = lines(without(Unanswered::Closed));
        return Some(format!("{number} without an answer when the leg ended."));
    }
    let unsent = send.of as usize - send.lines.len().min(send.of as usize);
    (unsent > 0).then(|| format!("{} did not go out.", lines(unsent as u64)))
}

/// The round trip of a single line.
fn round_trip(send: &LastSend) -> Option<String> {
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
    use crate::last_send::tests::merged;
    use crate::last_send::{Line, Piece, Read};

    const ANSWERED: Status = Status::Answered { rtt_us: 310, late: false, certain: true };

    fn answered(mut send: LastSend) -> LastSend {
        send.lines.iter_mut().for_each(|line| line.status = ANSWERED);
        send.piece(Piece { offset: 127, bytes: 116 });
        send
    }

    fn datagram(bytes: usize, kept: usize, status: Status) -> LastSend {
        let mut send = LastSend::new(Protocol::Udp, 1, 1, 1);
        send.lines.push(Line { number: 1, offset: 0, bytes, status });
        send.read(Read { number: 0, offset: 0, bytes, kept });
        send.finished = true;
        send
    }

    #[test]
    fn what_merged_is_said_with_its_numbers() {
        let finding = finding(&answered(merged()));
        assert_eq!(finding.figures, "3 reads, 3 replies");
        assert!(finding.meaning.starts_with("The server read 5 sends in 3 pieces"), "{finding:?}");
    }

    #[test]
    fn the_same_sends_read_one_by_one_are_not_called_merged() {
        let mut send = merged();
        send.lines.truncate(2);
        send.of = 2;
        assert!(finding(&answered(send)).meaning.starts_with("This time every send was read"));
    }

    #[test]
    fn a_split_names_its_pieces() {
        let mut send = LastSend::new(Protocol::Tcp, 1, 1, 1);
        send.lines.push(Line { number: 1, offset: 0, bytes: 1_500, status: ANSWERED });
        send.read(Read { number: 0, offset: 0, bytes: 1_024, kept: 1_024 });
        send.read(Read { number: 1, offset: 1_024, bytes: 476, kept: 476 });
        send.finished = true;
        assert!(finding(&send).meaning.contains("1,024 + 476"));
    }

    #[test]
    fn a_datagram_is_whole_cut_or_missing() {
        let whole = finding(&datagram(5, 5, ANSWERED));
        assert_eq!(
            whole.meaning,
            "The time alone came back after 0.31 ms; the reply carries no echo."
        );
        assert!(finding(&datagram(1_500, 1_024, ANSWERED)).meaning.contains("keeps 1,024"));
        let lost = Status::NoReply { cause: Unanswered::TimedOut, certain: true };
        assert_eq!(
            finding(&datagram(5, 5, lost)).meaning,
            "1 line without a reply; UDP sends nothing again."
        );
    }

    #[test]
    fn while_something_is_awaited_nothing_is_concluded() {
        let waiting = finding(&datagram(5, 5, Status::Waiting));
        assert_eq!(waiting.meaning, "Waiting for the answer to 1 line.");
    }

    #[test]
    fn a_send_that_was_stopped_says_what_did_not_go_out() {
        let mut send = answered(merged());
        send.of = 9;
        assert_eq!(finding(&send).meaning, "4 lines did not go out.");
    }
}
