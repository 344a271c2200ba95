//! The same sources make the same bytes, wherever they lie: the flags for it, and the proof.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};
use sha2::{Digest, Sha256};

use crate::step::{Plan, complete};
use crate::{machine, site};

/// The variable that takes flags for rustc. Flags that somebody set otherwise do not count then: what
/// is handed out depends on nobody's settings.
pub(crate) const FLAGS: &str = "CARGO_ENCODED_RUSTFLAGS";

/// Flags that keep this machine's folders out of what is built.
pub(crate) fn flags() -> Result<Vec<String>> {
    let library = machine::sysroot()?.join("lib/rustlib/src/rust");
    let commit = machine::rustc("commit-hash")?;
    // Where two match the later one holds.
    let folders = [
        (machine::cargo_home()?, "cargo".to_owned()),
        (library, format!("/rustc/{commit}")),
        (machine::root().to_owned(), "streamgram".to_owned()),
        (machine::target(), "target".to_owned()),
    ];
    let remap =
        |(from, to): (PathBuf, String)| format!("--remap-path-prefix={}={to}", from.display());
    Ok(folders.map(remap).into())
}

/// Flags as [`FLAGS`] takes them; a path may have spaces in it.
pub(crate) fn encoded(flags: &[String]) -> String {
    flags.join("\x1f")
}

/// Builds the last commit in two folders, and compares what is handed out.
pub(crate) fn run(target: Option<&str>) -> Result<()> {
    let target = target.map_or_else(|| machine::rustc("host"), |target| Ok(target.to_owned()))?;
    let place = machine::target().join("reproducible");
    let folders = ["a", "another/folder"].map(|name| place.join(name));
    let plan = Plan::of(folders.len() + 1);
    for folder in &folders {
        let name = format!("a build in {}", folder.display());
        plan.step(&name, || build(folder, &target))?;
    }
    let [one, other] = folders.each_ref().map(|folder| sums(folder, &target));
    let (one, other) = (one?, other?);
    plan.step("comparison", || compare(&one, &other))?;
    Ok(fs::remove_dir_all(place)?)
}

fn build(folder: &Path, target: &str) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let mut clone = Command::new("git");
    complete(clone.args(["clone", "--quiet"]).arg(machine::root()).arg(folder))?;
    let mut dist = Command::new("cargo");
    dist.args(["xtask", "dist", "--target", target]).current_dir(folder);
    complete(dist.env_remove("CARGO_TARGET_DIR"))
}

/// The SHA-256 of everything that a build made, by its path.
type Sums = BTreeMap<PathBuf, String>;

fn sums(folder: &Path, target: &str) -> Result<Sums> {
    let built = folder.join("target");
    let mut files = site::files_below(&folder.join("server/site"))?;
    files.extend(site::files_below(&built.join("dist"))?);
    let release = built.join(target).join("release");
    files.extend(["streamgram", "streamgram.exe"].map(|program| release.join(program)));
    let mut sums = Sums::new();
    for file in files.iter().filter(|file| file.is_file()) {
        let sum = site::hex(&Sha256::digest(fs::read(file)?));
        sums.insert(file.strip_prefix(folder)?.to_owned(), sum);
    }
    Ok(sums)
}

fn compare(one: &Sums, other: &Sums) -> Result<()> {
    let paths: BTreeSet<_> = one.keys().chain(other.keys()).collect();
    let mut differing = 0;
    for path in paths {
        let [one, other] =
            [one, other].map(|sums| sums.get(path).map_or("missing", String::as_str));
        eprintln!("{one}  {}", path.display());
        if one != other {
            eprintln!("{other}  differs");
            differing += 1;
        }
    }
    if differing > 0 {
        bail!("{differing} files differ");
    }
    Ok(())
}
