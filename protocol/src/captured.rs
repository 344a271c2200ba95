//! Packets of the system's own TCP and UDP, captured at the ports of the two servers.

use serde::{Deserialize, Serialize};

use crate::Header;

/// A captured packet.
///
/// Over loopback both ends are on this machine, and a packet is seen twice: when it leaves, and when it comes. Over any
/// other interface only one of the two is seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Captured {
    /// Which packet of this sender, from 0: of a connection, or of a UDP peer for as long as it is known.
    pub number: u64,
    /// Who sent it.
    pub from: Side,
    /// When it left the sender's system, if that was seen; on the clock of `at_us`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_us: Option<u64>,
    /// When it came to the receiver's system, if that was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub came_us: Option<u64>,
    /// Its length with all headers from IP's on.
    pub bytes: u32,
    /// What its header says. Of a connection whose SYN was not captured the numbers count from the first packet that
    /// was, and the window is as in the header.
    pub header: Header,
    /// It begins with something that has been sent before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub retransmission: bool,
    /// It acknowledges again what was acknowledged before, and says nothing else.
    #[serde(default, skip_serializing_if = "is_false")]
    pub duplicate_ack: bool,
    /// How many segments of the largest size that the receiver allows (its MSS) the payload takes. It is above 1 where
    /// a network card cuts segments up after the capture, or has put them together before it (offload).
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub segments: u16,
    /// Its checksum is not filled in: a network card does that after the capture, and loopback does without.
    #[serde(default, skip_serializing_if = "is_false")]
    pub checksum_offloaded: bool,
    /// The packet from its IP header on, as hexadecimal digits: at most [`CAPTURED_BYTES`](crate::CAPTURED_BYTES) of
    /// it, and without its payload where that may not be shown.
    pub hex: String,
}

/// One of the two ends of a captured packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// A leg, or a raw client.
    Client,
    /// One of the two servers.
    Server,
}

/// Whether the server captures packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(rename_all = "snake_case")]
pub enum Capture {
    /// It does, for whoever asks.
    On,
    /// The operator does not want it.
    Off,
    /// The system does not permit it: the server has no CAP_NET_RAW.
    NotPermitted,
    /// This server cannot on this system.
    Unsupported,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn one() -> u16 {
    1
}

fn is_one(segments: &u16) -> bool {
    *segments == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Flags;

    #[test]
    fn what_is_as_usual_is_left_out() {
        let flags = Flags { syn: true, ..Flags::default() };
        let packet = Captured {
            number: 0,
            from: Side::Server,
            left_us: Some(7),
            came_us: None,
            bytes: 60,
            header: Header::Tcp { flags, seq: 0, ack: 0, window: 65_495, length: 0 },
            retransmission: false,
            duplicate_ack: false,
            segments: 1,
            checksum_offloaded: false,
            hex: "45".into(),
        };
        let json = r#"{"number":0,"from":"server","left_us":7,"bytes":60,"header":{"tcp":{"flags":{"syn":true,"ack":false,"psh":false,"fin":false,"rst":false},"seq":0,"ack":0,"window":65495,"length":0}},"hex":"45"}"#;
        assert_eq!(serde_json::to_string(&packet).unwrap(), json);
        assert_eq!(serde_json::from_str::<Captured>(json).unwrap(), packet);
    }
}
