//! The connections and UDP peers whose packets are seen: so many of them, and for so long.

use std::collections::HashMap;
use std::mem;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use streamgram_protocol::{Protocol, Side};

use super::dissect::Transport;
use super::flow::Flow;

/// Flows that are known at a time. With one more, all that had no packet for the longest are forgotten, at most half
/// of them; their next packet begins another flow.
const FLOWS: usize = 8_192;
/// After this time, or at most twice as long, a flow without packets is forgotten.
const IDLE: Duration = Duration::from_secs(120);

/// Whose flow it is, and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) protocol: Protocol,
    pub(super) peer: SocketAddr,
    /// The leg that is registered for it, if there is one.
    pub(super) leg: Option<u64>,
}

/// In two generations: a flow with a packet moves to the young ones, and sometimes the old ones are forgotten.
#[derive(Debug)]
pub(super) struct Flows {
    young: HashMap<Key, Flow>,
    old: HashMap<Key, Flow>,
    since: Instant,
    begun: u64,
}

impl Flows {
    pub(super) fn new(now: Instant) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), since: now, begun: 0 }
    }

    /// The flow that a packet belongs to.
    pub(super) fn of(
        &mut self,
        key: Key,
        from: Side,
        transport: &Transport,
        now: Instant,
    ) -> &mut Flow {
        if self.young.len() >= FLOWS / 2 || now.saturating_duration_since(self.since) >= IDLE {
            self.old = mem::take(&mut self.young);
            self.since = now;
        }
        let known = self.young.remove(&key).or_else(|| self.old.remove(&key));
        let flow = known.filter(|flow| !flow.is_over_with(from, transport)).unwrap_or_else(|| {
            self.begun += 1;
            Flow::new(self.begun)
        });
        self.young.entry(key).or_insert(flow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(flows: &mut Flows, port: u16, now: Instant) -> u64 {
        let key = Key { protocol: Protocol::Udp, peer: ([192, 0, 2, 1], port).into(), leg: None };
        let datagram = Transport::Udp { ident: 0, more: false, length: 0 };
        flows.of(key, Side::Client, &datagram, now).id
    }

    #[test]
    fn a_flow_is_known_while_it_has_packets_and_forgotten_afterwards() {
        let start = Instant::now();
        let mut flows = Flows::new(start);
        for half in 0..6 {
            assert_eq!(number(&mut flows, 1, start + IDLE * half / 2), 1);
        }
        assert_eq!(number(&mut flows, 2, start + IDLE * 4), 2);
        assert_eq!(number(&mut flows, 2, start + IDLE * 5), 2);
        assert_eq!(number(&mut flows, 1, start + IDLE * 6), 3);
    }

    #[test]
    fn there_are_never_more_than_the_limit_and_a_busy_one_stays() {
        let now = Instant::now();
        let mut flows = Flows::new(now);
        for port in 1..=20_000 {
            number(&mut flows, port, now);
            assert_eq!(number(&mut flows, 1, now), 1);
            assert!(flows.young.len() + flows.old.len() <= FLOWS);
        }
        assert_eq!(number(&mut flows, 19_999, now), 19_999);
        assert!(number(&mut flows, 2, now) > 20_000);
    }
}
