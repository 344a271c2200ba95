//! Which datagram a UDP reply answers.
//!
//! A reply is only a timestamp and does not say what it answers. But the server replies to a leg's datagrams
//! one after the other, and tells of each before it replies. So the next reply belongs to the datagram that
//! it told of first, and a digest says which line that was.
//!
//! Datagrams, replies and observations can all be lost where a buffer is full. What the server tells of a
//! datagram contains enough to notice each loss: the datagram's number, how many replies there had been, and
//! when the socket was last empty. An answer is certain only if nothing that is lost could change it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use streamgram_protocol::Line;

use crate::observe::Datagram;

/// Datagrams that are remembered longer than the patience with their replies. Older ones are forgotten, and
/// a reply to one has no line.
const REMEMBERED: usize = 1_000;
/// Replies that every system has room for in a socket. Where more wait, one may have been dropped.
const REPLIES_WITH_ROOM: usize = 128;
/// What was sent so long ago has come to the other socket of this machine, however busy it is, and its thread
/// has had time to look.
const DELIVERY: Duration = Duration::from_millis(500);

/// The datagrams that a socket has sent to the server, until each is answered.
#[derive(Debug)]
pub(super) struct ReplyOrder {
    patience: Duration,
    /// Whether an answer may wait for its certainty.
    waits: bool,
    /// What the server has not told of, in the order of sending.
    sent: VecDeque<Sent>,
    /// What it has told of, in its order.
    observed: VecDeque<Observed>,
    /// Answers that may still become certain.
    waiting: Vec<Waiting>,
    /// How many datagrams and failed replies the server has told of.
    told: u64,
    failed: u64,
    /// How many of its replies have come, or are lost.
    replies: u64,
    /// More replies than there is certainly room for have been under way.
    crowded: bool,
    /// When the socket was last found empty.
    emptied: Option<Instant>,
}

#[derive(Debug)]
struct Sent {
    line: Option<Line>,
    digest: u64,
    /// Before its write, and after.
    sent: Instant,
    done: Instant,
    /// The server has emptied its socket since.
    lost: bool,
}

/// A datagram whose reply has not come.
#[derive(Debug)]
struct Observed {
    at: Instant,
    datagram: Option<Known>,
    /// It is not known because its observation was missed.
    missed: bool,
}

#[derive(Debug)]
struct Known {
    line: Option<Line>,
    digest: u64,
    sent: Instant,
    certainty: Certainty,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Certainty {
    Certain,
    /// It could be another line with the same bytes, unless the server tells of that one too.
    Open,
    Doubtful,
}

#[derive(Debug)]
struct Waiting {
    line: Option<Line>,
    digest: u64,
    sent: Instant,
    reply: Reply,
}

/// A reply that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reply {
    /// Which reply of the leg, from 0.
    pub(super) number: u64,
    pub(super) at: Instant,
}

/// The line that a reply answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner {
    /// None if it is forgotten.
    pub(super) line: Option<Line>,
    pub(super) reply: Reply,
    pub(super) certain: bool,
}

impl ReplyOrder {
    /// Bytes that its datagrams take.
    pub(super) fn held(&self) -> usize {
        let waiting = self.waiting.len() * size_of::<Waiting>();
        let (sent, observed) = (self.sent.len(), self.observed.len());
        waiting + sent * size_of::<Sent>() + observed * size_of::<Observed>()
    }

    /// `waits`: an answer that is not certain yet may wait for its certainty, at most until `patience` after
    /// its line was sent.
    pub(super) fn new(patience: Duration, waits: bool) -> Self {
        Self {
            patience,
            waits,
            sent: VecDeque::new(),
            observed: VecDeque::new(),
            waiting: Vec::new(),
            told: 0,
            failed: 0,
            replies: 0,
            crowded: false,
            emptied: None,
        }
    }

