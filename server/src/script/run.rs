//! `streamgram run`: a share link's scenario without a browser, as JSON Lines or as a summary.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Write, stdout};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Serialize;
use streamgram_protocol::{Protocol, Scenario};

use super::expect;
use super::figures::{Counter, Figure, OfLeg};
use super::link;
use super::own_server::{OwnServer, Recipe};
use super::play::{Played, play};
use crate::config::{RunFlags, Serve};

/// `{"figures":{"tcp":{…}},"settled":true}`: the last line.
#[derive(Debug, Serialize)]
struct Last {
    figures: BTreeMap<&'static str, OfLeg>,
    settled: bool,
}

/// Runs a scenario, and prints what came of it.
///
/// # Errors
/// It could not be run, or did not settle before its deadline.
pub async fn run(flags: RunFlags) -> anyhow::Result<ExitCode> {
    // Before anything is sent: a file that is wrong is no run.
    let checks = match flags.expect.as_deref().map(expect::of_figures).transpose() {
        Ok(checks) => checks,
        Err(wrong) => return Ok(wrong.told()),
    };
    let limits = Serve::on_free_ports()?.limits();
    let scenario = link::read(&flags.link, &limits)?;
    let sends = link::sends(&scenario, &limits)?;
    let tcp = flags.fault_tcp.map(Recipe::Tcp);
    let recipes: Vec<_> = tcp.into_iter().chain(flags.fault_udp.map(Recipe::Udp)).collect();
    let server = OwnServer::start(&recipes).await?;
    let deadline = flags.deadline_s.map(|s| Duration::from_secs(s.into()));
    let mut written = Ok(());
    let played = play(&server, &scenario, sends, deadline, |events| {
        if flags.json && written.is_ok() {
            written = writeln!(stdout(), "{events}");
        }
        written.is_ok()
    })
    .await;
    server.stop().await?;
    let told = written.and_then(|()| tell(&played, &scenario, flags.json));
    match told {
        // Whoever reads it has had enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
        told => told.context("cannot write to standard output")?,
    }
    if let Some(problem) = played.problem {
        bail!("the session could not do all of it: {problem}");
    }
    if let Some(checks) = checks {
        return checks.check(&played, flags.junit.as_deref(), flags.json);
    }
    if !played.is_settled {
        bail!("not every line was answered or given up before the deadline");
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(played: &Played, scenario: &Scenario, is_json: bool) -> io::Result<()> {
    let mut out = stdout();
    if is_json {
        let last = Last { figures: played.figures.all(), settled: played.is_settled };
        return writeln!(out, "{}", serde_json::to_string(&last)?);
    }
    write!(out, "{}", summary(&played.figures, scenario))
}

/// The figures for a person.
fn summary(figures: &Counter, scenario: &Scenario) -> String {
    let path = if scenario.link.is_some() { "an emulated path" } else { "the direct path" };
    let mut text = String::new();
    for protocol in scenario.to.protocols() {
        let Some(of) = figures.of(*protocol) else { continue };
        let name = protocol.name();
        let n = |figure| of.get(&figure).copied().unwrap_or_default();
        let server = if *protocol == Protocol::Tcp { "reads" } else { "datagrams" };
        text += &format!("{name} over {path}\n");
        let (lines, answered) = (n(Figure::Lines), n(Figure::Answered));
        let (late, none) = (n(Figure::Late), n(Figure::NoReply));
        let late = if late > 0 { format!(" ({late} of them late)") } else { String::new() };
        text += &format!(
            "  lines           {lines} sent, {answered} answered{late}, {none} without a reply in time\n"
        );
        text += &format!("  server          {} {server}\n", n(Figure::ServerReads));
        text += &format!("  replies         {} reads\n", n(Figure::ReplyReads));
        if of.contains_key(&Figure::RttMedianUs) {
            let figures = [Figure::RttMedianUs, Figure::RttMinUs, Figure::RttMaxUs];
            let [median, min, max] = figures.map(|figure| ms(n(figure)));
            text += &format!("  round trips     median {median} ms, {min} to {max} ms\n");
        }
        if of.contains_key(&Figure::Packets) {
            let (packets, lost) = (n(Figure::Packets), n(Figure::LostPackets));
            let again = n(Figure::Retransmissions);
            text += &format!("  packets         {packets}, {lost} lost, {again} sent again\n");
        }
        if n(Figure::Faults) > 0 {
            text += &format!("  faults          {}\n", n(Figure::Faults));
        }
    }
    text
}

/// Microseconds as milliseconds.
fn ms(us: u64) -> String {
    format!("{}.{:03}", us / 1_000, us % 1_000)
}
