//! The files of the page as they are served: hashed names, compressed siblings, and their weight.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use crate::machine;

/// Bytes that the first load of the page may transfer with brotli, all files together but those that are
/// loaded later. `dist` fails above it. It stops growth, and is no goal to tune for.
const BUDGET: usize = 455_000;

/// The name of the document.
pub(crate) const DOCUMENT: &str = "index.html";
/// How the names of files begin that only a sweep loads.
pub(crate) const SWEEP: &str = "sweep";
/// The name of what is loaded when the lessons are opened.
pub(crate) const LESSONS: &str = "lessons";

/// Digits of a hash in a file's name: enough that no two versions ever share it.
const HASH_DIGITS: usize = 12;

/// The files of a site, by name.
#[derive(Debug, Default)]
pub(crate) struct Site {
    files: BTreeMap<String, Vec<u8>>,
}

/// Where the server's build takes the page from: inside of its package.
pub(crate) fn folder() -> PathBuf {
    machine::root().join("server/site")
}

impl Site {
    /// Adds a file with its compressed siblings.
    pub(crate) fn add(&mut self, name: &str, content: Vec<u8>) {
        self.files.insert(format!("{name}.br"), brotli(&content));
        self.files.insert(format!("{name}.gz"), gzip(&content));
        self.files.insert(name.to_owned(), content);
    }

    /// Adds a file under a name that its content decides.
    pub(crate) fn add_hashed(&mut self, stem: &str, extension: &str, content: Vec<u8>) -> String {
        let hash = &hex(&Sha256::digest(&content))[..HASH_DIGITS];
        let name = format!("{stem}-{hash}.{extension}");
        self.add(&name, content);
        name
    }

    /// Makes the folder hold these files and no others. Files that are right stay untouched, so that
    /// the server is not built again for them.
    pub(crate) fn write(&self) -> Result<()> {
        let folder = folder();
        fs::create_dir_all(&folder)?;
        for old in files_below(&folder)? {
            let name = old.file_name().map(|name| name.to_string_lossy().into_owned());
            if name.is_none_or(|name| !self.files.contains_key(&name)) {
                fs::remove_file(old)?;
            }
        }
        for (name, content) in &self.files {
            let path = folder.join(name);
            if fs::read(&path).is_ok_and(|there| there == *content) {
                continue;
            }
            fs::write(&path, content)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}

/// What the site weighs, as two tables: what every visit loads, and what is loaded once it is wanted.
///
/// # Errors
/// The first load weighs more than its budget.
pub(crate) fn weigh() -> Result<String> {
    let is_later = |name: &str| name.starts_with(SWEEP) || name.starts_with(LESSONS);
    let (first, brotli) = table("first load", |name| !is_later(name))?;
    let (later, _) = table("loads once it is wanted", is_later)?;
    let tables = format!("{first}  of {BUDGET}\n\n{later}");
    if brotli > BUDGET as u64 {
        bail!("{tables}\nthe page is {brotli} bytes with brotli, the limit is {BUDGET}");
    }
    Ok(tables)
}

/// What some files weigh, and how much with brotli together.
fn table(title: &str, counts: impl Fn(&str) -> bool) -> Result<(String, u64)> {
    let folder = folder();
    let mut table = format!("{title:<34}{:>10}{:>10}\n", "bytes", "brotli");
    let (mut raw, mut compressed) = (0, 0);
    for file in files_below(&folder)? {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".br") || name.ends_with(".gz") || !counts(&name) {
            continue;
        }
        let size = |path: &Path| fs::metadata(path).map(|file| file.len());
        let (bytes, brotli) = (size(&file)?, size(&folder.join(format!("{name}.br")))?);
        writeln!(table, "{name:<34}{bytes:>10}{brotli:>10}")?;
        (raw, compressed) = (raw + bytes, compressed + brotli);
    }
    write!(table, "{:<34}{raw:>10}{compressed:>10}", "together")?;
    Ok((table, compressed))
}

/// Every file below a folder, sorted.
pub(crate) fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in folder.read_dir().with_context(|| format!("no folder {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(files_below(&path)?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

fn brotli(content: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::new();
    let best = BrotliEncoderParams { quality: 11, lgwin: 22, ..BrotliEncoderParams::default() };
    let mut content = content;
    brotli::BrotliCompress(&mut content, &mut compressed, &best).expect("memory takes all bytes");
    compressed
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).expect("memory takes all bytes");
    encoder.finish().expect("memory takes all bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_follows_the_content_and_nothing_else() {
        let mut site = Site::default();
        let name = site.add_hashed("style", "css", b"a{}".to_vec());
        assert_eq!(name, Site::default().add_hashed("style", "css", b"a{}".to_vec()));
        assert_ne!(name, site.add_hashed("style", "css", b"b{}".to_vec()));
        assert!(site.files.contains_key(&format!("{name}.br")));
    }
}
