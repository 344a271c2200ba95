//! A packet on an emulated path: who sent it, what became of it, and its header.

use serde::{Deserialize, Serialize};

/// A packet on an emulated path. What becomes of it is known when it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Packet {
    /// Which packet of this sender, from 0.
    pub number: u64,
    /// Who sent it.
    pub from: End,
    /// What the path did to it.
    pub verdict: Verdict,
    /// When it arrives, if it does; on the clock of `at_us`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrives_us: Option<u64>,
    /// When its copy arrives, if the path made one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy_arrives_us: Option<u64>,
    /// Its length with all headers.
    pub bytes: u16,
    /// What its header says.
    pub header: Header,
    /// The line whose bytes it carries, or whose reply; the first, if they are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<Line>,
    /// The last line, if they are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_line: Option<Line>,
    /// It begins with something that has been sent before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub retransmission: bool,
    /// It acknowledges again what was acknowledged before, and says nothing else.
    #[serde(default, skip_serializing_if = "is_false")]
    pub duplicate_ack: bool,
    /// The whole IP packet, as hexadecimal digits; its payload stands at the end.
    pub hex: String,
}

impl Packet {
    /// The first and the last line that it carries.
    #[must_use]
    pub fn lines(&self) -> Option<[Line; 2]> {
        self.line.map(|first| [first, self.last_line.unwrap_or(first)])
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// One of the two hosts that an emulated path joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// Where the lines come from.
    Client,
    /// Where the path ends and the real servers begin.
    Gateway,
}

impl End {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Client, Self::Gateway];

    /// The other one.
    #[must_use]
    pub fn peer(self) -> Self {
        match self {
            Self::Client => Self::Gateway,
            Self::Gateway => Self::Client,
        }
    }
}

/// What the path did to a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It arrives.
    Delivered,
    /// It arrives twice.
    Duplicated,
    /// It overtakes: it did not wait for the delay.
    Reordered,
    /// It vanishes, by chance.
    Lost,
    /// It vanishes, because a rule names the line that it carries.
    LostByRule,
    /// It vanishes in a blackout.
    LostInBlackOut,
    /// It vanishes, because the queue is full.
    QueueFull,
}

/// The line of a send that bytes belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Line {
    /// The id of the send.
    pub send: u64,
    /// The line's number in it, from 1.
    pub number: u32,
}

/// What a packet's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(rename_all = "lowercase")]
pub enum Header {
    /// A segment, RFC 9293.
    Tcp {
        /// Which bits are set.
        flags: Flags,
        /// The sequence number, relative to the sender's first.
        seq: u32,
        /// The acknowledgement number, relative to the receiver's first; 0 without the ACK bit.
        ack: u32,
        /// The window in bytes, scaled.
        window: u32,
        /// Bytes of payload.
        length: u16,
    },
    /// A datagram or a fragment of one, RFC 768 and RFC 791.
    Udp {
        /// The identification that fragments of one datagram share.
        ident: u16,
        /// Where this packet's payload begins in the datagram, with its UDP header.
        offset: u16,
        /// Whether more fragments follow.
        more: bool,
        /// Bytes of the datagram that this packet carries, without any header.
        length: u16,
    },
}

/// The control bits of a segment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Flags {
    /// SYN: it opens.
    pub syn: bool,
    /// ACK: the acknowledgement number counts.
    pub ack: bool,
    /// PSH: the sender has no more for now.
    pub psh: bool,
    /// FIN: the sender has no more at all.
    pub fin: bool,
    /// RST: it tears down.
    pub rst: bool,
}
