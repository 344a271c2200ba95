//! How often an address may try codes and keys of no room.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::Refused;
use crate::guard::admission::site;
use crate::guard::rate::Rate;

/// Addresses that are kept apart. Those beyond them share one rate.
const ADDRESSES: usize = 4_096;

/// The tries of all addresses.
#[derive(Debug)]
pub(super) struct Tries {
    per_minute: u32,
    tried: Mutex<Tried>,
}

#[derive(Debug)]
struct Tried {
    of: HashMap<IpAddr, Rate>,
    others: Rate,
}

impl Tries {
    /// So many a minute, as many at once.
    pub(super) fn new(per_minute: u32, now: Instant) -> Self {
        let others = Rate::per_minute(per_minute, per_minute, now);
        Self { per_minute, tried: Mutex::new(Tried { of: HashMap::new(), others }) }
    }

    /// Whether an address may try another one.
    ///
    /// # Errors
    /// It has tried too many.
    pub(super) fn check(&self, address: IpAddr, now: Instant) -> Result<(), Refused> {
        let tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        let known = tried.of.get(&site(address));
        let mut rate = match known {
            Some(rate) => *rate,
            None if tried.of.len() < ADDRESSES => return Ok(()),
            None => tried.others,
        };
        rate.spend(1, now).then_some(()).ok_or(Refused::Tries(self.per_minute))
    }

    /// An address has tried one that is of no room.
    pub(super) fn count(&self, address: IpAddr, now: Instant) {
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        if tried.of.len() >= ADDRESSES {
            tried.of.retain(|_, rate| rate.paid() > now);
        }
        let Tried { of, others } = &mut *tried;
        let has_room = of.len() < ADDRESSES;
        let rate = match of.get_mut(&site(address)) {
            Some(rate) => rate,
            None if has_room => of.entry(site(address)).or_insert(Rate::per_minute(
                self.per_minute,
                self.per_minute,
                now,
            )),
            None => others,
        };
        let _within = rate.spend(1, now);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn address(number: u32) -> IpAddr {
        IpAddr::from(number.to_be_bytes())
    }

    #[test]
    fn an_address_tries_so_many_and_waits_and_others_do_not() {
        let now = Instant::now();
        let tries = Tries::new(3, now);
        for _ in 0..3 {
            assert_eq!(tries.check(address(1), now), Ok(()));
            tries.count(address(1), now);
        }
        assert_eq!(tries.check(address(1), now), Err(Refused::Tries(3)));
        assert_eq!(tries.check(address(2), now), Ok(()));
        assert_eq!(tries.check(address(1), now + Duration::from_secs(20)), Ok(()));
    }

    #[test]
    fn addresses_beyond_those_that_are_kept_share_one_rate_until_there_is_room() {
        let now = Instant::now();
        let tries = Tries::new(2, now);
        let kept = u32::try_from(ADDRESSES).unwrap();
        (0..kept + 2).for_each(|number| tries.count(address(number), now));
        assert_eq!(tries.check(address(kept + 9), now), Err(Refused::Tries(2)));
        let later = now + Duration::from_secs(120);
        tries.count(address(kept + 9), later);
        assert_eq!(tries.tried.lock().unwrap().of.len(), 1);
    }
}
