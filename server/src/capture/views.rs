//! Over loopback every packet is seen twice: when it leaves, and when it comes. Here the two become one.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long a packet that left is waited for. Then it is told without the time at which it came.
pub(super) const PATIENCE: Duration = Duration::from_millis(100);
/// Packets that are waited for; one more, and the oldest is told without the time at which it came.
const WAITING: usize = 256;

/// What the kernel showed of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct View {
    pub(super) at: Instant,
    pub(super) interface: usize,
    pub(super) over_loopback: bool,
    /// It leaves this machine, or comes to it.
    pub(super) leaves: bool,
    /// Its length from IP's header on.
    pub(super) length: usize,
    /// The first bytes of it.
    pub(super) bytes: Box<[u8]>,
}

/// A packet, with all that was seen of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sight {
    pub(super) left: Option<Instant>,
    pub(super) came: Option<Instant>,
    pub(super) view: View,
}

/// Packets that have left over loopback and have not come yet, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Views(VecDeque<View>);

impl Views {
    /// Takes a view; the packet, once nothing more of it will be seen.
    pub(super) fn see(&mut self, view: View) -> Option<Sight> {
        if !view.over_loopback {
            return Some(alone(view));
        }
        if view.leaves {
            self.0.push_back(view);
            return if self.0.len() > WAITING { self.0.pop_front().map(alone) } else { None };
        }
        let is_same = |left: &View| left.length == view.length && left.bytes == view.bytes;
        let came = Some(view.at);
        Some(match self.0.iter().position(is_same).and_then(|at| self.0.remove(at)) {
            Some(left) => Sight { left: Some(left.at), came, view: left },
            None => alone(view),
        })
    }

    /// The next packet that was waited for in vain, once all is read that passed until then.
    pub(super) fn overdue(&mut self, until: Instant) -> Option<Sight> {
        let is_overdue = |left: &mut View| until.saturating_duration_since(left.at) >= PATIENCE;
        self.0.pop_front_if(is_overdue).map(alone)
    }
}

/// A packet of which there was only this view.
fn alone(view: View) -> Sight {
    let at = Some(view.at);
    let (left, came) = if view.leaves { (at, None) } else { (None, at) };
    Sight { left, came, view }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(at: Instant, leaves: bool, bytes: &[u8]) -> View {
        let (interface, over_loopback, length) = (1, true, bytes.len());
        View { at, interface, over_loopback, leaves, length, bytes: bytes.into() }
    }

    #[test]
    fn two_views_are_one_packet_with_both_times() {
        let (mut views, now) = (Views::default(), Instant::now());
        let later = now + Duration::from_micros(20);
        assert_eq!(views.see(view(now, true, b"a")), None);
        assert_eq!(views.see(view(now, true, b"b")), None);
        assert_eq!(views.see(view(later, true, b"a")), None);
        for (left, bytes) in [(now, b"a"), (later, b"a"), (now, b"b")] {
            let seen = views.see(view(later, false, bytes)).unwrap();
            assert_eq!(
                (seen.left, seen.came, &*seen.view.bytes),
                (Some(left), Some(later), &bytes[..])
            );
        }
        assert_eq!(views.overdue(now + PATIENCE), None);
    }

    #[test]
    fn a_time_that_was_not_seen_is_not_made_up() {
        let (mut views, now) = (Views::default(), Instant::now());
        let came = views.see(view(now, false, b"a")).unwrap();
        assert_eq!((came.left, came.came), (None, Some(now)));
        assert_eq!(views.see(view(now, true, b"b")), None);
        assert_eq!(views.overdue(now + PATIENCE / 2), None);
        let left = views.overdue(now + PATIENCE).unwrap();
        assert_eq!((left.left, left.came), (Some(now), None));
        let mut elsewhere = view(now, true, b"c");
        elsewhere.over_loopback = false;
        let left = views.see(elsewhere).unwrap();
        assert_eq!((left.left, left.came), (Some(now), None));
    }

    #[test]
    fn one_too_many_that_left_is_told_at_once() {
        let (mut views, now) = (Views::default(), Instant::now());
        for n in 0..WAITING {
            assert_eq!(views.see(view(now, true, &n.to_be_bytes())), None);
        }
        let oldest = views.see(view(now, true, b"x")).unwrap();
        assert_eq!((&*oldest.view.bytes, oldest.came), (&0_usize.to_be_bytes()[..], None));
    }
}
