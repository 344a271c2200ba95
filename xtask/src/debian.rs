//! A package for Debian and its relatives: the static binary of a musl target, which needs no other package.
//!
//! Written here and not by dpkg-deb, so that any system makes the same bytes.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};

use crate::{dist, machine};

/// Unix permissions of the binary and of folders, and of other files.
const PROGRAM: u32 = 0o755;
const FILE: u32 = 0o644;

/// The folder of its papers (Debian policy, section 12.5).
const DOCUMENTS: &str = "usr/share/doc/streamgram";

/// Says to lintian why some of its rules do not hold here. For a static program that can be loaded anywhere it
/// has another name than for one that cannot.
const OVERRIDES: &str = "\
# One binary for every Linux: it needs no C library of a release.
streamgram: statically-linked-binary [usr/bin/streamgram]
streamgram: shared-library-lacks-prerequisites [usr/bin/streamgram]
# The project has no address for mail.
streamgram: malformed-contact Maintainer *
streamgram: bogus-mail-host-in-debian-changelog *
";

/// Debian's name of an architecture, for targets that have a package.
fn architecture(target: &str) -> Option<&'static str> {
    match target {
        "x86_64-unknown-linux-musl" => Some("amd64"),
        "aarch64-unknown-linux-musl" => Some("arm64"),
        _ => None,
    }
}

/// Makes the package of a target, if it has one.
pub(crate) fn pack(target: &str, binary: &Path) -> Result<()> {
    let Some(architecture) = architecture(target) else { return Ok(()) };
    let binary = fs::read(binary).with_context(|| format!("no {}", binary.display()))?;
    let read = |paper: &str| fs::read_to_string(machine::root().join(paper));
    let copyright = copyright(&read("LICENSE-MIT")?);
    let time: u64 = machine::commit_time(machine::root(), "%ct")?.parse()?;
    let written = machine::commit_time(machine::root(), "%aD")?;
    let mut changes = GzBuilder::new().write(Vec::new(), Compression::best());
    changes.write_all(changelog(&written).as_bytes())?;
    let files = [
        ("usr/bin/streamgram".to_owned(), PROGRAM, binary),
        (format!("{DOCUMENTS}/changelog.gz"), FILE, changes.finish()?),
        (format!("{DOCUMENTS}/copyright"), FILE, copyright.into_bytes()),
        ("usr/share/lintian/overrides/streamgram".to_owned(), FILE, OVERRIDES.into()),
    ];
    let kib = files.iter().map(|(_, _, content)| content.len().div_ceil(1_024)).sum::<usize>();
    let about = control(architecture, kib);
    let package = archive(
        time,
        &[
            ("debian-binary", b"2.0\n".to_vec()),
            ("control.tar.gz", tar(time, &[("control".to_owned(), FILE, about.into_bytes())])?),
            ("data.tar.gz", tar(time, &files)?),
        ],
    )?;
    let made = dist::keep(&format!("streamgram_{}_{architecture}.deb", version()), &package)?;
    eprintln!("{}", made.display());
    Ok(())
}

/// The version of a package that does not come from Debian has no part of Debian's.
fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// What dpkg knows of it (Debian policy, section 5.3). Time zones are for stamps in local time.
fn control(architecture: &str, kib: usize) -> String {
    format!(
        "Package: streamgram\n\
         Version: {}\n\
         Architecture: {architecture}\n\
         Maintainer: The Streamgram authors\n\
         Installed-Size: {kib}\n\
         Recommends: tzdata\n\
         Section: net\n\
         Priority: optional\n\
         Description: playground that shows what TCP and UDP really do\n \
         Two timestamp servers over real sockets, and a web page that shows what was\n \
         sent, what the servers read, and what came back. Servers can be faulty on\n \
         purpose, to test clients against them.\n",
        version()
    )
}

/// The licences, as Debian reads them.
fn copyright(mit: &str) -> String {
    let text: String = mit
        .lines()
        .skip_while(|line| !line.starts_with("Permission"))
        .map(|line| format!(" {}\n", if line.is_empty() { "." } else { line }))
        .collect();
    let holder = mit.lines().find_map(|line| line.strip_prefix("Copyright (c) "));
    let holder = holder.unwrap_or("The Streamgram authors");
    format!(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\
         \n\
         Files: *\n\
         Copyright: {holder}\n\
         License: Expat or Apache-2.0\n\
         \n\
         License: Expat\n\
         {text}\n\
         License: Apache-2.0\n \
         On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.\n"
    )
}

/// Says of the version that there is one, and when it was made. What has changed is in the project's own.
fn changelog(written: &str) -> String {
    format!(
        "streamgram ({}) unstable; urgency=medium\n\n  * See CHANGELOG.md of the release.\n\n \
         -- The Streamgram authors <>  {written}\n",
        version()
    )
}

/// A tar of files that are root's, with the folders above them. The same files and time make the same bytes.
fn tar(time: u64, files: &[(String, u32, Vec<u8>)]) -> Result<Vec<u8>> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
    let mut add = |path: &str, kind, mode, content: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_mtime(time);
        header.set_size(content.len() as u64);
        header.set_username("root")?;
        header.set_groupname("root")?;
        tar.append_data(&mut header, path, content)
    };
    let mut made = Vec::new();
    for (path, mode, content) in files {
        let above = path.match_indices('/').map(|(end, _)| &path[..=end]);
        for folder in above {
            if !made.contains(&folder) {
                add(folder, tar::EntryType::Directory, PROGRAM, &[])?;
                made.push(folder);
            }
        }
        add(path, tar::EntryType::Regular, *mode, content)?;
    }
    Ok(tar.into_inner()?.finish()?)
}

/// An archive as ar(5) has it, which deb(5) is.
fn archive(time: u64, members: &[(&str, Vec<u8>)]) -> Result<Vec<u8>> {
    let mut archive = b"!<arch>\n".to_vec();
    for (name, content) in members {
        let size = content.len();
        writeln!(archive, "{name:<16}{time:<12}{:<6}{:<6}{:<8}{size:<10}`", 0, 0, "100644")?;
        archive.extend(content);
        if !size.is_multiple_of(2) {
            archive.push(b'\n');
        }
    }
    Ok(archive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_begins_at_an_even_byte_behind_sixty_of_header() {
        let made = archive(1, &[("a", b"odd".to_vec()), ("b", b"even".to_vec())]).unwrap();
        assert_eq!(made.len(), 8 + 60 + 4 + 60 + 4);
        assert_eq!(&made[8..68], b"a               1           0     0     100644  3         `\n");
        assert_eq!(&made[72..73], b"b");
    }

    #[test]
    fn folders_come_once_and_before_what_is_in_them() {
        let file = |path: &str| (path.to_owned(), FILE, b"x".to_vec());
        let made = tar(1, &[file("usr/bin/a"), file("usr/b")]).unwrap();
        let mut made = tar::Archive::new(flate2::read::GzDecoder::new(made.as_slice()));
        let paths: Vec<_> = made
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().display().to_string())
            .collect();
        assert_eq!(paths, ["usr/", "usr/bin/", "usr/bin/a", "usr/b"]);
    }
}
