//! What a lesson can count in a run.

use std::collections::HashMap;

use crate::Protocol;

/// What is counted of one leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Count {
    /// Lines that were sent.
    Lines,
    /// Lines that were answered.
    Answered,
    /// Lines that were answered after a later one.
    OutOfOrder,
    /// Bytes of the lines.
    Bytes,
    /// What the server took: reads of TCP, datagrams of UDP.
    Reads,
    /// Bytes that the server took.
    ReadBytes,
    /// Packets before the first that carries bytes of a line, both ways.
    OpeningPackets,
    /// Packets that carry bytes of a line to the server.
    DataPackets,
    /// Packets, both ways.
    Packets,
    /// Bytes of all packets, headers included, both ways.
    WireBytes,
    /// Packets that did not arrive.
    LostPackets,
    /// Segments that were sent again.
    SentAgain,
}

impl Count {
    /// All of them, in the order of a table.
    pub const ALL: [Self; 12] = [
        Self::Lines,
        Self::Answered,
        Self::OutOfOrder,
        Self::Bytes,
        Self::Reads,
        Self::ReadBytes,
        Self::OpeningPackets,
        Self::DataPackets,
        Self::Packets,
        Self::WireBytes,
        Self::LostPackets,
        Self::SentAgain,
    ];

    /// What a lesson calls it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Answered => "answered",
            Self::OutOfOrder => "out_of_order",
            Self::Bytes => "bytes",
            Self::Reads => "reads",
            Self::ReadBytes => "read_bytes",
            Self::OpeningPackets => "opening_packets",
            Self::DataPackets => "data_packets",
            Self::Packets => "packets",
            Self::WireBytes => "wire_bytes",
            Self::LostPackets => "lost_packets",
            Self::SentAgain => "sent_again",
        }
    }
}

/// What was counted of both legs. Packets are visible on an emulated path only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures(HashMap<(Protocol, Count), u64>);

impl Figures {
    /// A figure, if it is known.
    #[must_use]
    pub fn get(&self, protocol: Protocol, count: Count) -> Option<u64> {
        self.0.get(&(protocol, count)).copied()
    }

    /// Notes a figure.
    pub fn set(&mut self, protocol: Protocol, count: Count, value: u64) {
        self.0.insert((protocol, count), value);
    }
}

/// The figure of a name: `tcp.reads`.
#[must_use]
pub fn figure(name: &str) -> Option<(Protocol, Count)> {
    let (protocol, word) = name.split_once('.')?;
    let protocol = match protocol {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        _ => return None,
    };
    Some((protocol, Count::ALL.into_iter().find(|count| count.word() == word)?))
}
