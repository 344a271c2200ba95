//! What is handed out: the release binary with the page inside and, for a named target, an archive of it
//! with its SHA-256. A package for Debian is made from the same binary.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use crate::step::{Plan, cargo, complete};
use crate::{debian, machine, page, reproducible, site};

/// What goes into an archive beside the binary.
const PAPERS: [&str; 5] =
    ["README.md", "README.zh-CN.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"];

/// Unix permissions of the binary, and of a paper.
const PROGRAM: u32 = 0o755;
const PAPER: u32 = 0o644;

/// Builds the binary and says what the page weighs; for a target, packs it too.
pub(crate) fn run(target: Option<&str>) -> Result<()> {
    let plan = Plan::of(if target.is_some() { 3 } else { 2 });
    plan.step("page", page::build)?;
    plan.step("server", || build(target))?;
    let mut made = machine::binary("release");
    if let Some(target) = target {
        plan.step("archive", || {
            made = pack(target)?;
            Ok(())
        })?;
    }
    eprintln!("{}", site::weigh()?);
    eprintln!("\n{}", made.display());
    Ok(())
}

/// Builds the release binary, with the page that was built last.
pub(crate) fn build(target: Option<&str>) -> Result<()> {
    let mut build = cargo(&["build", "--release", "--locked", "--package", "streamgram"]);
    if let Some(target) = target {
        machine::rust_target(target)?;
        let flags = [reproducible::flags()?, linking(target)].concat();
        build.args(["--target", target]).env(reproducible::FLAGS, reproducible::encoded(&flags));
        if target.ends_with("-linux-musl") {
            // For the C code of ring, which is TLS's.
            build.env(machine::of_target("CC", target), machine::CLANG.path()?);
        }
    }
    complete(&mut build)
}

/// How a binary comes to need nothing of the machine that it runs on.
fn linking(target: &str) -> Vec<String> {
    let flags: &[&str] = if target.ends_with("-linux-musl") {
        // Rust's own linker and start files: any Linux builds for any other, without its C library.
        &["-Ctarget-feature=+crt-static", "-Clinker=rust-lld", "-Clink-self-contained=yes"]
    } else if target.ends_with("-windows-msvc") {
        &["-Ctarget-feature=+crt-static"]
    } else {
        &[]
    };
    flags.iter().map(|flag| (*flag).to_owned()).collect()
}

/// Where everything goes that is handed out.
pub(crate) fn folder() -> PathBuf {
    machine::target().join("dist")
}

/// What the archive of a target is called, and the folder in it.
pub(crate) fn name(target: &str) -> String {
    format!("streamgram-{}-{target}", env!("CARGO_PKG_VERSION"))
}

/// Makes the archive. The same files make the same one: it has no times and no owners.
fn pack(target: &str) -> Result<PathBuf> {
    let program = if target.contains("-windows-") { "streamgram.exe" } else { "streamgram" };
    let binary = machine::target().join(target).join("release").join(program);
    debian::pack(target, &binary)?;
    let papers = PAPERS.map(|paper| (machine::root().join(paper), paper, PAPER));
    let name = name(target);
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
    for (path, file, mode) in [(binary, program, PROGRAM)].into_iter().chain(papers) {
        let content = fs::read(&path).with_context(|| format!("no {}", path.display()))?;
        let mut header = tar::Header::new_gnu();
        header.set_mode(mode);
        header.set_size(content.len() as u64);
        tar.append_data(&mut header, Path::new(&name).join(file), content.as_slice())?;
    }
    keep(&format!("{name}.tar.gz"), &tar.into_inner()?.finish()?)
}

/// Writes a file that is handed out, and its SHA-256 as `sha256sum --check` reads it.
pub(crate) fn keep(name: &str, content: &[u8]) -> Result<PathBuf> {
    fs::create_dir_all(folder())?;
    let path = folder().join(name);
    fs::write(&path, content)?;
    let sum = site::hex(&Sha256::digest(content));
    fs::write(folder().join(format!("{name}.sha256")), format!("{sum}  {name}\n"))?;
    Ok(path)
}
