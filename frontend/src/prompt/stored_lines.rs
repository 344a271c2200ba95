//! The lines that this browser stores: those that were sent, and those that a person saved.
//!
//! Every change reads what is stored first, so that two tabs add to each other.

use serde::{Deserialize, Serialize};
use streamgram_protocol::is_hidden;

use super::draft::Draft;
use crate::browser::storage;
use crate::session::notice::Notice;

/// Lines that were sent; the oldest is forgotten for one more.
pub(crate) const SENT_LINES: usize = 100;
/// Lines that are saved; one more is refused.
pub(crate) const SAVED_LINES: usize = 50;
/// Bytes of a line that is stored. A longer one cannot be saved, and is forgotten with its tab: a browser
/// gives a page 5 MiB in all.
pub(crate) const LINE_BYTES: usize = 4_096;
/// Characters of a name; the rest is cut off.
pub(crate) const NAME_CHARS: usize = 40;

const SENT: &str = "sent";
const SAVED: &str = "saved";

/// A line that was saved, with all that was chosen for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedLine {
    /// Empty, if the line stands for itself.
    pub(crate) name: String,
    pub(crate) draft: Draft,
}

/// The lines that were sent, the oldest first.
pub(crate) fn sent() -> Vec<Draft> {
    let lines = storage::read_list(SENT).into_iter();
    lines.filter(is_storable).take(SENT_LINES).collect()
}

/// Stores a line that was sent.
pub(crate) fn remember(draft: &Draft) {
    if is_storable(draft) {
        let mut lines = sent();
        lines.retain(|line| line != draft);
        lines.push(draft.clone());
        storage::write(SENT, &lines[lines.len().saturating_sub(SENT_LINES)..]);
    }
}

/// Forgets what was sent.
pub(crate) fn forget() {
    storage::write(SENT, Vec::<Draft>::new());
}

/// What is saved, in the order of saving.
pub(crate) fn saved() -> Vec<SavedLine> {
    let lines = storage::read_list::<SavedLine>(SAVED).into_iter();
    let lines = lines.filter(|line| is_storable(&line.draft)).take(SAVED_LINES);
    lines.map(|line| SavedLine { name: clean(&line.name), ..line }).collect()
}

/// Saves a line, in place of another of this name.
///
/// # Errors
/// Why it is not saved, with the limit.
pub(crate) fn save(name: &str, draft: &Draft) -> Result<Vec<SavedLine>, Notice> {
    if draft.text.len() > LINE_BYTES {
        return Err(Notice::SavedLong { limit: LINE_BYTES });
    }
    let number = |typed: &str, usual: u32| typed.trim().parse().unwrap_or(usual).to_string();
    let (count, interval_ms) = (number(&draft.count, 1), number(&draft.interval_ms, 0));
    let draft = Draft { count, interval_ms, ..draft.clone() };
    let line = SavedLine { name: clean(name), draft };
    let mut lines = saved();
    match lines.iter().position(|other| other.is_same(&line)) {
        Some(at) => lines[at] = line,
        None if lines.len() >= SAVED_LINES => {
            return Err(Notice::SavedFull { limit: SAVED_LINES });
        }
        None => lines.push(line),
    }
    storage::write(SAVED, &lines);
    Ok(lines)
}

/// Deletes a line; what is still saved.
pub(crate) fn delete(line: &SavedLine) -> Vec<SavedLine> {
    let mut lines = saved();
    lines.retain(|other| !other.is_same(line));
    storage::write(SAVED, &lines);
    lines
}

impl SavedLine {
    /// Whether one takes the other's place.
    fn is_same(&self, other: &Self) -> bool {
        self.name == other.name && (!self.name.is_empty() || self.draft == other.draft)
    }
}

/// A name without what is hidden, or turns the text around it.
fn clean(typed: &str) -> String {
    typed.trim().chars().filter(|c| !is_hidden(*c)).take(NAME_CHARS).collect()
}

/// Whether a line is short enough, and its numbers are numbers. Whether they are in range is said when it
/// is sent.
fn is_storable(Draft { text, count, interval_ms, .. }: &Draft) -> bool {
    let is_number = |text: &str| text.parse::<u32>().is_ok();
    text.len() <= LINE_BYTES && is_number(count) && is_number(interval_ms)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use streamgram_protocol::scenario::{Ending, Mode};

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
        remember(&line(&"x".repeat(LINE_BYTES + 1)));
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
        let long = line(&"x".repeat(LINE_BYTES + 1));
        assert_eq!(save("", &long), Err(Notice::SavedLong { limit: LINE_BYTES }));
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
        let good = json!({"name": "", "draft": line("hello")});
        let with = |field: &str, value: Value| {
            let mut line = good.clone();
            line["draft"][field] = value;
            line
        };
        let long = with("text", json!("x".repeat(LINE_BYTES + 1)));
        let mut named = good.clone();
        named["name"] = json!(format!("\u{202e}{}", "n".repeat(99)));
        let wrong = [json!("<script>"), json!(null), json!({}), json!({"name": "", "draft": {}})];
        let odd = [
            with("count", json!("-1")),
            with("count", json!(1)),
            with("interval_ms", json!("9".repeat(99))),
            with("text", json!([])),
            with("mode", json!("rtf")),
        ];
        let edited = [&wrong[..], &odd[..], &[good.clone(), long, named]].concat();
        storage::write(SAVED, &edited);
        let lines = saved();
        assert_eq!(lines.len(), 2);
        assert_eq!((lines[0].draft.text.as_str(), lines[1].name.len()), ("hello", NAME_CHARS));
        storage::write(SAVED, vec![good; SAVED_LINES + 9]);
        assert_eq!(saved().len(), SAVED_LINES);
    }

    proptest! {
        #[test]
        fn what_is_stored_comes_back(text: String, name: String, mode in 0..3_usize, ending in 0..3_usize) {
            let (mode, ending) = (Mode::ALL[mode], Ending::ALL[ending]);
            let line = SavedLine { name: clean(&name), draft: Draft { mode, ending, ..line(&text) } };
            storage::write(SAVED, [&line]);
            prop_assert_eq!(saved(), [line]);
        }

        #[test]
        fn nothing_that_is_stored_breaks_it(text: String) {
            let draft = json!({
                "text": text, "mode": text, "ending": "lf", "to": "udp", "count": text, "interval_ms": "1"
            });
            storage::write(SAVED, [json!(text), json!({ text.as_str(): 1 }), json!({ "name": text, "draft": draft })]);
            let _either = saved();
        }
    }
}
