//! What came of it, as tables in Markdown.

use std::fmt::{self, Write as _};
use std::time::Duration;

use streamgram_tests::grouped;

use crate::sample::{COUNTS, DESCRIPTORS, Phase, Sample, TASKS};
use crate::tally::{Counts, Tally};

/// A line about a round that is over.
pub(crate) fn round(tally: &Tally, samples: &[Sample], after: &Sample) -> String {
    let number = after.round;
    let load = |sample: &&Sample| sample.round == number && sample.phase == Phase::Load;
    let end = samples.iter().rfind(load).map_or(Duration::ZERO, |last| last.at);
    let peak = samples.iter().filter(load).map(Sample::resident_mib).fold(0.0, f64::max);
    let answers: usize = tally.counts().answers.values().map(Vec::len).sum();
    format!(
        "round {number}: {answers} answers so far; {peak:.1} MiB at most, {:.1} after; {} \
         descriptors, {} tasks {:.1} s after the load",
        after.resident_mib(),
        after.counts[DESCRIPTORS],
        after.counts[TASKS],
        (after.at - end).as_secs_f32(),
    )
}

/// Everything.
pub(crate) fn tables(tally: &Tally, samples: &[Sample]) -> String {
    let mut text = String::new();
    let counts = tally.counts();
    // Writing to a String cannot fail.
    let _ok = answers(&mut text, &counts).and_then(|()| held(&mut text, samples));
    for (what, times) in [("else", &counts.others), ("attack", &counts.attacks)] {
        let _ok = write!(text, "\n| {what} | times |\n|---|---|\n");
        for (name, times) in times {
            let _ok = writeln!(text, "| {name} | {} |", grouped(*times));
        }
    }
    let _ok = write!(text, "\n| refused | times |\n|---|---|\n");
    for (reason, times) in &counts.refused {
        let _ok = writeln!(text, "| `{reason}` | {} |", grouped(*times));
    }
    text
}

fn answers(text: &mut String, counts: &Counts) -> fmt::Result {
    write!(
        text,
        "\n| who | answers | median | 99 of 100 within | worst |\n|---|---|---|---|---|\n"
    )?;
    for (who, times) in &counts.answers {
        let mut times = times.clone();
        times.sort_unstable();
        let of_100 = |share: usize| millis(times[(times.len() - 1) * share / 100]);
        let [median, most, worst] = [50, 99, 100].map(of_100);
        let answers = grouped(times.len() as u64);
        writeln!(text, "| {who} | {answers} | {median} | {most} | {worst} |")?;
    }
    Ok(())
}

fn millis(micros: u32) -> String {
    format!("{:.1} ms", f64::from(micros) / 1_000.0)
}

/// Before, under load, after the first round and after the others.
fn held(text: &mut String, samples: &[Sample]) -> fmt::Result {
    let rounds = samples.last().map_or(0, |last| last.round);
    let after = |number| samples.iter().rfind(|it| it.round == number && it.phase == Phase::Quiet);
    let moments: [Vec<&Sample>; 5] = [
        samples.first().into_iter().collect(),
        samples.iter().filter(|sample| sample.phase == Phase::Load).collect(),
        after(1).into_iter().collect(),
        (2..=rounds).filter_map(after).collect(),
        after(rounds).into_iter().collect(),
    ];
    write!(text, "\n| held | before | under load | after round 1 | ")?;
    write!(text, "after rounds 2 to {rounds} | after the last |\n|---|---|---|---|---|---|\n")?;
    let mut row = |name: &str, digits: usize, of: &dyn Fn(&Sample) -> f64| {
        let cells = moments.each_ref().map(|samples| span(samples.iter().map(|it| of(it)), digits));
        writeln!(text, "| {name} | {} |", cells.join(" | "))
    };
    row("memory, MiB", 1, &Sample::resident_mib)?;
    for (place, (name, _)) in COUNTS.iter().enumerate() {
        row(name, 0, &|sample| float(sample.counts[place]))?;
    }
    Ok(())
}

/// From the least to the greatest of them.
fn span(values: impl Iterator<Item = f64> + Clone, digits: usize) -> String {
    let Some(least) = values.clone().reduce(f64::min) else { return "none".into() };
    let shown = [least, values.fold(least, f64::max)].map(|value| format!("{value:.digits$}"));
    if shown[0] == shown[1] { shown[0].clone() } else { shown.join(" to ") }
}

fn float(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_of_one_is_a_number_and_of_none_is_said_so() {
        let spans = [&[][..], &[2.0], &[3.04, 1.0, 3.01]].map(|of| span(of.iter().copied(), 1));
        assert_eq!(spans, ["none", "2.0", "1.0 to 3.0"]);
    }
}
