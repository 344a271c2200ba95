//! Fits the limits of the flags to the number of files that the process may open.
//!
//! At that limit nothing works any more, not even an error message. So the limits are lowered until all of
//! them together fit. Each surface has a share of its own, so a flood on one takes nothing from the others.

use tracing::info;

use crate::config::{HttpLimits, Serve, TcpLimits, WebSocketLimits};

/// Descriptors for everything that is not a client: listeners, logs, the runtime, libraries.
const RESERVED: usize = 64;
/// Files that the process must be allowed to open: with fewer it would listen and serve nobody.
pub(super) const FEWEST_FILES: usize = RESERVED + 8;
/// Descriptors of a session beside its WebSocket: two legs, and the TCP server's end of one.
const LEGS: usize = 3;

/// The limits that count connections, as they hold here.
#[derive(Debug)]
pub(crate) struct Capacity {
    pub(crate) http: HttpLimits,
    pub(crate) websocket: WebSocketLimits,
    pub(crate) tcp: TcpLimits,
}

impl Capacity {
    /// The limits of the flags, or lower ones if the process may open only `files` files.
    pub(crate) fn within(files: usize, config: &Serve) -> Self {
        let mut this = Self {
            http: config.http_limits.clone(),
            websocket: config.websocket_limits,
            tcp: config.tcp_limits,
        };
        let Self { http, websocket, tcp } = &mut this;
        let files = files.max(FEWEST_FILES) - RESERVED;
        if http.http_connections + LEGS * websocket.sessions + tcp.tcp_connections > files {
            let shares = [
                lower(&mut tcp.tcp_connections, files / 4),
                lower(&mut websocket.sessions, files / 8),
                lower(&mut http.http_connections, files / 4 + files / 8),
            ];
            if shares.contains(&true) {
                info!(
                    tcp_connections = tcp.tcp_connections,
                    sessions = websocket.sessions,
                    http_connections = http.http_connections,
                    "the limit of open files allows no more"
                );
            }
        }
        this
    }
}

/// Lowers a limit to its share; whether it was higher.
fn lower(limit: &mut usize, share: usize) -> bool {
    let is_lowered = *limit > share;
    *limit = (*limit).min(share);
    is_lowered
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::{Cli, Command};

    fn within(files: usize, flags: &[&str]) -> [usize; 3] {
        let args = ["streamgram"].iter().chain(flags);
        let Command::Serve(config) = Cli::parse_from(args).command() else { panic!() };
        let Capacity { http, websocket, tcp } = Capacity::within(files, &config);
        [http.http_connections, websocket.sessions, tcp.tcp_connections]
    }

    #[test]
    fn with_many_descriptors_the_flags_hold() {
        assert_eq!(within(1 << 20, &[]), [8_192, 4_096, 16_384]);
        let few = ["--sessions=10", "--http-connections=20", "--tcp-connections=30"];
        assert_eq!(within(64 + 20 + 30 + 30, &few), [20, 10, 30]);
    }

    #[test]
    fn with_few_everything_fits_below_the_limit() {
        for files in [0, 100, 256, 1_024, 4_096, 20_000] {
            let [http, sessions, tcp] = within(files, &[]);
            assert!(http + 3 * sessions + tcp <= files.saturating_sub(64).max(8), "{files}");
            assert!(http > sessions && sessions > 0 && tcp > 0, "{files}");
        }
        assert_eq!(within(1_024, &["--sessions=5"])[1], 5);
    }
}
