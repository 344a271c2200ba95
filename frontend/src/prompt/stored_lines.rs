//! What this browser keeps of the prompt: the lines that were sent, and those that were saved.
//!
//! Every change reads what is kept first, so that two tabs add to each other. What cannot be read,
//! because somebody edited it or another version wrote it, is left out.

use streamgram_protocol::{Target, is_hidden};

use super::draft::{Draft, Ending, Mode};
use super::escapes::{escape, unescape};
use crate::browser::storage;
use crate::session::notice::Notice;

/// Lines that were sent; the oldest is forgotten for one more.
pub(crate) const SENT_LINES: usize = 100;
/// Lines that are saved; one more is refused.
pub(crate) const SAVED_LINES: usize = 50;
/// Bytes of a line that is kept. A longer one is not saved, and forgotten with its tab: a browser gives
/// a page 5 MiB in all.
pub(crate) const KEPT_BYTES: usize = 4_096;
/// Characters of a name; the rest is cut off.
pub(crate) const NAME_CHARS: usize = 40;

const SENT: &str = "sent";
const SAVED: &str = "saved";

/// A line that was saved, with all that was chosen for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Saved {
    /// Empty, if the line stands for itself.
    pub(crate) name: String,
    pub(crate) draft: Draft,
}

/// The lines that were sent, the oldest first.
pub(crate) fn sent() -> Vec<Draft> {
    list(SENT, SENT_LINES).into_iter().map(|saved| saved.draft).collect()
}

/// A line was sent.
pub(crate) fn remember(draft: &Draft) {
    if draft.text.len() <= KEPT_BYTES {
        let mut lines = list(SENT, SENT_LINES);
        lines.retain(|line| line.draft != *draft);
        lines.push(Saved { name: String::new(), draft: draft.clone() });
        write(SENT, &lines[lines.len().saturating_sub(SENT_LINES)..]);
    }
}

/// Forgets what was sent.
pub(crate) fn forget() {
    storage::write(SENT, "");
}

/// What is saved, in the order of saving.
pub(crate) fn saved() -> Vec<Saved> {
    list(SAVED, SAVED_LINES)
}

/// Saves a line, in place of another of this name.
///
/// # Errors
/// Why it is not saved, with the limit.
pub(crate) fn save(name: &str, draft: &Draft) -> Result<Vec<Saved>, Notice> {
    if draft.text.len() > KEPT_BYTES {
        return Err(Notice::SavedLong { limit: KEPT_BYTES });
    }
    let line = Saved { name: named(name), draft: draft.clone() };
    let mut lines = saved();
    match lines.iter().position(|other| other.is_same(&line)) {
        Some(at) => lines[at] = line,
        None if lines.len() >= SAVED_LINES => {
            return Err(Notice::SavedFull { limit: SAVED_LINES });
        }
        None => lines.push(line),
    }
    write(SAVED, &lines);
    Ok(lines)
}

/// Deletes a line; what is still saved.
pub(crate) fn delete(line: &Saved) -> Vec<Saved> {
    let mut lines = saved();
    lines.retain(|other| !other.is_same(line));
    write(SAVED, &lines);
    lines
}

impl Saved {
    /// Whether one takes the other's place.
    fn is_same(&self, other: &Self) -> bool {
        self.name == other.name && (!self.name.is_empty() || self.draft == other.draft)
    }
}

/// A name as it is kept: nothing in it is hidden or turns the text around it.
fn named(typed: &str) -> String {
    typed.trim().chars().filter(|c| !is_hidden(*c)).take(NAME_CHARS).collect()
}

fn list(key: &'static str, limit: usize) -> Vec<Saved> {
    let kept = storage::read(key).unwrap_or_default();
    kept.lines().filter_map(decode).take(limit).collect()
}

fn write(key: &'static str, lines: &[Saved]) {
    storage::write(key, &lines.iter().map(encode).collect::<String>());
}

const MODES: [(Mode, &str); 3] =
    [(Mode::Text, "text"), (Mode::Escapes, "escapes"), (Mode::Hex, "hex")];
const ENDINGS: [(Ending, &str); 3] =
    [(Ending::None, ""), (Ending::Lf, "lf"), (Ending::CrLf, "crlf")];
const TARGETS: [(Target, &str); 3] =
    [(Target::Both, "both"), (Target::Tcp, "tcp"), (Target::Udp, "udp")];

