//! Under which address this page can be opened.

use web_sys::{Location, window};

use crate::browser::address::own_address;

fn location() -> Option<Location> {
    window().map(|window| window.location())
}

/// The page's port, as an address of the server would have it.
pub(crate) fn port() -> String {
    let port = location().and_then(|location| location.port().ok());
    port.filter(|port| !port.is_empty()).unwrap_or_else(|| "80".into())
}

/// The page's own address, if it can be another machine's too; else what the server says, if it can be
/// reached by others at all.
pub(crate) fn address_for_others(lan: Option<&str>) -> Option<String> {
    let host = location()?.hostname().ok()?;
    if is_loopback(&host) { lan.map(str::to_owned) } else { own_address() }
}

/// Whether a host is this machine, whoever asks.
fn is_loopback(host: &str) -> bool {
    host == "localhost" || host == "[::1]" || host.starts_with("127.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_nobody_else_s_address() {
        assert_eq!(["localhost", "127.0.0.1", "127.1.2.3", "[::1]"].map(is_loopback), [true; 4]);
        assert_eq!(["192.168.1.5", "lab.example", "[fd00::1]"].map(is_loopback), [false; 3]);
    }
}
