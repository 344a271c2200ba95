//! The lines that a leg still has to send, and when each is due. A single line is a burst of one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use streamgram_protocol::{Data, Event, LegId, Line, Send, numbered};

use crate::session::outbox::Outbox;

/// The bursts of one leg, in the order in which they came.
#[derive(Debug)]
pub(crate) struct Bursts {
    leg: LegId,
    bursts: Vec<Burst>,
}

#[derive(Debug)]
struct Burst {
    id: u64,
    lines: Lines,
    count: u32,
    interval: Duration,
    sent: u32,
    due: Instant,
}

/// The lines of a send, decoded once. Its legs and its lines share the bytes.
#[derive(Debug, Clone)]
pub(crate) enum Lines {
    /// All are the same.
    Same(Bytes),
    /// The text has the number of the line in it.
    Numbered(Arc<str>),
}

impl Lines {
    /// The lines of a [checked](Send::check) send.
    pub(crate) fn of(data: Data) -> Self {
        match data {
            Data::Text(text) if text.contains("{n}") => Self::Numbered(text.into()),
            Data::Text(text) => Self::Same(text.into()),
            // The digits were checked when the send came.
            hex @ Data::Hex(_) => Self::Same(
                hex.to_bytes().map_or_else(|_| Bytes::new(), |it| it.into_owned().into()),
            ),
        }
    }

    /// The bytes of line `n`.
    pub(crate) fn line(&self, n: u32) -> Bytes {
        match self {
            Self::Same(bytes) => bytes.clone(),
            Self::Numbered(text) => numbered(text, n).into_owned().into(),
        }
    }

    /// Bytes that they take before they are numbered.
    pub(crate) fn held(&self) -> usize {
        match self {
            Self::Same(bytes) => bytes.len(),
            Self::Numbered(text) => text.len(),
        }
    }
}

/// A line to be sent now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DueLine {
    pub(super) line: Line,
    pub(super) bytes: Bytes,
    /// Set on a send's last line: what to report once it is out.
    pub(super) last: Option<Finished>,
}

/// A send that is done, or was stopped.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finished {
    pub(super) id: u64,
    pub(super) lines: u32,
    pub(super) of: u32,
}

impl Finished {
    pub(super) fn event(&self) -> Event {
        let Self { id, lines, of } = *self;
        Event::Finished { id, lines, of }
    }
}

impl Bursts {
    pub(super) fn of(leg: LegId) -> Self {
        Self { leg, bursts: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.bursts.len()
    }

    /// Bytes that they hold.
    pub(crate) fn held(&self) -> usize {
        self.bursts.iter().map(|burst| size_of::<Burst>() + burst.lines.held()).sum()
    }

    pub(crate) fn start(&mut self, send: &Send, lines: Lines, now: Instant) {
        self.bursts.push(Burst {
            id: send.id,
            lines,
            count: send.count,
            interval: Duration::from_millis(send.interval_ms.into()),
            sent: 0,
            due: now,
        });
    }

    /// When the next line is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.bursts.iter().map(|burst| burst.due).min()
    }

    /// The line that has been due longest, if one is.
    pub(super) fn next_line(&mut self, now: Instant) -> Option<DueLine> {
        // The first of several that are due at the same time: `min_by_key` keeps it.
        let at = (0..self.bursts.len()).min_by_key(|at| self.bursts[*at].due)?;
        let burst = &mut self.bursts[at];
        if burst.due > now {
            return None;
        }
        burst.sent += 1;
        let line = Line { send: burst.id, number: burst.sent };
        let bytes = burst.lines.line(line.number);
        if !burst.interval.is_zero() {
            // Counted from this line, however late it was.
            burst.due = now + burst.interval;
        }
        let last = (burst.sent == burst.count).then(|| self.bursts.remove(at).finished());
        Some(DueLine { line, bytes, last })
    }

    /// Ends every send with this id.
    pub(crate) fn stop(&mut self, id: u64, outbox: &mut Outbox) {
        for burst in self.bursts.extract_if(.., |burst| burst.id == id) {
            outbox.push(Instant::now(), self.leg, burst.finished().event());
        }
    }

