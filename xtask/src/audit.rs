//! The supply chain: what may come in as a dependency, and what is known against those that have.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::machine;
use crate::step::{Plan, cargo, complete};

/// What is known against crates, as cargo-deny fetches it.
const ADVISORIES: &str = "https://github.com/RustSec/advisory-db";

/// Runs cargo-deny, see `deny.toml`; where GitHub is out of reach, with a clone of the advisories.
pub(crate) fn run(clone: Option<&Path>) -> Result<()> {
    let clone = clone.map(Path::canonicalize).transpose().context("no such clone")?;
    let check = ["deny", "check", "--hide-inclusion-graph"];
    let plan = Plan::of(4);
    plan.step("cargo-deny", || machine::cargo_tool("deny"))?;
    plan.step("bans, licenses, sources", || {
        complete(cargo(&check).args(["bans", "licenses", "sources"]))
    })?;
    plan.step("the advisories of RustSec", || fetch(clone.as_ref()))?;
    plan.step("what they say", || complete(from(clone.as_ref(), cargo(&check).arg("advisories"))))
}

fn fetch(clone: Option<&PathBuf>) -> Result<()> {
    if let Some(clone) = clone {
        // Nothing else would tell that a clone has been forgotten for a year.
        eprintln!("the newest is of {}", machine::commit_time(clone, "%cs")?);
    }
    let fetched = complete(from(clone, &mut cargo(&["deny", "fetch", "db"])));
    fetched.with_context(|| format!("clone {ADVISORIES} elsewhere, then: cargo xtask audit CLONE"))
}

/// Has git take a folder for the advisories' address.
fn from<'c>(clone: Option<&PathBuf>, command: &'c mut Command) -> &'c mut Command {
    if let Some(clone) = clone {
        command.env("GIT_CONFIG_COUNT", "1");
        command.env("GIT_CONFIG_KEY_0", format!("url.{}.insteadOf", clone.display()));
        command.env("GIT_CONFIG_VALUE_0", ADVISORIES);
    }
    command
}
