//! What a person predicted of each lesson and what came of it, stored in this browser.

use serde::{Deserialize, Serialize};

use crate::browser::storage;

const KEY: &str = "lessons";
/// Lessons whose progress is stored; that of the one before longest is forgotten for one more.
const MAX_LESSONS: usize = 100;

/// How far one lesson is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    pub(crate) lesson: String,
    /// The choice that was predicted, from 0.
    pub(crate) predicted: usize,
    /// The choice that came of it, once a run has shown one.
    pub(crate) outcome: Option<usize>,
}

impl Progress {
    /// Whether the prediction was right, once that is known.
    pub(crate) fn is_right(&self) -> Option<bool> {
        self.outcome.map(|outcome| outcome == self.predicted)
    }
}

/// What is stored, the latest last.
pub(crate) fn read() -> Vec<Progress> {
    let mut all = storage::read_list(KEY);
    all.truncate(MAX_LESSONS);
    all
}

/// Stores how far a lesson is, in place of what was stored of it; all that is stored now.
pub(crate) fn store(progress: Progress) -> Vec<Progress> {
    // Another tab may have added to it.
    let mut all = read();
    all.retain(|other| other.lesson != progress.lesson);
    all.push(progress);
    all.drain(..all.len().saturating_sub(MAX_LESSONS));
    storage::write(KEY, &all);
    all
}

/// Forgets all of it.
pub(crate) fn forget() -> Vec<Progress> {
    let none = Vec::new();
    storage::write(KEY, &none);
    none
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn progress(lesson: &str, outcome: Option<usize>) -> Progress {
        Progress { lesson: lesson.into(), predicted: 1, outcome }
    }

    #[test]
    fn progress_is_stored_once_for_each_lesson() {
        store(progress("order", None));
        store(progress("records", Some(0)));
        let all = store(progress("order", Some(1)));
        assert_eq!(all, [progress("records", Some(0)), progress("order", Some(1))]);
        assert_eq!(
            (read(), all[0].is_right(), all[1].is_right()),
            (all.clone(), Some(false), Some(true))
        );
        assert_eq!((forget(), read()), (vec![], vec![]));
    }

    #[test]
    fn what_is_stored_is_bounded_and_what_somebody_edited_is_left_out() {
        (0..=MAX_LESSONS).for_each(|n| drop(store(progress(&n.to_string(), None))));
        assert_eq!((read().len(), read()[0].lesson.as_str()), (MAX_LESSONS, "1"));
        let edited = json!([
            {"lesson": "a"},
            {"lesson": "b", "predicted": "x", "outcome": null},
            "c 1",
            {"lesson": "d", "predicted": 1, "outcome": 2},
            {"lesson": "e", "predicted": 1, "outcome": -1},
        ]);
        storage::write(KEY, edited);
        assert_eq!(read(), [progress("d", Some(2))]);
    }
}
