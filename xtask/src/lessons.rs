//! Checks the lessons in the folder `lessons`, and puts them together into one file for the page.
//!
//! A lesson that lacks something fails the build with its file and what is wrong, so that nobody finds out in
//! class.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use streamgram_protocol::lesson::{Figures, Text};
use streamgram_protocol::{Lesson, Limits, Scenario};

use crate::site;

/// How the names of the files end.
const ENDING: &str = "toml";
/// Choices of a lesson: with fewer there is nothing to predict, and more are not read.
const CHOICES: std::ops::RangeInclusive<usize> = 2..=5;
/// Sentences why.
const WHY: usize = 3;
/// Characters of a text; more would not be read in a classroom.
const TEXT_CHARS: usize = 200;

/// What the build alone reads of a lesson's file.
#[derive(Deserialize)]
struct Examples {
    examples: Vec<Example>,
}

/// Figures whose outcome is known.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    /// The choice that they show, from 1; none of them where there is no number.
    choice: Option<usize>,
    #[serde(default)]
    figures: Figures,
}

/// All lessons of a folder, in the order of the numbers that the names of their files begin with, as the JSON
/// array that the page reads.
///
/// # Errors
/// The first lesson that cannot be used: its file and what is wrong.
pub(crate) fn together(folder: &Path) -> Result<String> {
    let mut files = site::files_below(folder)?;
    // Places are numbers: 10 comes after 9.
    files.sort_by_key(|file| place(file));
    let (mut all, mut ids) = (Vec::new(), Vec::new());
    for file in files {
        let shown = file.display();
        let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let is_lesson = file.extension().is_some_and(|ending| ending == ENDING);
        let id = stem.split_once('_').map(|(_, id)| id.to_owned());
        let Some(id) = id.filter(|id| is_id(id) && is_lesson && place(&file).is_some()) else {
            bail!("{shown}: a lesson's file is called like 8_my-lesson.{ENDING}");
        };
        ensure!(!ids.contains(&id), "{shown}: there is another lesson {id}");
        let source = fs::read_to_string(&file).with_context(|| format!("cannot read {shown}"))?;
        check(&source).with_context(|| shown.to_string())?;
        let mut lesson: toml::Table = source.parse()?;
        lesson.remove("examples");
        lesson.insert("id".into(), id.clone().into());
        all.push(lesson);
        ids.push(id);
    }
    Ok(serde_json::to_string(&all)?)
}

/// The number that a file's name begins with.
fn place(file: &Path) -> Option<u32> {
    file.file_name()?.to_str()?.split_once('_')?.0.parse().ok()
}

fn is_id(id: &str) -> bool {
    !id.is_empty()
        && id.bytes().all(|byte| byte.is_ascii_lowercase() || b"-0123456789".contains(&byte))
}

/// Whether a lesson can be used.
fn check(source: &str) -> Result<()> {
    let lesson: Lesson = toml::from_str(source)?;
    let Examples { examples } = toml::from_str(source)?;
    let (choices, why) = (lesson.choices.len(), lesson.why.len());
    ensure!(lesson.id.is_empty(), "id: the name of the file says it");
    ensure!(lesson.rfc.url.starts_with("https://"), "rfc.url: expected an address of https");
    ensure!(CHOICES.contains(&choices), "choices: expected {CHOICES:?} of them, not {choices}");
    ensure!(why == WHY, "why: expected {WHY} of them, not {why}");
    ensure!(!lesson.changes.is_empty(), "changes: expected one or more");
    let choices = lesson.choices.iter().map(|choice| ("choices", &choice.text));
    let changes = lesson.changes.iter().map(|change| ("changes", &change.text));
    let texts = [("title", &lesson.title), ("question", &lesson.question), ("look", &lesson.look)];
    let texts = texts.into_iter().chain(choices).chain(changes);
    for (place, text) in texts.chain(lesson.why.iter().map(|text| ("why", text))) {
        check_text(place, text)?;
    }
    check_run("run", &lesson.run)?;
    for change in &lesson.changes {
        check_run("changes", &change.run)?;
    }
    check_examples(&lesson, &examples)
}

fn check_text(place: &str, Text { en, zh }: &Text) -> Result<()> {
    for text in [en, zh] {
        let characters = text.chars().count();
        ensure!(characters > 0, "{place}: a text is empty");
        ensure!(
            characters <= TEXT_CHARS,
            "{place}: “{text}” has {characters} characters, the limit is {TEXT_CHARS}"
        );
    }
    Ok(())
}

/// A lesson's own scenario must be understood to the last word, unlike a stranger's.
fn check_run(place: &str, run: &str) -> Result<()> {
    match Scenario::decode(run, &Limits::default()) {
        (Some(_), remarks) if remarks.is_empty() => Ok(()),
        (_, remarks) => bail!("{place}: expected a scenario, as in a link, not {run}: {remarks:?}"),
    }
}

