//! The lines that were sent, to be recalled with ↑ and ↓ as in a shell.

use yew::prelude::*;

/// Lines that are remembered; the oldest is forgotten for one more.
const REMEMBERED_LINES: usize = 100;

/// Lines that were sent, and the place in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct History {
    lines: Vec<String>,
    /// Which line is shown; none while the draft is.
    shown: Option<usize>,
    draft: String,
}

impl History {
    /// A line was sent; the next recall begins at it.
    pub(crate) fn remember(&mut self, line: &str) {
        self.shown = None;
        if self.lines.last().is_some_and(|last| last == line) {
            return;
        }
        if self.lines.len() == REMEMBERED_LINES {
            self.lines.remove(0);
        }
        self.lines.push(line.into());
    }

    /// The line before the one that is shown; `current` is kept if it is the draft.
    pub(crate) fn older(&mut self, current: &str) -> Option<String> {
        let older = match self.shown {
            None => {
                self.draft = current.into();
                self.lines.len().checked_sub(1)?
            }
            Some(shown) => shown.checked_sub(1)?,
        };
        self.shown = Some(older);
        self.lines.get(older).cloned()
    }

    /// The line after the one that is shown; behind the last comes the draft.
    pub(crate) fn newer(&mut self) -> Option<String> {
        let newer = self.shown? + 1;
        if newer == self.lines.len() {
            return self.draft();
        }
        self.shown = Some(newer);
        self.lines.get(newer).cloned()
    }

    /// Back to the draft, if a line is shown instead.
    pub(crate) fn draft(&mut self) -> Option<String> {
        self.shown.take()?;
        Some(std::mem::take(&mut self.draft))
    }
}

/// A history that lives as long as the page.
#[hook]
pub(crate) fn use_history() -> std::rc::Rc<std::cell::RefCell<History>> {
    use_mut_ref(History::default)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(text: &str) -> Option<String> {
        Some(text.into())
    }

    #[test]
    fn up_and_down_walk_through_the_lines_and_back_to_the_draft() {
        let mut history = History::default();
        history.remember("one");
        history.remember("two");
        assert_eq!(history.older("dra"), some("two"));
        assert_eq!(history.older("two"), some("one"));
        assert_eq!(history.older("one"), None);
        assert_eq!(history.newer(), some("two"));
        assert_eq!(history.newer(), some("dra"));
        assert_eq!(history.newer(), None);
    }

    #[test]
    fn escape_brings_the_draft_back_at_once() {
        let mut history = History::default();
        history.remember("one");
        assert_eq!(history.draft(), None);
        history.older("dra");
        assert_eq!(history.draft(), some("dra"));
    }

    #[test]
    fn the_same_line_twice_is_remembered_once_and_the_oldest_is_forgotten() {
        let mut history = History::default();
        history.remember("same");
        history.remember("same");
        assert_eq!(history.lines.len(), 1);
        (0..REMEMBERED_LINES).for_each(|n| history.remember(&n.to_string()));
        assert_eq!((history.lines.len(), history.lines[0].as_str()), (REMEMBERED_LINES, "0"));
    }
}
