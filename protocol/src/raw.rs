//! What a session is told of raw clients: those that talk to a server without a leg, like `nc`.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::fault::Deed;
use crate::{Captured, Cause, Data, Protocol};

/// Something that a server saw of a raw client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Raw {
    /// Which server.
    pub protocol: Protocol,
    /// The session's number for this client, from 1. A TCP connection is a client, and so is a UDP peer
    /// for as long as the session knows it.
    pub client: u64,
    /// The client's address.
    pub peer: String,
    /// The faulty server that it talks to, by its place in the hello's `faults`; none, if it is the ordinary one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<usize>,
    /// What the server saw.
    pub observation: RawObservation,
}

/// What a server can see of a raw client.
///
/// Offsets count as those of a leg do. Data is left out unless the client and the session are both on the
/// server's own machine: elsewhere one address can be many people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(rename_all = "snake_case")]
pub enum RawObservation {
    /// A connection was accepted.
    Accepted {},
    /// A read of a connection returned.
    Read {
        /// Which read of the connection, from 0.
        number: u64,
        /// Where its first byte stands in the stream.
        offset: u64,
        /// Its length.
        bytes: usize,
        /// The bytes.
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<Data>,
    },
    /// A datagram came, and is going to be answered.
    Datagram {
        /// Which datagram of this client, from 0.
        number: u64,
        /// Its length.
        bytes: usize,
        /// How many of its bytes a `recv(1024)` keeps.
        kept: usize,
        /// Its bytes, at most [`RAW_BYTES`](crate::RAW_BYTES) of them.
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<Data>,
    },
    /// The system took a reply to send.
    Reply {
        /// The number of the read, or of the datagram, that it answers.
        number: u64,
        /// TCP: where its first byte stands in the stream of replies. UDP: the same as `number`.
        offset: u64,
        /// Its length.
        bytes: usize,
        /// The bytes, stamp and all.
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<Data>,
    },
    /// A limit, or the filter against reflection, turned a connection or a datagram away.
    Refused {
        /// Why, as `/api/refused` names it.
        reason: String,
    },
    /// A connection ended.
    Closed {
        /// How, as the server saw it.
        cause: Cause,
    },
    /// A faulty server did something to it on purpose.
    Fault(Deed),
    /// A packet of it, or to it, was captured. The first ones of a connection come before it is accepted.
    Packet(Box<Captured>),
    /// Packets of it were captured and are not reported: they are too many, or the session is too slow.
    PacketsMissed {
        /// How many, since the last such message.
        count: u64,
    },
}

impl RawObservation {
    /// The bytes that came or went, where they may be shown.
    #[must_use]
    pub fn data(&self) -> Option<&Data> {
        match self {
            Self::Read { data, .. } | Self::Datagram { data, .. } | Self::Reply { data, .. } => {
                data.as_ref()
            }
            Self::Accepted {}
            | Self::Refused { .. }
            | Self::Closed { .. }
            | Self::Fault(_)
            | Self::Packet(_)
            | Self::PacketsMissed { .. } => None,
        }
    }
}

/// Which raw clients are reported to a session.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Feed {
    /// Those that come from the address that the session comes from.
    #[default]
    Own,
    /// All.
    All,
    /// None.
    Off,
}

impl Feed {
    /// Its name, as messages and flags have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, ServerMessage};

    #[test]
    fn an_observation_is_named_and_leaves_out_bytes_that_are_private() {
        let data = |text: &str| Some(Data::Text(text.into()));
        for (protocol, observation, json) in [
            (Protocol::Tcp, RawObservation::Accepted {}, r#"{"accepted":{}}"#),
            (
                Protocol::Tcp,
                RawObservation::Read { number: 0, offset: 0, bytes: 5, data: data("hello") },
                r#"{"read":{"number":0,"offset":0,"bytes":5,"data":{"text":"hello"}}}"#,
            ),
            (
                Protocol::Udp,
                RawObservation::Datagram { number: 1, bytes: 1_500, kept: 1_024, data: None },
                r#"{"datagram":{"number":1,"bytes":1500,"kept":1024}}"#,
            ),
            (
                Protocol::Tcp,
                RawObservation::Closed { cause: Cause::PeerClosed },
                r#"{"closed":{"cause":"peer_closed"}}"#,
            ),
        ] {
            let raw = Raw {
                protocol,
                client: 3,
                peer: "127.0.0.1:51702".into(),
                fault: None,
                observation,
            };
            let message = ServerMessage { at_us: 5, leg: None, event: Event::Raw(raw) };
            let protocol = protocol.name().to_lowercase();
            let json = format!(
                r#"{{"at_us":5,"event":{{"raw":{{"protocol":"{protocol}","client":3,"peer":"127.0.0.1:51702","observation":{json}}}}}}}"#
            );
            assert_eq!(message.encode(), json);
            assert_eq!(ServerMessage::decode(&json).unwrap(), message);
        }
    }

    #[test]
    fn a_feed_has_the_same_name_everywhere() {
        for feed in Feed::VARIANTS {
            assert_eq!(serde_json::to_value(feed).unwrap(), feed.name());
        }
    }
}
