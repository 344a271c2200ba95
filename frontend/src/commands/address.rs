//! Where a server is, for somebody at a terminal.

/// Where a server is, as somebody beside this page's browser would say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) v6: bool,
}

impl Address {
    /// From the address that hello tells. What a shell could misread is none.
    pub(crate) fn of(told: &str) -> Option<Self> {
        let (host, port) = told.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || ".:-_%".contains(c);
        let is_name = host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == ':');
        let is_host = is_name && host.chars().all(is_plain);
        is_host.then_some(Self { v6: host.contains(':'), port: port.parse().ok()?, host })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_stands_in_a_command_if_no_shell_can_misread_it() {
        let of = |told| Address::of(told).map(|it| (it.host, it.port, it.v6));
        let found = |host: &str, v6| Some((host.to_owned(), 7, v6));
        assert_eq!(of("10.0.0.2:7"), found("10.0.0.2", false));
        assert_eq!(of("lab.example:7"), found("lab.example", false));
        assert_eq!(of("[::1]:7"), found("::1", true));
        assert_eq!(of("[fe80::1%3]:7"), found("fe80::1%3", true));
        for none in ["$(reboot):7", "-e:7", "nowhere", "127.0.0.1:x"] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
