//! A test that this machine cannot run says so.

use std::fs::OpenOptions;
use std::io::{Write as _, stderr};

/// Says that the test of this thread is skipped, or a part of it, and why: on standard error, and in the file that
/// `STREAMGRAM_SKIPPED` names, which `cargo xtask test` reads.
///
/// # Panics
/// The file cannot be written.
pub fn skip(reason: &str) {
    let thread = std::thread::current();
    let line = format!("{}: {reason}\n", thread.name().unwrap_or("a test"));
    let _said = write!(stderr(), "skipped: {line}");
    if let Some(path) = std::env::var_os("STREAMGRAM_SKIPPED") {
        let mut file = OpenOptions::new().append(true).open(path).expect("xtask makes the file");
        file.write_all(line.as_bytes()).expect("there is room");
    }
}
