//! The flags for [`Limits`]: what one session may do.

use clap::Args;
use clap::builder::RangedU64ValueParser;
use streamgram_protocol::{Limits, MAX_DATAGRAM};

/// Limits of lines and messages.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits of a session")]
pub(super) struct SessionLimits {
    /// Longest line, in bytes; a longer one is refused
    #[arg(long, value_name = "BYTES", env = "STREAMGRAM_LINE_BYTES",
        default_value_t = Limits::default().line_bytes, value_parser = size(1, MAX_DATAGRAM))]
    line_bytes: usize,
    /// Lines in a burst; a longer one is refused
    #[arg(long, value_name = "LINES", env = "STREAMGRAM_BURST_LINES",
        default_value_t = Limits::default().burst_lines, value_parser = clap::value_parser!(u32).range(1..))]
    burst_lines: u32,
    /// Longest interval between the lines of a burst, in milliseconds
    #[arg(long, value_name = "MS", env = "STREAMGRAM_INTERVAL_MS",
        default_value_t = Limits::default().interval_ms)]
    interval_ms: u32,
    /// Bursts that a leg works on at a time; one more is refused
    #[arg(long, value_name = "SENDS", env = "STREAMGRAM_SENDS_IN_PROGRESS",
        default_value_t = Limits::default().sends_in_progress, value_parser = size(1, 1_000))]
    sends_in_progress: usize,
    /// Longest WebSocket message, in bytes; a longer one ends the session with close code 1009
    #[arg(long, value_name = "BYTES", env = "STREAMGRAM_MESSAGE_BYTES",
        default_value_t = Limits::default().message_bytes, value_parser = size(1_024, 16 << 20))]
    message_bytes: usize,
    /// When a datagram without a reply is reported, in milliseconds
    #[arg(long, value_name = "MS", env = "STREAMGRAM_NO_REPLY_MS",
        default_value_t = Limits::default().no_reply_ms)]
    no_reply_ms: u32,
    /// When a TCP handshake without an answer is given up, in milliseconds
    #[arg(long, value_name = "MS", env = "STREAMGRAM_CONNECT_MS",
        default_value_t = Limits::default().connect_ms)]
    connect_ms: u32,
}

/// Limits of emulated paths.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits of emulated paths")]
pub(super) struct LabLimits {
    /// Emulated paths of all sessions together; one more is refused
    #[arg(long, value_name = "PATHS", env = "STREAMGRAM_LABS",
        default_value_t = Limits::default().labs)]
    labs: usize,
    /// When TCP gives up what nobody acknowledges, in milliseconds
    #[arg(long, value_name = "MS", env = "STREAMGRAM_LAB_GIVE_UP_MS",
        default_value_t = Limits::default().lab_give_up_ms, value_parser = clap::value_parser!(u32).range(1..))]
    lab_give_up_ms: u32,
    /// Packets of a path that are reported, and captured packets of a leg or of a raw client; those after them are
    /// counted
    #[arg(long, value_name = "PACKETS", env = "STREAMGRAM_LAB_PACKETS",
        default_value_t = Limits::default().lab_packets)]
    lab_packets: u64,
    /// Packets that a path carries within a second; one more ends the leg
    #[arg(long, value_name = "PACKETS", env = "STREAMGRAM_LAB_PACKETS_PER_S",
        default_value_t = Limits::default().lab_packets_per_s)]
    lab_packets_per_s: u32,
    /// How long a path may live, in seconds; then the leg ends
    #[arg(long, value_name = "S", env = "STREAMGRAM_LAB_LIFETIME_S",
        default_value_t = Limits::default().lab_lifetime_s)]
    lab_lifetime_s: u32,
}

/// What a session may do.
pub(super) fn limits(session: &SessionLimits, lab: &LabLimits) -> Limits {
    let SessionLimits {
        line_bytes,
        burst_lines,
        interval_ms,
        sends_in_progress,
        message_bytes,
        no_reply_ms,
        connect_ms,
    } = *session;
    let LabLimits { labs, lab_give_up_ms, lab_packets, lab_packets_per_s, lab_lifetime_s } = *lab;
    Limits {
        line_bytes,
        burst_lines,
        interval_ms,
        sends_in_progress,
        message_bytes,
        no_reply_ms,
        connect_ms,
        labs,
        lab_give_up_ms,
        lab_packets,
        lab_packets_per_s,
        lab_lifetime_s,
    }
}

fn size(least: usize, most: usize) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(least as u64..=most as u64)
}
