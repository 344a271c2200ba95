//! Numbers as people read them.

use chrono::{DateTime, FixedOffset, Offset, SecondsFormat, Timelike, Utc};
use streamgram_protocol::Percent;

use super::language::Language;

/// `65507` as `65,507`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noun {
    Byte,
    Line,
    Send,
    Read,
    Reply,
    Datagram,
    Packet,
    Piece,
    Stamp,
    Student,
}

/// A number with its noun: `1 read`, `2 reads`.
pub(crate) fn counted(language: Language, number: u64, noun: Noun) -> String {
    let n = count(number);
    let (one, several) = match noun {
        Noun::Byte => (language.one_byte(), language.bytes(&n)),
        Noun::Line => (language.one_line(), language.lines(&n)),
        Noun::Send => (language.one_send(), language.sends(&n)),
        Noun::Read => (language.one_read(), language.reads(&n)),
        Noun::Reply => (language.one_reply(), language.replies(&n)),
        Noun::Datagram => (language.one_datagram(), language.datagrams(&n)),
        Noun::Packet => (language.one_packet(), language.packets(&n)),
        Noun::Piece => (language.one_piece(), language.pieces(&n)),
        Noun::Stamp => (language.one_stamp(), language.stamps(&n)),
        Noun::Student => (language.one_student(), language.students(&n)),
    };
    if number == 1 { one.into() } else { several }
}

/// Microseconds in the unit that suits them: `0.31 ms`, `51.2 ms`, `1.05 s`.
pub(crate) fn duration(us: u64) -> String {
    if us < 1_000_000 { parts(us, 1_000, "ms") } else { parts(us, 1_000_000, "s") }
}

/// A time that may be shorter than what [`duration`] can tell.
pub(crate) fn short(us: u64) -> String {
    if us < 1_000 { format!("{us} µs") } else { duration(us) }
}

/// A number in a unit, with three digits that mean something, in integer steps.
fn parts(number: u64, unit: u64, name: &str) -> String {
    let (whole, rest) = (number / unit, number % unit);
    match whole {
        0..=9 => format!("{whole}.{:02} {name}", rest * 100 / unit),
        10..=99 => format!("{whole}.{} {name}", rest * 10 / unit),
        _ => format!("{} {name}", count(whole)),
    }
}

/// What a whole number stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Whole,
    Microseconds,
    Thousandths,
    /// Bits a second.
    BitRate,
    ThousandthsOfPercent,
    HundredthsOfPercent,
}

impl Unit {
    /// A number as people read it.
    pub(crate) fn text(self, number: u64) -> String {
        match self {
            _ if number == 0 => "0".into(),
            Self::Whole => count(number),
            Self::Microseconds => duration(number),
            Self::Thousandths => parts(number, 1_000, "").trim_end().into(),
            Self::BitRate if number < 1_000_000 => parts(number, 1_000, "kbit/s"),
            Self::BitRate => parts(number, 1_000_000, "Mbit/s"),
            Self::ThousandthsOfPercent => parts(number, 1_000, "%"),
            Self::HundredthsOfPercent => {
                let hundredths = i32::try_from(number).unwrap_or(i32::MAX);
                Percent::hundredths(hundredths).to_string()
            }
        }
    }
}

/// A number to the last digit, for programs.
pub(crate) fn exact(unit: Unit, number: u64) -> String {
    match unit {
        Unit::Thousandths => format!("{}.{:03}", number / 1_000, number % 1_000),
        _ => number.to_string(),
    }
}

/// Time of day, `05:52:57.112`, of Unix microseconds in a zone that many minutes east of UTC.
pub(crate) fn time_of_day(unix_us: u64, zone_minutes: i32) -> String {
    let time = local(unix_us, zone_minutes).time();
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    format!("{hour:02}:{minute:02}:{second:02}.{:03}", time.nanosecond() / 1_000_000)
}

