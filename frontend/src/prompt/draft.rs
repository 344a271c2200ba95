//! What stands in the prompt, and whether it may be sent.

use serde::{Deserialize, Serialize};
use streamgram_protocol::scenario::{BadEscape, BadLine, Ending, Mode, data_of, lines_of};
use streamgram_protocol::{Data, Invalid, Limits, Preset, Send, Target};

use crate::i18n::figures::count;
use crate::i18n::language::Language;
use crate::session::notice::Notice;
use crate::session::page::{Link, Page};

/// Lines that go out at once, each a send of its own. They are messages of their own too: fewer than
/// the socket's queue holds and than a server takes within a second. A server may allow fewer.
const LINES_AT_ONCE: usize = 50;

/// What a person has typed and chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Draft {
    /// One line, or several between `\n`.
    pub(crate) text: String,
    pub(crate) mode: Mode,
    pub(crate) ending: Ending,
    pub(crate) to: Target,
    /// As typed; not yet a number.
    pub(crate) count: String,
    pub(crate) interval_ms: String,
}

/// What to call a mode.
pub(crate) fn mode_name(language: Language, mode: Mode) -> &'static str {
    match mode {
        Mode::Text => language.mode_text(),
        Mode::Escapes => language.mode_escapes(),
        Mode::Hex => language.hex(),
    }
}

/// What to call an ending.
pub(crate) fn ending_name(language: Language, ending: Ending) -> &'static str {
    match ending {
        Ending::None => language.ending_none(),
        Ending::Lf => "LF",
        Ending::CrLf => "CRLF",
    }
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            text: "hello {n}".into(),
            mode: Mode::default(),
            ending: Ending::default(),
            to: Target::Both,
            count: "1".into(),
            interval_ms: "0".into(),
        }
    }
}

impl From<&Preset> for Draft {
    fn from(preset: &Preset) -> Self {
        Self {
            text: preset.text.clone().into_owned(),
            count: preset.count.to_string(),
            interval_ms: preset.interval_ms.to_string(),
            ..Self::default()
        }
    }
}

impl Draft {
    /// The same with another's line; how often it is sent and where to stays.
    pub(crate) fn with_line_of(&self, other: &Self) -> Self {
        let Self { text, mode, ending, .. } = other.clone();
        Self { text, mode, ending, ..self.clone() }
    }

    /// How the line is typed and what it ends with, where that is not as usual.
    pub(crate) fn unusual(&self, language: Language) -> Vec<&'static str> {
        let mode = (self.mode != Mode::Text).then(|| mode_name(language, self.mode));
        let ending = (self.ending != Ending::None).then(|| ending_name(language, self.ending));
        mode.into_iter().chain(ending).collect()
    }

    /// The messages that would go out, one for each line: all of them, or none.
    ///
    /// # Errors
    /// Why nothing goes out, with the limit; of several lines, which one it is about.
    pub(crate) fn check(
        &self,
        page: &Page,
        mut next_id: impl FnMut() -> u64,
    ) -> Result<Vec<Send>, Notice> {
        let lines: Vec<_> = self.lines().collect();
        let limit = at_once(page, self.to);
        if lines.len() > 1 && lines.len() > limit {
            return Err(Notice::Lines { lines: lines.len(), limit });
        }
        let several = lines.len() > 1;
        let checked = lines.into_iter().zip(1..).map(|(line, number)| {
            let send = self.send(line, page, next_id());
            send.map_err(|notice| if several { notice.of_line(number) } else { notice })
        });
        checked.collect()
    }

    /// How much it sends, where that is more than a line: `20`, or `3 × 5` for several lines each several times.
    pub(crate) fn amount(&self) -> Option<String> {
        let (lines, times) = (self.lines().count(), number(&self.count).unwrap_or(1));
        match (lines, times) {
            (1, 1) => None,
            (1, times) => Some(count(times.into())),
            (lines, 1) => Some(count(lines as u64)),
            (lines, times) => Some(format!("{} × {}", count(lines as u64), count(times.into()))),
        }
    }

    fn lines(&self) -> impl Iterator<Item = &str> {
        lines_of(&self.text)
    }

    fn send(&self, line: &str, page: &Page, id: u64) -> Result<Send, Notice> {
        let limits = page.limits();
        let count = number(&self.count).ok_or(Notice::Count { limit: limits.burst_lines })?;
        let interval_ms = number(&self.interval_ms);
        let interval_ms = interval_ms.ok_or(Notice::Interval { limit: limits.interval_ms })?;
        let data = self.data(line)?;
        let send = Send { count, interval_ms, ..Send::new(id, self.to, data) };
        if send.line(1).is_ok_and(|line| line.is_empty()) {
            let over_udp = self.to == Target::Udp;
            return Err(if over_udp { Notice::EmptyOverUdp } else { Notice::EmptyOverTcp });
        }
        allowed(page, &send)?;
        Ok(send)
    }

    /// What a line stands for.
    fn data(&self, line: &str) -> Result<Data, Notice> {
        data_of(line, self.mode, self.ending).map_err(|bad| match bad {
            BadLine::Escape(BadEscape { at, found }) => Notice::Escape { found, at },
            BadLine::Hex(bad) => Notice::Hex(bad),
            BadLine::NotNumbered => Notice::NotNumbered,
        })
    }
}

