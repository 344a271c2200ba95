//! A test in a network namespace of its own: with addresses, interfaces and settings that this machine has not.

use std::env;
use std::process::{Command, Stdio};

use crate::skip;

const INSIDE: &str = "STREAMGRAM_INSIDE_A_NETWORK";

/// Whether this is the test inside its own network, which the shell commands `make` after its loopback interface
/// is up. Outside it is run there, and its outcome is this test's.
///
/// # Panics
/// The test failed inside.
#[must_use]
pub fn is_inside(test: &str, make: &str) -> bool {
    if env::var_os(INSIDE).is_some() {
        return true;
    }
    let script = format!("set -e; ip link set lo up; {make}; exec \"$@\"");
    let inside = |program: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["-rn", "sh", "-c", &script, "sh"]).args(program);
        command
    };
    let tried = inside(&["true"]).stderr(Stdio::piped()).output();
    let refusal = match tried {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Some(error.to_string()),
    };
    if let Some(refusal) = refusal {
        skip(&format!("it needs a network of its own: {refusal}"));
        return false;
    }
    let this = env::current_exe().expect("a test knows its own path");
    let this = this.to_str().expect("a path in UTF-8");
    let mut again = inside(&[this, "--exact", test, "--nocapture"]);
    // It counts a test, which would be counted twice.
    let ran = again.env(INSIDE, "yes").stdout(Stdio::null()).status();
    assert!(ran.expect("it was tried just now").success(), "{test} failed inside its network");
    false
}
