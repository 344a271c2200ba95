//! Events that wait for the client, as the text of the frames in which they leave; and how much the session
//! holds in all, because that decides what it goes on with.
//!
//! While the session holds as much as it may, it sends no lines. While the client, too, leaves events
//! unread, nothing else is done either: no command is carried out, no reply is read, and the time of an
//! emulated path stands still. What the servers observe and what packets a path carries is then left out,
//! and counted. So a slow client slows down its own session, and nothing piles up.

use std::collections::VecDeque;
use std::mem;
use std::time::{Duration, Instant};

use metrics::Gauge;
use streamgram_protocol::{Data, Event, LegId, ServerMessage};

use crate::operate::meters;

/// Bytes that a session holds for its client at most: events, lines that are to be sent or are under way,
/// packets, raw clients. What is done at once can exceed it by [`UNREAD_BYTES`].
pub const HELD_BYTES: usize = 448 * 1024;
/// Bytes of events, at which a session that holds [`HELD_BYTES`] does nothing until its client reads.
pub const UNREAD_BYTES: usize = 64 * 1024;
/// Bytes of events, at which events of raw clients are left out. Enough for 64 KiB that come at once and go back, as
/// text with what is said about each piece. The rest is for the session's own legs, so that raw clients cannot hold
/// them up.
const ENOUGH_FOR_RAW_BYTES: usize = 256 * 1024;
/// The same for captured packets, which wait before anything else does: what a server saw of 64 KiB that come at once
/// and go back still has its room.
const ENOUGH_FOR_PACKETS_BYTES: usize = 64 * 1024;
/// Bytes below [`HELD_BYTES`] that captured packets leave, so that they keep back no lines.
const LEFT_BY_PACKETS_BYTES: usize = 64 * 1024;
/// Bytes of events in one frame, the last of which may exceed it; the others go into the next.
const FRAME_BYTES: usize = 16 * 1024;
/// Bytes of a usual event. A line that is under way will have one, sooner or later all of them at once: its
/// answer, or that there is none. So that is held from the start.
pub(super) const EVENT_BYTES: usize = 128;
/// Room for the events that follow from one line.
const LINE_BYTES: usize = 6 * EVENT_BYTES;

/// Events that wait for the client.
#[derive(Debug)]
pub(crate) struct Outbox {
    started: Instant,
    /// Frames that are full.
    full: VecDeque<Frame>,
    /// The frame that takes the next event.
    next: Frame,
    /// Bytes that the frames take.
    bytes: usize,
    /// Bytes that the session holds besides.
    besides: usize,
    waiting_of_all: Gauge,
}

/// Events, one a line.
#[derive(Debug, Default)]
struct Frame {
    text: Vec<u8>,
    events: u32,
}

impl Outbox {
    pub(crate) fn new(started: Instant) -> Self {
        Self {
            started,
            full: VecDeque::new(),
            next: Frame::default(),
            bytes: 0,
            besides: 0,
            waiting_of_all: meters::events_waiting(),
        }
    }

    /// Adds an event of a leg, or of the session as a whole.
    pub(crate) fn push(&mut self, at: Instant, leg: impl Into<Option<LegId>>, event: Event) {
        let message = ServerMessage { at_us: self.at_us(at), leg: leg.into(), event };
        if self.next.text.len() >= FRAME_BYTES {
            self.full.push_back(mem::take(&mut self.next));
        }
        let Frame { text, events } = &mut self.next;
        let before = text.capacity();
        if text.is_empty() {
            // One allocation: for the events of a line, or for a whole frame after another.
            text.reserve(if self.full.is_empty() { LINE_BYTES } else { FRAME_BYTES + LINE_BYTES });
        }
        message.append_to(text);
        *events += 1;
        self.bytes += text.capacity() - before;
        self.waiting_of_all.increment(1.0);
    }

    /// When the session began.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// Microseconds from the start of the session to `at`.
    pub(crate) fn at_us(&self, at: Instant) -> u64 {
        micros(at.saturating_duration_since(self.started))
    }

