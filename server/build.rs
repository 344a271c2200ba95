//! Makes the folder that the page is embedded from, so that a plain `cargo build` in a fresh clone
//! works: the binary is then one without a page, and says so.

fn main() -> std::io::Result<()> {
    let site = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/site");
    std::fs::create_dir_all(site)?;
    println!("cargo::rerun-if-changed={site}");
    Ok(())
}
