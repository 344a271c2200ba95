//! What must hold whatever comes in, one function for each way in; it panics where it does not hold.
//!
//! Each is used twice: by the property tests of this crate, in `cargo test`, and by the fuzz target of
//! its name. A new way in is a function here, a line in [`ALL`], a target in `fuzz/fuzz_targets` and
//! `fuzz/Cargo.toml`, and seeds in `fuzz/corpus`; the tests see to it that none is forgotten.

mod datagrams;
mod knobs;
mod messages;
mod packets;
mod scenario;
mod text;

pub use datagrams::udp_datagrams;
pub use knobs::lab_knobs;
pub use messages::{client_message, server_message};
pub use packets::lab_packets;
pub use scenario::scenario;
pub use text::text;

/// A property of any input.
pub type Property = fn(&[u8]);

/// Every property, by the name of its fuzz target.
pub const ALL: [(&str, Property); 7] = [
    ("client_message", client_message),
    ("lab_knobs", lab_knobs),
    ("lab_packets", lab_packets),
    ("scenario", scenario),
    ("server_message", server_message),
    ("text", text),
    ("udp_datagrams", udp_datagrams),
];
