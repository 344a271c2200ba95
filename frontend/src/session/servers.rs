//! Which server each leg goes to: the ordinary one, or one whose replies go wrong on purpose.

use std::rc::Rc;

use streamgram_protocol::{FaultyServer, Protocol};

/// The faulty servers that were chosen. Kept as they are and not as places in the server's list, so that a choice is
/// of no effect once that server is gone.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Servers {
    tcp: Option<Rc<FaultyServer>>,
    udp: Option<Rc<FaultyServer>>,
}

impl Servers {
    /// The same with another one for a protocol; none is the ordinary one.
    pub(crate) fn choosing(&self, protocol: Protocol, server: Option<&FaultyServer>) -> Self {
        let (mut next, server) = (self.clone(), server.cloned().map(Rc::new));
        match protocol {
            Protocol::Tcp => next.tcp = server,
            Protocol::Udp => next.udp = server,
        }
        next
    }

    /// The place of a protocol's server among those that there are; none for the ordinary one.
    pub(crate) fn place(&self, protocol: Protocol, faults: &[FaultyServer]) -> Option<usize> {
        let chosen = match protocol {
            Protocol::Tcp => &self.tcp,
            Protocol::Udp => &self.udp,
        };
        let chosen = chosen.as_deref().filter(|server| server.protocol == protocol)?;
        faults.iter().position(|server| server == chosen)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn faulty(protocol: Protocol, recipe: &str) -> FaultyServer {
        FaultyServer { protocol, address: "127.0.0.1:9001".into(), recipe: recipe.into() }
    }

    #[test]
    fn a_choice_is_of_one_protocol_and_follows_its_server_through_the_list() {
        let (split, lossy) = (faulty(Protocol::Tcp, "split=1"), faulty(Protocol::Udp, "drop=30"));
        let servers = Servers::default().choosing(Protocol::Udp, Some(&lossy));
        let places = |faults: &[FaultyServer]| {
            Protocol::BOTH.map(|protocol| servers.place(protocol, faults))
        };
        assert_eq!(places(&[split.clone(), lossy.clone()]), [None, Some(1)]);
        assert_eq!(places(&[lossy]), [None, Some(0)]);
        assert_eq!(places(&[split]), [None, None]);
    }

    #[test]
    fn a_server_of_the_other_protocol_is_not_gone_to() {
        let split = faulty(Protocol::Tcp, "split=1");
        let servers = Servers::default().choosing(Protocol::Udp, Some(&split));
        assert_eq!(servers.place(Protocol::Udp, &[split]), None);
    }
}
