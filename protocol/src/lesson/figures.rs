//! What a lesson can count in a run.

use std::collections::HashMap;

use serde::Deserialize;
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::Protocol;

/// What is counted of one leg. A lesson calls it by its name in snake case.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, EnumString, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
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
    pub const ALL: &[Self] = Self::VARIANTS;
}

/// What was counted of both legs. Packets are visible on an emulated path only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Figures(HashMap<Protocol, HashMap<Count, u64>>);

impl Figures {
    /// A figure, if it is known.
    #[must_use]
    pub fn get(&self, protocol: Protocol, count: Count) -> Option<u64> {
        self.0.get(&protocol)?.get(&count).copied()
    }

    /// Notes a figure.
    pub fn set(&mut self, protocol: Protocol, count: Count, value: u64) {
        self.0.entry(protocol).or_default().insert(count, value);
    }
}
