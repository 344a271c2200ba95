//! Bills of materials as CycloneDX: what the server is made of, and the page in it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::step::{Plan, cargo, complete};
use crate::{dist, machine};

/// What cargo-cyclonedx shall call its files; it adds `.json`.
const NAME: &str = "bill-of-materials";

/// Writes both, with their sums, to where archives go. The server's is that of one target.
pub(crate) fn run(target: Option<&str>) -> Result<()> {
    let target = target.map_or_else(|| machine::rustc("host"), |target| Ok(target.to_owned()))?;
    let version = env!("CARGO_PKG_VERSION");
    let server = format!("streamgram-{version}-{target}.cdx.json");
    let page = format!("streamgram-{version}-page.cdx.json");
    let plan = Plan::of(3);
    plan.step("cargo-cyclonedx", || machine::cargo_tool("cyclonedx"))?;
    plan.step("server", || bill("streamgram", &target, &server))?;
    plan.step("page", || bill("streamgram-frontend", machine::WASM, &page))
}

fn bill(package: &str, target: &str, name: &str) -> Result<()> {
    let mut cyclonedx = cargo(&["cyclonedx", "--quiet", "--format=json", "--spec-version=1.5"]);
    cyclonedx.args(["--no-build-deps", "--override-filename", NAME, "--target", target]);
    // The commit's time instead of now; with it there is no random serial number either.
    complete(cyclonedx.env("SOURCE_DATE_EPOCH", machine::commit_time(machine::root(), "%ct")?))?;
    let mut bill = String::new();
    // It writes one beside every crate's Cargo.toml.
    for member in packages()? {
        let manifest = member["manifest_path"].as_str().context("a package has a manifest")?;
        let written = Path::new(manifest).with_file_name(NAME).with_extension("json");
        if member["name"] == package {
            bill = fs::read_to_string(&written)?;
        }
        fs::remove_file(written)?;
    }
    let root = machine::root().display().to_string().replace('\\', "/");
    let made = dist::keep(name, bill.replace(&root, "/streamgram").as_bytes())?;
    eprintln!("{}", made.display());
    Ok(())
}

/// The workspace's packages, as cargo describes them.
fn packages() -> Result<Vec<Value>> {
    let output = cargo(&["metadata", "--no-deps", "--format-version=1"]).output()?;
    let mut metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array_mut().context("cargo metadata has changed")?;
    Ok(std::mem::take(packages))
}
