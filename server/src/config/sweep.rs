//! The flags of `streamgram sweep`.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use streamgram_lab::sweep::{BadSetting, Kind, MSS, RTT, RUNS, SEED, Setting, parse_loss};
use streamgram_protocol::Percent;

/// The setting of a sweep. Its limits and defaults are the lab's.
#[derive(Debug, Args)]
pub struct SweepFlags {
    /// How much TCP and UDP bring to the server, or how long an exchange of 20 lines takes
    #[arg(default_value = Kind::Goodput.name(), value_parser = kind())]
    kind: Kind,
    /// Round trip in milliseconds, 1 to 800
    #[arg(long, value_name = "MS", default_value_t = usual().rtt_ms, value_parser = rtt)]
    rtt: u64,
    /// Bytes in a full segment of TCP, 536 to 1460
    #[arg(long, value_name = "BYTES", default_value_t = usual().mss, value_parser = mss)]
    mss: u64,
    /// Decides what is lost: the same seed gives the same figures, on every machine
    #[arg(long, value_name = "NUMBER", default_value_t = usual().seed, value_parser = seed)]
    seed: u64,
    /// Runs at each loss, 1 to 1000; their mean is told [default: 5, of an exchange 500]
    #[arg(long, value_name = "NUMBER", value_parser = runs)]
    runs: Option<u64>,
    /// Losses in percent, 0 to 20, with commas between them; at most 100
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = parse_loss)]
    #[arg(default_values_t = usual().losses)]
    loss: Vec<Percent>,
    /// Print CSV, with exact figures, instead of a table
    #[arg(long)]
    pub csv: bool,
}

impl SweepFlags {
    /// The setting for the lab.
    #[must_use]
    pub fn setting(&self) -> Setting {
        let &Self { kind, rtt: rtt_ms, mss, seed, .. } = self;
        let runs = self.runs.unwrap_or(kind.usual_runs());
        Setting { kind, rtt_ms, mss, seed, runs, losses: self.loss.clone() }
    }
}

fn usual() -> Setting {
    Setting::new(Kind::Goodput)
}

fn kind() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::EVERY.map(Kind::name)).try_map(|name| name.parse::<Kind>())
}

fn rtt(text: &str) -> Result<u64, BadSetting> {
    RTT.parse(text)
}

fn mss(text: &str) -> Result<u64, BadSetting> {
    MSS.parse(text)
}

fn seed(text: &str) -> Result<u64, BadSetting> {
    SEED.parse(text)
}

fn runs(text: &str) -> Result<u64, BadSetting> {
    RUNS.parse(text)
}

#[cfg(test)]
mod tests {
    use streamgram_lab::sweep::{LINES, LOSSES, Limit, MOST_LOSS};

    use super::*;

    #[test]
    fn the_help_tells_the_limits_of_the_lab() {
        let mut command = SweepFlags::augment_args(clap::Command::new("sweep"));
        let help = command.render_long_help().to_string();
        let range = |Limit { range, .. }: Limit| format!("{} to {}", range.start(), range.end());
        let [goodput, exchange] = Kind::EVERY.map(Kind::usual_runs);
        for told in [
            format!("milliseconds, {}", range(RTT)),
            format!("of TCP, {}", range(MSS)),
            format!("each loss, {}", range(RUNS)),
            format!("[default: {goodput}, of an exchange {exchange}]"),
            format!("percent, 0 to {MOST_LOSS}, "),
            format!("at most {}", LOSSES.range.end()),
            format!("exchange of {LINES} lines"),
        ] {
            assert!(help.contains(&told), "{told} is missing: {help}");
        }
    }
}
