//! A certificate that a test makes for itself.

use std::path::Path;
use std::process::Command;

use crate::named_program;

/// Makes `fullchain.pem` and `privkey.pem` in a folder: for this name, signed by itself, so that whoever is given the
/// certificate trusts it.
///
/// # Panics
/// openssl does not make it.
pub fn make_certificate(folder: &Path, name: &str) {
    std::fs::create_dir_all(folder).expect("a folder");
    let kind = if name.parse::<std::net::IpAddr>().is_ok() { "IP" } else { "DNS" };
    let made = Command::new(named_program("openssl", "OPENSSL"))
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", &format!("/CN={name}")])
        .args(["-addext", &format!("subjectAltName={kind}:{name}")])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "privkey.pem", "-out", "fullchain.pem"])
        .current_dir(folder)
        .output()
        .expect("openssl starts");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}