    /// A datagram was sent between two moments.
    pub(super) fn sent(&mut self, line: Option<Line>, digest: u64, [sent, done]: [Instant; 2]) {
        self.sent.push_back(Sent { line, digest, sent, done, lost: false });
    }

    /// The socket was empty at this time.
    pub(super) fn emptied(&mut self, at: Instant) {
        self.emptied = Some(at);
    }

    /// The server told of a datagram; the answers that are decided by it.
    pub(super) fn observed(&mut self, at: Instant, seen: &Datagram) -> Vec<Owner> {
        let mut decided = Vec::new();
        self.lose_datagrams(at, seen, &mut decided);
        self.count(at, seen, &mut decided);
        self.lose_replies(seen);
        let datagram = self.identify(at, seen.digest, &mut decided);
        self.observed.push_back(Observed { at, datagram, missed: false });
        self.crowded |= self.observed.len() > REPLIES_WITH_ROOM;
        decided
    }

    /// What had come when the server found its socket empty was taken. What it did not tell of is lost.
    fn lose_datagrams(&mut self, at: Instant, seen: &Datagram, decided: &mut Vec<Owner>) {
        let Some(drained) = seen.drained else { return };
        let had_come = |sent: &Sent| sent.done <= drained && sent.done + DELIVERY <= at;
        let mut lost = Vec::new();
        for sent in self.sent.iter_mut().take_while(|sent| had_come(sent)) {
            if !sent.lost {
                sent.lost = true;
                lost.push(sent.digest);
            }
        }
        lost.dedup();
        for digest in lost {
            self.decide(digest, Certainty::Doubtful, decided);
        }
    }

    /// Makes what waits for a reply as long as the server says that it is, before this datagram.
    fn count(&mut self, at: Instant, seen: &Datagram, decided: &mut Vec<Owner>) {
        let is_gap = seen.number > self.told;
        let failed = seen.number.saturating_sub(seen.replies);
        let owed = seen.replies.saturating_sub(self.replies);
        let owed = usize::try_from(owed).unwrap_or(usize::MAX);
        if is_gap && failed > self.failed {
            // Some of them or of those that were missed got no reply; nobody knows which.
            for observed in &mut self.observed {
                *observed = Observed { at, datagram: None, missed: false };
            }
        }
        // The latest datagram got no reply: the system did not take it.
        self.observed.truncate(owed);
        if is_gap {
            let missed = (owed - self.observed.len()).min(self.sent.len());
            let missed = (0..missed).map(|_| Observed { at, datagram: None, missed: true });
            self.observed.extend(missed);
            decided.extend(self.doubt_all());
        }
        self.told = seen.number + 1;
        self.failed = failed;
    }

    /// What is open stays in doubt; the answers that waited for it.
    fn doubt_all(&mut self) -> Vec<Owner> {
        for known in self.observed.iter_mut().filter_map(|observed| observed.datagram.as_mut()) {
            if known.certainty == Certainty::Open {
                known.certainty = Certainty::Doubtful;
            }
        }
        self.waiting.drain(..).map(|waiting| waiting.owner(false)).collect()
    }

    /// Replies that were sent before the server found its socket empty, and did not come until ours was
    /// empty, are lost.
    fn lose_replies(&mut self, seen: &Datagram) {
        let (Some(drained), Some(emptied)) = (seen.drained, self.emptied) else { return };
        if drained + DELIVERY <= emptied {
            let lost = self.observed.iter().take_while(|observed| observed.at <= drained).count();
            self.observed.drain(..lost);
            self.replies += lost as u64;
        }
        self.crowded &= !self.observed.is_empty();
    }

