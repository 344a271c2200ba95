//! An emulated bad path: real TCP and real UDP (smoltcp) on two hosts, joined by an impaired wire,
//! in virtual time, packet by packet.
//!
//! No I/O, no clock, no threads: time is an argument, so the same seed gives the same trace, on any
//! machine. A driver does what [`TcpLab`] and [`UdpLab`] ask for at the times they name:
//!
//! ```
//! use streamgram_lab::{Options, TcpLab};
//! use streamgram_protocol::{End, Line, Link};
//!
//! let mut lab = TcpLab::open(&Link::default(), Options::default(), 0);
//! let mut sent = 0;
//! while sent == 0 {
//!     let Some(now) = lab.next() else { break };
//!     lab.step(now);
//!     sent = lab.write(now, End::Client, b"hello", Some(Line { send: 1, number: 1 }));
//! }
//! while let Some(now) = lab.next() {
//!     lab.step(now);
//!     if lab.read(now, End::Gateway) == b"hello" {
//!         break;
//!     }
//! }
//! // SYN, SYN with ACK, and the line, which carries the last ACK of the handshake.
//! assert_eq!(lab.take_packets().len(), 3);
//! ```

pub mod bulk;
pub mod chance;
pub mod model;
pub mod pcapng;
pub mod sweep;

mod dice;
mod flow;
mod host;
mod lab;
mod record;
mod script;
mod shim;
mod wire;

pub use host::{BadDatagram, Datagram, Host, INBOX_BYTES, QUEUE_BYTES, State, Tcp, Udp};
pub use lab::{Lab, Options, TcpLab, UdpLab};
pub use record::{Mark, Packet, Trace};
pub use wire::{BYTES_UNDER_WAY, Fate};

/// Microseconds since the lab began.
pub type Micros = u64;
