//! What came of it: answers and how long they took, attacks, lines without a reply, refusals.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// How long an answer may take. Generous: a session waits 2 s for a datagram before it says that there is
/// no reply, and others may need the machine as well.
pub(crate) const IN_TIME: Duration = Duration::from_secs(10);

/// The counts of everybody; clones count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally(Arc<Mutex<Counts>>);

/// The counts themselves, by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    /// How long each answer took, in microseconds.
    pub(crate) answers: BTreeMap<&'static str, Vec<u32>>,
    pub(crate) attacks: BTreeMap<&'static str, u64>,
    pub(crate) others: BTreeMap<&'static str, u64>,
    pub(crate) refused: BTreeMap<String, u64>,
}

impl Tally {
    /// A right answer came, and in time.
    ///
    /// # Panics
    /// Not in time.
    pub(crate) fn answered(&self, whom: &'static str, took: Duration) {
        assert!(took <= IN_TIME, "{whom} was answered after {took:?}");
        self.answered_at_last(whom, took);
    }

    /// A right answer came, over a link that may take its time.
    pub(crate) fn answered_at_last(&self, whom: &'static str, took: Duration) {
        let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        self.counts().answers.entry(whom).or_default().push(micros);
    }

    /// An attack begins.
    pub(crate) fn attacked(&self, how: &'static str) {
        *self.counts().attacks.entry(how).or_default() += 1;
    }

    /// Something else happened, so often.
    pub(crate) fn saw(&self, what: &'static str, times: usize) {
        *self.counts().others.entry(what).or_default() += times as u64;
    }

    /// Takes what `/api/refused` says.
    pub(crate) fn refused(&self, json: &str) {
        self.counts().refused = serde_json::from_str(json).expect("numbers by reason");
    }

    /// No session panicked: none was ended with 1011.
    pub(crate) fn no_session_met_a_bug(&self) -> Result<(), String> {
        let panics = self.counts().refused["ws_panic"];
        if panics == 0 { Ok(()) } else { Err(format!("{panics} sessions panicked")) }
    }

    pub(crate) fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().expect("nobody panics with it")
    }
}
