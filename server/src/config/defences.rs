//! The flags for limits on clients: of HTTP, WebSockets, TCP and UDP.
//!
//! A flag that could never match is refused with the reason: an operator would find out in class.

use std::net::IpAddr;

use clap::Args;
use clap::builder::BoolishValueParser;
use ipnet::IpNet;
use url::{Host, Url};

/// Who may ask for the page, and how many at a time.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits of HTTP")]
pub struct HttpLimits {
    /// A name, besides localhost and addresses, under which the page may be asked for; repeatable
    ///
    /// A request for any other name is answered with 421: behind it may be somebody's page that
    /// made its own name lead here (DNS rebinding).
    #[arg(long = "host", value_name = "NAME", env = "STREAMGRAM_HOST", value_delimiter = ',',
        value_parser = host)]
    pub hosts: Vec<String>,
    /// An origin, besides the page's own, whose pages may open a session; repeatable
    #[arg(long = "allow-origin", value_name = "ORIGIN", env = "STREAMGRAM_ALLOW_ORIGIN",
        value_delimiter = ',', value_parser = origin)]
    pub origins: Vec<String>,
    /// Refuse a WebSocket without an Origin header; browsers always send one
    #[arg(long, env = "STREAMGRAM_REQUIRE_ORIGIN", value_parser = BoolishValueParser::new())]
    pub require_origin: bool,
    /// A proxy, as ADDRESS/LENGTH, that is believed about its clients' addresses; repeatable
    #[arg(long = "trusted-proxy", value_name = "NETWORK", env = "STREAMGRAM_TRUSTED_PROXY",
        value_delimiter = ',', value_parser = network)]
    pub proxies: Vec<IpNet>,
    /// How long the header of a request, or the pause before it, may take, in seconds; then the
    /// connection is closed
    #[arg(long, value_name = "S", env = "STREAMGRAM_HTTP_HEADER_S", default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub http_header_s: u32,
    /// How long a peer may read nothing of what it is sent, in seconds; then it is reset
    #[arg(long, value_name = "S", env = "STREAMGRAM_HTTP_WRITE_S", default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub http_write_s: u32,
    /// HTTP connections at a time, sessions included; one more is closed at once
    #[arg(
        long,
        value_name = "CONNECTIONS",
        env = "STREAMGRAM_HTTP_CONNECTIONS",
        default_value_t = 8_192
    )]
    pub http_connections: usize,
    /// HTTP connections of one address (IPv6: of one /64) at a time, trusted proxies excepted; one
    /// more is closed at once; half of all by default
    #[arg(long, value_name = "CONNECTIONS", env = "STREAMGRAM_HTTP_CONNECTIONS_PER_ADDRESS")]
    pub http_connections_per_address: Option<usize>,
}

/// How many sessions there may be, and how fast each may ask.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Limits of WebSockets")]
pub struct WebSocketLimits {
    /// Sessions at a time, fewer where the memory or the open files allow no more; one more is answered with 503
    #[arg(long, value_name = "SESSIONS", env = "STREAMGRAM_SESSIONS",
        default_value_t = Self::default().sessions)]
    pub sessions: usize,
    /// Sessions of one address (IPv6: of one /64) at a time; one more is closed with code 1013; half of
    /// all by default
    #[arg(long, value_name = "SESSIONS", env = "STREAMGRAM_SESSIONS_PER_ADDRESS")]
    pub sessions_per_address: Option<usize>,
    /// Messages of a session per second, ten seconds' worth at once; one more ends it with close
    /// code 1008
    #[arg(long, value_name = "MESSAGES", env = "STREAMGRAM_MESSAGES_PER_S",
        default_value_t = Self::default().messages_per_s,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub messages_per_s: u32,
    /// Bytes of messages of a session per second, ten seconds' worth at once; one more ends it with
    /// close code 1008
    #[arg(long, value_name = "BYTES", env = "STREAMGRAM_MESSAGE_BYTES_PER_S",
        default_value_t = Self::default().message_bytes_per_s,
        value_parser = clap::value_parser!(u32).range(1_024..))]
    pub message_bytes_per_s: u32,
    /// Legs that a session opens per minute, ten minutes' worth at once; one more is refused
    #[arg(long, value_name = "LEGS", env = "STREAMGRAM_LEGS_PER_MIN",
        default_value_t = Self::default().legs_per_min,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub legs_per_min: u32,
    /// Lines that a session sends per second, ten seconds' worth at once; a burst beyond it is
    /// refused
    #[arg(long, value_name = "LINES", env = "STREAMGRAM_LINES_PER_S",
        default_value_t = Self::default().lines_per_s,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub lines_per_s: u32,
    /// Between two pings of a session, in seconds; after three without a word from the peer the
    /// session ends
    #[arg(long, value_name = "S", env = "STREAMGRAM_PING_S",
        default_value_t = Self::default().ping_s,
        value_parser = clap::value_parser!(u32).range(1..=20))]
    pub ping_s: u32,
}

