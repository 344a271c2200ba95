//! The flags of `streamgram run` and `streamgram expect`.

use std::path::PathBuf;

use clap::Args;
use streamgram_protocol::fault::{TcpRecipe, UdpRecipe};

/// Which scenario, against which servers, and what is printed of it.
#[derive(Debug, Args)]
pub struct RunFlags {
    /// A share link, or what stands behind its #
    #[arg(value_name = "SCENARIO")]
    pub link: String,
    /// Print every event as a session reports it, a line each, and the figures as the last line
    #[arg(long)]
    pub json: bool,
    /// Check the figures: the cases of this file that name neither a command nor a scenario
    #[arg(long, value_name = "FILE")]
    pub expect: Option<PathBuf>,
    /// With --expect: write the outcome as JUnit XML too
    #[arg(long, value_name = "FILE", requires = "expect")]
    pub junit: Option<PathBuf>,
    /// How long it may take until every line is answered or given up, in seconds, 1 to 3600. By default 30 and
    /// the pauses between the lines
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub deadline_s: Option<u32>,
    /// Make the replies over TCP go wrong: a recipe of docs/faults.md
    #[arg(long, value_name = "RECIPE", value_parser = tcp)]
    pub fault_tcp: Option<TcpRecipe>,
    /// Make the replies over UDP go wrong
    #[arg(long, value_name = "RECIPE", value_parser = udp)]
    pub fault_udp: Option<UdpRecipe>,
}

/// Which checks, and of which command.
#[derive(Debug, Args)]
pub struct ExpectFlags {
    /// A file of checks, as docs/testing.md describes it
    pub file: PathBuf,
    /// Write the outcome as JUnit XML too
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// The command to check, behind --, in place of those in the file; {host} and {port} stand for the server
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

fn tcp(text: &str) -> Result<TcpRecipe, String> {
    TcpRecipe::read(text).map_err(|wrong| wrong.to_string())
}

fn udp(text: &str) -> Result<UdpRecipe, String> {
    UdpRecipe::read(text).map_err(|wrong| wrong.to_string())
}
