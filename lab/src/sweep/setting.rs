//! What a sweep is asked for: which one, its link, its losses, its seeds; and what is allowed.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use streamgram_protocol::{MAX_ID, Percent};

/// A whole number that can be chosen. What is out of its range is refused before anything is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// What it is called, on the command line too.
    pub name: &'static str,
    /// With a space before it, or nothing.
    pub unit: &'static str,
    /// What is allowed.
    pub range: RangeInclusive<u64>,
}

/// Milliseconds from a packet to its answer. Longer ones would meet the first timeout of a handshake,
/// which is 1 s.
pub const RTT: Limit = Limit { name: "rtt", unit: " ms", range: 1..=800 };
/// Bytes of TCP's data in a full segment; the MTU is 40 more. From what every host must take (RFC 9293)
/// to what Ethernet carries: of longer ones, the buffers would hold too few for the models to apply.
pub const MSS: Limit = Limit { name: "mss", unit: " bytes", range: 536..=1_460 };
/// Decides every random fate.
pub const SEED: Limit = Limit { name: "seed", unit: "", range: 0..=MAX_ID };
/// Runs at each loss, each with fates of its own; without loss there is no chance, and one run.
pub const RUNS: Limit = Limit { name: "runs", unit: "", range: 1..=1_000 };
/// Losses of one sweep.
pub const LOSSES: Limit = Limit { name: "number of losses", unit: "", range: 1..=100 };
/// The largest loss: above it TCP hardly moves, and only its longest timeouts are measured.
pub const MOST_LOSS: Percent = Percent::whole(20);

/// The losses of a sweep that names none, in hundredths of a percent.
const USUAL_LOSSES: [i32; 12] = [0, 10, 20, 50, 100, 200, 300, 500, 750, 1_000, 1_500, 2_000];

/// A setting that is not allowed, as a sentence that names it, its value and its limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSetting(String);

impl fmt::Display for BadSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadSetting {}

impl Limit {
    /// Reads a number.
    ///
    /// # Errors
    /// It is none, or out of range.
    pub fn parse(&self, text: &str) -> Result<u64, BadSetting> {
        let number = text.parse().ok().filter(|number| self.range.contains(number));
        number.ok_or_else(|| self.refuse(text))
    }

    fn check(&self, number: u64) -> Result<(), BadSetting> {
        if self.range.contains(&number) { Ok(()) } else { Err(self.refuse(number)) }
    }

    fn refuse(&self, value: impl fmt::Display) -> BadSetting {
        let Self { name, unit, range } = self;
        let (least, most) = (range.start(), range.end());
        BadSetting(format!("{name} is {value}, it must be {least} to {most}{unit}"))
    }
}

/// Which sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// How much TCP and UDP bring to the server, beside what the models expect of TCP.
    Goodput,
    /// How long a conversation of [`LINES`](super::LINES) lines takes.
    Exchange,
}

impl Kind {
    /// Every sweep there is.
    pub const EVERY: [Self; 2] = [Self::Goodput, Self::Exchange];

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Goodput => "goodput",
            Self::Exchange => "exchange",
        }
    }

    /// Runs at each loss, unless somebody wants another number: an exchange is short, and few of them
    /// say little of the worst.
    #[must_use]
    pub fn usual_runs(self) -> u64 {
        match self {
            Self::Goodput => 5,
            Self::Exchange => 500,
        }
    }
}

impl FromStr for Kind {
    type Err = BadSetting;

    fn from_str(text: &str) -> Result<Self, BadSetting> {
        let named = Self::EVERY.into_iter().find(|kind| kind.name() == text);
        named.ok_or_else(|| BadSetting(format!("sweep is {text}, it must be goodput or exchange")))
    }
}

/// What a sweep is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Which sweep.
    pub kind: Kind,
    /// See [`RTT`].
    pub rtt_ms: u64,
    /// See [`MSS`].
    pub mss: u64,
    /// See [`SEED`].
    pub seed: u64,
    /// See [`RUNS`].
    pub runs: u64,
    /// At most [`MOST_LOSS`] each, and as many as [`LOSSES`] allows.
    pub losses: Vec<Percent>,
}

impl Setting {
    /// The usual sweep of a kind.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            rtt_ms: 100,
            mss: 1_460,
            seed: 1,
            runs: kind.usual_runs(),
            losses: USUAL_LOSSES.map(Percent::hundredths).into(),
        }
    }

    /// Sets what has this name from text: `rtt`, `mss`, `seed`, `runs`, or `loss`, which is a list.
    ///
    /// # Errors
    /// There is no such setting, or it may not be this.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), BadSetting> {
        match name {
            "rtt" => self.rtt_ms = RTT.parse(text)?,
            "mss" => self.mss = MSS.parse(text)?,
            "seed" => self.seed = SEED.parse(text)?,
            "runs" => self.runs = RUNS.parse(text)?,
            "loss" => self.losses = text.split(',').map(parse_loss).collect::<Result<_, _>>()?,
            _ => return Err(BadSetting(format!("a sweep has no setting {name}"))),
        }
        Ok(())
    }

    /// Whether everything is in its range.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self) -> Result<(), BadSetting> {
        RTT.check(self.rtt_ms)?;
        MSS.check(self.mss)?;
        SEED.check(self.seed)?;
        RUNS.check(self.runs)?;
        LOSSES.check(self.losses.len() as u64)?;
        let outside = self.losses.iter().find(|loss| !(Percent::ZERO..=MOST_LOSS).contains(*loss));
        outside.map_or(Ok(()), |loss| Err(refuse_loss(loss)))
    }

    /// How often each traffic runs at a loss.
    pub(super) fn runs_at(&self, loss: Percent) -> u64 {
        if loss == Percent::ZERO { 1 } else { self.runs }
    }
}

