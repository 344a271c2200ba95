//! Arguments, logging, signals, exit status; everything else is the library's.

use std::io::{self, Write, stderr, stdout};
use std::process::ExitCode;

use anyhow::Context;
use streamgram::Server;
use streamgram::capture::Opened;
use streamgram::config::{Cli, Command, Serve};
use streamgram::operate::logs;
use streamgram::room::Store;
use streamgram::script::{expect, run as scenario};
use streamgram::serve::process;
use streamgram::terminal::{client, sweep};
use tokio::runtime;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

fn main() -> ExitCode {
    let done = match Cli::read().command() {
        Command::Serve(config) => serve(*config).map(|()| ExitCode::SUCCESS),
        Command::Tcp { server } => client::tcp(&server).map(|()| ExitCode::SUCCESS),
        Command::Udp { server } => client::udp(&server),
        Command::Sweep(flags) => sweep::run(flags.setting(), flags.csv).map(|()| ExitCode::SUCCESS),
        Command::Run(flags) => with_servers(scenario::run(flags)),
        Command::Expect(flags) => with_servers(expect::run(flags)),
    };
    match done {
        Ok(status) => status,
        Err(error) => {
            // If standard error is closed, there is nowhere to report it.
            let _said = writeln!(stderr(), "streamgram: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn serve(config: Serve) -> anyhow::Result<()> {
    config.validate()?;
    if config.check {
        Store::check(&config.nats)?;
        return print("the configuration is valid");
    }
    // While there is one thread: the permission is given up for it and for those that it starts.
    let capture = Opened::new(config.capture, config.capture_per_s);
    process::check(config.threads())?;
    let mut runtime = runtime::Builder::new_multi_thread();
    runtime.worker_threads(config.threads()).enable_all().build()?.block_on(run(config, capture))
}

/// Does something with servers of its own.
fn with_servers(what: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    let threads = Serve::on_free_ports()?.threads();
    process::check(threads)?;
    runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()?
        .block_on(what)
}

async fn run(config: Serve, capture: Opened) -> anyhow::Result<()> {
    let log = logs::start(config.log, config.log_format);
    // Before the addresses are printed: whoever reads them may send a signal at once.
    let asked_to_stop = asked_to_stop()?;
    let server = Server::bind(config, capture).await?;
    let addresses = server.addresses();
    print(&serde_json::to_string(&addresses)?)?;
    info!("{addresses}");

    let stop = CancellationToken::new();
    let running = server.run(stop.clone());
    tokio::pin!(running);
    tokio::select! {
        ended = &mut running => return Ok(ended?),
        () = asked_to_stop => {}
    }
    info!("stopping");
    stop.cancel();
    running.await?;
    if log.lost() > 0 {
        warn!(lines = log.lost(), "standard error did not take all of the log");
    }
    Ok(())
}

/// Prints a line for whoever started this.
fn print(line: &str) -> anyhow::Result<()> {
    writeln!(stdout(), "{line}").context("cannot write to standard output")
}

/// Ctrl-C or SIGTERM, from now on.
#[cfg(unix)]
fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _signal = terminate.recv() => {}
            _signal = interrupt.recv() => {}
        }
    })
}

/// Ctrl-C, from now on.
#[cfg(not(unix))]
fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}