impl Default for WebSocketLimits {
    fn default() -> Self {
        Self {
            sessions: 4_096,
            sessions_per_address: None,
            messages_per_s: 100,
            message_bytes_per_s: 1 << 20,
            legs_per_min: 60,
            lines_per_s: 5_000,
            ping_s: 15,
        }
    }
}

/// How many TCP clients there may be, and for how long.
///
/// They do not apply to legs, which live as long as their session.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Limits of TCP clients")]
pub struct TcpLimits {
    /// TCP clients at a time; one more is closed at once
    #[arg(
        long,
        value_name = "CLIENTS",
        env = "STREAMGRAM_TCP_CONNECTIONS",
        default_value_t = 16_384
    )]
    pub tcp_connections: usize,
    /// TCP clients of one address (IPv6: of one /64) at a time; one more is closed at once; half of all
    /// by default
    #[arg(long, value_name = "CLIENTS", env = "STREAMGRAM_TCP_CONNECTIONS_PER_ADDRESS")]
    pub tcp_connections_per_address: Option<usize>,
    /// How long a TCP client may send nothing, in seconds; then it gets a FIN
    #[arg(long, value_name = "S", env = "STREAMGRAM_TCP_IDLE_S", default_value_t = 600,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub tcp_idle_s: u32,
    /// How long a TCP client may read nothing of its replies, in seconds; then it is reset
    #[arg(long, value_name = "S", env = "STREAMGRAM_TCP_WRITE_S", default_value_t = 30,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub tcp_write_s: u32,
    /// How long a TCP client may stay, in seconds; then it gets a FIN
    #[arg(long, value_name = "S", env = "STREAMGRAM_TCP_LIFETIME_S", default_value_t = 86_400,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub tcp_lifetime_s: u32,
}

/// How often a datagram is answered; one more is counted, and not answered.
///
/// They do not apply to legs. To loopback addresses, which cannot be forged from elsewhere, only the limit of
/// all applies.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Limits of UDP")]
pub struct UdpLimits {
    /// Datagrams of one address (IPv6: of one /64) per second, two seconds' worth at once
    #[arg(long, value_name = "DATAGRAMS", env = "STREAMGRAM_UDP_PER_ADDRESS_PER_S",
        default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub udp_per_address_per_s: u32,
    /// Datagrams of one IPv4 network, a /24, per second, two seconds' worth at once
    #[arg(long, value_name = "DATAGRAMS", env = "STREAMGRAM_UDP_PER_NETWORK_PER_S",
        default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub udp_per_network_per_s: u32,
    /// Datagrams of all together per second, two seconds' worth at once
    #[arg(long, value_name = "DATAGRAMS", env = "STREAMGRAM_UDP_PER_S", default_value_t = 20_000,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub udp_per_s: u32,
}

/// A host name as a browser sends it: in lower case, other letters as Punycode (RFC 5891), without the dot of
/// the root.
fn host(text: &str) -> Result<String, &'static str> {
    let host = Host::parse(text.strip_suffix('.').unwrap_or(text));
    let host = host.ok().filter(|_| !text.contains('*'));
    host.map(|host| host.to_string()).ok_or("write a name without wildcards, scheme and port")
}

/// An origin as a browser sends it (RFC 6454, section 6.2): `https://class.example`.
fn origin(text: &str) -> Result<String, String> {
    let expected = "write an origin as https://NAME or https://NAME:PORT";
    let url: Url = text.parse().map_err(|error| format!("{error}, {expected}"))?;
    let origin = url.origin();
    let is_alone = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let is_anonymous = url.username().is_empty() && url.password().is_none();
    if origin.is_tuple() && is_alone && is_anonymous {
        Ok(origin.ascii_serialization())
    } else {
        Err(expected.into())
    }
}

/// A network, or a single address.
fn network(text: &str) -> Result<IpNet, String> {
    let alone = text.parse::<IpAddr>().map(IpNet::from);
    alone.or_else(|_| text.parse()).map_err(|error| format!("{error}, write it as 10.0.0.0/8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_what_a_browser_sends() {
        for (flag, sent) in [
            ("Lab.Example", "lab.example"),
            ("lab.example.", "lab.example"),
            ("教室.example", "xn--wbtt9t.example"),
            ("[::1]", "[::1]"),
        ] {
            assert_eq!(host(flag), Ok(sent.into()));
        }
        for never in ["a:8000", "http://a", "a/b", "a b", "*.example", ""] {
            assert!(host(never).unwrap_err().contains("scheme and port"), "{never}");
        }
    }

    #[test]
    fn an_origin_is_what_a_browser_sends() {
        for (flag, sent) in [
            ("https://Class.example/", "https://class.example"),
            ("https://class.example:443", "https://class.example"),
            ("http://教室.example:8000", "http://xn--wbtt9t.example:8000"),
        ] {
            assert_eq!(origin(flag), Ok(sent.into()));
        }
        for never in ["https://x/path", "https://x?q", "https://me@x", "null", "*", "class.example"]
        {
            assert!(origin(never).unwrap_err().contains("https://NAME"), "{never}");
        }
    }
}
