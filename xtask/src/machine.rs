//! What the commands need of the machine: found, installed where that is one command, or named.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::step::complete;

/// The page's target.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

pub(crate) const CC: Program = Program::new(&["cc"], "gcc", "CC");
/// Without a window Chromium takes less than half the processor time.
pub(crate) const CHROMIUM: Program = Program::new(
    &[
        "chromium-headless-shell",
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ],
    "chromium-headless-shell",
    "STREAMGRAM_CHROMIUM",
);
/// Compiles C for any system of Linux, without that system's headers.
pub(crate) const CLANG: Program = Program::new(&["clang"], "clang", "CLANG");
/// Without it its tests are skipped.
const FIREFOX: Program = Program::new(
    &["firefox-esr", "firefox", "/Applications/Firefox.app/Contents/MacOS/firefox"],
    "firefox-esr",
    "STREAMGRAM_FIREFOX",
);
pub(crate) const NATS_SERVER: Program =
    Program::new(&["nats-server"], "nats-server", "NATS_SERVER");
const NC: Program = Program::new(&["nc"], "netcat-openbsd", "NC");
const NGINX: Program = Program::new(&["nginx"], "nginx", "NGINX");
const OPENSSL: Program = Program::new(&["openssl"], "openssl", "OPENSSL");
const PYTHON: Program = Program::new(&["python3"], "python3", "PYTHON3");
pub(crate) const PYTHON_WITH_VENV: Program = Program::new(&["python3"], "python3-venv", "PYTHON3");
pub(crate) const STRACE: Program = Program::new(&["strace"], "strace", "STRACE");
const TSHARK: Program = Program::new(&["tshark"], "tshark", "TSHARK");
pub(crate) const VALGRIND: Program = Program::new(&["valgrind"], "valgrind", "VALGRIND");

/// Programs without which single tests are skipped, and the packages of Debian that have them.
const OPTIONAL: [(&str, &str); 5] = [
    ("cc", "gcc"),
    ("ip", "iproute2"),
    ("nc.openbsd", "netcat-openbsd"),
    ("nc.traditional", "netcat-traditional"),
    ("unshare", "util-linux"),
];

/// Browser tests that hold the page to a time: nothing runs beside them.
const TIMED: [&str; 2] = ["clients.test.mjs", "throttled.test.mjs"];

/// The packages of Debian with a font for Chinese, without which the page shows boxes, and with the
/// program that knows of fonts.
const CHINESE_FONT: [&str; 2] = ["fonts-noto-cjk", "fontconfig"];

/// A program that a command starts.
pub(crate) struct Program {
    /// Its names, in the order in which they are tried.
    names: &'static [&'static str],
    /// The package of Debian that has it.
    package: &'static str,
    /// The environment variable that names another.
    pub(crate) variable: &'static str,
}

impl Program {
    const fn new(
        names: &'static [&'static str],
        package: &'static str,
        variable: &'static str,
    ) -> Self {
        Self { names, package, variable }
    }

    /// Where it is; if it is missing, it is installed where that can be done.
    pub(crate) fn path(&self) -> Result<PathBuf> {
        if self.is_missing() {
            install(&[self.package])?;
        }
        self.find()
    }

    /// The one that the variable names, or one on the path.
    fn find(&self) -> Result<PathBuf> {
        let named = env::var_os(self.variable).map(PathBuf::from);
        let found = named.or_else(|| self.names.iter().find_map(on_path));
        let (name, variable) = (self.names[0], self.variable);
        found.with_context(|| format!("{name} is missing: install it, or name it in {variable}"))
    }

    fn is_missing(&self) -> bool {
        self.find().is_err()
    }
}

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

/// A variable that cc, which builds the C code of crates, reads for one target: its `CC` or its `AR`.
pub(crate) fn of_target(variable: &str, target: &str) -> String {
    format!("{variable}_{}", target.replace('-', "_"))
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

/// The files of the browser tests: those that hold the page to a time, and the others.
pub(crate) fn browser_tests() -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let mut files = Vec::new();
    for entry in root().join("tests/browser").read_dir()? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(".test.mjs") {
            files.push(path);
        }
    }
    files.sort();
    let is_timed = |file: &PathBuf| TIMED.iter().any(|name| file.ends_with(name));
    let (timed, others): (Vec<_>, Vec<_>) = files.into_iter().partition(is_timed);
    // A file that is renamed would run beside the others, and be held to its time there.
    if timed.len() != TIMED.len() {
        bail!("of {TIMED:?} only {} are among the browser tests", timed.len());
    }
    Ok((timed, others))
}

/// What the tests need, installed in one go; returns the programs with the variables that name them
/// to the tests.
pub(crate) fn programs_of_tests() -> Result<Vec<(&'static str, PathBuf)>> {
    let mut programs = vec![CHROMIUM, NATS_SERVER, NC, PYTHON, TSHARK];
    if cfg!(target_os = "linux") {
        programs.extend([NGINX, OPENSSL, STRACE]);
    }
    let missing = programs.iter().filter(|program| program.is_missing());
    let mut packages: Vec<_> = missing.map(|program| program.package).collect();
    let missing = OPTIONAL.iter().filter(|(program, _)| on_path(program).is_none());
    packages.extend(missing.map(|(_, package)| package));
    packages.extend(FIREFOX.is_missing().then_some(FIREFOX.package));
    packages.extend(missing_font());
    install(&packages)?;
    programs.extend((!FIREFOX.is_missing()).then_some(FIREFOX));
    programs.iter().map(|program| Ok((program.variable, program.find()?))).collect()
}

/// What pictures of the page need; returns the browser.
pub(crate) fn chromium_with_fonts() -> Result<PathBuf> {
    install(missing_font())?;
    CHROMIUM.path()
}

/// The packages with a font for Chinese, if there is none here. Only Linux comes without.
fn missing_font() -> &'static [&'static str] {
    let fonts = || output(Command::new("fc-list").args([":lang=zh-cn", "family"]));
    let is_there = !cfg!(target_os = "linux") || fonts().is_ok_and(|fonts| !fonts.is_empty());
    if is_there { &[] } else { &CHINESE_FONT }
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

/// Installs packages of Debian as root; anywhere else it says that they are missing.
fn install(packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let packages_shown = packages.join(" ");
    if on_path("apt-get").is_none() || output(Command::new("id").arg("-u"))?.trim() != "0" {
        eprintln!("missing here, by their names in Debian: {packages_shown}");
        return Ok(());
    }
    eprintln!("installing {packages_shown}");
    let apt = |arguments: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
        complete(&mut apt)
    };
    apt(&["update"])?;
    apt(&[&["install", "--yes"], packages].concat())
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
