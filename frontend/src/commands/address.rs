//! Where a server is, for somebody at a terminal.

/// Where a server is, as somebody beside this page's browser would say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) v6: bool,
}

impl Address {
    /// From the address that a server listens on. Where that is every address of its machine, the page
    /// knows one: the host that it came from.
    pub(crate) fn of(listens: &str, page_host: &str) -> Option<Self> {
        let (host, port) = listens.rsplit_once(':')?;
        let bare = |host: &str| host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let host = bare(host);
        let loopback = if host.contains(':') { "::1" } else { "127.0.0.1" };
        let host = match host.as_str() {
            // A name of both 127.0.0.1 and ::1; this server is on one of them.
            "0.0.0.0" | "::" if page_host == "localhost" => loopback.into(),
            "0.0.0.0" | "::" => bare(page_host),
            _ => host,
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | '_');
        let is_name = host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == ':');
        let host = if is_name && host.chars().all(is_plain) { host } else { loopback.into() };
        Some(Self { v6: host.contains(':'), port: port.parse().ok()?, host })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_every_address_is_called_as_the_page_s() {
        let of = |listens, page| Address::of(listens, page).map(|it| (it.host, it.port, it.v6));
        let found = |host: &str, v6| Some((host.to_owned(), 7, v6));
        assert_eq!(of("10.0.0.2:7", "lab.example"), found("10.0.0.2", false));
        assert_eq!(of("0.0.0.0:7", "lab.example"), found("lab.example", false));
        assert_eq!(of("0.0.0.0:7", "localhost"), found("127.0.0.1", false));
        assert_eq!(of("[::]:7", "localhost"), found("::1", true));
        assert_eq!(of("[::]:7", "[fe80::1]"), found("fe80::1", true));
        assert_eq!(of("0.0.0.0:7", "$(reboot)"), found("127.0.0.1", false));
        assert_eq!(of("0.0.0.0:7", "-e"), found("127.0.0.1", false));
        assert_eq!((of("nowhere", ""), of("127.0.0.1:x", "")), (None, None));
    }
}
