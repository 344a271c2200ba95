//! The command line: every flag, its environment variable and its default, once.

mod defences;
mod faults;
mod rooms;
mod script;
mod session;
mod sweep;

use std::env;
use std::net::SocketAddr;
use std::thread::available_parallelism;

use clap::builder::{PossibleValuesParser, Resettable, TypedValueParser};
use clap::{
    Arg, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, value_parser,
};
pub use defences::{HttpLimits, TcpLimits, UdpLimits, WebSocketLimits};
pub use faults::{Faulty, FaultyServers, Public};
pub use rooms::{NatsFlags, RoomLimits};
pub use script::{ExpectFlags, RunFlags};
use session::{LabLimits, SessionLimits};
use streamgram_protocol::{DEFAULT_HTTP, DEFAULT_TCP, DEFAULT_UDP, Feed, Limits};
use strum::VariantArray;
pub use sweep::SweepFlags;
use thiserror::Error;
use tracing::level_filters::LevelFilter;

/// KiB of what was seen of raw clients that are kept, if faulty servers are asked for.
const DEFAULT_JOURNAL_KIB: u32 = 4_096;

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
    /// Talk to a UDP timestamp server: every line is a datagram. The status is 1 if nobody listens
    Udp {
        /// Where it listens, as HOST:PORT
        #[arg(default_value = DEFAULT_UDP)]
        server: String,
    },
    /// See what loss does to TCP and UDP: emulated, in simulated time, no server needed
    Sweep(SweepFlags),
    /// Run a share link's scenario without a browser, against a server of its own. The status is 1 if it could not
    Run(RunFlags),
    /// Check clients and scenarios as a file says, against servers of its own. The status is 1 if a check fails,
    /// and 2 if the file is wrong
    Expect(ExpectFlags),
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
    /// Of which raw clients, those that come to TCP and UDP without the page, a session is told that
    /// asks for it: of those at its own address, of all, or of none
    #[arg(long, env = "STREAMGRAM_FEED", default_value = Feed::Own.name(), value_parser = feed())]
    pub feed: Feed,
    /// Whether packets of TCP and UDP are captured for sessions that ask for them: `auto` where the system permits it
    /// (on Linux, with CAP_NET_RAW, which is given up at once), or not
    #[arg(long, value_name = "MODE", env = "STREAMGRAM_CAPTURE", default_value = "auto")]
    pub capture: CaptureMode,
    /// Packets that are captured per second, a fifth of it at once; over loopback each counts twice. Above it the
    /// system drops them, and that is counted
    #[arg(long, value_name = "PACKETS", env = "STREAMGRAM_CAPTURE_PER_S", default_value_t = 50_000,
        value_parser = value_parser!(u32).range(10..))]
    pub capture_per_s: u32,
    /// Memory for what TCP and UDP, the faulty ones too, saw of raw clients, in KiB: GET /api/clients answers with
    /// it. 0 keeps nothing. By default 4096 with faulty servers, and 0 without; what came first goes first
    #[arg(long, value_name = "KIB", env = "STREAMGRAM_JOURNAL_KIB", value_parser = value_parser!(u32).range(0..=1 << 20))]
    pub journal_kib: Option<u32>,
    /// Threads that serve the page and sessions, 1 to 1024; TCP and UDP have one each of their own. By default
    /// half of the machine's cores, at least one
    #[arg(long, value_name = "THREADS", env = "STREAMGRAM_THREADS", value_parser = value_parser!(u16).range(1..=1_024))]
    pub threads: Option<u16>,
    /// Memory that the server may take, in MiB. By default, on Linux, what its control group or the machine
    /// has; without a limit elsewhere. Sessions and connections are limited to what fits
    #[arg(long, value_name = "MIB", env = "STREAMGRAM_MEMORY_MIB", value_parser = value_parser!(u64).range(64..=1 << 30))]
    pub memory_mib: Option<u64>,
    /// Only check the flags, the environment and the files that they name: say whether they are valid, and end
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
    /// Servers whose replies go wrong on purpose.
    #[command(flatten)]
    pub faulty: FaultyServers,
    /// How many rooms and members there may be, and how fast each may ask.
    #[command(flatten)]
    pub room_limits: RoomLimits,
    /// The store through which several servers have the same rooms.
    #[command(flatten)]
    pub nats: NatsFlags,
}

