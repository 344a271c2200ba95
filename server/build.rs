//! Makes the folder that the page is embedded from, so that a plain `cargo build` in a fresh clone
//! works: the binary is then one without a page, and says so.
//!
//! A package without a page is none: whoever installs it has no source to build the page from.

use std::fs;
use std::io::{Error, Result};
use std::path::Path;

fn main() -> Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let site = here.join("site");
    println!("cargo::rerun-if-changed={}", site.display());
    // Cargo puts this file into packages, and nobody has it elsewhere.
    let is_package = here.join("Cargo.toml.orig").exists();
    if is_package && !site.join("index.html").exists() {
        return Err(Error::other(
            "the package has no page: `cargo xtask package` makes it with one",
        ));
    }
    fs::create_dir_all(site)
}
