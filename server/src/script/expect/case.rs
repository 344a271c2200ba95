//! Does what a case says, and compares what came of it with what must.

use std::fmt::Display;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use streamgram_protocol::{Protocol, printable};
use tokio::time::sleep;

use super::command::{self, OUTPUT_BYTES, Output, Ran};
use super::file::{Case, Checks, Deed};
use super::number::Number;
use super::seen::Seen;
use super::text::{self, Text};
use crate::config::Serve;
use crate::observe::{Machine, Wanted};
use crate::script::figures::{self, Counter};
use crate::script::link;
use crate::script::own_server::OwnServer;
use crate::script::play::{Played, play};
use crate::session::Recall;

/// How long the servers may take to see the end of a client that has ended.
const SEEN_PATIENCE: Duration = Duration::from_secs(2);
/// How long nothing must be seen before that is all.
const QUIET: Duration = Duration::from_millis(50);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(10);
/// Bytes of each output that stand in JUnit's XML; those behind them are left out there.
const REPORTED_BYTES: usize = 64 * 1_024;
/// Characters that are shown of a text.
const SHOWN_CHARS: usize = 2_000;

/// What came of a case.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) name: String,
    pub(super) took: Duration,
    /// What is not as it must be; it is ok if there is nothing.
    pub(super) differences: Vec<Difference>,
    /// What the servers saw, or the figures.
    pub(super) observations: Vec<String>,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

/// Something that is not as it must be.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) what: String,
    pub(super) expected: String,
    pub(super) seen: String,
}

impl Case {
    /// Does it. Whatever goes wrong is a difference.
    pub(super) async fn outcome(&self) -> Outcome {
        let began = Instant::now();
        let mut outcome = match self.carry_out().await {
            Ok(outcome) => outcome,
            Err(error) => Outcome {
                differences: vec![Difference {
                    what: "the case".into(),
                    expected: "it can be run".into(),
                    seen: format!("{error:#}"),
                }],
                ..Outcome::of(&self.name)
            },
        };
        outcome.took = began.elapsed();
        outcome
    }

    async fn carry_out(&self) -> anyhow::Result<Outcome> {
        // A server of its own, so that its connections count from 0 and its faults are the same every time.
        let server = OwnServer::start(self.recipe.as_slice()).await?;
        let outcome = match &self.deed {
            Deed::Command { protocol, run, stdin } => {
                self.of_command(&server, *protocol, run, stdin.clone()).await
            }
            Deed::Scenario(scenario) => {
                let limits = Serve::on_free_ports()?.limits();
                let scenario = link::read(scenario, &limits)?;
                let sends = link::sends(&scenario, &limits)?;
                let deadline = Some(self.deadline);
                Ok(self.of_run(&play(&server, &scenario, sends, deadline, |_| true).await))
            }
            Deed::Given => Err(anyhow!("it checks a run: streamgram run SCENARIO --expect FILE")),
        };
        server.stop().await?;
        outcome
    }

    async fn of_command(
        &self,
        server: &OwnServer,
        protocol: Protocol,
        run: &[String],
        stdin: Vec<u8>,
    ) -> anyhow::Result<Outcome> {
        let ran = command::run(run, server.address(protocol), stdin, self.deadline).await;
        let ran = ran.map_err(|error| anyhow!("cannot start {:?}: {error}", run[0]))?;
        let seen = everything_seen(server).await;
        let mut outcome = Outcome::of(&self.name);
        outcome.compare_command(&ran, &self.checks, self.deadline);
        outcome.compare_seen(&seen, &self.checks);
        outcome.observations = seen.lines();
        (outcome.stdout, outcome.stderr) = (ran.stdout.kept, ran.stderr.kept);
        // All cases are kept until the last has ended.
        for output in [&mut outcome.stdout, &mut outcome.stderr] {
            output.truncate(REPORTED_BYTES);
        }
        Ok(outcome)
    }

    /// Compares a run with the figures that there must be.
    pub(super) fn of_run(&self, played: &Played) -> Outcome {
        let mut outcome = Outcome::of(&self.name);
        if let Some(problem) = &played.problem {
            outcome.differs("the session", &"it can do all of it", problem);
        }
        if !played.is_settled {
            let expected = "every line is answered or given up before it";
            outcome.differs("the deadline", &expected, &"some are not");
        }
        for protocol in Protocol::BOTH {
            let tcp = protocol == Protocol::Tcp;
            let checks = if tcp { &self.checks.tcp } else { &self.checks.udp };
            let figures = played.figures.of(protocol);
            for (figure, number) in checks {
                let of = |figure| figures.as_ref().and_then(|of| of.get(&figure).copied());
                let most = of(figures::Figure::Lines).unwrap_or_default();
                let what = format!("{} {}", protocol.name(), <&str>::from(figure));
                match of(*figure) {
                    Some(seen) if number.is(seen, most) => {}
                    Some(seen) => outcome.differs(&what, number, &seen),
                    None => outcome.differs(&what, number, &"nothing: this run does not tell it"),
                }
            }
        }
        outcome.observations = figure_lines(&played.figures);
        outcome
    }
}

