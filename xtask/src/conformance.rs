//! Autobahn's cases for WebSockets (RFC 6455), against `server/examples/echo.rs`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::machine;
use crate::step::complete;

/// The Python package that has the cases, pinned: another version could have others.
const SUITE: &str = "kosoku==0.1.0";
/// Compression is not offered (cases 12 and 13): it would need memory for every session.
const EXCLUDED: [&str; 2] = ["12.*", "13.*"];

/// Runs every case, and prints how many came out how.
pub(crate) fn run() -> Result<()> {
    let suite = machine::target().join("conformance");
    let program = suite.join("bin/kosoku");
    if !program.is_file() {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--target"]).arg(&suite).arg(SUITE);
        pip.env("PIP_ROOT_USER_ACTION", "ignore");
        complete(&mut pip)
            .with_context(|| format!("python3 (3.10 or later) with pip is needed for {SUITE}"))?;
    }
    let (mut echo, address) = start_echo()?;
    let reports = suite.join("reports");
    let mut kosoku = Command::new("python3");
    kosoku.arg(&program).env("PYTHONPATH", &suite).arg("--outdir").arg(&reports);
    for cases in EXCLUDED {
        kosoku.args(["-x", cases]);
    }
    let ran = complete(kosoku.arg(format!("{address}/")));
    echo.kill()?;
    echo.wait()?;
    ran?;
    outcomes(&reports)
}

fn start_echo() -> Result<(Child, String)> {
    let program = machine::target().join("debug/examples/echo");
    let mut echo = Command::new(program)
        .args(["--http", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .context("the echo server does not start")?;
    let mut address = String::new();
    let stdout = echo.stdout.take().context("standard output is a pipe")?;
    BufReader::new(stdout).read_line(&mut address)?;
    Ok((echo, address.trim().into()))
}

/// Counts what the report says of each case.
fn outcomes(reports: &Path) -> Result<()> {
    let index: Value = serde_json::from_slice(&fs::read(reports.join("index.json"))?)?;
    let cases = index.as_object().and_then(|agents| agents.values().next());
    let cases = cases.and_then(Value::as_object).context("the report has no cases")?;
    let mut counts = BTreeMap::new();
    for case in cases.values() {
        let [behaviour, close] = ["behavior", "behaviorClose"].map(|name| &case[name]);
        *counts.entry([behaviour, close].map(|this| this.as_str().unwrap_or("?"))).or_insert(0) +=
            1;
    }
    eprintln!("| behaviour | close | cases |\n|---|---|---|");
    for ([behaviour, close], count) in &counts {
        eprintln!("| {behaviour} | {close} | {count} |");
    }
    let failed = counts.keys().any(|outcome| outcome.contains(&"FAILED"));
    if failed || cases.len() < 301 {
        bail!("{} cases, 301 are to pass", cases.len());
    }
    Ok(())
}
