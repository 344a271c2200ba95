//! What stands in the prompt, and whether it may be sent.

use streamgram_protocol::{Data, Preset, Protocol, Send, Target};

use crate::page::{Link, Notice, Page};

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
    /// Why nothing goes out, naming the limit.
    pub(crate) fn check(&self, page: &Page, id: u64) -> Result<Send, Notice> {
        let count = number(&self.count, "the number of lines")?;
        let interval_ms = number(&self.interval_ms, "the interval in ms")?;
        let data = Data::Text(self.text.clone());
        let send = Send { id, to: self.to, data, count, interval_ms };
        if self.text.is_empty() && self.to != Target::Udp {
            let why = "An empty line has no bytes: over TCP there is nothing to send. Over UDP it is a \
                       datagram of its own: use “empty datagram”.";
            return Err(notice(why));
        }
        if self.text.is_empty() {
            return Err(notice("For an empty datagram use the button in the UDP lane."));
        }
        allowed(page, &send)?;
        Ok(send)
    }
}

/// Whether a send may go out now.
///
/// # Errors
/// Why not, naming the limit.
pub(crate) fn allowed(page: &Page, send: &Send) -> Result<(), Notice> {
    send.check(&page.limits())
        .map_err(|invalid| notice(&format!("Not sent: {}.", invalid.detail)))?;
    if page.link != Link::Connected {
        return Err(notice("Not sent: the server was out of reach."));
    }
    match send.to.protocols().iter().find(|protocol| !page.lane(**protocol).is_open()) {
        Some(&closed) => {
            let text = format!("Not sent: {} is not open.", closed.name());
            let open = (!page.lane(closed).is_there()).then_some(closed);
            Err(Notice { text, open })
        }
        None => Ok(()),
    }
}

/// A datagram without bytes.
pub(crate) fn empty_datagram(id: u64) -> Send {
    Send { id, to: Target::Udp, data: Data::Text(String::new()), count: 1, interval_ms: 0 }
}

fn number(typed: &str, what: &str) -> Result<u32, Notice> {
    typed.trim().parse().map_err(|_| notice(&format!("Not sent: {what} must be a whole number.")))
}

fn notice(text: &str) -> Notice {
    Notice { text: text.into(), open: None::<Protocol> }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use streamgram_protocol::{Event, LegId, Path, ServerMessage};
    use yew::Reducible;

    use super::*;
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

    fn refusal(draft: &Draft, page: &Page) -> String {
        draft.check(page, 1).unwrap_err().text
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
        assert_eq!(
            refusal(&draft("x", "1001", "0"), &page),
            "Not sent: count is 1001, it must be 1 to 1000."
        );
        assert_eq!(
            refusal(&draft("x", "1", "10001"), &page),
            "Not sent: interval_ms is 10001, the limit is 10000."
        );
        assert_eq!(
            refusal(&draft(&"x".repeat(65_508), "1", "0"), &page),
            "Not sent: line is 65508 bytes, the limit is 65507."
        );
        assert!(refusal(&draft("x", "many", "0"), &page).contains("must be a whole number"));
    }

    #[test]
    fn an_empty_line_is_explained() {
        let draft = |to| Draft { text: String::new(), to, ..Draft::default() };
        assert!(refusal(&draft(Target::Tcp), &ready()).contains("nothing to send"));
        assert!(refusal(&draft(Target::Both), &ready()).contains("nothing to send"));
        assert!(refusal(&draft(Target::Udp), &ready()).contains("button"));
        assert!(allowed(&ready(), &empty_datagram(1)).is_ok());
    }

    #[test]
    fn a_closed_leg_is_named_and_can_be_opened() {
        let half = page(vec![hello(0), opened(Protocol::Udp)]);
        let notice = Draft::default().check(&half, 1).unwrap_err();
        assert_eq!(
            (notice.text.as_str(), notice.open),
            ("Not sent: TCP is not open.", Some(Protocol::Tcp))
        );
        assert!(refusal(&Draft::default(), &Page::new()).contains("out of reach"));
    }
}