impl Outcome {
    fn of(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            took: Duration::ZERO,
            differences: Vec::new(),
            observations: Vec::new(),
            stdout: Vec::new(),
            stderr: Vec::new(),
        }
    }

    fn differs(&mut self, what: &str, expected: &dyn Display, seen: &dyn Display) {
        let (expected, seen) = (expected.to_string(), seen.to_string());
        self.differences.push(Difference { what: what.to_owned(), expected, seen });
    }

    fn compare_command(&mut self, ran: &Ran, checks: &Checks, deadline: Duration) {
        match (ran.status, checks.status) {
            (None, _) => {
                let ms = deadline.as_millis();
                let seen = format!("it was killed after {} ms", ran.took.as_millis());
                self.differs("the command", &format!("it ends within {ms} ms"), &seen);
            }
            (Some(status), Some(number)) => {
                let code = status.code().and_then(|code| u64::try_from(code).ok());
                // No status but 0 is as good as could be.
                if !code.is_some_and(|code| number.is(code, 0)) {
                    self.differs("exit status", &number, &status);
                }
            }
            (Some(_), None) => {}
        }
        for (what, check, output) in [
            ("standard output", &checks.stdout, &ran.stdout),
            ("standard error", &checks.stderr, &ran.stderr),
        ] {
            self.compare_text(what, check.as_ref(), output);
        }
    }

    fn compare_seen(&mut self, seen: &Seen, checks: &Checks) {
        for (figure, number) in &checks.seen {
            if !seen.is(*figure, *number) {
                let name = <&str>::from(figure).replace('_', " ");
                self.differs(
                    &format!("{name}, as the server saw it"),
                    number,
                    &seen.shown(*figure),
                );
            }
        }
        let sent = Output { kept: seen.sent.clone(), more: 0 };
        self.compare_text("what the client sent", checks.sent.as_ref(), &sent);
    }

    fn compare_text(&mut self, what: &str, check: Option<&Text>, output: &Output) {
        let Some(Text { equals, contains }) = check else { return };
        let behind = match output.more {
            0 => String::new(),
            more => format!(" … and {more} bytes behind the first {OUTPUT_BYTES}"),
        };
        let seen = || shown(&output.kept) + &behind;
        let is_equal = |pattern: &str| text::equals(&output.kept, pattern) && output.more == 0;
        if let Some(pattern) = equals.as_ref().filter(|pattern| !is_equal(pattern)) {
            self.differs(what, &shown(pattern.as_bytes()), &seen());
        }
        for pattern in contains.iter().filter(|pattern| !text::contains(&output.kept, pattern)) {
            let what = format!("{what}, somewhere");
            self.differs(&what, &shown(pattern.as_bytes()), &seen());
        }
    }
}

/// What the servers saw of a client that has ended: all of it, as far as that can be known.
async fn everything_seen(server: &OwnServer) -> Seen {
    let look = || {
        let feed = &server.observer.feed;
        // Its own server keeps a journal, and this is its own machine.
        let recall = Recall::of(feed, Some(Machine::Loopback), Wanted::default());
        Seen::of(recall.map(Iterator::collect).unwrap_or_default())
    };
    let began = Instant::now();
    let (mut seen, mut since) = (look(), began);
    while began.elapsed() < SEEN_PATIENCE {
        let all_ended = Number::Exactly(0);
        if since.elapsed() >= QUIET && seen.is(super::seen::Figure::Open, all_ended) {
            break;
        }
        sleep(LOOK).await;
        let now = look();
        if now.len() > seen.len() {
            since = Instant::now();
        }
        seen = now;
    }
    seen
}

/// The figures of a run, a line each.
fn figure_lines(counter: &Counter) -> Vec<String> {
    let legs = counter.all();
    let line = |(protocol, figures): (&&str, &figures::OfLeg)| {
        let figures = figures.iter().map(|(name, n)| format!("{} {n}", <&str>::from(name)));
        format!("{}: {}", protocol.to_uppercase(), figures.collect::<Vec<_>>().join(", "))
    };
    legs.iter().map(line).collect()
}

/// A text as it can be printed, with its beginning if it is long.
fn shown(text: &[u8]) -> String {
    let shown = printable(text);
    match shown.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}… ({} bytes)", &shown[..end], text.len()),
        None if shown.is_empty() => "nothing".into(),
        None => shown,
    }
}
