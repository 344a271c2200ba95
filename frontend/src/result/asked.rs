//! What a run asked for and what it went over, in a few words.

use streamgram_protocol::{Data, Path, Send, printable};

use crate::i18n::figures::{Noun, count, counted};
use crate::i18n::language::Language;
use crate::lab::knobs::preset_text;
use crate::session::run::{Conditions, Run};

/// Characters of a line that are quoted.
const QUOTED_CHARS: usize = 24;

/// `hello {n} × 20 every 200 ms`
pub(crate) fn asked(language: Language, run: &Run) -> String {
    let Some(first) = run.sends.first() else { return String::new() };
    let Send { count: lines, interval_ms, .. } = **first;
    let mut asked = match run.sends.len() {
        1 => quoted(first),
        several => counted(language, several as u64, Noun::Line),
    };
    if lines > 1 {
        asked += &format!(" × {}", count(lines.into()));
    }
    if lines > 1 && interval_ms > 0 {
        asked = language.asked_every(&asked, &count(interval_ms.into()));
    }
    asked
}

fn quoted(send: &Send) -> String {
    let text = match send.data() {
        Data::Text(text) => printable(text.as_bytes()),
        Data::Hex(digits) => format!("0x{digits}"),
    };
    shortened(&text)
}

/// The head of a text, if it is long.
pub(crate) fn shortened(text: &str) -> String {
    let head: String = text.chars().take(QUOTED_CHARS).collect();
    if head.len() < text.len() { head + "…" } else { head }
}

/// What a path is called: by its preset, where its link is one.
pub(crate) fn path_name(language: Language, conditions: &Conditions) -> &'static str {
    match (conditions.path, conditions.preset()) {
        (Path::Direct, _) => language.path_direct(),
        (Path::Emulated, Some(preset)) => preset_text(language, preset).0,
        (Path::Emulated, None) => language.path_own(),
    }
}

/// `#3 · Wi-Fi`, and the option that is not as usual.
pub(crate) fn title(language: Language, run: &Run) -> String {
    let title = format!("#{} · {}", run.number, path_name(language, &run.conditions));
    if run.conditions.nodelay || run.tcp.is_none() { title } else { title + " · Nagle" }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use streamgram_protocol::{Link, Preset, PresetName, Target};

    use super::*;

    fn run(data: &str, count: u32, interval_ms: u32) -> Run {
        let send = Send::new(1, Target::Both, Data::Text(data.into()));
        let sends = Rc::new(vec![Rc::new(Send { count, interval_ms, ..send })]);
        let (tcp, udp, conditions) = (None, None, Conditions::default());
        Run { number: 3, at_us: None, sends, conditions, tcp, udp }
    }

    #[test]
    fn what_was_asked_is_short_and_stays_text() {
        let said = |run: &Run| asked(Language::En, run);
        assert_eq!(said(&run("hello {n}", 1, 0)), "hello {n}");
        assert_eq!(said(&run("hello {n}", 20, 0)), "hello {n} × 20");
        assert_eq!(said(&run("a\u{202e}\n", 1_000, 200)), r"a\u{202e}\n × 1,000 every 200 ms");
        assert_eq!(said(&run(&"x".repeat(500), 1, 0)).chars().count(), QUOTED_CHARS + 1);
    }

    #[test]
    fn a_path_is_called_by_its_preset_as_long_as_it_is_one() {
        let mut run = run("x", 1, 0);
        assert_eq!(title(Language::En, &run), "#3 · Direct");
        let wifi = Preset::all().into_iter().find(|it| it.name == PresetName::Wifi).unwrap();
        run.conditions.path = Path::Emulated;
        run.conditions.link = Rc::new(wifi.link);
        assert_eq!(title(Language::En, &run), "#3 · Wi-Fi");
        run.conditions.link = Rc::new(Link { seed: 77, ..Link::default() });
        assert_eq!(title(Language::En, &run), "#3 · Own link");
    }
}
