//! Checks the lessons in the folder `lessons`, and puts them together into one file for the page.
//!
//! A lesson that lacks something fails the build with its file and line, so that nobody finds out in class.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use streamgram_protocol::lesson::{Entry, Figures, Key, LANGUAGES, Lesson, MARK, Wrong, figure};
use streamgram_protocol::{Limits, Scenario};

use crate::site;

/// How the names of the files end.
const ENDING: &str = "lesson";
/// How a line begins that has figures whose outcome is known.
const EXAMPLE: &str = "#example";
/// Choices of a lesson: with fewer there is nothing to predict, and more are not read.
const CHOICES: std::ops::RangeInclusive<usize> = 2..=5;
/// Sentences why.
const WHY: usize = 3;
/// Characters of a text; more would not be read in a classroom.
const TEXT_CHARS: usize = 200;

/// All lessons of a folder in the order of their names, without comments and examples: each behind a line
/// `=== ID`.
///
/// # Errors
/// The first lesson that cannot be used: `FILE:LINE: what is wrong`.
pub(crate) fn together(folder: &Path) -> Result<String> {
    let (mut all, mut ids) = (String::new(), Vec::new());
    // Places are numbers: 10 comes after 9.
    let mut files = site::files_below(folder)?;
    files.sort_by_key(|file| place(file));
    for file in files {
        let shown = file.display();
        let source = fs::read_to_string(&file).with_context(|| format!("cannot read {shown}"))?;
        let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let is_lesson = file.extension().is_some_and(|ending| ending == ENDING);
        let id = stem.split_once('_').map(|(_, id)| id).filter(|id| is_id(id) && is_lesson);
        let Some(id) = id.filter(|_| place(&file).is_some()) else {
            bail!("{shown}: a lesson's file is called like 8_my-lesson.{ENDING}");
        };
        if ids.contains(&id.to_owned()) {
            bail!("{shown}: there is another lesson {id}");
        }
        check(id, &source).map_err(|(line, what)| anyhow::anyhow!("{shown}:{line}: {what}"))?;
        all.push_str(&format!("{MARK}{id}\n"));
        let shown_lines = source.lines().map(str::trim).filter(|line| {
            !line.is_empty() && !line.starts_with(';') && !line.starts_with(EXAMPLE)
        });
        shown_lines.for_each(|line| all.extend([line, "\n"]));
        ids.push(id.to_owned());
    }
    Ok(all)
}

/// The number that a file's name begins with.
fn place(file: &Path) -> Option<u32> {
    file.file_name()?.to_str()?.split_once('_')?.0.parse().ok()
}

fn is_id(id: &str) -> bool {
    !id.is_empty()
        && id.bytes().all(|byte| byte.is_ascii_lowercase() || b"-0123456789".contains(&byte))
}

/// Whether a lesson can be used; else the line, from 1, and what is wrong in it.
fn check(id: &str, source: &str) -> Result<(), (usize, String)> {
    // The line in front is not the file's.
    check_marked(&format!("{MARK}{id}\n{source}")).map_err(|(line, what)| (line - 1, what))
}

