//! The command line: every flag, its environment variable and its default, once.

use std::net::SocketAddr;

use clap::builder::RangedU64ValueParser;
use clap::{Args, Parser, Subcommand};
use streamgram_protocol::{DEFAULT_HTTP, DEFAULT_TCP, DEFAULT_UDP, Limits, MAX_DATAGRAM};
use tracing::level_filters::LevelFilter;

/// See what TCP and UDP really do: two timestamp servers, and a page that talks to both.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the page, TCP and UDP; this is what happens without a command
    Serve(Serve),
    /// Talk to a TCP timestamp server: what you type goes out without a newline
    Tcp {
        /// Where it listens, as HOST:PORT
        #[arg(default_value = DEFAULT_TCP)]
        server: String,
    },
    /// Talk to a UDP timestamp server: every line is a datagram
    Udp {
        /// Where it listens, as HOST:PORT
        #[arg(default_value = DEFAULT_UDP)]
        server: String,
    },
}

/// Where to listen, and what a session may do.
#[derive(Debug, Args)]
pub struct Serve {
    /// Address of the page, its API and its WebSocket; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS", env = "STREAMGRAM_HTTP", default_value = DEFAULT_HTTP)]
    pub http: SocketAddr,
    /// Address of the TCP timestamp server
    #[arg(long, value_name = "ADDRESS", env = "STREAMGRAM_TCP", default_value = DEFAULT_TCP)]
    pub tcp: SocketAddr,
    /// Address of the UDP timestamp server
    #[arg(long, value_name = "ADDRESS", env = "STREAMGRAM_UDP", default_value = DEFAULT_UDP)]
    pub udp: SocketAddr,
    /// How much to log to standard error: off, error, warn, info, debug
    #[arg(long, value_name = "LEVEL", env = "STREAMGRAM_LOG", default_value = "info")]
    pub log: LevelFilter,
    #[command(flatten)]
    session: SessionLimits,
    #[command(flatten)]
    lab: LabLimits,
}

/// The flags behind [`Limits`].
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits of a session")]
struct SessionLimits {
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

/// The flags behind the limits of emulated paths.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits of emulated paths")]
struct LabLimits {
    /// Emulated paths of all sessions together; one more is refused
    #[arg(long, value_name = "PATHS", env = "STREAMGRAM_LABS",
        default_value_t = Limits::default().labs)]
    labs: usize,
    /// When TCP gives up what nobody acknowledges, in milliseconds
    #[arg(long, value_name = "MS", env = "STREAMGRAM_LAB_GIVE_UP_MS",
        default_value_t = Limits::default().lab_give_up_ms, value_parser = clap::value_parser!(u32).range(1..))]
    lab_give_up_ms: u32,
    /// Packets of a path that are told; those after them are counted
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

impl Cli {
    /// What was asked for.
    #[must_use]
    pub fn command(self) -> Command {
        self.command.unwrap_or(Command::Serve(self.serve))
    }
}

impl Serve {
    /// What a session may do.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let SessionLimits {
            line_bytes,
            burst_lines,
            interval_ms,
            sends_in_progress,
            message_bytes,
            no_reply_ms,
            connect_ms,
        } = self.session;
        let LabLimits { labs, lab_give_up_ms, lab_packets, lab_packets_per_s, lab_lifetime_s } =
            self.lab;
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
}

fn size(least: usize, most: usize) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(least as u64..=most as u64)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        Cli::command_for_update().debug_assert();
    }

    #[test]
    fn without_flags_everything_is_as_the_protocol_says() {
        let Command::Serve(serve) = Cli::parse_from(["streamgram"]).command() else {
            panic!("serving is the default")
        };
        assert_eq!(serve.limits(), Limits::default());
        assert!([serve.http, serve.tcp, serve.udp].iter().all(|at| at.ip().is_loopback()));
    }

    #[test]
    fn a_limit_out_of_range_is_refused() {
        let refused = Cli::try_parse_from(["streamgram", "--line-bytes", "65508"]).unwrap_err();
        assert!(refused.to_string().contains("--line-bytes"), "{refused}");
    }
}
