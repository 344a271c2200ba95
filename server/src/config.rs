//! The command line: every flag, its environment variable and its default, once.

mod defences;
mod session;

use std::net::SocketAddr;

use clap::{Args, Parser, Subcommand, ValueEnum};
pub use defences::{HttpLimits, TcpLimits, UdpLimits, WebSocketLimits};
use session::{LabLimits, SessionLimits};
use streamgram_protocol::{DEFAULT_HTTP, DEFAULT_TCP, DEFAULT_UDP, Limits};
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
    Serve(Box<Serve>),
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
    /// Address for the operator: /metrics in Prometheus' format, /healthz, /readyz; none by default
    #[arg(long, value_name = "ADDRESS", env = "STREAMGRAM_ADMIN")]
    pub admin: Option<SocketAddr>,
    /// Only check the flags and the environment: say what is wrong, or that all is well, and end
    #[arg(long)]
    pub check: bool,
    /// How much to log to standard error: off, error, warn, info, debug
    #[arg(long, value_name = "LEVEL", env = "STREAMGRAM_LOG", default_value = "info")]
    pub log: LevelFilter,
    /// How a line of the log looks
    #[arg(long, value_name = "FORMAT", env = "STREAMGRAM_LOG_FORMAT", default_value = "human")]
    pub log_format: LogFormat,
    #[command(flatten)]
    session: SessionLimits,
    #[command(flatten)]
    lab: LabLimits,
    /// Who may ask for the page, and how many at a time.
    #[command(flatten)]
    pub http_limits: HttpLimits,
    /// How many sessions there may be, and how fast each may ask.
    #[command(flatten)]
    pub websocket_limits: WebSocketLimits,
    /// How many TCP clients there may be, and for how long.
    #[command(flatten)]
    pub tcp_limits: TcpLimits,
    /// How often a datagram is answered.
    #[command(flatten)]
    pub udp_limits: UdpLimits,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text for a person.
    Human,
    /// An object for a program.
    Json,
}

impl Cli {
    /// What was asked for.
    #[must_use]
    pub fn command(self) -> Command {
        self.command.unwrap_or(Command::Serve(Box::new(self.serve)))
    }
}

impl Serve {
    /// What a session may do.
    #[must_use]
    pub fn limits(&self) -> Limits {
        session::limits(&self.session, &self.lab)
    }
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
