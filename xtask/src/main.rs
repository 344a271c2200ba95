//! The project's commands: `cargo xtask` lists them.
#![expect(clippy::print_stderr, reason = "a command line tells its user what it does")]

mod audit;
mod bench;
mod circles;
mod conformance;
mod dist;
mod document;
mod fuzz;
mod lessons;
mod machine;
mod page;
mod reproducible;
mod sbom;
mod site;
mod soak;
mod step;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::step::{Plan, cargo};

#[derive(Parser)]
#[command(about, version)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the page and the server, and serve; flags of the server go behind `--`
    Run {
        #[arg(last = true)]
        flags: Vec<String>,
    },
    /// Everything that must pass: format, lints, docs, unit, integration and browser tests
    Test,
    /// The fast half of `test`: format, lints, unit tests
    Check,
    /// Make docs/screenshots anew: every view of the page, in both languages and themes
    Screenshots,
    /// Build target/release/streamgram with the page inside, and say what the page weighs
    Dist {
        /// Build for this target of Rust's, and pack an archive into target/dist
        #[arg(long)]
        target: Option<String>,
    },
    /// Whether Windows and macOS would compile it, without a warning
    Targets,
    /// Whether two folders give the same bytes, for this machine or for another target
    Reproducible {
        #[arg(long)]
        target: Option<String>,
    },
    /// Dependencies: bans, licenses, sources, advisories (fetched, or from a clone of RustSec's)
    Audit { clone: Option<PathBuf> },
    /// Bills of materials of server and page, as CycloneDX, into target/dist
    Sbom {
        /// The server's for this target of Rust's
        #[arg(long)]
        target: Option<String>,
    },
    /// Run every fuzz target, or one, for so many seconds each, on the nightly toolchain
    Fuzz { seconds: u32, target: Option<String> },
    /// Autobahn's cases for WebSockets, against a server that echoes; needs python3 with pip
    Conformance,
    /// Load the release binary with everybody who may come, and see that nothing is left behind
    Soak {
        #[arg(value_parser = clap::value_parser!(u32).range(1..))]
        minutes: u32,
    },
    /// Measure Streamgram beside servers in C and Python and other bridges; needs Linux
    Bench {
        /// Shorter and fewer rounds: half a minute, and figures to match
        #[arg(long)]
        quick: bool,
        #[command(subcommand)]
        what: Option<bench::What>,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Run { flags } => run(&flags),
        Task::Test => test(),
        Task::Check => check(),
        Task::Screenshots => screenshots(),
        Task::Dist { target } => dist::run(target.as_deref()),
        Task::Targets => targets(),
        Task::Reproducible { target } => reproducible::run(target.as_deref()),
        Task::Audit { clone } => audit::run(clone.as_deref()),
        Task::Sbom { target } => sbom::run(target.as_deref()),
        Task::Fuzz { seconds, target } => fuzz::run(seconds, target.as_deref()),
        Task::Conformance => conformance(),
        Task::Soak { minutes } => soak::run(minutes),
        Task::Bench { quick, what } => bench::run(what.as_ref(), quick),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(flags: &[String]) -> Result<()> {
    let mut plan = Plan::of(2);
    plan.step("page", page::build)?;
    plan.command("server", cargo(&["build", "--package", "streamgram"]))?;
    step::become_command(Command::new(machine::binary("debug")).args(flags))
}

/// What the server also runs on, beside Linux.
const TARGETS: [&str; 2] = ["x86_64-pc-windows-gnu", "aarch64-apple-darwin"];

fn targets() -> Result<()> {
    let mut plan = Plan::of(TARGETS.len());
    for target in TARGETS {
        plan.step(target, || {
            machine::rust_target(target)?;
            let mut clippy = cargo(&["clippy", "--workspace", "--all-targets"]);
            step::complete(clippy.args(["--target", target, "--", "-D", "warnings"]))
        })?;
    }
    Ok(())
}

fn conformance() -> Result<()> {
    let mut plan = Plan::of(2);
    let echo = ["build", "--package", "streamgram", "--example", "echo"];
    plan.command("a server that echoes", cargo(&echo))?;
    plan.step("WebSocket conformance", conformance::run)
}

fn check() -> Result<()> {
    let mut plan = Plan::of(5);
    lint(&mut plan)?;
    plan.command("unit tests", cargo(&["test", "--workspace", "--lib", "--bins"]))
}

fn test() -> Result<()> {
    let mut plan = Plan::of(11);
    lint(&mut plan)?;
    let mut docs = cargo(&["doc", "--workspace", "--no-deps", "--document-private-items"]);
    docs.env("RUSTDOCFLAGS", "-D warnings");
    plan.command("docs", docs)?;
    plan.step("page", page::build)?;
    plan.command("server", cargo(&["build", "--package", "streamgram"]))?;
    let binary = machine::binary("debug");
    let mut tests = cargo(&["test", "--workspace"]);
    tests.env("STREAMGRAM_BIN", &binary);
    tests.env("TSHARK", machine::program("tshark", "tshark", "TSHARK")?);
    if cfg!(target_os = "linux") {
        for (program, variable) in
            [("strace", "STRACE"), ("nginx", "NGINX"), ("openssl", "OPENSSL")]
        {
            tests.env(variable, machine::program(program, program, variable)?);
        }
    }
    plan.command("unit and integration tests", tests)?;
    plan.step("what the browser tests need", || {
        machine::npm_packages()?;
        machine::program("nc", "netcat-openbsd", "NC")?;
        machine::program("python3", "python3", "PYTHON3")?;
        machine::chromium().map(drop)
    })?;
    plan.step("the lab's trace in wasm32, equal to the native one", same_trace)?;
    let mut browser = Command::new("node");
    browser.arg("--test").args(machine::browser_tests()?);
    browser.env("STREAMGRAM_BIN", &binary).env("STREAMGRAM_CHROMIUM", machine::chromium()?);
    browser.env("NC", machine::program("nc", "netcat-openbsd", "NC")?);
    browser.env("PYTHON3", machine::program("python3", "python3", "PYTHON3")?);
    plan.command("browser tests", browser)
}

fn screenshots() -> Result<()> {
    let mut plan = Plan::of(3);
    plan.step("page", page::build)?;
    plan.command("server", cargo(&["build", "--package", "streamgram"]))?;
    plan.step("screenshots", || {
        machine::npm_packages()?;
        let mut node = Command::new("node");
        node.arg(machine::root().join("tests/browser/screenshots.mjs"));
        node.arg(machine::root().join("docs/screenshots"));
        node.env("STREAMGRAM_BIN", machine::binary("debug"));
        step::complete(node.env("STREAMGRAM_CHROMIUM", machine::chromium()?))
    })
}

/// Runs a lab in wasm32 and compares the trace with that of this machine.
fn same_trace() -> Result<()> {
    let example = ["--package", "streamgram-lab", "--example", "same_trace"];
    step::complete(cargo(&["build", "--target", machine::WASM]).args(example))?;
    let wasm = machine::target().join(machine::WASM).join("debug/examples/same_trace.wasm");
    let script = machine::root().join("lab/tests/same_trace.mjs");
    step::complete(Command::new("node").arg(script).arg(wasm))
}

/// Format, circles and lints, for the machine and for the browser; four steps.
fn lint(plan: &mut Plan) -> Result<()> {
    plan.command("format", cargo(&["fmt", "--all", "--check"]))?;
    plan.step("no circles between files or folders", || {
        let crates = ["frontend", "lab", "protocol", "server"];
        crates
            .into_iter()
            .try_for_each(|name| circles::check(&machine::root().join(name).join("src")))
    })?;
    let deny = ["--", "-D", "warnings"];
    let mut host = cargo(&["clippy", "--workspace", "--all-targets"]);
    plan.command("lints", {
        host.args(deny);
        host
    })?;
    machine::rust_target(machine::WASM)?;
    let packages = ["streamgram-frontend", "streamgram-lab", "streamgram-sweep"];
    let mut wasm = cargo(&["clippy", "--target", machine::WASM]);
    wasm.args(packages.map(|package| format!("--package={package}")));
    plan.command("lints of page, lab and sweep, for wasm32", {
        wasm.args(deny);
        wasm
    })
}