    /// The text of the oldest events, up to [`FRAME_BYTES`] and at least one, if there are any.
    ///
    /// # Panics
    /// Never: JSON is UTF-8.
    pub(crate) fn next_frame(&mut self) -> String {
        let frame = self.full.pop_front().unwrap_or_else(|| mem::take(&mut self.next));
        if self.full.is_empty() {
            self.full.shrink_to(0);
        }
        self.bytes -= frame.text.capacity();
        self.waiting_of_all.decrement(frame.events);
        String::from_utf8(frame.text).expect("JSON is UTF-8")
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.next.events == 0
    }

    /// Whether there are enough events for a whole frame.
    pub(crate) fn fills_frame(&self) -> bool {
        !self.full.is_empty() || self.next.text.len() >= FRAME_BYTES
    }

    /// Says how many bytes the session holds besides its events.
    pub(crate) fn weigh(&mut self, besides: usize) {
        self.besides = besides;
    }

    /// Whether the session may send lines.
    pub(crate) fn has_room_for_lines(&self) -> bool {
        self.bytes + self.besides < HELD_BYTES
    }

    /// Whether the session has to wait for its client to read.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes >= UNREAD_BYTES && !self.has_room_for_lines()
    }

    /// Whether there is room for events of raw clients.
    pub(crate) fn has_room_for_raw(&self) -> bool {
        self.bytes < ENOUGH_FOR_RAW_BYTES && !self.is_full()
    }

    /// Whether there is room for captured packets.
    pub(crate) fn has_room_for_packets(&self) -> bool {
        self.bytes < ENOUGH_FOR_PACKETS_BYTES
            && self.bytes + self.besides + LEFT_BY_PACKETS_BYTES < HELD_BYTES
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        let events = self.full.iter().map(|frame| frame.events).sum::<u32>() + self.next.events;
        self.waiting_of_all.decrement(events);
    }
}

/// The bytes of a reply: as text if they are UTF-8, else as hex.
pub(crate) fn data(reply: Vec<u8>) -> Data {
    // Text is not copied.
    String::from_utf8(reply).map_or_else(|error| Data::from_bytes(error.as_bytes()), Data::Text)
}

/// Whole microseconds.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
impl Outbox {
    /// The events of the next frame.
    pub(crate) fn next_events(&mut self) -> Vec<Event> {
        let frame = self.next_frame();
        let messages = ServerMessage::decode_frame(&frame).filter(|_| !frame.is_empty());
        messages.map(|message| message.unwrap().event).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_filled_in_order_and_every_byte_is_given_back() {
        let now = Instant::now();
        let mut outbox = Outbox::new(now);
        let (mut pushed, mut taken) = (0, 0);
        while outbox.bytes < 4 * FRAME_BYTES {
            outbox.push(now, None, Event::Missed { count: pushed });
            pushed += 1;
        }
        while !outbox.is_empty() {
            let frame = outbox.next_frame();
            assert!(outbox.is_empty() || frame.len() >= FRAME_BYTES, "{}", frame.len());
            assert!(frame.len() < FRAME_BYTES + EVENT_BYTES, "{}", frame.len());
            for message in ServerMessage::decode_frame(&frame) {
                assert_eq!(message.unwrap().event, Event::Missed { count: taken });
                taken += 1;
            }
        }
        assert_eq!((taken, outbox.bytes), (pushed, 0));
    }

    #[test]
    fn what_is_held_elsewhere_keeps_lines_back_and_unread_events_keep_back_the_rest() {
        let now = Instant::now();
        let mut outbox = Outbox::new(now);
        outbox.weigh(HELD_BYTES - 1);
        assert!(outbox.has_room_for_lines());
        outbox.push(now, None, Event::ServerAccepted {});
        assert!(!outbox.has_room_for_lines() && !outbox.is_full());
        while outbox.bytes < UNREAD_BYTES {
            outbox.push(now, None, Event::ServerAccepted {});
        }
        assert!(outbox.is_full() && !outbox.has_room_for_raw());
        outbox.weigh(0);
        assert!(outbox.has_room_for_lines() && !outbox.is_full());
    }
}
