//! The crates as a registry gets them: packed, built from what was packed, and installed as a stranger would.
//! Nothing is uploaded.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::step::{Plan, cargo, complete};
use crate::{machine, page, site};

/// What is published, in the order in which one needs the other.
const CRATES: [&str; 3] = ["streamgram-protocol", "streamgram-lab", "streamgram"];

/// What every package must have, beside its code.
const PAPERS: [&str; 3] = ["README.md", "LICENSE-APACHE", "LICENSE-MIT"];

/// Bytes of the largest package that crates.io takes.
const PACKAGE_BYTES: u64 = 10 << 20;

/// How long the installed server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Packs, checks, builds and installs.
///
/// # Errors
/// A package cannot be built, lacks a file or is too large, or the installed server does not serve its page.
pub(crate) fn run() -> Result<()> {
    let plan = Plan::of(4);
    plan.step("page", page::build)?;
    // Every crate is built from its package, and those that are not published yet are found beside it. What is
    // not committed yet is no obstacle, because this uploads nothing.
    for old in CRATES.into_iter().flat_map(packed).filter(|old| old.is_file()) {
        fs::remove_file(old)?;
    }
    let publish = ["publish", "--workspace", "--dry-run", "--allow-dirty", "--locked"];
    plan.command("packages, as cargo publish makes them", cargo(&publish))?;
    plan.step("what is in them", || CRATES.into_iter().try_for_each(look_into))?;
    plan.step("an installation from them", || serves_its_page(&install()?))
}

/// Where cargo leaves packages, packed and unpacked.
fn folder() -> PathBuf {
    machine::target().join("package")
}

fn named(package: &str) -> String {
    format!("{package}-{}", env!("CARGO_PKG_VERSION"))
}

/// Says what a package weighs. It must be small enough, and have its papers; the server's has the page too.
fn look_into(package: &str) -> Result<()> {
    let unpacked = folder().join(named(package));
    let mut wanted: Vec<_> = PAPERS.map(PathBuf::from).into();
    if package == "streamgram" {
        for file in site::files_below(&site::folder())? {
            wanted.push(file.strip_prefix(machine::root().join("server"))?.to_owned());
        }
    }
    if let Some(missing) = wanted.iter().find(|file| !unpacked.join(file).is_file()) {
        bail!("{package} has no {}", missing.display());
    }
    let packed = packed(package).find(|file| file.is_file());
    let bytes = fs::metadata(packed.with_context(|| format!("no package of {package}"))?)?.len();
    if bytes > PACKAGE_BYTES {
        bail!("{package} has {bytes} bytes, crates.io takes {PACKAGE_BYTES}");
    }
    let files = site::files_below(&unpacked)?.len();
    eprintln!("{package}: {files} files, {bytes} bytes packed");
    Ok(())
}

/// Where the packed package may be: versions of cargo differ.
fn packed(package: &str) -> impl Iterator<Item = PathBuf> {
    let name = format!("{}.crate", named(package));
    ["", "tmp-crate"].into_iter().map(move |place| folder().join(place).join(&name))
}

/// Installs the server from its package, as `cargo install` does: with the newest dependencies that fit. The
/// other two come from their packages, which the registry does not have yet.
fn install() -> Result<PathBuf> {
    let root = folder().join("installed");
    let mut install = cargo(&["install", "--debug", "--force", "--path"]);
    install.arg(folder().join(named("streamgram"))).arg("--root").arg(&root);
    for package in ["streamgram-protocol", "streamgram-lab"] {
        let path = folder().join(named(package)).display().to_string();
        install.args(["--config", &format!("patch.crates-io.{package}.path={path:?}")]);
    }
    complete(install.env("CARGO_TARGET_DIR", folder().join("target")))?;
    Ok(root.join("bin").join(format!("streamgram{}", std::env::consts::EXE_SUFFIX)))
}

/// A process that ends with its value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended by itself if this fails.
        let _killed = self.0.kill();
        let _waited = self.0.wait();
    }
}

/// Starts a server far from the sources, and asks it for its page.
fn serves_its_page(binary: &PathBuf) -> Result<()> {
    let any = "127.0.0.1:0";
    let mut server = Command::new(binary);
    server.args(["--http", any, "--tcp", any, "--udp", any, "--log", "off"]).stdout(Stdio::piped());
    let mut server = Running(server.current_dir(std::env::temp_dir()).spawn()?);
    let stdout = server.0.stdout.take().context("standard output is a pipe")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let addresses: Value = serde_json::from_str(&line)?;
    let http = addresses["http"].as_str().context("the first line has the address of the page")?;
    let mut stream = TcpStream::connect(http)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET / HTTP/1.1\r\nhost: {http}\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let document = fs::read_to_string(site::folder().join(site::DOCUMENT))?;
    if !answer.ends_with(&document) {
        bail!("{} does not serve the page: {answer}", binary.display());
    }
    eprintln!("{} serves the page", binary.display());
    Ok(())
}
