//! The project's commands: `cargo xtask` lists them.
#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a command line tells its user what it does"
)]

mod audit;
mod bench;
mod circles;
mod conformance;
mod debian;
mod dist;
mod document;
mod fuzz;
mod installers;
mod lessons;
mod machine;
mod package;
mod page;
mod reproducible;
mod sbom;
mod site;
mod soak;
mod step;
mod tally;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::step::{Plan, cargo, side_by_side};
use crate::tally::Tally;

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
    /// Write a formula for Homebrew and a manifest for Scoop into target/dist, from the archives' sums there
    Installers {
        /// The project's address: <https://github.com/OWNER/NAME>
        #[arg(long)]
        repository: String,
    },
    /// Whether the crates can be published and installed: packs, builds and installs them, and uploads nothing
    Package,
    /// The tests that need neither Linux nor a browser: what Windows and macOS must pass
    Portable,
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
        Task::Installers { repository } => installers::run(&repository),
        Task::Package => package::run(),
        Task::Portable => portable(),
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
    let plan = Plan::of(2);
    plan.step("page", page::build)?;
    plan.command("server", cargo(&["build", "--package", "streamgram"]))?;
    step::become_command(Command::new(machine::binary("debug")).args(flags))
}

/// The two runs of the browser tests.
const BROWSER_TESTS: &str = "browser tests";
const TIMED_TESTS: &str = "browser tests against the clock";
/// Files of the browser tests that run at once, beside the other tests. With four a machine of two cores held up clients
/// that look at what happens within milliseconds, and the others take longer than these anyway.
const AT_ONCE: u32 = 2;

/// What the server also runs on, beside Linux.
const TARGETS: [&str; 2] = ["x86_64-pc-windows-gnu", "aarch64-apple-darwin"];

fn targets() -> Result<()> {
    let plan = Plan::of(TARGETS.len());
    for target in TARGETS {
        plan.step(target, || {
            machine::rust_target(target)?;
            let mut clippy = cargo(&["clippy", "--workspace", "--all-targets"]);
            // Lints link nothing, so the C code of crates need not be compiled for systems whose headers are elsewhere.
            clippy.envs(["CC", "AR"].map(|name| (machine::of_target(name, target), "true")));
            step::complete(clippy.args(["--target", target, "--", "-D", "warnings"]))
        })?;
    }
    Ok(())
}

/// Black-box tests that run on every system: the servers, sessions, the terminal clients, and the server for
/// tests of other programs.
const PORTABLE: [&str; 6] =
    ["bridge", "session", "terminal_clients", "test_server", "timestamp_tcp", "timestamp_udp"];

fn portable() -> Result<()> {
    let plan = Plan::of(3);
    // Black-box tests find it beside them.
    plan.command("server", cargo(&["build", "--package", "streamgram"]))?;
    let crates = ["streamgram-protocol", "streamgram-lab", "streamgram"];
    let mut test = cargo(&["test"]);
    test.args(crates.map(|name| format!("--package={name}")));
    plan.command("tests of protocol, lab and server", test)?;
    let mut test = cargo(&["test", "--package", "streamgram-tests"]);
    test.args(PORTABLE.map(|name| format!("--test={name}")));
    plan.command("servers, sessions and terminal clients", test)
}

fn conformance() -> Result<()> {
    let plan = Plan::of(2);
    let echo = ["build", "--package", "streamgram", "--example", "echo"];
    plan.command("a server that echoes", cargo(&echo))?;
    plan.step("WebSocket conformance", conformance::run)
}

fn check() -> Result<()> {
    let plan = Plan::of(6);
    quick_checks(&plan)?;
    lints(&plan)?;
    let [(name, mut quick), (of_xtask, tests_of_xtask)] = cargo_tests();
    quick.args(["--lib", "--bins"]);
    plan.command(name, quick)?;
    plan.command(of_xtask, tests_of_xtask)
}

