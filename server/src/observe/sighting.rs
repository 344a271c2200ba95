//! What a server can see of a raw client, and who may see its bytes.

use std::net::SocketAddr;
use std::time::Instant;

use streamgram_protocol::fault::Deed;
use streamgram_protocol::{Cause, Protocol};

use super::machine::Machine;
use crate::guard::refusals::Refusal;

/// Something a server saw of a raw client, and when.
#[derive(Debug)]
pub struct Sighting {
    /// The server's time.
    pub at: Instant,
    /// Which server.
    pub protocol: Protocol,
    /// The client's address.
    pub peer: SocketAddr,
    /// Where it comes from.
    pub machine: Machine,
    /// The faulty server that it talks to, if it is one.
    pub fault: Option<usize>,
    /// TCP: a number of the connection. UDP: a number of the datagram.
    pub id: u64,
    /// What it saw.
    pub event: RawEvent,
}

/// Identifies a raw client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientKey {
    /// A TCP connection, by the server's number.
    Connection(u64),
    /// A UDP peer, by its address.
    Peer(SocketAddr),
}

impl Sighting {
    /// Whom it is about.
    #[must_use]
    pub fn client(&self) -> ClientKey {
        match self.protocol {
            Protocol::Tcp => ClientKey::Connection(self.id),
            Protocol::Udp => ClientKey::Peer(self.peer),
        }
    }

    /// Whether nothing follows of a connection.
    pub(super) fn is_last(&self) -> bool {
        self.protocol == Protocol::Tcp
            && matches!(self.event, RawEvent::Closed(_) | RawEvent::Refused(_))
    }

    /// Bytes that it takes, with those of its payload.
    pub(super) fn weight(&self) -> usize {
        let payload = match &self.event {
            RawEvent::Read { payload, .. }
            | RawEvent::Reply { payload, .. }
            | RawEvent::Datagram(payload)
            | RawEvent::DatagramReply(payload) => payload.shown.as_ref().map_or(0, |it| it.len()),
            RawEvent::Accepted
            | RawEvent::Refused(_)
            | RawEvent::Fault(_)
            | RawEvent::Closed(_) => 0,
        };
        // With the counts of an `Arc`, and the place that holds it.
        size_of::<Self>() + 3 * size_of::<usize>() + payload
    }
}

/// What a server can see of a raw client.
#[derive(Debug, PartialEq, Eq)]
pub enum RawEvent {
    /// A connection was accepted.
    Accepted,
    /// A read of a connection returned.
    Read {
        /// Which read, from 0.
        number: u64,
        /// Where its first byte stands in the stream.
        offset: u64,
        /// Its bytes.
        payload: Payload,
    },
    /// The system took the reply to a read.
    Reply {
        /// Which read, from 0.
        number: u64,
        /// Where its first byte stands in the stream of replies.
        offset: u64,
        /// Its bytes.
        payload: Payload,
    },
    /// A datagram came, and will be answered.
    Datagram(Payload),
    /// The system took the reply to it.
    DatagramReply(Payload),
    /// A connection or a datagram was turned away.
    Refused(Refusal),
    /// A faulty server did something on purpose.
    Fault(Deed),
    /// A connection ended.
    Closed(Cause),
}

/// Bytes that came or went.
#[derive(Debug, PartialEq, Eq)]
pub struct Payload {
    /// How many.
    pub bytes: usize,
    /// The first of them, if any session may see them.
    pub shown: Option<Box<[u8]>>,
}

/// Whether a session may see the bytes of a raw client. Only if both come over loopback: any other address
/// can be many people, behind NAT or a container's proxy.
#[must_use]
pub fn may_show_bytes(client: Machine, session: Option<Machine>) -> bool {
    client == Machine::Loopback && session == Some(Machine::Loopback)
}

/// Bytes of a client: their number, and the first `most` of them if any session may see them.
pub(super) fn payload(client: Machine, bytes: &[u8], most: usize) -> Payload {
    let shown = (client == Machine::Loopback).then(|| bytes[..bytes.len().min(most)].into());
    Payload { bytes: bytes.len(), shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_on_the_servers_own_machine_only() {
        let (here, elsewhere) = (Machine::Loopback, Machine::At([192, 0, 2, 1].into()));
        assert!(may_show_bytes(here, Some(here)) && !may_show_bytes(here, Some(Machine::This)));
        for (client, session) in
            [(here, None), (here, Some(elsewhere)), (elsewhere, Some(here)), (elsewhere, None)]
        {
            assert!(!may_show_bytes(client, session), "{client:?} to {session:?}");
        }
        assert_eq!(payload(elsewhere, b"secret", 9), Payload { bytes: 6, shown: None });
        let cut = Payload { bytes: 6, shown: Some((*b"sec").into()) };
        assert_eq!(payload(here, b"secret", 3), cut);
    }
}
