//! How often datagrams are answered: of one address, of one network, and in total.
//!
//! The source of a datagram can be forged. Then somebody gets replies without having asked. These limits
//! bound how much one address can get, and how much all together can.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use crate::config::UdpLimits;
use crate::guard::admission::site;
use crate::guard::rate::Rate;
use crate::guard::refusals::Refusal;

/// How many seconds' worth of its rate a source may spend at once.
const AT_ONCE_S: u32 = 2;
/// Sources that a table remembers, in sets of [`WAYS`]. One more takes the place of a source that has
/// nothing left to pay, which can be forgotten. If there is none in its set, it shares the place of the one
/// that will have paid first. So a flood from many sources gets no more replies than the table has places.
const SETS: usize = 2_048;
const WAYS: usize = 4;

/// What all sources have spent.
#[derive(Debug)]
pub struct Rates {
    addresses: Table,
    networks: Table,
    all: Rate,
}

/// A rate for each of many sources, in a fixed amount of memory.
#[derive(Debug)]
struct Table {
    /// The rate of a source that has spent nothing yet.
    unspent: Rate,
    hash: RandomState,
    sets: Box<[[Place; WAYS]]>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    source: Option<IpAddr>,
    rate: Rate,
}

impl Rates {
    /// Rates of which nothing is spent yet.
    #[must_use]
    pub fn new(limits: &UdpLimits, now: Instant) -> Self {
        let rate = |per_second: u32| {
            Rate::per_second(per_second, per_second.saturating_mul(AT_ONCE_S), now)
        };
        Self {
            addresses: Table::new(rate(limits.udp_per_address_per_s)),
            networks: Table::new(rate(limits.udp_per_network_per_s)),
            all: rate(limits.udp_per_s),
        }
    }

    /// Spends one reply to `address` at `now`; or why there is none.
    ///
    /// A source that is refused for its own rate takes nothing from the others. A loopback address cannot be
    /// forged from elsewhere: for it there is only the rate of all.
    pub fn refusal(&mut self, address: IpAddr, now: Instant) -> Option<Refusal> {
        let address = address.to_canonical();
        if !address.is_loopback() {
            if !self.addresses.spend(site(address), now) {
                return Some(Refusal::UdpAddressRate);
            }
            if let IpAddr::V4(address) = address
                && !self.networks.spend(network(address), now)
            {
                return Some(Refusal::UdpNetworkRate);
            }
        }
        (!self.all.spend(1, now)).then_some(Refusal::UdpRate)
    }
}

impl Table {
    fn new(unspent: Rate) -> Self {
        let place = Place { source: None, rate: unspent };
        let sets = vec![[place; WAYS]; SETS].into_boxed_slice();
        Self { unspent, hash: RandomState::new(), sets }
    }

    fn spend(&mut self, source: IpAddr, now: Instant) -> bool {
        // The hash has a random key, so nobody can choose whose place to share.
        let hash = self.hash.hash_one(source);
        let set = &mut self.sets[usize::try_from(hash % SETS as u64).unwrap_or_default()];
        // The source's own place, else the one that is paid for first.
        let first = set.iter_mut().min_by_key(|p| (p.source != Some(source), p.rate.paid()));
        let Some(place) = first else { return false };
        if place.source != Some(source) && place.rate.paid() <= now {
            *place = Place { source: Some(source), rate: self.unspent };
        }
        place.rate.spend(1, now)
    }
}

/// The /24 of an address.
fn network(address: Ipv4Addr) -> IpAddr {
    Ipv4Addr::from_bits(address.to_bits() & (u32::MAX << 8)).into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const LIMITS: UdpLimits =
        UdpLimits { udp_per_address_per_s: 10, udp_per_network_per_s: 30, udp_per_s: 100 };

    /// How many of `count` datagrams at once are answered, and why the last one was not.
    fn answered(rates: &mut Rates, from: &str, count: u32, now: Instant) -> (u32, Option<Refusal>) {
        let from = from.parse().unwrap();
        (0..count).fold((0, None), |(answered, _), _| match rates.refusal(from, now) {
            None => (answered + 1, None),
            refusal => (answered, refusal),
        })
    }

    #[test]
    fn an_address_a_network_and_all_have_their_rates() {
        let now = Instant::now();
        let mut rates = Rates::new(&LIMITS, now);
        let mut at_once = |from: &str, count| answered(&mut rates, from, count, now);
        assert_eq!(at_once("192.0.2.1", 100), (20, Some(Refusal::UdpAddressRate)));
        assert_eq!(at_once("192.0.2.2", 100), (20, Some(Refusal::UdpAddressRate)));
        assert_eq!(at_once("192.0.2.3", 100), (20, Some(Refusal::UdpAddressRate)));
        assert_eq!(at_once("192.0.2.4", 1), (0, Some(Refusal::UdpNetworkRate)));
        assert_eq!(at_once("2001:db8::1", 100), (20, Some(Refusal::UdpAddressRate)));
        assert_eq!(at_once("2001:db8::2", 1), (0, Some(Refusal::UdpAddressRate)));
        assert_eq!(at_once("::ffff:198.51.100.1", 100), (20, Some(Refusal::UdpAddressRate)));
        assert_eq!(at_once("127.0.0.1", 1_000), (100, Some(Refusal::UdpRate)));
        assert_eq!(at_once("203.0.113.1", 1), (0, Some(Refusal::UdpRate)));
    }

    #[test]
    fn who_keeps_to_the_rate_does_not_notice_who_does_not() {
        let start = Instant::now();
        let mut rates = Rates::new(&LIMITS, start);
        let (mut flood, mut quiet) = (0, 0);
        for ms in 0..10_000 {
            let now = start + Duration::from_millis(ms);
            flood += answered(&mut rates, "192.0.2.1", 1, now).0;
            if ms % 1_000 == 0 {
                quiet += answered(&mut rates, "198.51.100.1", 1, now).0;
            }
        }
        assert_eq!((flood, quiet), (119, 10));
    }

    #[test]
    fn more_sources_than_places_have_no_more_than_the_places() {
        let now = Instant::now();
        let mut table = Table::new(Rate::per_second(1, 2, now));
        let places = u32::try_from(SETS * WAYS).unwrap();
        let answered = (0..4 * places).flat_map(|source| [source; 3]);
        let answered =
            answered.filter(|&source| table.spend(Ipv4Addr::from_bits(source).into(), now));
        assert!(answered.count() <= 2 * SETS * WAYS);
    }

    proptest! {
        #[test]
        fn no_source_is_answered_above_its_rate(
            asked in proptest::collection::vec((any::<u8>(), 0_u64..50), 1..2_000),
        ) {
            let start = Instant::now();
            let mut rates = Rates::new(&LIMITS, start);
            let (mut now, mut answered) = (start, [0_u32; 256]);
            for (last, ms) in asked {
                now += Duration::from_millis(ms);
                if rates.refusal([192, 0, 2, last].into(), now).is_none() {
                    answered[usize::from(last)] += 1;
                }
            }
            let seconds = u32::try_from((now - start).as_millis() / 1_000).unwrap() + 1;
            prop_assert!(answered.iter().all(|count| *count <= 20 + 10 * seconds));
            prop_assert!(answered.iter().sum::<u32>() <= 60 + 30 * seconds);
        }
    }
}
