//! What the commands need of the machine: found, installed where that is one command, or named.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::step::complete;

/// The page's target.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// Names of a Chromium, in the order in which they are tried.
const CHROMIUMS: [&str; 5] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// The project's root.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("xtask is a folder of the project")
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The server's binary in a profile's folder.
pub(crate) fn binary(profile: &str) -> PathBuf {
    target().join(profile).join(format!("streamgram{}", env::consts::EXE_SUFFIX))
}

/// Adds a target to the toolchain, if it is not there.
pub(crate) fn rust_target(name: &str) -> Result<()> {
    if sysroot()?.join("lib/rustlib").join(name).exists() {
        return Ok(());
    }
    let added = complete(Command::new("rustup").args(["target", "add", name]));
    added.with_context(|| format!("the Rust target {name} is missing: rustup target add {name}"))
}

/// Where the toolchain is.
pub(crate) fn sysroot() -> Result<PathBuf> {
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    Ok(sysroot.trim().into())
}

/// One line of what `rustc -vV` says of itself.
pub(crate) fn rustc(line: &str) -> Result<String> {
    let version = output(Command::new("rustc").arg("-vV"))?;
    let line = version.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(": "));
    Ok(line.context("rustc -vV has another shape")?.to_owned())
}

/// When the last commit of a repository was made, in one of the formats of `git log`.
pub(crate) fn commit_time(repository: &Path, format: &str) -> Result<String> {
    let log = ["log", "-1", &format!("--format={format}")];
    let time = output(Command::new("git").args(log).current_dir(repository))?;
    Ok(time.trim().to_owned())
}

/// Cargo's own folder, where dependencies are unpacked.
pub(crate) fn cargo_home() -> Result<PathBuf> {
    let named = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = || Some(env::home_dir()?.join(".cargo"));
    named.or_else(home).context("there is no home folder: name one in CARGO_HOME")
}

/// Installs the packages of the browser tests, if they are not as the lock file says.
pub(crate) fn npm_packages() -> Result<()> {
    let missing = "Node 20 or later with npm is missing, see https://nodejs.org";
    let version = output(Command::new("node").arg("--version")).context(missing)?;
    let major = version.trim_start_matches('v').split('.').next();
    if major.and_then(|major| major.parse::<u32>().ok()).is_none_or(|major| major < 20) {
        bail!("{missing} (this is {})", version.trim());
    }
    let folder = root().join("tests/browser");
    let changed = |file: &str| folder.join(file).metadata().and_then(|file| file.modified()).ok();
    let installed = changed("node_modules/.package-lock.json");
    if installed.is_some() && installed >= changed("package-lock.json") {
        return Ok(());
    }
    complete(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(folder))
}

/// The files of the browser tests.
pub(crate) fn browser_tests() -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in root().join("tests/browser").read_dir()? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(".test.mjs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// A Chromium: the one that `STREAMGRAM_CHROMIUM` names, one on the path, or Debian's, installed.
pub(crate) fn chromium() -> Result<PathBuf> {
    if let Some(named) = env::var_os("STREAMGRAM_CHROMIUM") {
        return Ok(named.into());
    }
    if let Some(found) = CHROMIUMS.iter().find_map(on_path) {
        return Ok(found);
    }
    installed("chromium", "chromium", "STREAMGRAM_CHROMIUM")
}

/// A program of the tests: the one that a variable names, one on the path, or that of a package of
/// Debian's, installed.
pub(crate) fn program(name: &str, package: &str, variable: &str) -> Result<PathBuf> {
    if let Some(named) = env::var_os(variable) {
        return Ok(named.into());
    }
    on_path(name).map_or_else(|| installed(name, package, variable), Ok)
}

/// Whether there is a nightly toolchain; none is installed, that is the user's to decide.
pub(crate) fn nightly() -> Result<()> {
    let toolchains = output(Command::new("rustup").args(["toolchain", "list"]))
        .context("rustup is missing, see https://rustup.rs")?;
    if !toolchains.lines().any(|toolchain| toolchain.starts_with("nightly")) {
        bail!("the nightly toolchain is missing: rustup toolchain install nightly");
    }
    Ok(())
}

/// Installs one of cargo's own kind of tools, if it is not there.
pub(crate) fn cargo_tool(name: &str) -> Result<()> {
    let program = format!("cargo-{name}");
    let installed = cargo_home()?.join("bin").join(format!("{program}{}", env::consts::EXE_SUFFIX));
    if installed.is_file() || on_path(&program).is_some() {
        return Ok(());
    }
    eprintln!("installing {program}, which takes minutes");
    let installed = complete(Command::new("cargo").args(["install", &program, "--locked"]));
    installed.with_context(|| format!("{program} is missing: cargo install {program} --locked"))
}

/// A program from a package of Debian's, where that can be had.
fn installed(program: &str, package: &str, variable: &str) -> Result<PathBuf> {
    if on_path("apt-get").is_none() || output(Command::new("id").arg("-u"))?.trim() != "0" {
        bail!("{program} is missing: install it, or name it in {variable}");
    }
    eprintln!("installing {program}");
    let apt = |arguments: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
        complete(&mut apt)
    };
    apt(&["update"])?;
    apt(&["install", "--yes", package])?;
    on_path(program).with_context(|| format!("{program} was installed and is not on the path"))
}

/// Where a program is, if it is there. Debian keeps servers where not every user's path leads.
fn on_path(name: impl AsRef<OsStr>) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    let folders = env::split_paths(&folders).chain(["/usr/sbin".into()]);
    folders.map(|folder| folder.join(name.as_ref())).find(|at| at.is_file())
}

/// What a command prints.
fn output(command: &mut Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        bail!("{} ended with {}", command.get_program().to_string_lossy(), output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}
