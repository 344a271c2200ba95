//! One leg: what it sends, what it reads, and which reply answers which line.

mod answer;
pub(super) mod burst;
mod datagram_match;
pub(super) mod ended;
mod observations;
mod packets;
mod reply_order;
mod stream_match;
pub(super) mod tcp;
mod turn;
pub(super) mod udp;
