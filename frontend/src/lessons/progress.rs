//! What a person predicted of each lesson and what came of it, kept in this browser.

use crate::browser::storage;

const KEY: &str = "lessons";
/// Lessons whose progress is kept; that of the one before longest is forgotten for one more.
pub(crate) const KEPT_LESSONS: usize = 100;

/// How far one lesson is.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// What is kept, the latest last.
pub(crate) fn read() -> Vec<Progress> {
    let kept = storage::read(KEY).unwrap_or_default();
    kept.lines().filter_map(decode).take(KEPT_LESSONS).collect()
}

/// Keeps how far a lesson is, in place of what was kept of it; all that is kept now.
pub(crate) fn keep(progress: Progress) -> Vec<Progress> {
    // Another tab may have added to it.
    let mut all = read();
    all.retain(|other| other.lesson != progress.lesson);
    all.push(progress);
    all.drain(..all.len().saturating_sub(KEPT_LESSONS));
    storage::write(KEY, &all.iter().map(encode).collect::<String>());
    all
}

/// Forgets all of it.
pub(crate) fn forget() -> Vec<Progress> {
    storage::write(KEY, "");
    Vec::new()
}

/// `records 1 0`, `order 2 -`
fn encode(progress: &Progress) -> String {
    let outcome = progress.outcome.map_or("-".to_owned(), |outcome| outcome.to_string());
    format!("{} {} {outcome}\n", progress.lesson, progress.predicted)
}

fn decode(line: &str) -> Option<Progress> {
    let mut words = line.split(' ');
    let lesson = words.next()?.to_owned();
    let predicted = words.next()?.parse().ok()?;
    let outcome = match words.next()? {
        "-" => None,
        outcome => Some(outcome.parse().ok()?),
    };
    words.next().is_none().then_some(Progress { lesson, predicted, outcome })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(lesson: &str, outcome: Option<usize>) -> Progress {
        Progress { lesson: lesson.into(), predicted: 1, outcome }
    }

    #[test]
    fn progress_is_kept_once_for_each_lesson() {
        keep(progress("order", None));
        keep(progress("records", Some(0)));
        let all = keep(progress("order", Some(1)));
        assert_eq!(all, [progress("records", Some(0)), progress("order", Some(1))]);
        assert_eq!(
            (read(), all[0].is_right(), all[1].is_right()),
            (all.clone(), Some(false), Some(true))
        );
        assert_eq!((forget(), read()), (vec![], vec![]));
    }

    #[test]
    fn what_is_kept_is_bounded_and_what_somebody_edited_is_left_out() {
        (0..=KEPT_LESSONS).for_each(|n| drop(keep(progress(&n.to_string(), None))));
        assert_eq!((read().len(), read()[0].lesson.as_str()), (KEPT_LESSONS, "1"));
        storage::write(KEY, "a 1\nb x -\nc 1 - more\n\nd 1 2\ne 1 -1\n");
        assert_eq!(read(), [progress("d", Some(2))]);
    }
}
