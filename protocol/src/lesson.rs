//! Lessons: a question, the scenario that answers it, and the possible outcomes. `docs/lessons.md` says how
//! to write one. A lesson does not contain its answer: that is computed from what was observed.

mod comparison;
mod figures;

use serde::Deserialize;
use serde::de::IgnoredAny;

pub use comparison::Comparison;
pub use figures::{Count, Figures};

/// A lesson. Its file is TOML; the page loads all of them as one JSON array.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lesson {
    /// What its links call it; the name of its file says it.
    #[serde(default)]
    pub id: String,
    /// What it sends: the fragment of a link, see [`crate::Scenario::decode`].
    pub run: String,
    /// Where the behaviour is specified.
    pub rfc: Rfc,
    /// A few words.
    pub title: Text,
    /// What to predict.
    pub question: Text,
    /// Where to look in the result.
    pub look: Text,
    /// What can come of it.
    pub choices: Vec<Choice>,
    /// Why it is so, a sentence each.
    pub why: Vec<Text>,
    /// What to try next.
    pub changes: Vec<Change>,
    /// Figures whose outcome is known: only the build reads them.
    #[serde(default)]
    pub examples: IgnoredAny,
}

/// A text in every language of the page.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// English.
    pub en: String,
    /// Simplified Chinese.
    pub zh: String,
}

/// A section of a specification.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rfc {
    /// What it is called.
    pub name: String,
    /// Its address.
    pub url: String,
}

/// Something that can come of a lesson.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// All of these hold then.
    pub when: Vec<Comparison>,
    /// What a person chooses.
    pub text: Text,
}

/// Something to try after a lesson.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What it sends, as [`Lesson::run`].
    pub run: String,
    /// What changes.
    pub text: Text,
}

impl Lesson {
    /// What these figures show: the first choice that holds, from 0.
    #[must_use]
    pub fn outcome(&self, figures: &Figures) -> Option<usize> {
        self.choices
            .iter()
            .position(|choice| choice.when.iter().all(|it| it.holds(figures) == Some(true)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Protocol;

    #[test]
    fn the_outcome_is_the_first_choice_that_holds_and_unknown_figures_show_nothing() {
        let text = json!({"en": "a", "zh": "b"});
        let lesson: Lesson = serde_json::from_value(json!({
            "run": "v1&text=x&count=5", "rfc": {"name": "RFC 768", "url": "https://www.rfc-editor.org"},
            "title": text, "question": text, "look": text, "why": [], "changes": [],
            "choices": [
                {"when": ["tcp.reads < tcp.lines", "udp.reads = 5"], "text": text},
                {"when": ["tcp.reads = tcp.lines"], "text": text},
            ],
        }))
        .unwrap();
        let outcome = |reads, datagrams| {
            let mut figures = Figures::default();
            figures.set(Protocol::Tcp, Count::Lines, 5);
            figures.set(Protocol::Tcp, Count::Reads, reads);
            if let Some(datagrams) = datagrams {
                figures.set(Protocol::Udp, Count::Reads, datagrams);
            }
            lesson.outcome(&figures)
        };
        assert_eq!(
            [outcome(2, Some(5)), outcome(5, Some(5)), outcome(5, None)],
            [Some(0), Some(1), Some(1)]
        );
        assert_eq!([outcome(2, Some(4)), outcome(2, None), outcome(6, Some(5))], [None; 3]);
    }
}
