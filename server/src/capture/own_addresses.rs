//! The addresses of this machine.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use if_addrs::get_if_addrs;

/// How long an address that is not known is not looked for again.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The addresses, as they were when one was last looked for.
#[derive(Debug, Default)]
pub(super) struct OwnAddresses {
    known: HashSet<IpAddr>,
    looked: Option<Instant>,
}

impl OwnAddresses {
    /// Whether this is one of them.
    pub(super) fn contain(&mut self, address: IpAddr, now: Instant) -> bool {
        let may_look = self.looked.is_none_or(|last| now >= last + LOOK_EVERY);
        if !self.known.contains(&address) && may_look {
            let interfaces = get_if_addrs().unwrap_or_default();
            self.known = interfaces.iter().map(|interface| interface.ip()).collect();
            self.looked = Some(now);
        }
        self.known.contains(&address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_ours_and_the_documentations_is_not() {
        let (mut own, now) = (OwnAddresses::default(), Instant::now());
        assert!(!own.contain([192, 0, 2, 1].into(), now));
        assert!(own.contain([127, 0, 0, 1].into(), now));
    }
}