/// Whether packets are captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CaptureMode {
    /// Where the system permits it.
    Auto,
    /// Never.
    Off,
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
    /// Reads the command line and the environment. An empty variable is none, and variables are of serving:
    /// the other commands do not look at them. Where it cannot be read, this says why and ends the process.
    #[must_use]
    pub fn read() -> Self {
        let command = <Self as CommandFactory>::command();
        let first = env::args_os().nth(1);
        let is_named = first.is_some_and(|first| command.find_subcommand(first).is_some());
        let command = command
            .mut_args(|arg| if is_named { arg.env(Resettable::Reset) } else { without_empty(arg) })
            .mut_subcommand("serve", |serve| serve.mut_args(without_empty));
        Self::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
    }

    /// What was asked for.
    #[must_use]
    pub fn command(self) -> Command {
        self.command.unwrap_or(Command::Serve(Box::new(self.serve)))
    }
}

/// Flags that cannot be served together.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Conflict {
    /// Two listeners that cannot both be bound.
    #[error("{one} {at} and {other} {also} are the same address")]
    SameAddress {
        /// The flag of one of them.
        one: &'static str,
        /// Its address.
        at: SocketAddr,
        /// The flag of the other.
        other: &'static str,
        /// Its address.
        also: SocketAddr,
    },
    /// A faulty server that others could reach.
    #[error(transparent)]
    Public(#[from] Public),
}

impl Serve {
    /// On free ports of loopback, and everything else as it is by default, whatever the environment says.
    ///
    /// # Errors
    /// A default is none, which a test excludes.
    pub fn on_free_ports() -> Result<Self, clap::Error> {
        let command = <Cli as CommandFactory>::command();
        let command = command.mut_args(|arg| arg.env(Resettable::Reset));
        let ports = ["streamgram", "--http=127.0.0.1:0", "--tcp=127.0.0.1:0", "--udp=127.0.0.1:0"];
        Self::from_arg_matches(&command.try_get_matches_from(ports)?)
    }

    /// Checks flags against each other.
    ///
    /// # Errors
    /// Two TCP listeners have one address, or others could reach a faulty server.
    pub fn validate(&self) -> Result<(), Conflict> {
        self.faulty.check()?;
        let admin = self.admin.map(|at| ("--admin", at));
        let faulty = self.faulty.fault_tcp.iter().map(|faulty| ("--fault-tcp", faulty.address));
        let mut before: Vec<(&'static str, SocketAddr)> = Vec::new();
        for (other, also) in
            [("--http", self.http), ("--tcp", self.tcp)].into_iter().chain(admin).chain(faulty)
        {
            if let Some(&(one, at)) = before.iter().find(|(_, at)| collide(*at, also)) {
                return Err(Conflict::SameAddress { one, at, other, also });
            }
            before.push((other, also));
        }
        Ok(())
    }

    /// Bytes of what was seen of raw clients that are kept. Whoever starts a faulty server tests a client with it, and
    /// wants to know; to the others it would be a cost of every reply.
    #[must_use]
    pub fn journal_bytes(&self) -> usize {
        let default = if self.faulty.is_empty() { 0 } else { DEFAULT_JOURNAL_KIB };
        self.journal_kib.unwrap_or(default) as usize * 1_024
    }

    /// Threads that serve the page and sessions.
    #[must_use]
    pub fn threads(&self) -> usize {
        let half = || available_parallelism().map_or(1, |cores| cores.get() / 2);
        self.threads.map_or_else(half, usize::from).max(1)
    }

    /// What a session may do.
    #[must_use]
    pub fn limits(&self) -> Limits {
        session::limits(&self.session, &self.lab)
    }
}

/// The same argument without its environment variable, if that is empty.
fn without_empty(arg: Arg) -> Arg {
    let is_empty = arg.get_env().and_then(env::var_os).is_some_and(|value| value.is_empty());
    if is_empty { arg.env(Resettable::Reset) } else { arg }
}

fn feed() -> impl TypedValueParser<Value = Feed> {
    let names = Feed::VARIANTS.iter().map(|feed| feed.name());
    PossibleValuesParser::new(names).try_map(|name| name.parse())
}

/// Whether only one of two addresses can be bound. Port 0 is a different port each time.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    // `[::]` is every address of IPv4 too.
    let covers = |wide: SocketAddr, other: SocketAddr| {
        wide.ip().is_unspecified() && (wide.is_ipv6() || other.is_ipv4())
    };
    one.port() != 0
        && one.port() == other.port()
        && (one == other || covers(one, other) || covers(other, one))
}

