//! Bills of materials as CycloneDX: what the server and the page in it are made of.
pub(crate) fn run() -> anyhow::Result<()> {
    Ok(())
}
