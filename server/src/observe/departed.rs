//! Addresses that were legs a moment ago: what a leg sent last can reach a server when the leg is gone,
//! and is still no raw client's.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use streamgram_protocol::Protocol;

/// How long an address stays that of a leg which has ended: far longer than anything waits in a socket
/// of a server that keeps up, and far shorter than a system takes to give the port to somebody else.
const REMEMBERED: Duration = Duration::from_secs(1);
/// Addresses that are remembered; one more takes the place of the oldest.
const ADDRESSES: usize = 1_024;

/// The addresses, the latest at the end.
#[derive(Debug, Default)]
pub(super) struct Departed(Mutex<VecDeque<(Instant, (Protocol, SocketAddr))>>);

impl Departed {
    pub(super) fn add(&self, leg: (Protocol, SocketAddr), now: Instant) {
        let mut legs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while legs.len() >= ADDRESSES || legs.front().is_some_and(|(at, _)| !is_young(*at, now)) {
            legs.pop_front();
        }
        legs.push_back((now, leg));
    }

    pub(super) fn contains(&self, peer: (Protocol, SocketAddr), now: Instant) -> bool {
        let legs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut young = legs.iter().rev().take_while(|(at, _)| is_young(*at, now));
        young.any(|(_, leg)| *leg == peer)
    }
}

fn is_young(at: Instant, now: Instant) -> bool {
    now.saturating_duration_since(at) < REMEMBERED
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leg(port: u16) -> (Protocol, SocketAddr) {
        (Protocol::Udp, ([127, 0, 0, 1], port).into())
    }

    #[test]
    fn an_address_is_remembered_for_a_second() {
        let (departed, now) = (Departed::default(), Instant::now());
        departed.add(leg(1), now);
        assert!(departed.contains(leg(1), now));
        assert!(!departed.contains((Protocol::Tcp, leg(1).1), now));
        assert!(!departed.contains(leg(1), now + REMEMBERED));
        departed.add(leg(2), now + REMEMBERED);
        assert_eq!(departed.0.lock().unwrap().len(), 1);
    }

    #[test]
    fn one_address_too_many_takes_the_place_of_the_oldest() {
        let (departed, now) = (Departed::default(), Instant::now());
        for port in 0..=1_024 {
            departed.add(leg(port), now);
        }
        assert_eq!(departed.0.lock().unwrap().len(), ADDRESSES);
        assert!(!departed.contains(leg(0), now) && departed.contains(leg(1), now));
    }
}
