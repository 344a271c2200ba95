//! Minutes of load on the release binary, by `tests/src/bin/soak`.

use std::process::Command;

use anyhow::Result;

use crate::step::{Plan, become_command, cargo};
use crate::{dist, machine, page};

/// Builds server and load, and hands over to the load.
pub(crate) fn run(minutes: u32) -> Result<()> {
    let plan = Plan::of(4);
    plan.step("page", page::build)?;
    plan.step("server", || dist::build(None))?;
    let load = ["build", "--release", "--package", "streamgram-tests", "--bin", "soak"];
    plan.command("who comes", cargo(&load))?;
    plan.step("load and quiet in turns", || {
        let program = machine::binary("release").with_file_name("soak");
        let mut soak = Command::new(program.with_extension(std::env::consts::EXE_EXTENSION));
        soak.arg(minutes.to_string()).arg(machine::target().join("soak"));
        soak.arg(machine::root().join("docs/soak.svg"));
        become_command(soak.env("STREAMGRAM_BIN", machine::binary("release")))
    })
}
