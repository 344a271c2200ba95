//! Lessons: a question, the scenario that answers it, and what can come of that. `docs/lessons.md` says how
//! one is written. Nothing in it is an answer: that is computed from what was observed.

mod comparison;
mod figures;

pub use comparison::Comparison;
pub use figures::{Count, Figures};

/// The languages that a lesson has every text in, as the lines of its texts begin.
pub const LANGUAGES: [&str; 2] = ["en", "zh"];

/// How the line in front of a lesson begins where several stand in one file; its id follows.
pub const MARK: &str = "=== ";

/// A lesson.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lesson {
    /// What its links call it.
    pub id: String,
    /// What it sends: the fragment of a link, see [`crate::Scenario::decode`].
    pub run: String,
    /// Where it is written down: what that is called, and its address.
    pub rfc: (String, String),
    /// Its texts, in their order.
    pub entries: Vec<Entry>,
    /// Figures as they were once observed, and what they show.
    pub examples: Vec<Example>,
}

/// A text, and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The line of its key, from 1.
    pub line: usize,
    /// What it is for.
    pub key: Key,
    /// The text in each of [`LANGUAGES`].
    pub texts: [String; LANGUAGES.len()],
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

/// Figures whose outcome is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Its line, from 1.
    pub line: usize,
    /// The choice that it shows, from 0, if it shows any.
    pub shows: Option<usize>,
    /// What was observed.
    pub figures: Figures,
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
    /// Reads a lesson. What it lacks is not looked for: `cargo xtask` does that when it builds the page.
    ///
    /// # Errors
    /// The first line that cannot be read.
    pub fn read(id: &str, source: &str) -> Result<Self, Wrong> {
        let mut lesson = Self { id: id.to_owned(), ..Self::default() };
        for (line, text) in (1..).zip(source.lines()) {
            lesson.take(line, text.trim()).map_err(|expected| Wrong { line, expected })?;
        }
        Ok(lesson)
    }

    /// Reads all lessons of a file that has them behind lines of [`MARK`] and their id.
    ///
    /// # Errors
    /// As [`Lesson::read`]; the line is one of the lesson's.
    pub fn read_all(source: &str) -> Result<Vec<Self>, Wrong> {
        let lessons = source.split(MARK).filter(|lesson| !lesson.is_empty());
        lessons
            .map(|lesson| {
                let (id, source) = lesson.split_once('\n').unwrap_or((lesson, ""));
                Self::read(id.trim(), source)
            })
            .collect()
    }

    fn take(&mut self, line: usize, text: &str) -> Result<(), &'static str> {
        if text.is_empty() || text.starts_with(';') {
            return Ok(());
        }
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let rest = rest.trim();
        if let Some(language) = LANGUAGES.iter().position(|it| *it == word) {
            let entry = self.entries.last_mut().ok_or("a key before its texts")?;
            let text = &mut entry.texts[language];
            if rest.is_empty() || !text.is_empty() {
                return Err("one text for each language");
            }
            rest.clone_into(text);
            return Ok(());
        }
        let key = match word {
            "#title" => Key::Title,
            "#question" => Key::Question,
            "#why" => Key::Why,
            "#change" => Key::Change(rest.to_owned()),
            "#choice" => {
                let when = rest.split(" and ").map(Comparison::read).collect::<Option<_>>();
                Key::Choice(
                    when.ok_or("comparisons, like tcp.reads < 2 * tcp.lines and udp.reads = 5")?,
                )
            }
            "#run" => {
                rest.clone_into(&mut self.run);
                return Ok(());
            }
            "#rfc" => {
                let (name, address) = rest.rsplit_once(' ').ok_or("a name and an address")?;
                self.rfc = (name.trim().to_owned(), address.to_owned());
                return Ok(());
            }
            "#example" => {
                let example = Example::read(line, rest);
                self.examples
                    .push(example.ok_or("none or a choice, and figures, like 2 tcp.reads=3")?);
                return Ok(());
            }
            _ => return Err("a key, a text, or a comment behind a semicolon"),
        };
        self.entries.push(Entry { line, key, texts: Default::default() });
        Ok(())
    }

    /// The first text for this, in a language of [`LANGUAGES`].
    #[must_use]
    pub fn text(&self, key: &Key, language: usize) -> &str {
        let entry = self.entries.iter().find(|entry| entry.key == *key);
        entry.map_or("", |entry| &entry.texts[language])
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

impl Example {
    /// `2 tcp.reads=3 tcp.lines=5`, `none tcp.lines=0`
    fn read(line: usize, text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let shows = match words.next()? {
            "none" => None,
            number => Some(number.parse::<usize>().ok()?.checked_sub(1)?),
        };
        let mut figures = Figures::default();
        for word in words {
            let (figure, value) = word.split_once('=')?;
            let (protocol, count) = figures::figure(figure)?;
            figures.set(protocol, count, value.parse().ok()?);
        }
        Some(Self { line, shows, figures })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Protocol;

    const LESSON: &str = "\
; Records.
#run v1&text=x&count=5
#rfc RFC 9293, section 3.9 https://www.rfc-editor.org/rfc/rfc9293#section-3.9
#title
en Records
zh 记录
#choice tcp.reads < tcp.lines and udp.reads = 5
en fewer
zh 更少
#choice tcp.reads = tcp.lines
en as many
zh 一样多
#example 1 tcp.lines=5 tcp.reads=2 udp.reads=5
#example none tcp.lines=5 tcp.reads=2
";

    #[test]
    fn a_lesson_is_read() {
        let lesson = Lesson::read("records", LESSON).unwrap();
        assert_eq!((lesson.id.as_str(), lesson.run.as_str()), ("records", "v1&text=x&count=5"));
        assert_eq!(lesson.rfc.0, "RFC 9293, section 3.9");
        assert_eq!(lesson.entries[0].texts, ["Records", "记录"]);
        assert_eq!((lesson.entries[0].line, lesson.choices().count()), (4, 2));
    }

    #[test]
    fn the_outcome_is_the_first_choice_that_holds_and_unknown_figures_show_nothing() {
        let lesson = Lesson::read("records", LESSON).unwrap();
        for example in &lesson.examples {
            assert_eq!(lesson.outcome(&example.figures), example.shows);
        }
        let mut figures = Figures::default();
        figures.set(Protocol::Tcp, Count::Lines, 5);
        figures.set(Protocol::Tcp, Count::Reads, 5);
        assert_eq!(lesson.outcome(&figures), Some(1));
        assert_eq!(lesson.outcome(&Figures::default()), None);
    }

    #[test]
    fn several_stand_in_one_file() {
        let lessons = Lesson::read_all(&format!("=== one\n{LESSON}=== two\n{LESSON}")).unwrap();
        assert_eq!(lessons.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(lessons[0].entries, lessons[1].entries);
        assert_eq!(lessons[1].text(&Key::Title, 1), "记录");
        assert_eq!(Lesson::read_all("=== x\nen early").unwrap_err().line, 1);
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_line() {
        for (source, line, expected) in [
            ("en early", 1, "key before"),
            ("\n#title\nen a\nen b", 4, "one text"),
            ("#title\nzh ", 2, "one text"),
            ("; fine\n#titel", 2, "a key"),
            ("#choice tcp.reads", 1, "comparisons"),
            ("#choice tcp.reeds = 1", 1, "comparisons"),
            ("#rfc https://example.org", 1, "an address"),
            ("#example 0 tcp.lines=5", 1, "none or a choice"),
            ("#example 1 tcp.lines=many", 1, "none or a choice"),
        ] {
            let wrong = Lesson::read("x", source).unwrap_err();
            assert_eq!(wrong.line, line, "{source}");
            assert!(wrong.expected.contains(expected), "{source}: {}", wrong.expected);
        }
    }
}