/// Lines that may go out at once now: each takes one of the places for sends in progress.
fn at_once(page: &Page, to: Target) -> usize {
    let busy = to.protocols().iter().map(|protocol| page.lane(*protocol).in_progress()).max();
    lines_at_once(&page.limits()).saturating_sub(busy.unwrap_or_default())
}

/// Lines that may go out at once when nothing is under way.
pub(crate) fn lines_at_once(limits: &Limits) -> usize {
    limits.sends_in_progress.min(LINES_AT_ONCE)
}

/// Whether a send may go out now.
///
/// # Errors
/// Why not, with the limit.
pub(crate) fn allowed(page: &Page, send: &Send) -> Result<(), Notice> {
    send.check(&page.limits()).map_err(|invalid| refusal(&invalid, send, &page.limits()))?;
    if page.link != Link::Connected {
        return Err(Notice::Away);
    }
    match send.to.protocols().iter().find(|protocol| !page.lane(**protocol).is_open()) {
        Some(&protocol) => {
            Err(Notice::NotOpen { protocol, can_open: !page.lane(protocol).is_there() })
        }
        None => Ok(()),
    }
}

/// What a check found, so that it can be said in any language.
fn refusal(invalid: &Invalid, send: &Send, limits: &Limits) -> Notice {
    match invalid.field.as_deref() {
        Some("count") => Notice::Count { limit: limits.burst_lines },
        Some("interval_ms") => Notice::Interval { limit: limits.interval_ms },
        _ => {
            let bytes = send.line(send.count).map_or(0, |line| line.len());
            Notice::TooLong { bytes, limit: limits.line_bytes }
        }
    }
}

/// A datagram without bytes.
pub(crate) fn empty_datagram(id: u64) -> Send {
    Send::new(id, Target::Udp, Data::Text(String::new()))
}