fn check_marked(source: &str) -> Result<(), (usize, String)> {
    let expected = |wrong: Wrong| (wrong.line, format!("expected {}", wrong.expected));
    let lessons = Lesson::read_all(source).map_err(expected)?;
    let [lesson] = lessons.as_slice() else {
        return Err((source.lines().count(), "expected one lesson in a file".into()));
    };
    let end = source.lines().count();
    let line_of = |word: &str| {
        (1..).zip(source.lines()).find(|(_, line)| line.starts_with(word)).map_or(end, |(at, _)| at)
    };
    for entry in &lesson.entries {
        check_texts(entry)?;
    }
    check_run(&lesson.run).map_err(|what| (line_of("#run"), what))?;
    if !lesson.rfc.0.starts_with("https://") {
        return Err((line_of("#rfc"), "expected #rfc with an address of https and a name".into()));
    }
    let count =
        |wanted: fn(&Key) -> bool| lesson.entries.iter().filter(|it| wanted(&it.key)).count();
    let choices = lesson.choices().count();
    for (is_right, what) in [
        (count(|key| *key == Key::Title) == 1, "expected one #title".to_owned()),
        (count(|key| *key == Key::Question) == 1, "expected one #question".to_owned()),
        (CHOICES.contains(&choices), format!("expected {CHOICES:?} times #choice")),
        (count(|key| *key == Key::Why) == WHY, format!("expected {WHY} times #why")),
        (count(|key| matches!(key, Key::Change(_))) > 0, "expected a #change".to_owned()),
    ] {
        if !is_right {
            return Err((end, what));
        }
    }
    for entry in &lesson.entries {
        if let Key::Change(run) = &entry.key {
            check_run(run).map_err(|what| (entry.line, what))?;
        }
    }
    check_examples(lesson, source)
}

fn check_texts(entry: &Entry) -> Result<(), (usize, String)> {
    for language in LANGUAGES {
        let characters = entry.text(language).chars().count();
        if characters == 0 {
            return Err((entry.line, format!("expected a text in {language} below")));
        }
        if characters > TEXT_CHARS {
            let what = format!(
                "the text in {language} has {characters} characters, the limit is {TEXT_CHARS}"
            );
            return Err((entry.line, what));
        }
    }
    Ok(())
}

/// A lesson's own scenario must be understood to the last word, unlike a stranger's.
fn check_run(run: &str) -> Result<(), String> {
    let (scenario, remarks) = Scenario::decode(run, &Limits::default());
    match (scenario, remarks.as_slice()) {
        (Some(_), []) => Ok(()),
        (_, remarks) => Err(format!("expected a scenario, as in a link: {remarks:?}")),
    }
}

/// Every choice must be shown by an example, and every example must show what it says and nothing else.
fn check_examples(lesson: &Lesson, source: &str) -> Result<(), (usize, String)> {
    let mut shown = Vec::new();
    for (line, text) in (1..).zip(source.lines()) {
        let Some(example) = text.trim().strip_prefix(EXAMPLE) else { continue };
        let what = "expected none or a choice, and figures, like 2 tcp.reads=3";
        let (says, figures) = read_example(example).ok_or_else(|| (line, what.to_owned()))?;
        let outcome = lesson.outcome(&figures).map(|choice| choice + 1);
        if says != outcome {
            let said = |choice: Option<usize>| choice.map_or("none".into(), |it| it.to_string());
            let what = format!("the example shows {}, not {}", said(outcome), said(says));
            return Err((line, what));
        }
        shown.push(outcome);
    }
    for (choice, (entry, _)) in (1..).zip(lesson.choices()) {
        if !shown.contains(&Some(choice)) {
            return Err((entry.line, format!("expected an #example of choice {choice}")));
        }
    }
    if !shown.contains(&None) {
        let what = "expected an #example that shows none of the choices";
        return Err((source.lines().count(), what.into()));
    }
    Ok(())
}

