//! Fits the limits of the flags to the files that the process may open, and to the memory that it may take.
//!
//! At either limit nothing works any more, not even an error message. So the limits are lowered until all of
//! them together fit, and what each client may take at most is never more than there is. Each surface has a
//! share of its own, so a flood on one takes nothing from the others.

use tracing::info;

use crate::config::{HttpLimits, Serve, TcpLimits, WebSocketLimits};
use crate::session::{HELD_BYTES, UNREAD_BYTES};

/// Descriptors for everything that is not a client: listeners, logs, the runtime, libraries.
const RESERVED: usize = 64;
/// Files that the process must be allowed to open: with fewer it would listen and serve nobody.
pub(super) const FEWEST_FILES: usize = RESERVED + 8;
/// Descriptors of a session beside its WebSocket: two legs, and the TCP server's end of one.
const LEGS: usize = 3;

/// Bytes for everything that is not a client: the process at rest takes 10 MiB, and the allocator cannot use
/// every gap.
const RESERVED_BYTES: usize = 32 << 20;
/// Bytes of a session that are there whatever it does: itself and what it has read and written but for its
/// message and its events (64 KiB), two emulated paths at rest (137), the raw clients that it knows (180),
/// and what one turn can add to what is held (64).
const SESSION_BYTES: usize = 445 * 1024;
/// Bytes of an HTTP connection: a request's head, and a response that is not read.
const HTTP_BYTES: usize = 64 * 1024;
/// Bytes of a TCP client, with a reply.
const TCP_BYTES: usize = 8 * 1024;

/// The limits that count connections, as they hold here.
#[derive(Debug)]
pub(crate) struct Capacity {
    pub(crate) http: HttpLimits,
    pub(crate) websocket: WebSocketLimits,
    pub(crate) tcp: TcpLimits,
}

/// Bytes that a session takes at most, if its messages may have `message_bytes`.
pub(crate) fn session_bytes(message_bytes: usize) -> usize {
    // The library keeps the frame that it has read last beside the message that it puts together.
    SESSION_BYTES + HELD_BYTES + UNREAD_BYTES + 2 * message_bytes
}

impl Capacity {
    /// The limits of the flags, or lower ones if the process may open only `files` files, or take only
    /// `memory` bytes.
    pub(crate) fn within(files: usize, memory: usize, config: &Serve) -> Self {
        let mut this = Self {
            http: config.http_limits.clone(),
            websocket: config.websocket_limits,
            tcp: config.tcp_limits,
        };
        let files = files.max(FEWEST_FILES) - RESERVED;
        this.fit("open files", files, [Need(1, 3), Need(LEGS, 3), Need(1, 2)]);
        let memory = memory.saturating_sub(RESERVED_BYTES);
        let session = session_bytes(config.limits().message_bytes);
        this.fit("memory", memory, [Need(HTTP_BYTES, 1), Need(session, 6), Need(TCP_BYTES, 1)]);
        this
    }

    /// Lowers the limits until all together need no more than there is of something. The needs are those of
    /// HTTP connections, of sessions, and of TCP clients.
    fn fit(&mut self, what: &str, there_is: usize, needs: [Need; 3]) {
        let Self { http, websocket, tcp } = self;
        let limits = [
            (&mut http.http_connections, &mut http.http_connections_per_address),
            (&mut websocket.sessions, &mut websocket.sessions_per_address),
            (&mut tcp.tcp_connections, &mut tcp.tcp_connections_per_address),
        ];
        let all =
            limits.iter().zip(&needs).map(|((all, _), Need(each, _))| all.saturating_mul(*each));
        if all.fold(0, usize::saturating_add) <= there_is {
            return;
        }
        let mut is_lowered = false;
        for ((all, of_address), Need(each, eighths)) in limits.into_iter().zip(needs) {
            let most = (there_is / 8).saturating_mul(eighths) / each;
            if *all > most.max(1) {
                (*all, is_lowered) = (most.max(1), true);
                // One address must not take all that is left.
                *of_address = of_address.filter(|asked| *asked < most / 2);
            }
        }
        if is_lowered {
            info!(
                tcp_connections = tcp.tcp_connections,
                sessions = websocket.sessions,
                http_connections = http.http_connections,
                "the limit of {what} allows no more"
            );
        }
    }
}

/// How much each client of a surface needs, and how many eighths of what there is are for the surface.
struct Need(usize, usize);

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::{Cli, Command};

    const PLENTY: usize = usize::MAX;

    fn capacity(files: usize, memory: usize, flags: &[&str]) -> Capacity {
        let args = ["streamgram"].iter().chain(flags);
        let Command::Serve(config) = Cli::parse_from(args).command() else { panic!() };
        Capacity::within(files, memory, &config)
    }

    fn within(files: usize, memory: usize, flags: &[&str]) -> [usize; 3] {
        let Capacity { http, websocket, tcp } = capacity(files, memory, flags);
        [http.http_connections, websocket.sessions, tcp.tcp_connections]
    }

    #[test]
    fn with_plenty_of_everything_the_flags_hold() {
        assert_eq!(within(1 << 20, 8 << 30, &[]), [8_192, 4_096, 16_384]);
        let few = ["--sessions=10", "--http-connections=20", "--tcp-connections=30"];
        assert_eq!(within(64 + 20 + 30 + 30, PLENTY, &few), [20, 10, 30]);
    }

    #[test]
    fn with_few_files_everything_fits_below_the_limit() {
        for files in [0, 100, 256, 1_024, 4_096, 20_000] {
            let [http, sessions, tcp] = within(files, PLENTY, &[]);
            assert!(http + 3 * sessions + tcp <= files.saturating_sub(64).max(8), "{files}");
            assert!(http > sessions && sessions > 0 && tcp > 0, "{files}");
        }
        assert_eq!(within(1_024, PLENTY, &["--sessions=5"])[1], 5);
    }

    #[test]
    fn what_all_may_take_is_never_more_than_the_memory() {
        let session = session_bytes(256 * 1_024);
        assert!(session <= 1_536 * 1_024, "{session}");
        for memory in [128 << 20, 256 << 20, 1 << 30, 4 << 30] {
            let [http, sessions, tcp] = within(PLENTY, memory, &[]);
            let all = http * HTTP_BYTES + sessions * session + tcp * TCP_BYTES;
            assert!(all <= memory - RESERVED_BYTES, "{memory}: {all}");
            assert!(http > sessions && sessions >= memory / 2 / session, "{memory}: {sessions}");
        }
        let large = within(PLENTY, 1 << 30, &["--message-bytes=4194304"])[1];
        assert!(large < within(PLENTY, 1 << 30, &[])[1] / 3, "{large}");
    }

    #[test]
    fn a_limit_that_is_lowered_is_no_longer_for_one_address() {
        let asked = ["--sessions=100", "--sessions-per-address=100"];
        assert_eq!(capacity(PLENTY, PLENTY, &asked).websocket.sessions_per_address, Some(100));
        assert_eq!(capacity(256, PLENTY, &asked).websocket.sessions_per_address, None);
        let little = ["--sessions=100", "--sessions-per-address=3"];
        assert_eq!(capacity(256, PLENTY, &little).websocket.sessions_per_address, Some(3));
    }
}