fn number(typed: &str) -> Option<u32> {
    typed.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use streamgram_protocol::{Event, LegId, Path, Protocol, ServerMessage};
    use yew::Reducible;

    use super::*;
    use crate::i18n::language::Language;
    use crate::session::page::Action;
    use crate::session::page::tests::hello;
    use crate::session::run::Conditions;

    fn opened(protocol: Protocol) -> ServerMessage {
        let (local, peer) = (String::new(), String::new());
        let (leg, path) = (Some(LegId { protocol, number: 1 }), Path::Direct);
        let event = Event::Opened { path, local, peer, handshake_us: None, nodelay: None };
        ServerMessage { at_us: 0, leg, event }
    }

    fn page(messages: Vec<ServerMessage>) -> Rc<Page> {
        Rc::new(Page::new()).reduce(Action::Received(messages))
    }

    fn ready() -> Rc<Page> {
        page(vec![hello(0), opened(Protocol::Tcp), opened(Protocol::Udp)])
    }

    fn refused(draft: &Draft, page: &Page) -> String {
        draft.check(page, || 1).unwrap_err().text(Language::En)
    }

    fn typed(text: &str, mode: Mode, ending: Ending) -> Draft {
        Draft { text: text.into(), mode, ending, ..Draft::default() }
    }

    /// What goes out, as text or as hex.
    fn goes_out(text: &str, mode: Mode, ending: Ending) -> Vec<Data> {
        let sends = typed(text, mode, ending).check(&ready(), || 1).unwrap();
        sends.into_iter().map(|send| send.data()).collect()
    }

    #[test]
    fn the_sample_goes_out_as_it_is() {
        let sends = Draft::default().check(&ready(), || 7).unwrap();
        assert_eq!(sends.len(), 1);
        assert_eq!((sends[0].id, sends[0].to, sends[0].count), (7, Target::Both, 1));
    }

    #[test]
    fn a_line_is_what_its_mode_and_its_ending_make_of_it() {
        let text = |text: &str| vec![Data::Text(text.into())];
        let hex = |hex: &str| vec![Data::Hex(hex.into())];
        assert_eq!(goes_out(r"\x41", Mode::Text, Ending::CrLf), text("\\x41\r\n"));
        assert_eq!(goes_out(r"\x41\n{n}", Mode::Escapes, Ending::None), text("A\n{n}"));
        assert_eq!(goes_out(r"\xff", Mode::Escapes, Ending::Lf), hex("ff0a"));
        assert_eq!(goes_out("E4 bd", Mode::Hex, Ending::CrLf), hex("e4bd0d0a"));
    }

    #[test]
    fn what_is_written_in_hex_or_escaped_is_never_numbered() {
        let hex = vec![Data::Hex("7b6e7d".into())];
        assert_eq!(goes_out("7b6e7d", Mode::Hex, Ending::None), hex);
        assert_eq!(goes_out(r"\x7bn}", Mode::Escapes, Ending::None), hex);
        for text in [r"\xff {n}", r"\x7bn} {n}"] {
            let notice = refused(&typed(text, Mode::Escapes, Ending::None), &ready());
            assert!(notice.contains("{n} stays"), "{notice}");
        }
    }

    #[test]
    fn a_mistake_in_a_line_is_named_with_its_place() {
        let escapes = |text| refused(&typed(text, Mode::Escapes, Ending::None), &ready());
        assert_eq!(escapes(r"ab\q"), r"Not sent: “\q” (from character 3) is not an escape.");
        assert_eq!(
            escapes("a\nb\\"),
            "Line 2: Not sent: “\\” (from character 2) is not an escape."
        );
        let hex = |text| refused(&typed(text, Mode::Hex, Ending::None), &ready());
        assert_eq!(hex("0g"), "Not sent: “g” (character 2) is not a hexadecimal digit.");
        assert_eq!(
            hex("0\u{202e}"),
            r"Not sent: “\u{202e}” (character 2) is not a hexadecimal digit."
        );
        assert_eq!(hex("e4b"), "Not sent: the last byte has only one hexadecimal digit.");
    }

    #[test]
    fn each_line_is_a_send_of_its_own_or_none_goes_out() {
        let lines = |text| goes_out(text, Mode::Text, Ending::None).len();
        assert_eq!((lines("a"), lines("a\n"), lines("a\nb"), lines("a\nb\n")), (1, 1, 2, 2));
        let mut id = 0;
        let next_id = || {
            id += 1;
            id
        };
        let sends = typed("a\nb", Mode::Text, Ending::None).check(&ready(), next_id).unwrap();
        assert_eq!(sends.iter().map(|send| send.id).collect::<Vec<_>>(), [1, 2]);
        let notice = refused(&typed("a\n\nb", Mode::Text, Ending::None), &ready());
        assert!(notice.starts_with("Line 2: An empty line"), "{notice}");
        assert_eq!(goes_out("a\n\nb", Mode::Text, Ending::Lf).len(), 3);
    }

    #[test]
    fn at_once_go_as_many_lines_as_the_server_takes() {
        let draft = |lines: usize| typed(&"x\n".repeat(lines), Mode::Text, Ending::None);
        let page = ready();
        assert_eq!(draft(16).check(&page, || 1).unwrap().len(), 16);
        let notice = "Not sent: that is 17 lines at once; at most 16 can be sent now.";
        assert_eq!(refused(&draft(17), &page), notice);
        let under_way = Rc::new(draft(1).check(&page, || 9).unwrap().remove(0));
        let page = page.reduce(Action::Sending(Rc::new(vec![under_way]), Conditions::default()));
        assert_eq!(draft(15).check(&page, || 1).unwrap().len(), 15);
        assert!(refused(&draft(16), &page).contains("at most 15"));
    }

    #[test]
    fn what_is_beyond_a_limit_is_refused_with_the_limit() {
        let draft = |text: &str, count: &str, interval: &str| Draft {
            text: text.into(),
            count: count.into(),
            interval_ms: interval.into(),
            ..Draft::default()
        };
        let page = ready();
        let count = "Not sent: the number of lines must be a whole number from 1 to 1,000.";
        assert_eq!(refused(&draft("x", "1001", "0"), &page), count);
        assert_eq!(refused(&draft("x", "many", "0"), &page), count);
        assert_eq!(
            refused(&draft("x", "1", "10001"), &page),
            "Not sent: the interval must be a whole number of milliseconds, at most 10,000."
        );
        assert_eq!(
            refused(&draft(&"x".repeat(65_508), "1", "0"), &page),
            "Not sent: the line is 65,508 bytes, the limit is 65,507 bytes."
        );
    }

    #[test]
    fn an_empty_line_is_explained() {
        let draft = |to| Draft { text: String::new(), to, ..Draft::default() };
        assert!(refused(&draft(Target::Tcp), &ready()).contains("nothing to send"));
        assert!(refused(&draft(Target::Both), &ready()).contains("nothing to send"));
        assert!(refused(&draft(Target::Udp), &ready()).contains("button"));
        assert!(allowed(&ready(), &empty_datagram(1)).is_ok());
    }

    #[test]
    fn a_closed_leg_is_named_and_can_be_opened() {
        let half = page(vec![hello(0), opened(Protocol::Udp)]);
        let notice = Draft::default().check(&half, || 1).unwrap_err();
        assert_eq!(notice.opens(), Some(Protocol::Tcp));
        assert_eq!(notice.text(Language::En), "Not sent: TCP is not open.");
        assert!(refused(&Draft::default(), &Page::new()).contains("out of reach"));
    }
}
