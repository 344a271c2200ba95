//! Every number that both sides must agree on, each once: the defaults of [`Limits`], and constants.
//! A server's own limits are in its [`Hello`](crate::Hello).

use serde::{Deserialize, Serialize};

/// The WebSocket subprotocol (RFC 6455, section 1.9) that a page offers.
pub const SUBPROTOCOL: &str = "streamgram.v1";

/// Where the page, its API and its WebSocket are served.
pub const DEFAULT_HTTP: &str = "127.0.0.1:8000";
/// Where the TCP timestamp server listens: the article's port.
pub const DEFAULT_TCP: &str = "127.0.0.1:25677";
/// Where the UDP timestamp server listens: the article's port.
pub const DEFAULT_UDP: &str = "127.0.0.1:23135";

/// Bytes that one read of the TCP server takes at most; a longer line comes back in several replies.
/// Of a datagram, a client that calls `recv(1024)` would keep as many.
pub const READ_BYTES: usize = 1024;
/// Bytes of a ctime text, `Mon Nov 23 05:52:57 2026`: the whole reply of the UDP server.
pub const CTIME_LEN: usize = 24;
/// Bytes that a TCP reply has in front of the echo: `[`, ctime, `] `.
pub const STAMP_LEN: usize = CTIME_LEN + 3;
/// Bytes of the largest datagram over IPv4: 65,535 less the headers of IP and UDP (RFC 768).
pub const MAX_DATAGRAM: usize = 65_507;
/// Characters of an error's text. It quotes what was wrong, which can be as long as a message; the middle
/// of a longer text is left out.
pub const MAX_ERROR_CHARS: usize = 400;
/// Bytes of a raw client's read or datagram that are reported. Of a longer one these are the first; its
/// length is reported in any case.
pub const RAW_BYTES: usize = READ_BYTES;
/// Bytes of a captured packet that are kept, from its IP header on: the largest packet of an emulated path. Of a longer
/// one these are the first; its length is reported in any case.
pub const CAPTURED_BYTES: usize = 9_000;
/// Raw clients that a session knows at a time. One more replaces the one that was silent the longest: a UDP
/// peer, or a TCP connection that was silent for a minute. If there is none, what it does is counted as
/// missed.
pub const RAW_CLIENTS: usize = 1_024;
/// Bytes of the text that tells a raw client from others. A longer one is refused.
pub const TOKEN_BYTES: usize = 128;
/// First bytes of a raw client in which that text is looked for.
pub const TOKEN_WITHIN: usize = READ_BYTES;
/// The largest id of a send: what a JavaScript number holds exactly (2^53 - 1).
pub const MAX_ID: u64 = (1 << 53) - 1;

/// What a session may do. An operator can set each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Limits {
    /// Bytes of one line, at most [`MAX_DATAGRAM`]. A longer one is refused before anything is sent.
    pub line_bytes: usize,
    /// Lines of one burst. A longer burst is refused before anything is sent.
    pub burst_lines: u32,
    /// Milliseconds between two lines of a burst. A longer interval is refused before anything is sent.
    pub interval_ms: u32,
    /// Bursts that one leg works on at a time. One more is refused.
    pub sends_in_progress: usize,
    /// Bytes of one WebSocket message. A longer one ends the session with close code 1009. The default is
    /// twice what the longest line takes as hex; as text, control characters take six bytes each.
    pub message_bytes: usize,
    /// Milliseconds after which a datagram without a reply is reported as `no_reply`; what comes
    /// afterwards is `late`.
    pub no_reply_ms: u32,
    /// Milliseconds after which a TCP handshake that nobody answers is given up.
    pub connect_ms: u32,
    /// Emulated paths of the whole server. One more is refused.
    pub labs: usize,
    /// Milliseconds after which TCP over an emulated path gives up what nobody acknowledges, a
    /// handshake included.
    pub lab_give_up_ms: u32,
    /// Packets of one emulated path that are reported, or captured packets of one leg or one raw client. Those after
    /// them are counted.
    pub lab_packets: u64,
    /// Packets that one emulated path carries within a second. One more ends the leg.
    pub lab_packets_per_s: u32,
    /// Seconds that an emulated path may live. Then the leg ends.
    pub lab_lifetime_s: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line_bytes: MAX_DATAGRAM,
            burst_lines: 1_000,
            interval_ms: 10_000,
            sends_in_progress: 16,
            message_bytes: 256 * 1024,
            no_reply_ms: 2_000,
            connect_ms: 5_000,
            labs: 512,
            lab_give_up_ms: 20_000,
            lab_packets: 20_000,
            lab_packets_per_s: 20_000,
            lab_lifetime_s: 3_600,
        }
    }
}