    /// Which line this datagram is; none, if it is forgotten.
    fn identify(&mut self, at: Instant, digest: u64, decided: &mut Vec<Owner>) -> Option<Known> {
        let place = |lost| {
            let before = self.sent.iter().take_while(|sent| sent.sent <= at);
            before.enumerate().find(|(_, sent)| sent.digest == digest && sent.lost == lost)
        };
        let (place, _) = place(false).or_else(|| place(true))?;
        let Sent { line, sent, lost, .. } = self.sent.remove(place)?;
        // What was sent twice, as by an emulated link that duplicates, is no rival of itself.
        let is_rival = |other: &Sent| {
            other.digest == digest && other.lost == lost && (other.line != line || line.is_none())
        };
        let mut before = self.sent.iter().take_while(|sent| sent.sent <= at);
        let certainty = match (before.any(is_rival), lost) {
            (false, _) => Certainty::Certain,
            (true, false) if !self.observed.iter().any(|observed| observed.missed) => {
                Certainty::Open
            }
            (true, _) => Certainty::Doubtful,
        };
        if certainty == Certainty::Certain {
            // As many as were sent: none of them is lost.
            self.decide(digest, certainty, decided);
        }
        Some(Known { line, digest, sent, certainty })
    }

    /// Decides what was open about all lines with these bytes.
    fn decide(&mut self, digest: u64, certainty: Certainty, decided: &mut Vec<Owner>) {
        let known = self.observed.iter_mut().filter_map(|observed| observed.datagram.as_mut());
        for known in known.filter(|known| known.digest == digest) {
            if known.certainty == Certainty::Open {
                known.certainty = certainty;
            }
        }
        let certain = certainty == Certainty::Certain;
        let waiting = self.waiting.extract_if(.., |waiting| waiting.digest == digest);
        decided.extend(waiting.map(|waiting| waiting.owner(certain)));
    }

    /// A reply came; the line that it answers, unless that still waits for its certainty.
    pub(super) fn replied(&mut self, reply: Reply) -> Option<Owner> {
        self.replies += 1;
        let exact = !self.crowded;
        let front = self.observed.pop_front();
        self.crowded &= !self.observed.is_empty();
        let known = match front {
            Some(Observed { datagram: Some(known), .. }) => known,
            // Most likely it is the first of those that are not observed.
            Some(Observed { missed: true, at, .. }) => return Some(self.guess(at, reply)),
            Some(_) => return Some(Owner { line: None, reply, certain: false }),
            None => return Some(self.guess(reply.at, reply)),
        };
        let Known { line, digest, sent, certainty } = known;
        let waits = self.waits && exact && reply.at < sent + self.patience;
        if waits && certainty == Certainty::Open {
            self.waiting.push(Waiting { line, digest, sent, reply });
            return None;
        }
        Some(Owner { line, reply, certain: exact && certainty == Certainty::Certain })
    }

    /// A line that was sent before a moment, and whose observation may have been missed.
    fn guess(&mut self, before: Instant, reply: Reply) -> Owner {
        let sent = self.sent.pop_front_if(|sent| sent.sent <= before);
        Owner { line: sent.and_then(|sent| sent.line), reply, certain: false }
    }

    /// The answers that have waited too long for their certainty.
    pub(super) fn give_up(&mut self, now: Instant) -> Vec<Owner> {
        let patience = self.patience;
        let is_old = |sent: Option<Instant>| sent.is_some_and(|sent| sent + patience <= now);
        while self.sent.len() > REMEMBERED && is_old(self.sent.front().map(|sent| sent.sent)) {
            self.sent.pop_front();
        }
        let waiting = self.waiting.extract_if(.., |waiting| is_old(Some(waiting.sent)));
        waiting.map(|waiting| waiting.owner(false)).collect()
    }

    /// Nobody takes what was sent, and no answer will become certain any more.
    pub(super) fn refused(&mut self) -> Vec<Owner> {
        self.sent.iter_mut().for_each(|sent| sent.lost = true);
        self.doubt_all()
    }
}

impl Waiting {
    fn owner(self, certain: bool) -> Owner {
        Owner { line: self.line, reply: self.reply, certain }
    }
}

#[cfg(test)]
mod tests;
