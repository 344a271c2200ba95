//! What is handed out: the release binary with the page inside and, for a named target, an archive of it
//! with its SHA-256.

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::step::{Plan, cargo, complete};
use crate::{machine, page, reproducible, site};

/// What goes into an archive beside the binary.
const PAPERS: [&str; 5] =
    ["README.md", "README.zh-CN.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"];

/// Unix permissions of a program, and of everything else.
const PROGRAM: u32 = 0o755;
const PAPER: u32 = 0o644;

/// Builds the binary and says what the page weighs; for a target, packs it too.
pub(crate) fn run(target: Option<&str>) -> Result<()> {
    let mut plan = Plan::of(if target.is_some() { 3 } else { 2 });
    plan.step("page", page::build)?;
    plan.step("server", || build(target))?;
    let made = match target {
        None => machine::binary("release"),
        Some(target) => {
            let mut made = PathBuf::new();
            plan.step("archive", || {
                made = pack(target)?;
                Ok(())
            })?;
            made
        }
    };
    eprintln!("{}", site::weigh()?);
    eprintln!("\n{}", made.display());
    Ok(())
}

fn build(target: Option<&str>) -> Result<()> {
    let mut build = cargo(&["build", "--release", "--locked", "--package", "streamgram"]);
    let mut flags = reproducible::flags()?;
    if let Some(target) = target {
        machine::rust_target(target)?;
        build.args(["--target", target]);
        flags.extend(linking(target).iter().map(|flag| (*flag).to_owned()));
    }
    complete(build.env(reproducible::FLAGS, reproducible::encoded(&flags)))
}

/// How a binary comes to need nothing of the machine that it runs on.
fn linking(target: &str) -> &'static [&'static str] {
    if target.ends_with("-linux-musl") {
        // Rust's own linker and start files: any Linux builds for any other, without a C compiler.
        &["-Ctarget-feature=+crt-static", "-Clinker=rust-lld", "-Clink-self-contained=yes"]
    } else if target.ends_with("-windows-msvc") {
        &["-Ctarget-feature=+crt-static"]
    } else {
        &[]
    }
}

/// Where everything goes that is handed out.
pub(crate) fn folder() -> PathBuf {
    machine::target().join("dist")
}

/// A file of an archive.
struct Item {
    name: String,
    mode: u32,
    content: Vec<u8>,
}

/// Makes the archive.
fn pack(target: &str) -> Result<PathBuf> {
    let is_windows = target.contains("-windows-");
    let program = if is_windows { "streamgram.exe" } else { "streamgram" };
    let binary = machine::target().join(target).join("release").join(program);
    let read = |path: &Path| fs::read(path).with_context(|| format!("no {}", path.display()));
    let mut items = vec![Item { name: program.into(), mode: PROGRAM, content: read(&binary)? }];
    for paper in PAPERS {
        let content = read(&machine::root().join(paper))?;
        items.push(Item { name: paper.into(), mode: PAPER, content });
    }

    let name = format!("streamgram-{}-{target}", env!("CARGO_PKG_VERSION"));
    let (extension, archive) =
        if is_windows { ("zip", zip(&name, &items)?) } else { ("tar.gz", tar_gz(&name, &items)?) };
    keep(&format!("{name}.{extension}"), &archive)
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

/// The same archive from the same files: no times, no owners.
fn tar_gz(folder: &str, items: &[Item]) -> Result<Vec<u8>> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
    for Item { name, mode, content } in items {
        let mut header = tar::Header::new_gnu();
        header.set_mode(*mode);
        header.set_size(content.len() as u64);
        tar.append_data(&mut header, format!("{folder}/{name}"), content.as_slice())?;
    }
    Ok(tar.into_inner()?.finish()?)
}

fn zip(folder: &str, items: &[Item]) -> Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for Item { name, mode, content } in items {
        let options = SimpleFileOptions::default().unix_permissions(*mode);
        zip.start_file(format!("{folder}/{name}"), options)?;
        zip.write_all(content)?;
    }
    Ok(zip.finish()?.into_inner())
}
