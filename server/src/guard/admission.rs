//! How many there may be at a time: in total, and of one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// Admits as many as the limits allow.
#[derive(Debug, Clone)]
pub struct Admission(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: usize,
    limit_per_address: usize,
    inside: Mutex<Inside>,
}

/// The map has an entry for each address that was admitted: never more than `all`.
#[derive(Debug, Default)]
struct Inside {
    all: usize,
    of: HashMap<IpAddr, usize>,
}

/// One that was admitted, until this is dropped.
#[derive(Debug)]
pub struct Admitted {
    shared: Arc<Shared>,
    address: IpAddr,
}

/// The limit that is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// That of all together.
    All(usize),
    /// That of one address.
    Address(usize),
}

impl Full {
    /// How many.
    #[must_use]
    pub fn limit(self) -> usize {
        match self {
            Self::All(limit) | Self::Address(limit) => limit,
        }
    }
}

impl Admission {
    /// Admits `limit` in total, and `per_address` of one address: half of all unless it is said, so that one
    /// address never takes the places of all others.
    #[must_use]
    pub fn new(limit: usize, per_address: Option<usize>) -> Self {
        let limit_per_address = per_address.unwrap_or(limit.div_ceil(2)).min(limit);
        Self(Arc::new(Shared { limit, limit_per_address, inside: Mutex::default() }))
    }

    /// Admits one of an address.
    ///
    /// # Errors
    /// The limit that is reached.
    pub fn admit(&self, address: IpAddr) -> Result<Admitted, Full> {
        self.admit_within(address, self.0.limit_per_address)
    }

    /// Admits one of a proxy, whose address stands for many clients.
    ///
    /// # Errors
    /// The limit of all is reached.
    pub fn admit_proxy(&self, address: IpAddr) -> Result<Admitted, Full> {
        self.admit_within(address, usize::MAX)
    }

    /// Whether the limit of all is reached.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let inside = self.0.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.all >= self.0.limit
    }

    fn admit_within(&self, address: IpAddr, limit_per_address: usize) -> Result<Admitted, Full> {
        let limit = self.0.limit;
        let address = site(address);
        let mut inside = self.0.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if inside.all >= limit {
            return Err(Full::All(limit));
        }
        let of = inside.of.get(&address).copied().unwrap_or_default();
        if of >= limit_per_address {
            return Err(Full::Address(limit_per_address));
        }
        inside.of.insert(address, of + 1);
        inside.all += 1;
        Ok(Admitted { shared: Arc::clone(&self.0), address })
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut inside = self.shared.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.all -= 1;
        if let Some(of) = inside.of.get_mut(&self.address) {
            *of -= 1;
            if *of == 0 {
                inside.of.remove(&self.address);
            }
        }
    }
}

/// What counts as one address: an IPv4 address, or the /64 of an IPv6 address, because a site has at least
/// that (RFC 6177).
#[must_use]
pub fn site(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_its_limit_and_all_have_theirs() {
        let house = Admission::new(3, Some(2));
        let (one, two) = (address("192.0.2.1"), address("192.0.2.2"));
        let first = house.admit(one).unwrap();
        let _second = house.admit(one).unwrap();
        assert_eq!(house.admit(one).unwrap_err(), Full::Address(2));
        assert_eq!(house.admit(address("::ffff:192.0.2.1")).unwrap_err(), Full::Address(2));
        let _third = house.admit(two).unwrap();
        assert_eq!(house.admit(two).unwrap_err(), Full::All(3));
        drop(first);
        let _fourth = house.admit(one).unwrap();
    }

    #[test]
    fn one_address_leaves_half_of_all_places_to_others_unless_it_is_said() {
        for (asked, expected) in [(None, 5), (Some(7), 7), (Some(100), 10)] {
            let house = Admission::new(10, asked);
            let admitted: Vec<_> =
                (0..20).map_while(|_| house.admit(address("192.0.2.1")).ok()).collect();
            assert_eq!(admitted.len(), expected, "{asked:?}");
        }
    }

    #[test]
    fn a_proxy_has_the_limit_of_all() {
        let house = Admission::new(3, Some(1));
        let proxy = address("10.0.0.1");
        let _many = [0; 3].map(|_| house.admit_proxy(proxy).unwrap());
        assert_eq!(house.admit_proxy(proxy).unwrap_err(), Full::All(3));
    }

    #[test]
    fn nothing_stays_of_those_who_left() {
        let house = Admission::new(10, Some(10));
        drop([1, 2, 3].map(|last| house.admit(IpAddr::from([192, 0, 2, last])).unwrap()));
        let inside = house.0.inside.lock().unwrap();
        assert_eq!((inside.all, inside.of.len()), (0, 0));
    }

    #[test]
    fn a_site_of_ipv6_is_one_address() {
        let house = Admission::new(10, Some(1));
        let _first = house.admit(address("2001:db8::1")).unwrap();
        assert_eq!(house.admit(address("2001:db8::2:1")).unwrap_err(), Full::Address(1));
        let _other_site = house.admit(address("2001:db8:0:1::1")).unwrap();
    }
}
