//! How many local ports an address may take for TCP legs.
//!
//! The end that closes a connection first keeps its port for a while (TIME-WAIT, RFC 9293, section 3.6.1), and
//! nearly always that is the leg. Without a limit, a few sessions that open and close legs as fast as they may
//! would leave no port to anybody.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::admission::{Admission, Admitted, Full};

/// How long a port waits after its connection: on Linux a minute (TCP_TIMEWAIT_LEN).
const TIME_WAIT: Duration = Duration::from_secs(60);
/// Ports for connections, where the system does not say: the dynamic ones (RFC 6335, section 6).
const DYNAMIC_PORTS: usize = 16_384;

/// The ports of this machine.
#[derive(Debug, Clone)]
pub struct Ports {
    admission: Admission,
    waiting: Arc<Mutex<VecDeque<Waiting>>>,
}

#[derive(Debug)]
struct Waiting {
    since: Instant,
    _taken: Admitted,
}

/// A port that is taken. It is for others a minute after this is dropped.
#[derive(Debug)]
pub struct Port {
    ports: Ports,
    taken: Option<Admitted>,
}

impl Ports {
    /// Of so many ports, legs of one address take a quarter at most, and all legs three quarters: other
    /// programs need some too.
    #[must_use]
    pub fn new(ports: usize) -> Self {
        let admission = Admission::new(ports * 3 / 4, Some(ports / 4));
        Self { admission, waiting: Arc::default() }
    }

    /// The ports that the system has for connections: on Linux it says how many (ip_local_port_range, ip(7)).
    #[must_use]
    pub fn of_the_system() -> Self {
        let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
        Self::new(range.ok().and_then(|text| ports_in(&text)).unwrap_or(DYNAMIC_PORTS))
    }

    /// Takes a port for a leg of a session from this address.
    ///
    /// # Errors
    /// The limit that is reached.
    pub fn take(&self, address: IpAddr, now: Instant) -> Result<Port, Full> {
        let is_over = |port: &mut Waiting| now.saturating_duration_since(port.since) >= TIME_WAIT;
        // In the order in which they were dropped.
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        while waiting.pop_front_if(is_over).is_some() {}
        drop(waiting);
        let taken = Some(self.admission.admit(address)?);
        Ok(Port { ports: self.clone(), taken })
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        let Some(taken) = self.taken.take() else { return };
        let mut waiting = self.ports.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push_back(Waiting { since: Instant::now(), _taken: taken });
    }
}

/// The number of ports in a range such as `32768 60999`.
fn ports_in(range: &str) -> Option<usize> {
    let mut ends = range.split_whitespace().map(str::parse::<u16>);
    let (first, last) = (ends.next()?.ok()?, ends.next()?.ok()?);
    Some(usize::from(last.checked_sub(first)?) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_for_others_a_minute_after_its_leg() {
        let (ports, one, other) = (Ports::new(8), [192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let now = Instant::now();
        drop(ports.take(one, now).unwrap());
        let _open = ports.take(one, now).unwrap();
        assert_eq!(ports.take(one, now).unwrap_err(), Full::Address(2));
        assert!(ports.take(other, now).is_ok());
        let later = Instant::now() + TIME_WAIT;
        drop(ports.take(one, later).unwrap());
        assert_eq!(ports.take(one, later).unwrap_err(), Full::Address(2));
    }

    #[test]
    fn all_legs_leave_a_quarter_of_the_ports_to_other_programs() {
        let (ports, now) = (Ports::new(8), Instant::now());
        let taken: Vec<_> =
            (0..8).map_while(|last| ports.take([192, 0, 2, last].into(), now).ok()).collect();
        assert_eq!(taken.len(), 6);
        assert_eq!(ports.take([192, 0, 2, 9].into(), now).unwrap_err(), Full::All(6));
    }

    #[test]
    fn the_range_is_read() {
        assert_eq!(ports_in("32768\t60999\n"), Some(28_232));
        assert_eq!((ports_in("60999 32768"), ports_in("")), (None, None));
    }
}