/// Every choice must be shown by an example, and every example must show what it says and nothing else.
fn check_examples(lesson: &Lesson, examples: &[Example]) -> Result<()> {
    let called = |choice: Option<usize>| choice.map_or("none".into(), |it| it.to_string());
    for (at, example) in (1..).zip(examples) {
        let outcome = lesson.outcome(&example.figures).map(|choice| choice + 1);
        ensure!(
            outcome == example.choice,
            "examples: number {at} shows {}, not {}",
            called(outcome),
            called(example.choice)
        );
    }
    for choice in (1..=lesson.choices.len()).map(Some).chain([None]) {
        let is_shown = examples.iter().any(|example| example.choice == choice);
        ensure!(is_shown, "examples: expected one that shows {}", called(choice));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine;

    const LESSON: &str = r#"run = "v1&text=x"
rfc = { name = "RFC 768", url = "https://www.rfc-editor.org/rfc/rfc768" }
title = { en = "t", zh = "t" }
question = { en = "q", zh = "q" }
look = { en = "l", zh = "l" }
why = [{ en = "a", zh = "a" }, { en = "b", zh = "b" }, { en = "c", zh = "c" }]

[[choices]]
when = ["udp.reads = 1"]
text = { en = "one", zh = "one" }

[[choices]]
when = ["udp.reads = 2"]
text = { en = "two", zh = "two" }

[[changes]]
run = "v1&text=y"
text = { en = "d", zh = "d" }

[[examples]]
choice = 1
figures.udp.reads = 1

[[examples]]
choice = 2
figures.udp.reads = 2

[[examples]]
figures.udp.reads = 3
"#;

    #[test]
    fn the_lessons_of_the_project_can_be_used() {
        let all = together(&machine::root().join("lessons")).unwrap();
        let lessons: Vec<Lesson> = serde_json::from_str(&all).unwrap();
        assert!(lessons.len() >= 7 && !all.contains("examples"), "{all}");
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
    fn what_a_lesson_lacks_is_said() {
        check(LESSON).unwrap();
        let long = "x".repeat(TEXT_CHARS + 1);
        for (from, to, what) in [
            ("run = \"v1&text=x\"\n", "", "missing field `run`"),
            ("text=x", "text=x&dleay=5", "dleay"),
            ("text=y", "text=y&delay=99999999", "changes: expected a scenario"),
            ("https://", "http://", "an address of https"),
            ("en = \"q\", zh = \"q\"", "en = \"q\"", "line 4"),
            ("en = \"q\"", "en = \"\"", "question: a text is empty"),
            ("en = \"one\"", &format!("en = \"{long}\""), "201 characters, the limit is 200"),
            (", { en = \"c\", zh = \"c\" }", "", "why: expected 3 of them, not 2"),
            ("[[choices]]\nwhen = [\"udp.reads = 2\"]", "[[choice]]", "unknown field `choice`"),
            ("[\"udp.reads = 2\"]", "[\"udp.reeds = 2\"]", "tcp.reads < 2 * tcp.lines"),
            ("figures.udp.reads = 2", "figures.udp.reads = 1", "number 2 shows 1, not 2"),
            ("figures.udp.reads = 2", "figures.udp.reeds = 2", "reeds"),
            ("choice = 2\nfigures.udp.reads = 2", "figures.udp = {}", "one that shows 2"),
            ("figures.udp.reads = 3", "figures.udp.reads = 1", "number 3 shows 1, not none"),
            ("[[examples]]\nfigures.udp.reads = 3", "", "one that shows none"),
            ("title", "id = \"y\"\ntitle", "the name of the file says it"),
        ] {
            assert!(LESSON.contains(from), "{from}");
            let said = check(&LESSON.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(said.contains(what), "{from}: {said}");
        }
    }

    #[test]
    fn a_file_of_another_name_is_no_lesson() {
        let folder = std::env::temp_dir().join(format!("lessons-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for name in ["x.toml", "1_X.toml", "1_x.txt"] {
            let file = folder.join(name);
            fs::write(&file, LESSON).unwrap();
            let error = together(&folder).unwrap_err().to_string();
            assert!(error.contains("is called like"), "{error}");
            fs::remove_file(file).unwrap();
        }
        for name in ["10_b.toml", "9_a.toml"] {
            fs::write(folder.join(name), LESSON).unwrap();
        }
        let all: Vec<Lesson> = serde_json::from_str(&together(&folder).unwrap()).unwrap();
        assert_eq!([&all[0].id, &all[1].id], ["a", "b"]);
        fs::write(folder.join("11_a.toml"), LESSON).unwrap();
        assert!(together(&folder).unwrap_err().to_string().contains("another lesson a"));
        fs::remove_dir_all(folder).unwrap();
    }
}