/// Reads a loss in percent, `0.1`, with two decimals at most.
///
/// # Errors
/// It is none, or more than [`MOST_LOSS`].
pub fn parse_loss(text: &str) -> Result<Percent, BadSetting> {
    let (whole, decimals) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = format!("{whole}{decimals:0<2}");
    let is_number = digits.bytes().all(|digit| digit.is_ascii_digit());
    let fits = is_number && !whole.is_empty() && decimals.len() <= 2;
    let loss = digits.parse().ok().filter(|_| fits).map(Percent::hundredths);
    let loss = loss.filter(|loss| *loss <= MOST_LOSS);
    loss.ok_or_else(|| refuse_loss(text))
}

fn refuse_loss(value: impl fmt::Display) -> BadSetting {
    BadSetting(format!("loss is {value}, it must be 0 to {MOST_LOSS} % with two decimals at most"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_from_text_is_what_the_text_says() {
        let mut setting = Setting::new(Kind::Goodput);
        for (name, text) in
            [("rtt", "1"), ("mss", "536"), ("seed", "0"), ("runs", "1000"), ("loss", "0,0.1,20.00")]
        {
            setting.set(name, text).unwrap();
        }
        let losses = [0, 10, 2_000].map(Percent::hundredths).into();
        let Setting { kind, .. } = setting;
        let expected = Setting { kind, rtt_ms: 1, mss: 536, seed: 0, runs: 1_000, losses };
        assert_eq!(setting, expected);
        assert_eq!(setting.check(), Ok(()));
    }

    #[test]
    fn what_is_not_allowed_is_named_with_its_limit() {
        for (name, text, said) in [
            ("rtt", "0", "rtt is 0, it must be 1 to 800 ms"),
            ("rtt", "801", "rtt is 801, it must be 1 to 800 ms"),
            ("mss", "1461", "mss is 1461, it must be 536 to 1460 bytes"),
            ("seed", "-1", "seed is -1, it must be 0 to 9007199254740991"),
            ("runs", "many", "runs is many, it must be 1 to 1000"),
            ("loss", "1,", "loss is , it must be 0 to 20 % with two decimals at most"),
            ("loss", "20.01", "loss is 20.01, it must be 0 to 20 % with two decimals at most"),
            ("loss", "0.125", "loss is 0.125, it must be 0 to 20 % with two decimals at most"),
            ("loss", "-1", "loss is -1, it must be 0 to 20 % with two decimals at most"),
            ("loss", "1.+5", "loss is 1.+5, it must be 0 to 20 % with two decimals at most"),
            ("delay", "1", "a sweep has no setting delay"),
        ] {
            let refused = Setting::new(Kind::Goodput).set(name, text).unwrap_err();
            assert_eq!(refused.to_string(), said);
        }
        let refused = "speed".parse::<Kind>().unwrap_err();
        assert_eq!(refused.to_string(), "sweep is speed, it must be goodput or exchange");
    }

    #[test]
    fn a_setting_made_otherwise_is_checked_too() {
        let usual = Setting::new(Kind::Exchange);
        assert_eq!(usual.check(), Ok(()));
        let refused = |setting: Setting| setting.check().unwrap_err().to_string();
        let many = Setting { losses: vec![Percent::ZERO; 101], ..usual.clone() };
        assert_eq!(refused(many), "number of losses is 101, it must be 1 to 100");
        let none = Setting { losses: Vec::new(), ..usual.clone() };
        assert_eq!(refused(none), "number of losses is 0, it must be 1 to 100");
        let large = Setting { losses: vec![Percent::hundredths(2_001)], ..usual.clone() };
        assert!(refused(large).starts_with("loss is 20.01, "));
        let negative = Setting { losses: vec![Percent::hundredths(-1)], ..usual.clone() };
        assert!(refused(negative).starts_with("loss is -0.01, "));
        assert!(refused(Setting { rtt_ms: 0, ..usual.clone() }).starts_with("rtt is 0, "));
        assert!(refused(Setting { mss: 0, ..usual.clone() }).starts_with("mss is 0, "));
        assert!(refused(Setting { seed: MAX_ID + 1, ..usual.clone() }).starts_with("seed is "));
        assert!(refused(Setting { runs: 0, ..usual }).starts_with("runs is 0, "));
    }
}
