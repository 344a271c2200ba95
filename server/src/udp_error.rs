//! What the system's errors mean where a UDP socket reports them.

use std::io::{self, ErrorKind};

/// Whether an earlier datagram met a port where nobody listens (ICMP port unreachable). Windows calls that a
/// reset: WSAECONNRESET, 10054.
pub(crate) fn is_refusal(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset)
}

/// EMSGSIZE: the system sends no datagram so long, although UDP allows it. Its number is that of this system,
/// or WSAEMSGSIZE.
const TOO_LONG: i32 = if cfg!(windows) {
    10_040
} else if cfg!(any(target_os = "linux", target_os = "android")) {
    90
} else {
    40
};

/// Whether the system sends no datagram so long.
pub(crate) fn is_too_long(error: &io::Error) -> bool {
    error.raw_os_error() == Some(TOO_LONG)
}

/// The error of sending a datagram of `bytes` bytes, with its size where that is the cause.
pub(crate) fn explained(error: io::Error, bytes: usize) -> io::Error {
    if !is_too_long(&error) {
        return error;
    }
    let name = if cfg!(target_os = "macos") { ", net.inet.udp.maxdgram" } else { "" };
    io::Error::other(format!("datagram is {bytes} bytes, above this system's limit{name}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_two_names() {
        for kind in [ErrorKind::ConnectionRefused, ErrorKind::ConnectionReset] {
            assert!(is_refusal(&kind.into()));
        }
        assert!(!is_refusal(&ErrorKind::PermissionDenied.into()));
    }

    #[test]
    fn a_datagram_above_the_systems_limit_is_told_with_its_size() {
        let text = explained(io::Error::from_raw_os_error(TOO_LONG), 9_217).to_string();
        assert!(text.starts_with("datagram is 9217 bytes, above this system's limit"), "{text}");
        let other = explained(ErrorKind::PermissionDenied.into(), 1).to_string();
        assert_eq!(other, io::Error::from(ErrorKind::PermissionDenied).to_string());
    }
}
