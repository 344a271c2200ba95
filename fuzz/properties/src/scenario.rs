//! The fragments of links, which anybody can write.

use streamgram_protocol::scenario::{MAX_FRAGMENT, MAX_QUOTE_CHARS, MAX_REMARKS, Mode, Remark};
use streamgram_protocol::{Limits, Scenario};

/// What a page reads from a link is within every limit and would be written so that it is read in the
/// same way; what was not taken as it stands is said, in few words.
///
/// # Panics
/// It is not.
pub fn scenario(input: &[u8]) {
    let fragment = String::from_utf8_lossy(input);
    let limits = Limits { line_bytes: 2_000, ..Limits::default() };
    let (scenario, remarks) = Scenario::decode(&fragment, &limits);
    assert!(remarks.len() <= MAX_REMARKS + 1);
    assert!(remarks.iter().flat_map(quotes).all(|quote| quote.chars().count() <= MAX_QUOTE_CHARS));
    let Some(scenario) = scenario else {
        return assert_eq!(remarks.len(), 1, "what is not read has its reason");
    };
    assert!(fragment.len() <= MAX_FRAGMENT);
    assert!((1..=limits.burst_lines).contains(&scenario.count));
    assert!(scenario.interval_ms <= limits.interval_ms);
    let is_text = scenario.mode == Mode::Text;
    assert!(!is_text || scenario.text.len() <= limits.line_bytes);
    if let Some(link) = &scenario.link {
        link.check().expect("knobs are clamped");
    }
    let again = scenario.encode();
    assert!(again.bytes().all(|byte| byte.is_ascii_graphic() && !b"#<>\"'".contains(&byte)));
    if again.len() <= MAX_FRAGMENT {
        assert_eq!(Scenario::decode(&again, &limits), (Some(scenario), vec![]));
    }
}

fn quotes(remark: &Remark) -> Vec<&str> {
    match remark {
        Remark::TooLong { .. } | Remark::Rules { .. } | Remark::Cut { .. } | Remark::More(_) => {
            vec![]
        }
        Remark::Version(text)
        | Remark::Unknown(text)
        | Remark::Repeated(text)
        | Remark::Percent(text)
        | Remark::NotUtf8(text) => vec![text],
        Remark::Unreadable { name, value } => vec![name, value],
        Remark::Clamped { name, value, taken } => vec![name, value, taken],
    }
}
