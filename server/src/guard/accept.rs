//! How connections come in, whatever happens to `accept`, and how long they are listened to at the end.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::guard::refusals::{Refusal, Refusals};

/// Pauses after a failure, doubled from one to the next. Trying again at once would only burn the
/// processor that the open connections need: nothing but their end makes descriptors free.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
/// So short that a client hardly notices it once there are descriptors again.
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// How long connections are still answered after a stop: whatever was sent before it has come by then.
pub const LAST_WORDS: Duration = Duration::from_millis(250);

/// The next connection; failures that may pass are counted and waited out.
///
/// # Cancel safety
/// Losing a `select!` loses no connection.
///
/// # Errors
/// The socket listens no more, and never will.
pub async fn accept(
    listener: &TcpListener,
    refusals: &Refusals,
) -> io::Result<(TcpStream, SocketAddr)> {
    let mut pause = SHORTEST_PAUSE;
    loop {
        match listener.accept().await {
            Ok(accepted) => return Ok(accepted),
            // Somebody shut it down who has it as well (accept(2), EINVAL).
            Err(error) if error.kind() == ErrorKind::InvalidInput => return Err(error),
            Err(error) => {
                refusals.count(Refusal::AcceptFailed, Instant::now(), &error);
                if !is_of_one_connection(&error) {
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }
}

/// Linux reports what happened to a connection before it was accepted as an error of `accept`
/// (accept(2), error handling).
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}
