//! What the captured packets of a leg, or of an external client, must have begun with, so that their places in its
//! streams, or among its datagrams, are known.

use streamgram_protocol::{Captured, Header, Side};

/// How far the packets of a leg were followed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Flow {
    leg: u32,
    client: Way,
    server: Way,
}

/// One direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Way {
    /// TCP: its SYN was seen, from which sequence numbers count.
    begun: bool,
    /// UDP: the number of the packet that is to come.
    next: u64,
    /// UDP: something was missed; which datagram is which is not known from there on.
    gap: bool,
}

impl Flow {
    /// Whether the place of a packet is known. TCP's packets say it themselves, if their numbers count from the SYN;
    /// datagrams are counted, as long as none was missed.
    pub(super) fn places(&mut self, leg: u32, packet: &Captured) -> bool {
        if leg > self.leg {
            *self = Self { leg, ..Self::default() };
        }
        if leg < self.leg {
            return false;
        }
        let way = match packet.from {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        };
        match packet.header {
            Header::Tcp { flags, .. } => {
                way.begun |= flags.syn;
                way.begun
            }
            Header::Udp { offset, .. } => {
                // A fragment is no datagram of its own, and only the first of a datagram names its ports.
                way.gap |= packet.number != way.next || offset > 0;
                way.next = packet.number + 1;
                !way.gap
            }
        }
    }

    /// Packets were missed.
    pub(super) fn missed(&mut self) {
        (self.client.gap, self.server.gap) = (true, true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::sent::tests::{datagram, segment};

    #[test]
    fn a_stream_has_places_from_its_syn_on() {
        let mut flow = Flow::default();
        let mut syn = segment(Side::Client, 0, 0, 0);
        let Header::Tcp { flags, .. } = &mut syn.header else { panic!("a segment") };
        flags.syn = true;
        let data = |from| segment(from, 1, 1, 5);
        let places: Vec<_> = [&data(Side::Client), &syn, &data(Side::Client), &data(Side::Server)]
            .map(|packet| flow.places(1, packet))
            .into();
        assert_eq!(places, [false, true, true, false]);
        flow.missed();
        assert!(flow.places(1, &data(Side::Client)));
        // Another leg has a SYN of its own, and what is told late of the one before has no place.
        assert!(!flow.places(2, &data(Side::Client)));
        assert!(!flow.places(1, &data(Side::Client)));
    }

    #[test]
    fn datagrams_have_places_until_one_is_missed() {
        let mut flow = Flow::default();
        let mut places = |number| flow.places(1, &datagram(Side::Client, number, 5));
        assert_eq!([0, 1, 3, 4].map(&mut places), [true, true, false, false]);
        assert!(flow.places(1, &datagram(Side::Server, 0, 24)));
        flow.missed();
        assert!(!flow.places(1, &datagram(Side::Server, 1, 24)));
    }
}
