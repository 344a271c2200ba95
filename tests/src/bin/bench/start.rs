//! How soon a server listens, what it holds before anybody comes, and what an idle session adds to that.

use std::time::Instant;

use futures_util::future::join_all;
use serde::Serialize;
use streamgram_tests::binary;

use crate::client::{Legs, Session};
use crate::peers::{STREAMGRAM, Speech, streamgram, streamgram_command};
use crate::spread::Spread;

const STARTS: usize = 11;
/// Sessions, and how many of them open at the same time.
const SESSIONS: usize = 500;
const AT_ONCE: usize = 50;

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Start {
    pub(crate) listening_ms: Spread,
    pub(crate) resident_mib: Spread,
    pub(crate) session_kib: f64,
}

/// Starts the server again and again; the last one gets sessions with both legs.
pub(crate) async fn measure() -> Start {
    let start = || {
        let begun = Instant::now();
        let peer = streamgram(STREAMGRAM, streamgram_command(&binary()), Speech::Session);
        let listening_ms = begun.elapsed().as_secs_f64() * 1e3;
        (listening_ms, peer.processes[0].resident_kib() / 1_024.0)
    };
    let starts: Vec<_> = (0..STARTS).map(|_| start()).collect();
    Start {
        listening_ms: Spread::of(starts.iter().map(|(listening_ms, _)| *listening_ms)),
        resident_mib: Spread::of(starts.iter().map(|(_, resident_mib)| *resident_mib)),
        session_kib: idle_session().await,
    }
}

async fn idle_session() -> f64 {
    let peer = streamgram(STREAMGRAM, streamgram_command(&binary()), Speech::Session);
    // What the first session costs beyond its own is not what a session costs.
    let _first = Session::connect(peer.at, Legs::BOTH).await;
    let before = peer.processes[0].resident_kib();
    let mut sessions = Vec::new();
    while sessions.len() < SESSIONS {
        let more = (0..AT_ONCE).map(|_| Session::connect(peer.at, Legs::BOTH));
        sessions.extend(join_all(more).await);
    }
    (peer.processes[0].resident_kib() - before) / SESSIONS as f64
}
