//! What stands in the prompt, and whether it may be sent.

use streamgram_protocol::{Code, Data, Invalid, Limits, Preset, Send, Target};

use crate::notice::Notice;
use crate::page::{Link, Page};

/// What a person has typed and chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) text: String,
    pub(crate) to: Target,
    /// As typed; not yet a number.
    pub(crate) count: String,
    pub(crate) interval_ms: String,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            text: "hello {n}".into(),
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
            to: Target::Both,
            count: preset.count.to_string(),
            interval_ms: preset.interval_ms.to_string(),
        }
    }
}

impl Draft {
    /// The message that would go out, with this id.
    ///
    /// # Errors
    /// Why nothing goes out, with the limit.
    pub(crate) fn check(&self, page: &Page, id: u64) -> Result<Send, Notice> {
        let limits = page.limits();
        let count = number(&self.count).ok_or(Notice::Count { limit: limits.burst_lines })?;
        let interval_ms = number(&self.interval_ms);
        let interval_ms = interval_ms.ok_or(Notice::Interval { limit: limits.interval_ms })?;
        let data = Data::Text(self.text.clone());
        let send = Send { id, to: self.to, data, count, interval_ms };
        if self.text.is_empty() {
            let over_udp = self.to == Target::Udp;
            return Err(if over_udp { Notice::EmptyOverUdp } else { Notice::EmptyOverTcp });
        }
        allowed(page, &send)?;
        Ok(send)
    }
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
    match (invalid.code, invalid.field.as_deref()) {
        (_, Some("count")) => Notice::Count { limit: limits.burst_lines },
        (_, Some("interval_ms")) => Notice::Interval { limit: limits.interval_ms },
        (Code::OverLimit, _) => {
            let bytes = send.data.line(send.count).map_or(0, |line| line.len());
            Notice::TooLong { bytes, limit: limits.line_bytes }
        }
        _ => Notice::Hex(invalid.detail.clone()),
    }
}

/// A datagram without bytes.
pub(crate) fn empty_datagram(id: u64) -> Send {
    Send { id, to: Target::Udp, data: Data::Text(String::new()), count: 1, interval_ms: 0 }
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
    use crate::language::Language;
    use crate::page::Action;
    use crate::page::tests::hello;

    fn opened(protocol: Protocol) -> ServerMessage {
        let (local, peer) = (String::new(), String::new());
        let (on, path) = (Some(LegId { protocol, leg: 1 }), Path::Direct);
        let event = Event::Opened { path, local, peer, handshake_us: None, nodelay: None };
        ServerMessage { at_us: 0, event, on }
    }

    fn page(messages: Vec<ServerMessage>) -> Rc<Page> {
        Rc::new(Page::new()).reduce(Action::Received(messages))
    }

    fn ready() -> Rc<Page> {
        page(vec![hello(0), opened(Protocol::Tcp), opened(Protocol::Udp)])
    }

    fn refused(draft: &Draft, page: &Page) -> String {
        draft.check(page, 1).unwrap_err().text(Language::En)
    }

    #[test]
    fn the_sample_goes_out_as_it_is() {
        let send = Draft::default().check(&ready(), 7).unwrap();
        assert_eq!((send.id, send.to, send.count), (7, Target::Both, 1));
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
        let notice = Draft::default().check(&half, 1).unwrap_err();
        assert_eq!(notice.opens(), Some(Protocol::Tcp));
        assert_eq!(notice.text(Language::En), "Not sent: TCP is not open.");
        assert!(refused(&Draft::default(), &Page::new()).contains("out of reach"));
    }
}
