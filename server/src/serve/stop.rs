//! How the server ends: because it is told to stop, or because a listener fails.

use std::io;
use std::time::Duration;

use futures_util::future::try_join_all;
use metrics_exporter_prometheus::BuildError;
use thiserror::Error;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

/// How long connections and sessions may take to end after a stop. Then they are cut off.
pub(super) const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// Why the server ended without being told to.
#[derive(Debug, Error)]
pub enum RunError {
    /// One of the listeners failed.
    #[error("the {surface} listener has ended: {cause}")]
    Listener {
        /// Which one.
        surface: &'static str,
        /// What the system says, or that it panicked.
        cause: io::Error,
    },
    /// The recorder of the meters could not be started.
    #[error("cannot measure: {0}")]
    Meters(#[from] BuildError),
}

/// A listener's task.
pub(super) struct Serving {
    pub(super) surface: &'static str,
    pub(super) task: JoinHandle<io::Result<()>>,
}

impl Serving {
    async fn until_it_ends(self) -> Result<(), RunError> {
        let ended = self.task.await.unwrap_or_else(|panicked| Err(io::Error::other(panicked)));
        ended.map_err(|cause| RunError::Listener { surface: self.surface, cause })
    }
}

/// Waits for `stop`, or for the end of a listener. Then it stops everything that is still `running`, and
/// waits for that.
pub(super) async fn until_stopped(
    serving: Vec<Serving>,
    stop: CancellationToken,
    running: TaskTracker,
) -> Result<(), RunError> {
    let ended = tokio::select! {
        biased;
        () = stop.cancelled() => Ok(()),
        ended = try_join_all(serving.into_iter().map(Serving::until_it_ends)) => ended.map(drop),
    };
    stop.cancel();
    running.close();
    if timeout(STOP_PATIENCE, running.wait()).await.is_err() {
        warn!(tasks = running.len(), "cut off what did not end in time");
    }
    ended
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_listener_that_panics_is_named() {
        let task = tokio::spawn(async { panic!("a bug") });
        let ended = Serving { surface: "UDP", task }.until_it_ends().await.unwrap_err().to_string();
        assert!(ended.contains("UDP listener") && ended.contains("a bug"), "{ended}");
    }
}
