//! The supply chain: what may come in as a dependency, and what is known against those that have.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::machine;
use crate::step::{Plan, cargo, complete};

/// Where RustSec keeps what is known against crates; cargo-deny fetches it.
const ADVISORIES: &str = "https://github.com/RustSec/advisory-db";

/// Runs cargo-deny, see `deny.toml`; `clone` is a git clone of the advisories.
pub(crate) fn run(clone: Option<&Path>) -> Result<()> {
    let mut plan = Plan::of(4);
    plan.step("cargo-deny", || machine::cargo_tool("deny"))?;
    let check = ["deny", "check", "--hide-inclusion-graph"];
    plan.command("bans, licenses, sources", {
        let mut deny = cargo(&check);
        deny.args(["bans", "licenses", "sources"]);
        deny
    })?;
    plan.step("advisories, fetched", || {
        let fetched = complete(&mut from(clone, cargo(&["deny", "fetch", "db"]))?);
        fetched.context("RustSec's advisories are missing: name a clone, cargo xtask audit CLONE")
    })?;
    plan.command("advisories", {
        let mut deny = cargo(&check);
        deny.args(["--disable-fetch", "advisories"]);
        deny
    })
}

/// Has git take the advisories from a clone.
fn from(clone: Option<&Path>, mut command: Command) -> Result<Command> {
    if let Some(clone) = clone {
        let clone = clone.canonicalize().with_context(|| format!("no {}", clone.display()))?;
        command.env("GIT_CONFIG_COUNT", "1");
        command.env("GIT_CONFIG_KEY_0", format!("url.{}.insteadOf", clone.display()));
        command.env("GIT_CONFIG_VALUE_0", ADVISORIES);
    }
    Ok(command)
}