fn word<T: PartialEq>(words: &[(T, &'static str)], of: &T) -> &'static str {
    words.iter().find(|(value, _)| value == of).map_or("", |(_, word)| word)
}

fn of_word<T: Copy>(words: &[(T, &str)], of: &str) -> Option<T> {
    words.iter().find(|(_, word)| *word == of).map(|(value, _)| *value)
}

/// Fields between tabs, ended by a line break; neither is in a field.
fn encode(Saved { name, draft }: &Saved) -> String {
    let fields = [
        word(&MODES, &draft.mode),
        word(&ENDINGS, &draft.ending),
        word(&TARGETS, &draft.to),
        &number(&draft.count).unwrap_or("1".into()),
        &number(&draft.interval_ms).unwrap_or("0".into()),
        &escape(name),
        &escape(&draft.text),
    ];
    fields.join("\t") + "\n"
}

fn decode(line: &str) -> Option<Saved> {
    let mut fields = line.split('\t');
    let mut field = || fields.next();
    let text = |field: &str| String::from_utf8(unescape(field).ok()?).ok();
    let mode = of_word(&MODES, field()?)?;
    let ending = of_word(&ENDINGS, field()?)?;
    let to = of_word(&TARGETS, field()?)?;
    let (count, interval_ms) = (number(field()?)?, number(field()?)?);
    let name = named(&text(field()?)?);
    let text = text(field()?).filter(|text| text.len() <= KEPT_BYTES)?;
    let draft = Draft { text, mode, ending, to, count, interval_ms };
    field().is_none().then_some(Saved { name, draft })
}

/// A number, as short as it can be written. Whether it is in range is said when it is sent.
fn number(typed: &str) -> Option<String> {
    typed.trim().parse::<u32>().ok().map(|number| number.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(text: &str) -> Draft {
        Draft { text: text.into(), ..Draft::default() }
    }

    fn texts(lines: &[Draft]) -> Vec<&str> {
        lines.iter().map(|line| line.text.as_str()).collect()
    }

    #[test]
    fn lines_of_two_tabs_stand_beside_each_other_and_the_oldest_goes() {
        // Both write to the same storage; neither has read what the other wrote.
        ["one", "two", "one"].iter().for_each(|text| remember(&line(text)));
        assert_eq!(texts(&sent()), ["two", "one"]);
        (0..SENT_LINES).for_each(|n| remember(&line(&n.to_string())));
        assert_eq!((sent().len(), sent()[0].text.as_str()), (SENT_LINES, "0"));
        remember(&line(&"x".repeat(KEPT_BYTES + 1)));
        assert_eq!(sent().last().unwrap().text, "99");
        forget();
        assert_eq!(sent(), []);
    }

    #[test]
    fn a_line_is_saved_under_a_name_or_as_itself_and_deleted() {
        let draft = line("a\tb\nc\\");
        assert_eq!(save("  first\u{202e}  ", &draft).unwrap()[0].name, "first");
        assert_eq!(save("first", &line("other")).unwrap().len(), 1);
        assert_eq!(save("", &draft).unwrap().len(), 2);
        assert_eq!(save("", &draft).unwrap().len(), 2);
        assert_eq!(saved()[1].draft, draft);
        assert_eq!(delete(&saved()[0]).len(), 1);
        assert_eq!(saved()[0].draft, draft);
    }

    #[test]
    fn what_is_beyond_a_limit_is_not_saved() {
        let long = line(&"x".repeat(KEPT_BYTES + 1));
        assert_eq!(save("", &long), Err(Notice::SavedLong { limit: KEPT_BYTES }));
        (0..SAVED_LINES).for_each(|n| drop(save(&n.to_string(), &line("x")).unwrap()));
        assert_eq!(save("more", &line("x")), Err(Notice::SavedFull { limit: SAVED_LINES }));
        assert!(save("0", &line("y")).is_ok());
        assert_eq!(
            save(&"n".repeat(99), &line("x")),
            Err(Notice::SavedFull { limit: SAVED_LINES })
        );
    }

    #[test]
    fn what_somebody_edited_is_left_out_or_clamped() {
        let good = "text\t\tboth\t1\t0\t\thello\n";
        let long = format!("text\t\tboth\t1\t0\t\t{}\n", "x".repeat(KEPT_BYTES + 1));
        let name = format!("text\tlf\ttcp\t7\t0\t\u{202e}{}\tx\n", "n".repeat(99));
        let wrong = "<script>\n\n\t\t\t\ntext\t\tboth\t-1\t0\t\tx\ntext\t\tboth\t1\t0\t\t\\q\n\
                     text\t\tboth\t1\t0\t\t\\xff\nrtf\t\tboth\t1\t0\t\tx\ntext\t\tboth\t1\t0\t\tx\ty\n";
        storage::write(SAVED, &[wrong, good, &long, &name].concat());
        let lines = saved();
        assert_eq!(lines.len(), 2);
        assert_eq!((lines[0].draft.text.as_str(), lines[1].name.len()), ("hello", NAME_CHARS));
        storage::write(SAVED, &good.repeat(SAVED_LINES + 9));
        assert_eq!(saved().len(), SAVED_LINES);
    }

    proptest! {
        #[test]
        fn what_is_kept_comes_back(text: String, name: String, mode in 0..3_usize, ending in 0..3_usize) {
            let draft = Draft { mode: MODES[mode].0, ending: ENDINGS[ending].0, ..line(&text) };
            let saved = Saved { name: named(&name), draft };
            prop_assert_eq!(encode(&saved).lines().filter_map(decode).collect::<Vec<_>>(), [saved]);
        }

        #[test]
        fn nothing_that_is_kept_breaks_it(text: String) {
            let _either = decode(&text);
        }
    }
}
