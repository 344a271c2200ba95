//! What a first load of the page takes, in a real browser: `tests/browser/first_load.mjs` measures it.

use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::spread::Spread;

/// Loads, each in a browser of its own.
const LOADS: usize = 9;

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct FirstLoad {
    /// All files together, compressed as they are transferred.
    pub(crate) bytes: f64,
    /// When something was painted, the processor slowed down to a quarter.
    pub(crate) painted_ms: Spread,
    /// When the prompt took a line, likewise.
    pub(crate) interactive_ms: Spread,
}

/// A single load.
#[derive(Debug, Deserialize)]
struct Load {
    bytes: f64,
    painted_ms: f64,
    interactive_ms: f64,
}

/// Loads the page again and again, if there is a browser: `cargo xtask bench` looks for it, and says what is
/// missing.
pub(crate) fn measure() -> Option<FirstLoad> {
    let script = std::env::var_os("FIRST_LOAD")?;
    let output = Command::new("node").arg(script).arg(LOADS.to_string()).output();
    let output = output.expect("node runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let loads: Vec<Load> = serde_json::from_slice(&output.stdout).expect("loads as JSON");
    let spread = |of: fn(&Load) -> f64| Spread::of(loads.iter().map(of));
    Some(FirstLoad {
        bytes: spread(|load| load.bytes).median,
        painted_ms: spread(|load| load.painted_ms),
        interactive_ms: spread(|load| load.interactive_ms),
    })
}