/// `2 tcp.reads=3 tcp.lines=5`, `none tcp.lines=0`: the choice, from 1, and the figures that show it.
fn read_example(text: &str) -> Option<(Option<usize>, Figures)> {
    let mut words = text.split_whitespace();
    let shows = match words.next()? {
        "none" => None,
        choice => Some(choice.parse().ok()?),
    };
    let mut figures = Figures::default();
    for word in words {
        let (name, value) = word.split_once('=')?;
        let (protocol, count) = figure(name)?;
        figures.set(protocol, count, value.parse().ok()?);
    }
    Some((shows, figures))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine;

    const LESSON: &str = "\
#run v1&text=x
#rfc https://www.rfc-editor.org/rfc/rfc768 RFC 768
#title
en t
zh t
#question
en q
zh q
#choice udp.reads = 1
en one
zh one
#choice udp.reads = 2
en two
zh two
#why
en a
zh a
#why
en b
zh b
#why
en c
zh c
#change v1&text=y
en d
zh d
#example 1 udp.reads=1
#example 2 udp.reads=2
#example none udp.reads=3
";

    fn wrong(from: &str, to: &str) -> (usize, String) {
        assert!(LESSON.contains(from), "{from}");
        check("x", &LESSON.replacen(from, to, 1)).unwrap_err()
    }

    #[test]
    fn the_lessons_of_the_project_can_be_used() {
        let all = together(&machine::root().join("lessons")).unwrap();
        assert!(all.matches(MARK).count() >= 7 && !all.contains("#example"), "{all}");
    }

    #[test]
    fn every_figure_and_limit_is_documented() {
        let document = include_str!("../../docs/lessons.md");
        for count in streamgram_protocol::lesson::Count::ALL {
            let word: &str = count.into();
            assert!(document.contains(&format!("| `{word}` |")), "{word}");
        }
        let choices = format!("{} to {} times", CHOICES.start(), CHOICES.end());
        for limit in [choices, format!("| {WHY} times |"), format!("up to {TEXT_CHARS} char")] {
            assert!(document.contains(&limit), "{limit}");
        }
    }

    #[test]
    fn what_a_lesson_lacks_is_said_with_its_line() {
        assert_eq!(check("x", LESSON), Ok(()));
        let long = "x".repeat(TEXT_CHARS + 1);
        for (from, to, line, what) in [
            ("#run v1&text=x\n", "", 28, "expected a scenario"),
            ("text=x", "text=x&dleay=5", 1, "dleay"),
            ("text=y", "text=y&delay=99999999", 24, "Clamped"),
            ("https://", "http://", 2, "an address of https"),
            ("zh q\n", "", 6, "expected a text in zh below"),
            ("en one", &format!("en {long}"), 9, "201 characters, the limit is 200"),
            ("#question", "#title", 29, "expected one #title"),
            ("#choice udp.reads = 2\nen two\nzh two\n", "", 26, "expected 2..=5 times #choice"),
            ("#why\nen b\nzh b\n", "", 26, "expected 3 times #why"),
            ("#change v1&text=y\nen d\nzh d\n", "", 26, "expected a #change"),
            ("#example 1 udp.reads=1", "#example 1 udp.reads=2", 27, "shows 2, not 1"),
            ("#example 2 udp.reads=2\n", "", 12, "expected an #example of choice 2"),
            ("#example none udp.reads=3\n", "", 28, "shows none of the choices"),
            ("#example 1 udp.reads=1", "#example 1 udp.reads", 27, "none or a choice, and figures"),
            ("zh d\n", "zh d\n=== y\n", 30, "one lesson in a file"),
            ("#why", "#wy", 15, "expected a key"),
        ] {
            let (at, said) = wrong(from, to);
            assert!(said.contains(what), "{from}: {said}");
            assert_eq!(at, line, "{from}: {said}");
        }
    }

    #[test]
    fn a_file_of_another_name_is_no_lesson() {
        let folder = std::env::temp_dir().join(format!("lessons-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for name in ["x.lesson", "1_X.lesson", "1_x.txt"] {
            let file = folder.join(name);
            fs::write(&file, LESSON).unwrap();
            let error = together(&folder).unwrap_err().to_string();
            assert!(error.contains("is called like"), "{error}");
            fs::remove_file(file).unwrap();
        }
        for name in ["10_b.lesson", "9_a.lesson"] {
            fs::write(folder.join(name), LESSON).unwrap();
        }
        let all = together(&folder).unwrap();
        assert!(all.starts_with("=== a\n#run") && all.contains("=== b\n"), "{all}");
        fs::write(folder.join("11_a.lesson"), LESSON).unwrap();
        assert!(together(&folder).unwrap_err().to_string().contains("another lesson a"));
        fs::remove_dir_all(folder).unwrap();
    }
}