fn test() -> Result<()> {
    let plan = Plan::of(13);
    let mut programs = plan.step("what the tests need", || {
        machine::rust_target(machine::WASM)?;
        machine::npm_packages()?;
        machine::programs_of_tests()
    })?;
    quick_checks(&plan)?;
    // The page has a profile, and so a lock of cargo's, of its own. The end of its build takes one processor.
    side_by_side(
        || {
            plan.step("page", page::build)?;
            plan.step("the lab's trace in wasm32, equal to the native one", same_trace)
        },
        || {
            lints(&plan)?;
            plan.command("docs", docs())
        },
    )?;
    // After the page, which it embeds.
    plan.command("server", cargo(&["build", "--package", "streamgram"]))?;

    programs.push(("STREAMGRAM_BIN", machine::binary("debug")));
    let tests = |name: &str, mut runner: Command| {
        plan.step(name, || Tally::of(name, runner.envs(programs.iter().cloned())))
    };
    let (timed, others) = machine::browser_tests()?;
    // Both wait most of the time, once cargo has built its tests.
    let (mut tally, of_browsers) = side_by_side(
        || {
            let mut tally = Tally::default();
            for (name, runner) in cargo_tests() {
                tally.add(tests(name, runner)?);
            }
            Ok(tally)
        },
        || tests(BROWSER_TESTS, node_tests(BROWSER_TESTS, AT_ONCE, &others)),
    )?;
    tally.add(of_browsers);
    tally.add(tests(TIMED_TESTS, node_tests(TIMED_TESTS, 1, &timed))?);
    tally.skip_other_systems()?;
    tally.close();
    Ok(())
}

/// The commands that test everything, and tell everything that fails. What xtask is made of has fewer features by itself
/// than beside the other packages, and would be built again for its own tests.
fn cargo_tests() -> [(&'static str, Command); 2] {
    [
        ("tests", cargo(&["test", "--workspace", "--exclude", "xtask", "--no-fail-fast"])),
        ("tests of xtask", cargo(&["test", "--package", "xtask"])),
    ]
}

fn screenshots() -> Result<()> {
    let plan = Plan::of(3);
    plan.step("page", page::build)?;
    plan.command("server", cargo(&["build", "--package", "streamgram"]))?;
    plan.step("screenshots", || {
        machine::npm_packages()?;
        let mut node = Command::new("node");
        node.arg(machine::root().join("tests/browser/screenshots.mjs"));
        node.arg(machine::root().join("docs/screenshots"));
        node.env("STREAMGRAM_BIN", machine::binary("debug"));
        step::complete(node.env("STREAMGRAM_CHROMIUM", machine::chromium_with_fonts()?))
    })
}

/// The documentation of everything. With the examples, because they need the features that the lints have
/// already built.
fn docs() -> Command {
    let what = ["--lib", "--bins", "--examples", "--document-private-items"];
    let mut docs = cargo(&["doc", "--workspace", "--no-deps"]);
    docs.args(what).env("RUSTDOCFLAGS", "-D warnings");
    docs
}

/// Runs files of the browser tests, so many at once.
fn node_tests(name: &str, at_once: u32, files: &[PathBuf]) -> Command {
    let mut node = Command::new("node");
    node.args(["--test", &format!("--test-concurrency={at_once}")]);
    node.args(["--test-reporter=spec", "--test-reporter-destination=stdout"]);
    let reporter = machine::root().join("tests/browser/skipped.mjs");
    node.arg(format!("--test-reporter={}", reporter.display()));
    node.arg(format!("--test-reporter-destination={}", tally::skipped(name).display()));
    node.args(files);
    node
}

/// Runs a lab in wasm32, built as the page's sweep is, and compares the trace with that of this machine.
fn same_trace() -> Result<()> {
    let profile = ["--target", machine::WASM, "--profile", "wasm-sweep"];
    let example = ["build", "--package", "streamgram-sweep", "--example", "same_trace"];
    let flags = reproducible::encoded(&reproducible::flags()?);
    step::complete(cargo(&example).args(profile).env(reproducible::FLAGS, flags))?;
    let wasm = machine::target().join(machine::WASM).join("wasm-sweep/examples/same_trace.wasm");
    let script = machine::root().join("sweep/examples/same_trace.mjs");
    step::complete(Command::new("node").arg(script).arg(wasm))
}

/// Format and circles; two steps.
fn quick_checks(plan: &Plan) -> Result<()> {
    plan.command("format", cargo(&["fmt", "--all", "--check"]))?;
    plan.step("no circles between files or folders", || {
        let crates = ["frontend", "lab", "protocol", "server"];
        crates
            .into_iter()
            .try_for_each(|name| circles::check(&machine::root().join(name).join("src")))
    })
}

/// Lints, for the machine and for the browser; two steps.
fn lints(plan: &Plan) -> Result<()> {
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
