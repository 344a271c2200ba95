//! The lines that were sent, to be recalled with ↑ and ↓ as in a shell.

use super::draft::Draft;
use super::stored_lines::{self, SENT_LINES};

/// Lines that were sent, and the place in them. A tab has its own, so that another does not move it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct History {
    lines: Vec<Draft>,
    /// Which line is shown; none while the draft is.
    shown: Option<usize>,
    draft: Draft,
}

impl History {
    /// What this browser stores.
    pub(crate) fn stored() -> Self {
        Self { lines: stored_lines::sent(), ..Self::default() }
    }

    /// A line was sent; the next recall begins at it.
    pub(crate) fn remember(&mut self, line: &Draft) {
        stored_lines::remember(line);
        self.shown = None;
        if self.lines.last().is_some_and(|last| last == line) {
            return;
        }
        if self.lines.len() == SENT_LINES {
            self.lines.remove(0);
        }
        self.lines.push(line.clone());
    }

    /// The line before the one that is shown; `current` is kept if it is the draft.
    pub(crate) fn older(&mut self, current: &Draft) -> Option<Draft> {
        let older = match self.shown {
            None => {
                self.draft = current.clone();
                self.lines.len().checked_sub(1)?
            }
            Some(shown) => shown.checked_sub(1)?,
        };
        self.shown = Some(older);
        self.lines.get(older).cloned()
    }

    /// The line after the one that is shown; behind the last comes the draft.
    pub(crate) fn newer(&mut self) -> Option<Draft> {
        let newer = self.shown? + 1;
        if newer >= self.lines.len() {
            return self.draft();
        }
        self.shown = Some(newer);
        self.lines.get(newer).cloned()
    }

    /// Back to the draft, if a line is shown instead.
    pub(crate) fn draft(&mut self) -> Option<Draft> {
        self.shown.take()?;
        Some(std::mem::take(&mut self.draft))
    }

    /// Forgets every line, here and in this browser.
    pub(crate) fn forget(&mut self) {
        stored_lines::forget();
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Draft {
        Draft { text: text.into(), ..Draft::default() }
    }

    fn some(text: &str) -> Option<Draft> {
        Some(line(text))
    }

    #[test]
    fn up_and_down_walk_through_the_lines_and_back_to_the_draft() {
        let mut history = History::default();
        history.remember(&line("one"));
        history.remember(&line("two"));
        assert_eq!(history.older(&line("dra")), some("two"));
        assert_eq!(history.older(&line("two")), some("one"));
        assert_eq!(history.older(&line("one")), None);
        assert_eq!(history.newer(), some("two"));
        assert_eq!(history.newer(), some("dra"));
        assert_eq!(history.newer(), None);
    }

    #[test]
    fn escape_brings_the_draft_back_at_once() {
        let mut history = History::default();
        history.remember(&line("one"));
        assert_eq!(history.draft(), None);
        history.older(&line("dra"));
        assert_eq!(history.draft(), some("dra"));
    }

    #[test]
    fn the_same_line_twice_is_remembered_once_and_the_oldest_is_forgotten() {
        let mut history = History::default();
        history.remember(&line("same"));
        history.remember(&line("same"));
        assert_eq!(history.lines.len(), 1);
        (0..SENT_LINES).for_each(|n| history.remember(&line(&n.to_string())));
        assert_eq!((history.lines.len(), history.lines[0].text.as_str()), (SENT_LINES, "0"));
    }

    #[test]
    fn the_next_page_of_this_browser_begins_with_what_was_sent_until_it_is_forgotten() {
        let mut tab = History::stored();
        tab.remember(&line("one"));
        let mut other = History::stored();
        tab.remember(&line("two"));
        other.remember(&line("three"));
        assert_eq!(other.older(&line("")), some("three"));
        assert_eq!(other.older(&line("")), some("one"));
        let mut next = History::stored();
        assert_eq!(next.older(&line("")), some("three"));
        assert_eq!(next.older(&line("")), some("two"));
        next.forget();
        assert_eq!((next.older(&line("")), History::stored()), (None, History::default()));
        assert_eq!(tab.older(&line("")), some("two"));
    }
}
