//! Addresses that were legs a moment ago. What a leg sent last can reach a server after the leg has ended,
//! and does not come from a raw client.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::peer::Peer;

/// How long the address of a leg is remembered after its end. That is far longer than anything waits in a
/// socket of a server that keeps up, and far shorter than a system takes to use the port again.
const REMEMBERED: Duration = Duration::from_secs(1);
/// Addresses that are remembered; one more takes the place of the oldest.
const ADDRESSES: usize = 1_024;

/// The addresses, the latest last.
#[derive(Debug, Default)]
pub(super) struct Departed(Mutex<VecDeque<Departure>>);

#[derive(Debug)]
struct Departure {
    at: Instant,
    leg: Peer,
}

impl Departure {
    fn is_young(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.at) < REMEMBERED
    }
}

impl Departed {
    pub(super) fn add(&self, leg: Peer, now: Instant) {
        let mut legs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while legs.len() >= ADDRESSES || legs.front().is_some_and(|oldest| !oldest.is_young(now)) {
            legs.pop_front();
        }
        legs.push_back(Departure { at: now, leg });
    }

    pub(super) fn contains(&self, peer: Peer, now: Instant) -> bool {
        let legs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut young = legs.iter().rev().take_while(|departure| departure.is_young(now));
        young.any(|departure| departure.leg == peer)
    }
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::Protocol;

    use super::*;

    fn leg(port: u16) -> Peer {
        Peer::new(Protocol::Udp, ([127, 0, 0, 1], port).into())
    }

    #[test]
    fn an_address_is_remembered_for_a_second() {
        let (departed, now) = (Departed::default(), Instant::now());
        departed.add(leg(1), now);
        assert!(departed.contains(leg(1), now));
        assert!(!departed.contains(Peer { protocol: Protocol::Tcp, ..leg(1) }, now));
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
