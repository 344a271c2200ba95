//! What the process needs of the system before anything starts: threads, and files that it may open.
//!
//! Without them it would fail half started: a runtime that cannot have its threads panics and waits for ever.

use std::io;
use std::sync::Mutex;
use std::thread;

use thiserror::Error;

use super::capacity::FEWEST_FILES;

/// Threads beside the workers: of TCP, of UDP, of the log and of the capture.
const OWN_THREADS: usize = 4;

/// What the system does not give.
#[derive(Debug, Error)]
pub enum Lacking {
    /// Too few threads.
    #[error("cannot start the {wanted} threads that --threads asks for, and four more: {cause}")]
    Threads {
        /// The workers.
        wanted: usize,
        /// What the system says.
        cause: io::Error,
    },
    /// Too few files.
    #[error("the limit of open files is {limit}, at least {FEWEST_FILES} are needed")]
    Files {
        /// The limit.
        limit: usize,
    },
}

/// Sees whether there can be this number of worker threads, and descriptors for the fewest clients.
///
/// # Errors
/// What is lacking.
pub fn check(wanted: usize) -> Result<(), Lacking> {
    // Every session with both legs takes four descriptors; the usual soft limit of 1,024 is for programs that
    // use select(2). Where it cannot be raised, the capacity follows it.
    let _raised = rlimit::increase_nofile_limit(u64::MAX);
    let limit = open_files();
    if limit < FEWEST_FILES {
        return Err(Lacking::Files { limit });
    }
    start_threads(wanted + OWN_THREADS).map_err(|cause| Lacking::Threads { wanted, cause })
}

/// Starts threads that all live at the same time, and ends them.
fn start_threads(count: usize) -> io::Result<()> {
    let gate = Mutex::new(());
    let closed = gate.lock();
    thread::scope(|scope| {
        let started = (0..count).try_for_each(|_| {
            thread::Builder::new().spawn_scoped(scope, || drop(gate.lock())).map(drop)
        });
        drop(closed);
        started
    })
}

/// How many files the process may open.
pub(super) fn open_files() -> usize {
    #[cfg(unix)]
    let limit = rlimit::getrlimit(rlimit::Resource::NOFILE).map(|(soft, _hard)| soft);
    // Windows knows no such limit.
    #[cfg(not(unix))]
    let limit = io::Result::Ok(u64::MAX);
    limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}
