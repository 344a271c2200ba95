//! What a class voted and saw as CSV: a row for each figure, counts only.

use streamgram_protocol::room::Pooled;

use super::pooled_step::PooledShown;
use super::votes::When;
use crate::i18n::language::Language;

/// Without it a spreadsheet takes the file for one of its own country's encoding.
const BYTE_ORDER_MARK: char = '\u{feff}';
/// A spreadsheet takes text that begins with one of these for a formula, or cuts it there.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// The steps as CSV (RFC 4180, lines end with LF), of which a spreadsheet calculates nothing.
pub(crate) fn csv(language: Language, steps: &[PooledShown]) -> String {
    let mut csv = format!("{BYTE_ORDER_MARK}{}\n", language.pooled_csv_head());
    for step in steps {
        let Some(pooled) = &step.pooled else { continue };
        for (what, value, members) in figures(step, pooled) {
            let (number, title, value) = (step.number, cell(&step.title), cell(&value));
            csv += &format!("{number},{title},{what},{value},{members}\n");
        }
    }
    csv
}

/// What is counted, of which choice or value, and how many members.
fn figures(step: &PooledShown, pooled: &Pooled) -> Vec<(&'static str, String, u32)> {
    let mut figures = Vec::new();
    for (when, what) in When::BOTH.into_iter().zip(["votes_before", "votes_after"]) {
        let votes = when.votes(pooled).iter().enumerate();
        figures.extend(votes.map(|(at, members)| {
            // A choice that this page does not know has its number only.
            let choice = step.choices.get(at).cloned();
            (what, choice.unwrap_or_else(|| (at + 1).to_string()), *members)
        }));
    }
    for (measure, distribution) in &pooled.outcomes {
        let rows = distribution.iter();
        figures.extend(rows.map(|(value, members)| (measure.name(), value.to_string(), *members)));
    }
    figures
}

fn cell(text: &str) -> String {
    let quote = if text.trim_start_matches(' ').starts_with(FORMULA) { "'" } else { "" };
    let text = format!("{quote}{text}");
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::room::Measure;

    use super::*;
    use crate::room::pooled_step::tests::{pooled, shown};

    #[test]
    fn every_figure_has_a_row() {
        let mut pooled = pooled(&[3, 0, 1], &[0, 4, 0]);
        pooled.outcomes.insert(Measure::TcpReads, [(1, 3), (992, 1)].into());
        let not_known = PooledShown { number: 3, ..shown(None) };
        let file = csv(Language::En, &[shown(Some(pooled)), not_known]);
        let expected = [
            "\u{feff}Step,Title,What,Choice or value,Members",
            "2,Records,votes_before,Twenty,3",
            "2,Records,votes_before,Fewer,0",
            "2,Records,votes_before,More,1",
            "2,Records,votes_after,Twenty,0",
            "2,Records,votes_after,Fewer,4",
            "2,Records,votes_after,More,0",
            "2,Records,tcp_reads,1,3",
            "2,Records,tcp_reads,992,1",
        ];
        assert_eq!(file.lines().collect::<Vec<_>>(), expected);
        assert!(file.ends_with('\n'));
        assert!(csv(Language::Zh, &[]).starts_with("\u{feff}步骤,标题,"));
    }

    #[test]
    fn no_text_is_a_formula_or_more_than_its_cell() {
        for (text, written) in [
            ("=HYPERLINK(\"x\",1)", "\"'=HYPERLINK(\"\"x\"\",1)\""),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            (" =1", "' =1"),
            ("\t=1", "'\t=1"),
            ("＝1", "'＝1"),
            ("a\r\nb", "\"a\r\nb\""),
            ("a, b", "\"a, b\""),
            ("A = 1", "A = 1"),
            ("", ""),
        ] {
            assert_eq!(cell(text), written, "{text}");
        }
    }

    #[test]
    fn a_choice_that_the_page_does_not_know_has_its_number() {
        let file = csv(Language::En, &[shown(Some(pooled(&[0, 0, 0, 7], &[])))]);
        assert!(file.contains("2,Records,votes_before,4,7\n"), "{file}");
    }
}
