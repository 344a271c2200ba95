//! What Homebrew and Scoop install a release by: written from the sums of its archives, so that no copy of a sum
//! is kept by hand.

use std::fs;

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::dist;

/// What a package manager says of it.
const ABOUT: &str = "Playground that shows what TCP and UDP really do";

/// Writes both from the archives that lie where `dist` puts them. `repository` is the address of the project at
/// GitHub, which has a page for each release.
///
/// # Errors
/// The archive of a system is missing.
pub(crate) fn run(repository: &str) -> Result<()> {
    let repository = repository.trim_end_matches('/');
    if !repository.starts_with("https://github.com/") {
        bail!("{repository} is no address like https://github.com/OWNER/NAME");
    }
    let release = Release { repository: repository.to_owned(), sum };
    for (name, content) in
        [("streamgram.rb", release.formula()?), ("streamgram.json", release.manifest()?)]
    {
        eprintln!("{}", dist::keep(name, content.as_bytes())?.display());
    }
    Ok(())
}

/// The SHA-256 of an archive, from the file beside it.
fn sum(archive: &str) -> Result<String> {
    let file = dist::folder().join(format!("{archive}.sha256"));
    let line = fs::read_to_string(&file);
    let line = line.with_context(|| format!("no {}: cargo xtask dist", file.display()))?;
    let sum = line.split_whitespace().next().unwrap_or_default();
    Ok(sum.to_owned())
}

/// The archives of a version.
struct Release<Sum> {
    repository: String,
    sum: Sum,
}

impl<Sum: Fn(&str) -> Result<String>> Release<Sum> {
    /// Where the archive of a target can be downloaded, and its sum.
    fn archive(&self, target: &str) -> Result<(String, String)> {
        let archive = format!("{}.tar.gz", dist::name(target));
        let version = env!("CARGO_PKG_VERSION");
        let url = format!("{}/releases/download/v{version}/{archive}", self.repository);
        Ok((url, (self.sum)(&archive)?))
    }

    /// The formula for Homebrew, on macOS and on Linux.
    fn formula(&self) -> Result<String> {
        let mut systems = String::new();
        for (system, targets) in [
            ("macos", ["aarch64-apple-darwin", "x86_64-apple-darwin"]),
            ("linux", ["aarch64-unknown-linux-musl", "x86_64-unknown-linux-musl"]),
        ] {
            systems += &format!("\n  on_{system} do\n");
            for (processor, target) in ["arm", "intel"].into_iter().zip(targets) {
                let (url, sum) = self.archive(target)?;
                systems += &format!(
                    "    on_{processor} do\n      url \"{url}\"\n      sha256 \"{sum}\"\n    end\n"
                );
            }
            systems += "  end\n";
        }
        Ok(format!(
            r##"# Made by `cargo xtask installers` from the sums of the release.
class Streamgram < Formula
  desc "{ABOUT}"
  homepage "{homepage}"
  version "{version}"
  license any_of: ["MIT", "Apache-2.0"]
{systems}
  def install
    bin.install "streamgram"
  end

  test do
    assert_match version.to_s, shell_output("#{{bin}}/streamgram --version")
  end
end
"##,
            homepage = self.repository,
            version = env!("CARGO_PKG_VERSION"),
        ))
    }

    /// The manifest for Scoop, on Windows.
    fn manifest(&self) -> Result<String> {
        const TARGET: &str = "x86_64-pc-windows-msvc";
        let (url, hash) = self.archive(TARGET)?;
        let manifest = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "homepage": self.repository,
            // Either of the two.
            "license": "MIT|Apache-2.0",
            "architecture": {
                "64bit": { "url": url, "hash": hash, "extract_dir": dist::name(TARGET) },
            },
            "bin": "streamgram.exe",
        });
        Ok(format!("{}\n", serde_json::to_string_pretty(&manifest)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release() -> Release<impl Fn(&str) -> Result<String>> {
        let repository = "https://github.com/somebody/streamgram".to_owned();
        Release { repository, sum: |archive: &str| Ok(format!("sum-of-{archive}")) }
    }

    #[test]
    fn every_archive_stands_beside_its_own_sum() {
        for (text, archives) in
            [(release().formula().unwrap(), 4), (release().manifest().unwrap(), 1)]
        {
            let quoted: Vec<_> = text.split('"').collect();
            let named = |start: &'static str| {
                quoted.iter().filter_map(move |text| text.strip_prefix(start))
            };
            let download = concat!(
                "https://github.com/somebody/streamgram/releases/download/v",
                env!("CARGO_PKG_VERSION"),
                "/"
            );
            let (mut urls, mut sums): (Vec<_>, Vec<_>) =
                (named(download).collect(), named("sum-of-").collect());
            // JSON has its fields in another order, which is the same for one archive.
            assert_eq!(urls.len(), archives, "{text}");
            assert_eq!(urls, sums, "{text}");
            urls.sort_unstable();
            urls.dedup();
            sums.dedup();
            assert_eq!((urls.len(), sums.len()), (archives, archives), "each is another");
        }
    }

    #[test]
    fn a_missing_archive_is_named() {
        let repository = "https://github.com/somebody/streamgram".to_owned();
        let sum = |archive: &str| -> Result<String> { bail!("no {archive}") };
        let error = Release { repository, sum }.formula().unwrap_err().to_string();
        assert!(error.ends_with("aarch64-apple-darwin.tar.gz"), "{error}");
    }

    #[test]
    fn another_address_than_githubs_is_refused() {
        assert!(run("http://example.com").unwrap_err().to_string().contains("OWNER/NAME"));
    }
}
