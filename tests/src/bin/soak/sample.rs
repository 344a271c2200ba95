//! What a server holds at one moment, read from its metrics; and whether it has come back to what it was.

use std::fmt::Write as _;
use std::time::Duration;

/// How much more memory than after warming up may stay, in bytes: the allocator keeps what it may need
/// again, and how much that is depends on what happened to be held at the same time. What leaks with
/// every session, connection or line is soon more.
const MEMORY: u64 = 16 << 20;

/// What is going on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing, before everything or after a load.
    #[default]
    Quiet,
    /// Everybody is at it.
    Load,
}

/// One look at a server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample {
    /// Since the first look.
    pub(crate) at: Duration,
    /// Counted from 1; 0 is before all.
    pub(crate) round: u32,
    pub(crate) phase: Phase,
    pub(crate) resident_bytes: u64,
    /// Descriptors, tasks and the rest, in the order of [`COUNTS`].
    pub(crate) counts: [u64; COUNTS.len()],
}

/// What is counted beside memory: how it is called here, and the measure of `docs/metrics.md`. Measures
/// with labels are added up.
pub(crate) const COUNTS: [(&str, &str); 6] = [
    ("descriptors", "process_open_fds"),
    ("tasks", "streamgram_tasks"),
    ("connections", "streamgram_connections"),
    ("sessions", "streamgram_sessions"),
    ("legs", "streamgram_legs"),
    ("labs", "streamgram_labs"),
];
/// Places in [`COUNTS`].
pub(crate) const DESCRIPTORS: usize = 0;
pub(crate) const TASKS: usize = 1;

impl Sample {
    /// Reads what a server says of itself in Prometheus' text format.
    ///
    /// # Panics
    /// A measure is missing, as those of the process are on macOS.
    pub(crate) fn parse(metrics: &str) -> Self {
        let counts = COUNTS.map(|(_, name)| measure(metrics, name));
        let resident_bytes = measure(metrics, "process_resident_memory_bytes");
        Self { resident_bytes, counts, ..Self::default() }
    }

    pub(crate) fn resident_mib(&self) -> f64 {
        let kib = u32::try_from(self.resident_bytes / 1024).unwrap_or(u32::MAX);
        f64::from(kib) / 1024.0
    }
}

fn measure(metrics: &str, name: &str) -> u64 {
    let values = metrics.lines().filter_map(|line| {
        let (labels, value) = line.strip_prefix(name)?.rsplit_once(' ')?;
        (labels.is_empty() || labels.starts_with('{')).then_some(value)
    });
    let mut values = values.peekable();
    assert!(values.peek().is_some(), "{name} is not measured here");
    values.map(|value| value.parse::<u64>().expect("a whole number")).sum()
}

/// What is not as it was: counts as before any load, memory as after warming up.
pub(crate) fn not_returned(now: &Sample, cold: &Sample, warm: Option<&Sample>) -> Vec<String> {
    let mut missing = Vec::new();
    for (((name, _), now), cold) in COUNTS.iter().zip(now.counts).zip(cold.counts) {
        if now != cold {
            missing.push(format!("{name}: {now}, {cold} before"));
        }
    }
    if let Some(warm) = warm.filter(|warm| now.resident_bytes > warm.resident_bytes + MEMORY) {
        let (now, warm) = (now.resident_mib(), warm.resident_mib());
        missing.push(format!("memory: {now:.1} MiB, {warm:.1} MiB after warming up"));
    }
    missing
}

/// All samples as comma-separated values.
pub(crate) fn csv(samples: &[Sample]) -> String {
    let names = COUNTS.map(|(name, _)| name).join(",");
    let mut csv = format!("seconds,round,phase,resident_bytes,{names}\n");
    for Sample { at, round, phase, resident_bytes, counts } in samples {
        let phase = if *phase == Phase::Load { "load" } else { "quiet" };
        let counts = counts.map(|count| count.to_string()).join(",");
        let seconds = at.as_secs_f64();
        // Writing to a String cannot fail.
        let _ok = writeln!(csv, "{seconds:.3},{round},{phase},{resident_bytes},{counts}");
    }
    csv
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: &str = "\
# HELP streamgram_tasks tasks
process_open_fds 14
process_resident_memory_bytes 9437184
streamgram_tasks 9
streamgram_connections{surface=\"http\"} 2
streamgram_connections{surface=\"tcp\"} 3
streamgram_connections_total{surface=\"tcp\"} 70
streamgram_sessions 1
streamgram_legs{protocol=\"TCP\",path=\"direct\"} 0
streamgram_labs 0
";

    #[test]
    fn labels_are_added_up_and_longer_names_are_others() {
        let sample = Sample::parse(METRICS);
        assert_eq!(sample.counts, [14, 9, 5, 1, 0, 0]);
        assert_eq!(sample.resident_mib().to_string(), "9");
    }

    #[test]
    fn a_count_must_be_what_it_was_and_is_named_if_not() {
        let cold = Sample::parse(METRICS);
        assert_eq!(not_returned(&cold, &cold, None), [""; 0]);
        for (place, (name, _)) in COUNTS.iter().enumerate() {
            let mut now = cold.clone();
            now.counts[place] += 1;
            let missing = not_returned(&now, &cold, Some(&cold));
            assert!(missing.len() == 1 && missing[0].starts_with(name), "{missing:?}");
        }
    }

    #[test]
    fn memory_is_compared_with_the_warm_server_and_has_some_play() {
        let cold = Sample::parse(METRICS);
        let with = |resident_bytes| Sample { resident_bytes, ..cold.clone() };
        let warm = with(cold.resident_bytes + 3 * MEMORY);
        assert_eq!(not_returned(&warm, &cold, None), [""; 0]);
        assert_eq!(not_returned(&with(warm.resident_bytes + MEMORY), &cold, Some(&warm)), [""; 0]);
        let more = with(warm.resident_bytes + MEMORY + 1);
        assert_eq!(not_returned(&more, &cold, Some(&warm)).len(), 1);
    }

    #[test]
    fn a_sample_is_a_line_of_csv() {
        let sample = Sample { round: 2, phase: Phase::Load, ..Sample::parse(METRICS) };
        let csv = csv(&[sample]);
        assert_eq!(csv.lines().nth(1), Some("0.000,2,load,9437184,14,9,5,1,0,0"));
    }
}
