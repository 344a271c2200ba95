//! Events that wait for the client, bounded by their size.
//!
//! While the outbox is full, the session reads no commands and no TCP bytes, and sends no lines. So a slow
//! client slows down its own session. Datagrams and observations are still received, so that their times
//! are right; their number is bounded by what was sent before.

use std::collections::VecDeque;
use std::mem;
use std::time::{Duration, Instant};

use metrics::Gauge;
use streamgram_protocol::{Data, Event, LegId, ServerMessage};

use crate::operate::meters;

/// Bytes of events, roughly, at which the outbox is full.
const FULL_BYTES: usize = 256 * 1024;
/// Bytes of events, roughly, at which events of raw clients are left out. The rest is for the session's own
/// legs, so that raw clients cannot hold them up.
const ENOUGH_FOR_RAW_BYTES: usize = FULL_BYTES / 2;
/// Bytes of events, roughly, in one frame; the others go into the next.
const FRAME_BYTES: usize = 16 * 1024;
/// Size of an event without its payload, roughly.
const EVENT_BYTES: usize = 128;

/// Room for the events that follow from one line.
const EVENTS_OF_A_LINE: usize = 5;

/// Events that wait for the client.
#[derive(Debug)]
pub(crate) struct Outbox {
    started: Instant,
    waiting: VecDeque<ServerMessage>,
    bytes: usize,
    waiting_of_all: Gauge,
}

impl Outbox {
    pub(crate) fn new(started: Instant) -> Self {
        Self {
            started,
            waiting: VecDeque::new(),
            bytes: 0,
            waiting_of_all: meters::events_waiting(),
        }
    }

    /// Adds an event of a leg, or of the session as a whole.
    pub(crate) fn push(&mut self, at: Instant, leg: impl Into<Option<LegId>>, event: Event) {
        self.bytes += size(&event);
        self.waiting_of_all.increment(1.0);
        if self.waiting.is_empty() {
            // One allocation for the events of a line.
            self.waiting.reserve(EVENTS_OF_A_LINE);
        }
        self.waiting.push_back(ServerMessage { at_us: self.at_us(at), leg: leg.into(), event });
    }

    /// When the session began.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// Microseconds from the start of the session to `at`.
    pub(crate) fn at_us(&self, at: Instant) -> u64 {
        micros(at.saturating_duration_since(self.started))
    }

    /// The oldest events, up to [`FRAME_BYTES`] and at least one, if there are any.
    pub(crate) fn next_frame(&mut self) -> Vec<ServerMessage> {
        let mut frame = Vec::new();
        if self.bytes <= FRAME_BYTES {
            // The usual case. Moves no event, and frees the room of the outbox with the frame.
            self.bytes = 0;
            frame = mem::take(&mut self.waiting).into();
        }
        let left = self.bytes.saturating_sub(FRAME_BYTES);
        while self.bytes > left
            && let Some(message) = self.waiting.pop_front()
        {
            self.bytes -= size(&message.event);
            frame.push(message);
        }
        self.waiting_of_all.decrement(count(frame.len()));
        frame
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether there are enough events for a whole frame.
    pub(crate) fn fills_frame(&self) -> bool {
        self.bytes >= FRAME_BYTES
    }

    pub(crate) fn is_full(&self) -> bool {
        self.bytes >= FULL_BYTES
    }

    /// Whether there is room for events of raw clients.
    pub(crate) fn has_room_for_raw(&self) -> bool {
        self.bytes < ENOUGH_FOR_RAW_BYTES
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.waiting_of_all.decrement(count(self.waiting.len()));
    }
}

/// So few events fit into an outbox that the number is exact.
fn count(events: usize) -> f64 {
    f64::from(u32::try_from(events).unwrap_or(u32::MAX))
}

fn size(event: &Event) -> usize {
    match event {
        Event::Reply { bytes, .. } => EVENT_BYTES + bytes,
        Event::Packet(packet) => EVENT_BYTES + packet.hex.len(),
        Event::Raw(raw) => {
            let data = raw.observation.data();
            EVENT_BYTES + data.map_or(0, |(Data::Text(data) | Data::Hex(data))| data.len())
        }
        _ => EVENT_BYTES,
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
mod tests {
    use super::*;

    #[test]
    fn a_frame_takes_what_waits_up_to_its_limit() {
        let now = Instant::now();
        let mut outbox = Outbox::new(now);
        let in_a_frame = FRAME_BYTES / EVENT_BYTES;
        for _ in 0..=in_a_frame {
            outbox.push(now, None, Event::ServerAccepted {});
        }
        assert_eq!(outbox.next_frame().len(), in_a_frame);
        assert_eq!(outbox.next_frame().len(), 1);
        assert_eq!((outbox.next_frame().len(), outbox.bytes), (0, 0));
    }
}
