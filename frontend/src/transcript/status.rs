//! How a line stands, and which lines a reply answers, in words.

use streamgram_protocol::Unanswered;

use crate::i18n::figures::duration;
use crate::i18n::language::Language;
use crate::session::leg_run::Status;

/// A word for the style, and the words for a person.
pub(crate) fn status_text(language: Language, status: Status) -> (&'static str, String) {
    match status {
        Status::Waiting => ("waiting", language.status_waiting().into()),
        Status::Answered { rtt_us, late, certain } => {
            let time = duration(rtt_us);
            let text = if late { language.status_late(&time) } else { format!("✓ {time}") };
            ("answered", if certain { text } else { language.or_a_neighbour(&text) })
        }
        Status::NoReply { cause, certain } => {
            let text = match cause {
                Unanswered::TimedOut => language.status_no_reply(),
                Unanswered::Refused => language.status_refused(),
                Unanswered::Closed => language.status_leg_ended(),
            };
            ("lost", if certain { text.into() } else { language.this_or_a_neighbour(text) })
        }
    }
}

/// The lines that a reply answers, where that is known: `3` or `3–5`.
pub(crate) fn numbers(answers: Option<(u32, u32)>) -> String {
    match answers {
        None => String::new(),
        Some((first, last)) if first == last => first.to_string(),
        Some((first, last)) => format!("{first}–{last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_certain_says_so() {
        let status = Status::NoReply { cause: Unanswered::TimedOut, certain: false };
        let one_of = status_text(Language::En, status);
        assert_eq!(one_of, ("lost", "✕ no reply (this line or a neighbour)".into()));
    }

    #[test]
    fn a_reply_to_several_lines_names_the_first_and_the_last() {
        let of = [None, Some((3, 3)), Some((3, 5))].map(numbers);
        assert_eq!(of, ["", "3", "3–5"]);
    }
}
