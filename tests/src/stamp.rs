//! What the timestamp servers write, read with other means than theirs.

use std::time::{SystemTime, UNIX_EPOCH};

use streamgram_protocol::{CTIME_LEN, STAMP_LEN};

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Whether this is what C's `ctime` writes, without its newline.
#[must_use]
pub fn is_ctime(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else {
        return false;
    };
    let digits = |at: usize, length: usize| {
        text.get(at..at + length)
            .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let day_of_month = digits(8, 2) || text.get(8..9) == Some(" ") && digits(9, 1);
    let separators = [(3, " "), (7, " "), (10, " "), (13, ":"), (16, ":"), (19, " ")];
    text.len() == CTIME_LEN
        && text.get(..3).is_some_and(|day| DAYS.contains(&day))
        && text.get(4..7).is_some_and(|month| MONTHS.contains(&month))
        && day_of_month
        && [11, 14, 17].into_iter().all(|at| digits(at, 2))
        && digits(20, 4)
        && separators.into_iter().all(|(at, separator)| text.get(at..=at) == Some(separator))
}

/// Whether this begins with a stamp of the TCP server: `[ctime] `.
#[must_use]
pub fn is_stamped(reply: &[u8]) -> bool {
    reply.len() >= STAMP_LEN
        && reply[0] == b'['
        && is_ctime(&reply[1..=CTIME_LEN])
        && &reply[STAMP_LEN - 2..STAMP_LEN] == b"] "
}

/// What stands behind each stamp of a stream of replies. The echoes must not look like stamps.
///
/// # Panics
/// The stream does not begin with a stamp.
#[must_use]
pub fn echoes(stream: &[u8]) -> Vec<&[u8]> {
    let mut stamps = (0..stream.len()).filter(|at| is_stamped(&stream[*at..])).peekable();
    assert_eq!(stamps.peek().copied().unwrap_or_default(), 0, "{stream:?}");
    let mut echoes = Vec::new();
    while let Some(at) = stamps.next() {
        let end = stamps.peek().copied().unwrap_or(stream.len());
        echoes.push(&stream[at + STAMP_LEN..end]);
    }
    echoes
}

/// The second that it is now, since 1970.
///
/// # Panics
/// It is before 1970.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "what the server shows is compared with it")]
pub fn now_second() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock that was set").as_secs()
}

/// The `ctime` of a second since 1970, in UTC.
#[must_use]
pub fn utc_ctime(second: u64) -> String {
    let (mut days, second) = (second / 86_400, second % 86_400);
    // 1970-01-01 was a Thursday.
    let day_of_week = DAYS[usize::try_from((days + 4) % 7).unwrap_or_default()];
    let mut year = 1970;
    let is_leap =
        |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    let (month, day) = (MONTHS[month], days + 1);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{day_of_week} {month} {day:>2} {hour:02}:{minute:02}:{second:02} {year:04}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_is_checked_at_every_place() {
        assert!(is_ctime(b"Mon Nov 23 05:52:57 2026"));
        assert!(is_ctime(b"Thu Jan  1 00:00:00 1970"));
        for wrong in [
            "Mon Nov 23 05:52:57 2026\n",
            "Mon Nov 23 05:52:57 26",
            "Mon Nov 3  05:52:57 2026",
            "Mon nov 23 05:52:57 2026",
            "Mo. Nov 23 05:52:57 2026",
            "Mon Nov 23 05.52:57 2026",
        ] {
            assert!(!is_ctime(wrong.as_bytes()), "{wrong}");
        }
    }

    #[test]
    fn the_calendar_is_right_where_it_is_hard() {
        assert_eq!(utc_ctime(1_795_413_177), "Mon Nov 23 05:52:57 2026");
        assert_eq!(utc_ctime(951_782_400), "Tue Feb 29 00:00:00 2000");
        assert_eq!(utc_ctime(1_735_689_599), "Tue Dec 31 23:59:59 2024");
    }

    #[test]
    fn a_stream_is_split_at_its_stamps_only() {
        let stream = b"[Mon Nov 23 05:52:57 2026] a [b] [Mon Nov 23 05:52:58 2026] c";
        assert_eq!(echoes(stream), [b"a [b] ".as_slice(), b"c".as_slice()]);
    }
}