/// Date and time (RFC 3339), `2026-11-23T05:52:57.112000Z`, of Unix microseconds in a zone that many
/// minutes east of UTC.
pub(crate) fn date_time(unix_us: u64, zone_minutes: i32) -> String {
    local(unix_us, zone_minutes).to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn local(unix_us: u64, zone_minutes: i32) -> DateTime<FixedOffset> {
    let utc = i64::try_from(unix_us).ok().and_then(DateTime::from_timestamp_micros);
    let zone = FixedOffset::east_opt(60 * zone_minutes).unwrap_or(Utc.fix());
    utc.unwrap_or_default().with_timezone(&zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(
            [0, 999, 1_000, 65_507, 1_234_567].map(count),
            ["0", "999", "1,000", "65,507", "1,234,567"]
        );
    }

    #[test]
    fn nouns_agree_with_their_number() {
        let counted = |number, noun| Language::ALL.map(|it| counted(it, number, noun));
        assert_eq!(counted(1, Noun::Reply), ["1 reply", "1 个回复"]);
        assert_eq!(counted(2_000, Noun::Reply), ["2,000 replies", "2,000 个回复"]);
        assert_eq!(counted(0, Noun::Read), ["0 reads", "0 次读取"]);
    }

    #[test]
    fn durations_keep_three_digits() {
        let shown = [0, 7, 312, 9_999, 51_234, 999_999, 1_050_000, 10_000_000].map(duration);
        assert_eq!(
            shown,
            ["0.00 ms", "0.00 ms", "0.31 ms", "9.99 ms", "51.2 ms", "999 ms", "1.05 s", "10.0 s"]
        );
    }

    #[test]
    fn a_number_is_told_in_its_unit_and_a_program_gets_every_digit() {
        let text = |unit: Unit, numbers: [u64; 3]| numbers.map(|number| unit.text(number));
        assert_eq!(text(Unit::Thousandths, [0, 2_351, 20_000]), ["0", "2.35", "20.0"]);
        let rates = ["24.8 kbit/s", "4.95 Mbit/s", "0.90 kbit/s"];
        assert_eq!(text(Unit::BitRate, [24_800, 4_950_000, 900]), rates);
        assert_eq!(
            text(Unit::ThousandthsOfPercent, [99_880, 100_000, 1_600]),
            ["99.8 %", "100 %", "1.60 %"]
        );
        assert_eq!(text(Unit::HundredthsOfPercent, [10, 750, 2_000]), ["0.1", "7.5", "20"]);
        assert_eq!(
            [exact(Unit::Thousandths, 2_051), exact(Unit::Microseconds, 1_234)],
            ["2.051", "1234"]
        );
    }

    #[test]
    fn a_time_of_day_is_local() {
        assert_eq!(time_of_day(1_795_413_177_112_000, 0), "05:52:57.112");
        assert_eq!(time_of_day(1_795_413_177_112_000, 480), "13:52:57.112");
        assert_eq!(time_of_day(0, -60), "23:00:00.000");
    }

    #[test]
    fn a_date_is_that_of_the_calendar() {
        assert_eq!(date_time(1_795_413_177_112_345, 0), "2026-11-23T05:52:57.112345Z");
        assert_eq!(date_time(1_795_413_177_112_345, 480), "2026-11-23T13:52:57.112345+08:00");
        assert_eq!(date_time(0, -570), "1969-12-31T14:30:00.000000-09:30");
        let day = |days: u64| date_time(days * 86_400_000_000, 0)[..10].to_owned();
        // Leap days of 2000 and 2024, none in 2100, and the days beside them.
        assert_eq!(
            [11_015, 11_016, 11_017, 19_782, 19_783, 47_540, 47_541].map(day),
            [
                "2000-02-28",
                "2000-02-29",
                "2000-03-01",
                "2024-02-29",
                "2024-03-01",
                "2100-02-28",
                "2100-03-01"
            ]
        );
    }
}
