//! Benchmarks: builds Streamgram, its load and the servers in C, installs the other servers into
//! `target/bench`, and hands over to `tests/src/bin/bench`. What cannot be had is named, and left out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use clap::Subcommand;

use crate::step::{Plan, become_command, cargo, complete};
use crate::{dist, machine, page};

/// The bridges, pinned: another version is another bar. What websocat is made of is not: of what its
/// lock file has, not everything compiles any more.
const WEBSOCAT: [&str; 3] = ["install", "websocat@1.14.0", "--root"];
const WEBSOCKIFY: &str = "websockify==0.13.0";

/// What to measure, if not everything that has a bar.
#[derive(Subcommand)]
pub(crate) enum What {
    /// Two binaries in turns; fails if the new one is worse
    Compare { old: PathBuf, new: PathBuf },
    /// The round trips of a burst beside those of a Python client; fails if ours are longer than they may be
    Burst,
    /// How cost grows from 1 client to as many as the machine allows, into docs/scale.svg
    Scale,
    /// What a room costs, from 1 member to 2,000 and at 1 to 4 servers, into docs/rooms.svg
    Rooms,
}

/// Builds what is needed, and hands over to the load.
pub(crate) fn run(what: Option<&What>, quick: bool) -> Result<()> {
    let folder = machine::target().join("bench");
    fs::create_dir_all(&folder)?;
    let plan = Plan::of(if matches!(what, Some(What::Compare { .. })) { 2 } else { 4 });
    let load = ["build", "--release", "--package", "streamgram-tests", "--bin", "bench"];
    plan.command("load", cargo(&load))?;
    let mut bench = Command::new(machine::binary("release").with_file_name("bench"));
    bench.env("STREAMGRAM_BIN", machine::binary("release"));
    match what {
        Some(What::Compare { old, new }) => {
            bench.arg("compare").args([old, new]);
        }
        Some(What::Scale) => {
            bench.args([Path::new("scale"), &folder, &machine::root().join("docs/scale.svg")]);
        }
        Some(What::Rooms) => {
            let nats = machine::NATS_SERVER;
            bench.env(nats.variable, nats.path()?);
            bench.args([Path::new("rooms"), &folder, &machine::root().join("docs/rooms.svg")]);
        }
        Some(What::Burst) => {
            bench.arg("burst").arg(machine::PYTHON_WITH_VENV.path()?);
        }
        None => {
            bench.arg("run").arg(&folder);
        }
    }
    if quick {
        bench.arg("--quick");
    }
    if !matches!(what, Some(What::Compare { .. })) {
        plan.step("page", page::build)?;
        plan.step("server", || dist::build(None))?;
    }
    if what.is_none() {
        others(&folder, &mut bench);
    }
    plan.step("measurements", || become_command(&mut bench))
}

/// Whom Streamgram is compared with, and what counts beside the clock.
fn others(folder: &Path, bench: &mut Command) {
    let named = |what: &str, had: Result<()>| {
        if let Err(error) = had {
            eprintln!("left out: {what}: {error:#}");
        }
    };
    named("first load of the page", first_load(bench));
    named("servers in C", compile(folder));
    named("websocat", websocat(&folder.join("tools")));
    named("servers in Python, websockify", websockify(&folder.join("venv")));
    for program in [machine::STRACE, machine::VALGRIND] {
        named(program.variable, program.path().map(|found| _ = bench.env(program.variable, found)));
    }
}

/// A browser, and what drives it.
fn first_load(bench: &mut Command) -> Result<()> {
    machine::npm_packages()?;
    bench.env("STREAMGRAM_CHROMIUM", machine::CHROMIUM.path()?);
    bench.env("FIRST_LOAD", machine::root().join("tests/browser/first_load.mjs"));
    Ok(())
}

fn compile(folder: &Path) -> Result<()> {
    let cc = machine::CC.path()?;
    let sources = machine::root().join("tests/bench");
    for server in ["tcp", "udp"] {
        let mut cc = Command::new(&cc);
        cc.args(["-O2", "-o"]).arg(folder.join(server));
        complete(cc.arg(sources.join(server).with_extension("c")))?;
    }
    Ok(())
}

fn websocat(root: &Path) -> Result<()> {
    if root.join("bin/websocat").is_file() {
        return Ok(());
    }
    complete(cargo(&WEBSOCAT).arg(root))
}

/// A Python of our own, with websockify.
fn websockify(environment: &Path) -> Result<()> {
    if environment.join("bin/websockify").is_file() {
        return Ok(());
    }
    let python = machine::PYTHON_WITH_VENV.path()?;
    complete(Command::new(python).args(["-m", "venv"]).arg(environment))?;
    let mut pip = Command::new(environment.join("bin/pip"));
    complete(pip.args(["install", "--quiet", WEBSOCKIFY]))
}
