//! The session's place in a room, and how fast its client may ask there.

use std::time::Instant;

use super::bridge::Bridge;
use crate::guard::rate::Rate;
use crate::room::Membership;

/// How many seconds' worth of requests may come at once.
const AT_ONCE_S: u32 = 10;

/// A session and its room, if it is in one.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) membership: Option<Box<Membership>>,
    /// For its requests as a member, and as one who teaches.
    pub(super) member_rate: Rate,
    pub(super) teacher_rate: Rate,
}

impl Room {
    /// In no room.
    pub(super) fn none(bridge: &Bridge, now: Instant) -> Self {
        let limits = bridge.rooms.limits();
        let rate = |per_s: u32| Rate::per_second(per_s, per_s.saturating_mul(AT_ONCE_S), now);
        Self {
            membership: None,
            member_rate: rate(limits.room_messages_per_s),
            teacher_rate: rate(limits.room_teacher_messages_per_s),
        }
    }

    /// Waits until the room tells something. Cancel-safe.
    pub(super) async fn changed(&mut self) -> Option<()> {
        self.membership.as_mut()?.changed().await;
        Some(())
    }
}
