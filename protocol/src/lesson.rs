//! Lessons: a question, the scenario that answers it, and the possible outcomes. `docs/lessons.md` says how
//! to write one. A lesson does not contain its answer: that is computed from what was observed.

mod comparison;
mod figures;

use std::collections::HashMap;

pub use comparison::Comparison;
pub use figures::{Count, Figures, figure};

/// The languages that a lesson has every text in, as the lines of its texts begin.
pub const LANGUAGES: [&str; 2] = ["en", "zh"];

/// How the line in front of a lesson begins; its id follows.
pub const MARK: &str = "=== ";

/// A lesson.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lesson {
    /// What its links call it.
    pub id: String,
    /// What it sends: the fragment of a link, see [`crate::Scenario::decode`].
    pub run: String,
    /// Where it is written down: the address, and what it is called.
    pub rfc: (String, String),
    /// Its texts, in their order.
    pub entries: Vec<Entry>,
}

/// A text, and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The line of its key, from 1.
    pub line: usize,
    /// What it is for.
    pub key: Key,
    /// The text in each of [`LANGUAGES`].
    texts: HashMap<&'static str, String>,
}

impl Entry {
    /// The text in a language; empty if there is none.
    #[must_use]
    pub fn text(&self, language: &str) -> &str {
        self.texts.get(language).map_or("", String::as_str)
    }
}

/// What a text is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// A few words.
    Title,
    /// What to predict.
    Question,
    /// Something that can come of it: when all of these hold.
    Choice(Vec<Comparison>),
    /// A sentence why.
    Why,
    /// What to try next, as the fragment of a link.
    Change(String),
}

/// What is wrong with a lesson.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrong {
    /// The line, from 1.
    pub line: usize,
    /// What is expected there.
    pub expected: &'static str,
}

impl Lesson {
    /// Reads all lessons of a file, each behind a line of [`MARK`] and its id. A lesson may lack something:
    /// `cargo xtask` checks that when it builds the page.
    ///
    /// # Errors
    /// The first line that cannot be read.
    pub fn read_all(source: &str) -> Result<Vec<Self>, Wrong> {
        let mut lessons = Vec::new();
        for (line, text) in (1..).zip(source.lines()) {
            let text = text.trim();
            if let Some(id) = text.strip_prefix(MARK) {
                lessons.push(Self { id: id.to_owned(), ..Self::default() });
            } else if !text.is_empty() && !text.starts_with(';') {
                let lesson = lessons.last_mut().ok_or(Wrong { line, expected: "a lesson's id" })?;
                lesson.read_line(line, text).map_err(|expected| Wrong { line, expected })?;
            }
        }
        Ok(lessons)
    }

    /// Reads a line that is not empty; the error is what was expected.
    fn read_line(&mut self, line: usize, text: &str) -> Result<(), &'static str> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let rest = rest.trim();
        if let Some(language) = LANGUAGES.into_iter().find(|it| *it == word) {
            let entry = self.entries.last_mut().ok_or("a key before its texts")?;
            if rest.is_empty() || entry.texts.insert(language, rest.to_owned()).is_some() {
                return Err("one text for each language");
            }
            return Ok(());
        }
        let key = match word {
            "#title" => Key::Title,
            "#question" => Key::Question,
            "#why" => Key::Why,
            "#change" => Key::Change(rest.to_owned()),
            "#choice" => {
                let when = rest.split(',').map(Comparison::read).collect::<Option<_>>();
                Key::Choice(
                    when.ok_or("comparisons, like tcp.reads < 2 * tcp.lines, udp.reads = 5")?,
                )
            }
            "#run" => {
                rest.clone_into(&mut self.run);
                return Ok(());
            }
            "#rfc" => {
                let (address, name) = rest.split_once(' ').ok_or("an address and a name")?;
                self.rfc = (address.to_owned(), name.trim().to_owned());
                return Ok(());
            }
            // Figures whose outcome is known are for the build.
            "#example" => return Ok(()),
            _ => return Err("a key, a text, or a comment behind a semicolon"),
        };
        self.entries.push(Entry { line, key, texts: HashMap::new() });
        Ok(())
    }

    /// The first text for this, in a language of [`LANGUAGES`].
    #[must_use]
    pub fn text(&self, key: &Key, language: &str) -> &str {
        let entry = self.entries.iter().find(|entry| entry.key == *key);
        entry.map_or("", |entry| entry.text(language))
    }

    /// The texts of the choices, and when each holds.
    pub fn choices(&self) -> impl Iterator<Item = (&Entry, &[Comparison])> {
        self.entries.iter().filter_map(|entry| match &entry.key {
            Key::Choice(when) => Some((entry, when.as_slice())),
            _ => None,
        })
    }

    /// What these figures show: the first choice that holds, from 0.
    #[must_use]
    pub fn outcome(&self, figures: &Figures) -> Option<usize> {
        self.choices().position(|(_, when)| when.iter().all(|it| it.holds(figures) == Some(true)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Protocol;

    const LESSONS: &str = "\
=== records
; A comment.
#run v1&text=x&count=5
#rfc https://www.rfc-editor.org/rfc/rfc9293#section-3.9 RFC 9293, section 3.9
#title
en Records
zh 记录
#choice tcp.reads < tcp.lines, udp.reads = 5
en fewer
zh 更少
#choice tcp.reads = tcp.lines
en as many
zh 一样多
#example 1 tcp.lines=5 tcp.reads=2 udp.reads=5

=== empty
";

    #[test]
    fn lessons_are_read() {
        let lessons = Lesson::read_all(LESSONS).unwrap();
        let [records, empty] = lessons.as_slice() else { panic!("{lessons:?}") };
        assert_eq!((records.id.as_str(), records.run.as_str()), ("records", "v1&text=x&count=5"));
        assert_eq!(records.rfc.1, "RFC 9293, section 3.9");
        assert_eq!(LANGUAGES.map(|it| records.text(&Key::Title, it)), ["Records", "记录"]);
        assert_eq!((records.entries[0].line, records.choices().count()), (5, 2));
        assert_eq!((empty.id.as_str(), empty.text(&Key::Title, "en")), ("empty", ""));
    }

    #[test]
    fn the_outcome_is_the_first_choice_that_holds_and_unknown_figures_show_nothing() {
        let lesson = &Lesson::read_all(LESSONS).unwrap()[0];
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

    #[test]
    fn what_cannot_be_read_is_named_with_its_line() {
        for (source, line, expected) in [
            ("=== x\nen early", 2, "key before"),
            ("#title", 1, "a lesson's id"),
            ("=== x\n\n#title\nen a\nen b", 5, "one text"),
            ("=== x\n#title\nzh ", 3, "one text"),
            ("; fine\n=== x\n#titel", 3, "a key"),
            ("=== x\n#choice tcp.reads", 2, "comparisons"),
            ("=== x\n#choice tcp.reeds = 1", 2, "comparisons"),
            ("=== x\n#rfc https://example.org", 2, "a name"),
        ] {
            let wrong = Lesson::read_all(source).unwrap_err();
            assert_eq!(wrong.line, line, "{source}");
            assert!(wrong.expected.contains(expected), "{source}: {}", wrong.expected);
        }
    }
}
