//! Builds the page and its sweep: compiles both to wasm, makes their glue, and hands everything to the
//! site.
//!
//! What has not changed since the last time is not made again.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;

use crate::document::Document;
use crate::site::{self, Site};
use crate::step::{cargo, complete};
use crate::{lessons, machine, reproducible};

/// The page: its package, and its profile in the workspace's Cargo.toml.
const PAGE: [&str; 2] = ["streamgram-frontend", "wasm-release"];
/// The sweep, likewise.
const SWEEP: [&str; 2] = ["streamgram-sweep", "wasm-sweep"];
/// Name of the page's glue and wasm before they get their hashes.
const NAME: &str = "streamgram";
/// What the sweep's worker calls its glue and its wasm.
const SWEEP_GLUE: &str = "./sweep_glue.js";
const SWEEP_WASM: &str = "./sweep.wasm";
/// The folder of the lessons.
const LESSONS: &str = "lessons";

/// Builds the page into [`site::folder`].
pub(crate) fn build() -> Result<()> {
    machine::rust_target(machine::WASM)?;
    let page = compile(PAGE)?;
    let sweep = compile(SWEEP)?;
    let stamp = stamp(&[&page, &sweep])?;
    let stamp_file = machine::target().join("site.stamp");
    let is_there = site::folder().join(site::DOCUMENT).exists();
    if is_there && fs::read_to_string(&stamp_file).is_ok_and(|made| made == stamp) {
        return Ok(());
    }
    // Without its stamp a site that was interrupted is made again.
    if stamp_file.exists() {
        fs::remove_file(&stamp_file)?;
    }
    assemble(&glue(&page)?, &glue(&sweep)?)?;
    Ok(fs::write(stamp_file, stamp)?)
}

/// Compiles a package to wasm.
fn compile([package, profile]: [&str; 2]) -> Result<PathBuf> {
    let mut build = cargo(&["build", "--package", package]);
    build.args(["--target", machine::WASM, "--profile", profile]);
    complete(build.env(reproducible::FLAGS, reproducible::encoded(&reproducible::flags()?)))?;
    let folder = machine::target().join(machine::WASM).join(profile);
    // A program keeps the name of its package, a library's becomes one of Rust's.
    let names = [package.to_owned(), package.replace('-', "_")];
    let files = names.map(|name| folder.join(name).with_extension("wasm"));
    let made = files.into_iter().find(|file| file.is_file());
    made.with_context(|| format!("cargo has made no wasm of {package}"))
}

/// What the site is made of: the wasm, the static files, and this program, which makes it.
fn stamp(wasm: &[&Path]) -> Result<String> {
    let mut hash = Sha256::new();
    let mut files = vec![std::env::current_exe()?];
    files.extend(wasm.iter().map(|wasm| (*wasm).to_owned()));
    for folder in ["static", LESSONS] {
        files.extend(site::files_below(&machine::root().join(folder))?);
    }
    for file in files {
        hash.update(fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?);
    }
    Ok(site::hex(&hash.finalize()))
}

/// The script that loads the wasm, and the wasm as it expects it.
struct Glue {
    script: String,
    wasm: Vec<u8>,
}

fn glue(wasm: &Path) -> Result<Glue> {
    let mut output = Bindgen::new()
        .input_path(wasm)
        .out_name(NAME)
        .web(true)?
        .typescript(false)
        .keep_debug(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate_output()?;
    let brings = output.snippets().iter().filter(|(_, scripts)| !scripts.is_empty());
    let brings: Vec<_> =
        brings.map(|(from, _)| from).chain(output.local_modules().keys()).collect();
    if !brings.is_empty() {
        bail!("the site does not carry the scripts of {brings:?}");
    }
    Ok(Glue { script: output.js().to_owned(), wasm: output.wasm_mut().emit_wasm() })
}

fn assemble(glue: &Glue, sweep: &Glue) -> Result<()> {
    let folder = machine::root().join("static");
    let document = Document::parse(&fs::read_to_string(folder.join("index.html"))?)?;
    let mut style = String::new();
    for sheet in &document.sheets {
        let read = fs::read_to_string(folder.join(sheet));
        style += &read.with_context(|| format!("no sheet {sheet}"))?;
    }
    let mut site = Site::default();
    let style = site.add_hashed("style", "css", style.into_bytes());
    let icon = site.add_hashed("icon", "svg", fs::read(folder.join(&document.icon))?);
    let wasm = site.add_hashed(NAME, "wasm", glue.wasm.clone());
    let script = site.add_hashed(NAME, "js", glue.script.clone().into_bytes());
    let worker = fs::read_to_string(folder.join("sweep.js"))?;
    let sweep = add_sweep(&mut site, &worker, sweep)?;
    let translated = fs::read_to_string(folder.join("translated.js"))?;
    // Comments are for those who read the source.
    let translated = translated.lines().filter(|line| !line.trim_start().starts_with("//"));
    let translated: String = translated.flat_map(|line| [line.trim_start(), "\n"]).collect();
    // Every address is relative: a proxy may show the page in a folder of its own.
    // A module of its own: a page without inline scripts can forbid them. A worker's address is one of
    // the things that Trusted Types guard; the one policy that the server allows knows this address only.
    let start = format!(
        "import start from './{script}';\n\
         {translated}\
         const sweep = new URL('./{sweep}', import.meta.url).href;\n\
         const policy = self.trustedTypes?.createPolicy('sweep', {{ createScriptURL: () => sweep }});\n\
         self.sweepWorker = () => \
         new Worker(policy?.createScriptURL('') ?? sweep, {{ type: 'module' }});\n\
         start({{ module_or_path: new URL('./{wasm}', import.meta.url) }});\n"
    );
    let start = site.add_hashed("start", "js", start.into_bytes());
    let lessons = lessons::together(&machine::root().join(LESSONS))?;
    let lessons = site.add_hashed(site::LESSONS, "json", lessons.into_bytes());
    let head = format!(
        "<meta name=\"lessons\" content=\"{lessons}\">\n\
         <link rel=\"stylesheet\" href=\"{style}\">\n\
         <link rel=\"icon\" type=\"image/svg+xml\" href=\"{icon}\">\n\
         <link rel=\"modulepreload\" href=\"{script}\">\n\
         <link rel=\"preload\" as=\"fetch\" type=\"application/wasm\" href=\"{wasm}\" crossorigin>\n\
         <script type=\"module\" src=\"{start}\"></script>"
    );
    site.add(site::DOCUMENT, document.with_head(&head).into_bytes());
    site.write()
}

/// Adds the worker of the sweep, its glue and its wasm, which the page loads once a sweep is wanted; returns
/// the worker's name.
fn add_sweep(site: &mut Site, worker: &str, glue: &Glue) -> Result<String> {
    let wasm = site.add_hashed(site::SWEEP, "wasm", glue.wasm.clone());
    let script = site.add_hashed(site::SWEEP, "js", glue.script.clone().into_bytes());
    let mut worker = worker.to_owned();
    for (name, hashed) in [(SWEEP_GLUE, script), (SWEEP_WASM, wasm)] {
        if worker.matches(name).count() != 1 {
            bail!("the sweep's worker must name {name} once");
        }
        worker = worker.replace(name, &format!("./{hashed}"));
    }
    Ok(site.add_hashed(site::SWEEP, "js", worker.into_bytes()))
}