#[cfg(test)]
mod tests {
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
        assert_eq!((serve.limits(), serve.feed), (Limits::default(), Feed::default()));
        assert!([serve.http, serve.tcp, serve.udp].iter().all(|at| at.ip().is_loopback()));
    }

    #[test]
    fn two_listeners_at_one_address_are_refused() {
        let validate = |flags: [&str; 3]| {
            let args = [&["streamgram", "--http=127.0.0.1:1"], flags.as_slice()].concat();
            let Command::Serve(serve) = Cli::parse_from(args).command() else { panic!() };
            serve.validate().map_err(|same| same.to_string())
        };
        let same = |one, other| Err(format!("{one} and {other} are the same address"));
        let [tcp, udp, admin] = ["--tcp=127.0.0.1:2", "--udp=127.0.0.1:1", "--admin=127.0.0.1:3"];
        assert_eq!(validate([tcp, udp, admin]), Ok(()));
        assert_eq!(validate(["--tcp=127.0.0.1:0", udp, "--admin=127.0.0.1:0"]), Ok(()));
        let tcp_too = validate(["--tcp=127.0.0.1:1", udp, admin]);
        assert_eq!(tcp_too, same("--http 127.0.0.1:1", "--tcp 127.0.0.1:1"));
        assert_eq!(validate([tcp, udp, "--admin=[::1]:2"]), Ok(()));
        assert_eq!(validate(["--tcp=[::1]:9", udp, "--admin=0.0.0.0:9"]), Ok(()));
        assert_eq!(validate(["--tcp=[fe80::1%1]:9", udp, "--admin=[fe80::1%2]:9"]), Ok(()));
        let v6_too = validate(["--tcp=[::1]:9", udp, "--admin=[::]:9"]);
        assert_eq!(v6_too, same("--tcp [::1]:9", "--admin [::]:9"));
        let v4_too = validate(["--tcp=[::]:9", udp, "--admin=127.0.0.1:9"]);
        assert_eq!(v4_too, same("--tcp [::]:9", "--admin 127.0.0.1:9"));
        let admin_too = validate([tcp, udp, "--admin=0.0.0.0:2"]);
        assert_eq!(admin_too, same("--tcp 127.0.0.1:2", "--admin 0.0.0.0:2"));
    }

    #[test]
    fn a_limit_out_of_range_is_refused() {
        for (flag, value) in [("--line-bytes", "65508"), ("--threads", "0"), ("--threads", "1025")]
        {
            let refused = Cli::try_parse_from(["streamgram", flag, value]).unwrap_err();
            assert!(refused.to_string().contains(flag), "{refused}");
        }
    }

    #[test]
    fn there_is_a_thread_on_every_machine_and_as_many_as_are_asked_for() {
        let threads = |flags: &[&str]| {
            let Command::Serve(serve) = Cli::parse_from(flags).command() else { panic!() };
            serve.threads()
        };
        let cores = available_parallelism().map_or(1, usize::from);
        assert_eq!(threads(&["streamgram"]), (cores / 2).max(1));
        assert_eq!(threads(&["streamgram", "--threads=1024"]), 1_024);
    }
}