    /// Ends every send. `cut` is a line that has not gone out completely.
    pub(super) fn stop_all(&mut self, cut: Option<DueLine>, outbox: &mut Outbox) {
        let mut finished: Vec<_> = self.bursts.drain(..).map(|burst| burst.finished()).collect();
        if let Some(DueLine { line, last, .. }) = cut {
            finished.extend(last);
            let of_it = finished.iter_mut().filter(|send| send.id == line.send);
            of_it.for_each(|send| send.lines -= 1);
        }
        for finished in finished {
            outbox.push(Instant::now(), self.leg, finished.event());
        }
    }
}

impl Burst {
    fn finished(&self) -> Finished {
        Finished { id: self.id, lines: self.sent, of: self.count }
    }
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::{Protocol, Target};

    use super::*;

    fn start(bursts: &mut Bursts, id: u64, count: u32, interval_ms: u32, now: Instant) {
        let data = Data::Text("{n}".into());
        let send = Send { count, interval_ms, ..Send::new(id, Target::Tcp, data) };
        bursts.start(&send, Lines::of(send.data()), now);
    }

    fn reported(outbox: &mut Outbox) -> Option<Event> {
        outbox.next_events().pop()
    }

    #[test]
    fn lines_are_numbered_and_the_last_one_finishes() {
        let now = Instant::now();
        let mut bursts = Bursts::of(LegId { protocol: Protocol::Tcp, number: 1 });
        start(&mut bursts, 1, 2, 0, now);
        let first = bursts.next_line(now).unwrap();
        assert_eq!((&first.bytes[..], first.last), (b"1".as_slice(), None));
        let second = bursts.next_line(now).unwrap();
        assert_eq!(&second.bytes[..], b"2");
        assert_eq!(second.last, Some(Finished { id: 1, lines: 2, of: 2 }));
        assert_eq!(bursts.next_line(now), None);
    }

    #[test]
    fn a_send_is_decoded_once_and_all_its_lines_share_the_bytes() {
        let spaces = " ".repeat(200_000);
        let lines = Lines::of(Data::Hex(format!("00{spaces}ff")));
        let [first, second] = [1, 2].map(|number| lines.line(number));
        assert_eq!((&first[..], first.as_ptr()), ([0, 0xff].as_slice(), second.as_ptr()));
        assert_eq!(lines.held(), 2);
        let numbered = Lines::of(Data::Text("{n} of {n}".into()));
        assert_eq!((&numbered.line(12)[..], numbered.held()), (b"12 of 12".as_slice(), 10));
    }

    #[test]
    fn an_interval_is_kept_and_leaves_room_for_others() {
        let now = Instant::now();
        let later = now + Duration::from_millis(30);
        let mut bursts = Bursts::of(LegId { protocol: Protocol::Tcp, number: 1 });
        start(&mut bursts, 1, 3, 20, now);
        assert_eq!(bursts.next_line(now).unwrap().line.number, 1);
        assert_eq!(bursts.next_line(now), None);
        start(&mut bursts, 2, 1, 0, now);
        assert_eq!(bursts.next_line(now).unwrap().line.send, 2);
        assert_eq!(bursts.next_line(later).unwrap().line.number, 2);
        assert_eq!(bursts.next_due(), Some(later + Duration::from_millis(20)));
    }

    #[test]
    fn a_line_that_was_cut_does_not_count_as_sent() {
        let now = Instant::now();
        for count in [2, 9] {
            let mut bursts = Bursts::of(LegId { protocol: Protocol::Tcp, number: 1 });
            start(&mut bursts, 1, count, 0, now);
            bursts.next_line(now);
            let cut = bursts.next_line(now);
            let mut outbox = Outbox::new(now);
            bursts.stop_all(cut, &mut outbox);
            let finished = Event::Finished { id: 1, lines: 1, of: count };
            assert_eq!(reported(&mut outbox), Some(finished));
        }
    }

    #[test]
    fn what_is_stopped_says_how_far_it_came() {
        let now = Instant::now();
        let mut bursts = Bursts::of(LegId { protocol: Protocol::Tcp, number: 1 });
        start(&mut bursts, 1, 9, 5, now);
        bursts.next_line(now);
        let mut outbox = Outbox::new(now);
        bursts.stop(2, &mut outbox);
        assert_eq!(reported(&mut outbox), None);
        bursts.stop(1, &mut outbox);
        assert_eq!(reported(&mut outbox), Some(Event::Finished { id: 1, lines: 1, of: 9 }));
        assert_eq!(bursts.next_due(), None);
    }
}
