//! What a client asks of its session, and the checks of a message, which both sides use.
//!
//! A message is one JSON object in one text frame. Its only field is named after the message:
//! `{"stop":{"id":1}}`. A mistake is answered with an [`Event::Error`](crate::Event::Error) that names
//! the field; the session lives on.

use std::borrow::Cow;
use std::collections::HashMap;

#[cfg(test)]
use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_path_to_error::Segment;
use strum::{EnumString, IntoStaticStr};

use crate::data::{numbered_bytes, unhex};
use crate::room::RoomRequest;
use crate::text::shortened;
use crate::{
    BadHex, Code, Data, Limits, Link, MAX_ERROR_CHARS, MAX_ID, Path, Protocol, TOKEN_BYTES,
};

/// A message from a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ClientMessage {
    /// Opens a leg.
    Open(Open),
    /// Ends a leg, or one direction of it.
    Close(Close),
    /// Switches TCP_NODELAY of the open TCP leg on or off.
    Nodelay(Nodelay),
    /// Changes the emulated link of a leg.
    Link(SetLink),
    /// Sends one line, or a burst of lines.
    Send(Send),
    /// Ends a burst before its last line.
    Stop(Stop),
    /// Begins or ends the reports on raw clients.
    Watch(Watch),
    /// Asks something of a room.
    Room(#[cfg_attr(test, proptest(strategy = "any::<RoomRequest>().boxed()"))] RoomRequest),
    /// Asks for a sign of life: [`Event::Pong`](crate::Event::Pong). A page cannot see the pings of the
    /// WebSocket itself.
    Ping(Ping),
}

/// `{"open":{"protocol":"tcp"}}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// Which server to talk to.
    pub protocol: Protocol,
    /// TCP_NODELAY (RFC 1122, section 4.2.3.4) from the start; TCP only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodelay: Option<bool>,
    /// What lies between.
    #[serde(default)]
    pub path: Path,
    /// The link of an emulated path; a perfect one if it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<Box<Link>>,
    /// Whether the packets of a direct path are reported, if the server captures; an emulated path reports its own in
    /// any case.
    #[serde(default, skip_serializing_if = "is_false")]
    pub capture: bool,
    /// The faulty server to talk to, by its place in the hello's `faults`, from 0; the ordinary one if it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<usize>,
}

/// `{"close":{"protocol":"tcp","how":"reset"}}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(deny_unknown_fields)]
pub struct Close {
    /// Which leg.
    pub protocol: Protocol,
    /// How.
    #[serde(default)]
    pub how: How,
}

/// The ways to end a leg. UDP knows only [`How::Close`]: there is no connection to end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// No more is sent (FIN), but replies are still read until the server has ended its side too.
    Half,
    /// Both directions end.
    #[default]
    Close,
    /// The connection is torn down with RST; what was under way is lost.
    Reset,
}

/// `{"nodelay":{"on":false}}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(deny_unknown_fields)]
pub struct Nodelay {
    /// On sends every write at once; off lets Nagle's algorithm (RFC 896) hold small ones back.
    pub on: bool,
}

/// `{"link":{"protocol":"tcp","link":{"up":{"loss":5}}}}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(deny_unknown_fields)]
pub struct SetLink {
    /// Which leg.
    pub protocol: Protocol,
    /// The whole link: a knob that is left out is as on a perfect one.
    pub link: Box<Link>,
}

/// `{"send":{"id":1,"to":"both","text":"hello {n}","count":20,"interval_ms":0}}`
///
/// The line is given either as `text` or as `hex`; see [`Data`] for what they mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(deny_unknown_fields)]
pub struct Send {
    /// The client's own number for this send, at most [`MAX_ID`]; events repeat it.
    pub id: u64,
    /// Which legs.
    pub to: Target,
    /// The line as text, in which `{n}` becomes the line's number, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The line as hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hex: Option<String>,
    /// How many lines.
    #[serde(default = "one_line")]
    pub count: u32,
    /// Milliseconds between two lines; 0 is as fast as the socket takes them.
    #[serde(default)]
    pub interval_ms: u32,
}

fn one_line() -> u32 {
    1
}

/// `{"stop":{"id":1}}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// Which send, on every leg that still works on it.
    pub id: u64,
}

/// `{"watch":{"on":true}}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// Whether [`Event::Raw`](crate::Event::Raw) is reported from now on.
    pub on: bool,
    /// Whether their packets are reported too, if the server captures.
    #[serde(default, skip_serializing_if = "is_false")]
    pub packets: bool,
    /// Only of clients with this port of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Only of clients whose first bytes contain this text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// `{"ping":{}}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(deny_unknown_fields)]
pub struct Ping {}

/// Where a line goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, EnumString, IntoStaticStr)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Target {
    /// The TCP leg.
    Tcp,
    /// The UDP leg.
    Udp,
    /// Each on its own.
    Both,
}

impl Target {
    /// The legs that are meant, in the order in which they are served.
    #[must_use]
    pub fn protocols(self) -> &'static [Protocol] {
        match self {
            Self::Tcp => &[Protocol::Tcp],
            Self::Udp => &[Protocol::Udp],
            Self::Both => &Protocol::BOTH,
        }
    }
}

/// Why a message was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// What kind of mistake.
    pub code: Code,
    /// The message's name, where it could be read.
    pub message: Option<String>,
    /// The field that is meant, as a path: `link.up.loss`.
    pub field: Option<String>,
    /// The message's id, where it could be read.
    pub id: Option<u64>,
    /// A sentence for a person.
    pub detail: String,
}

impl Invalid {
    fn bad_json(detail: &str) -> Self {
        let detail = detail.to_owned();
        Self { code: Code::BadJson, message: None, field: None, id: None, detail }
    }

    pub(crate) fn bad_field(field: &str, detail: impl Into<String>) -> Self {
        let (code, field, detail) = (Code::BadField, Some(field.to_owned()), detail.into());
        Self { code, message: None, field, id: None, detail }
    }

    pub(crate) fn over_limit(field: &str, detail: String) -> Self {
        Self { code: Code::OverLimit, ..Self::bad_field(field, detail) }
    }

    /// Cuts every text to [`MAX_ERROR_CHARS`]. An error quotes the message that it is about, which can
    /// be as long as a message may be; with every character escaped, several times that.
    fn shortened(self) -> Self {
        let short = |text: String| shortened(&text, MAX_ERROR_CHARS);
        let Self { message, field, detail, .. } = self;
        Self { message: message.map(short), field: field.map(short), detail: short(detail), ..self }
    }
}

impl ClientMessage {
    /// The message's name in JSON.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.into()
    }

    /// The message as JSON, as [`ClientMessage::decode`] reads it.
    ///
    /// # Panics
    /// Never: only maps whose keys are not text cannot be written, and no message has one.
    #[must_use]
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("the keys of every map are text")
    }

    /// Reads and checks one text frame.
    ///
    /// # Errors
    /// What is wrong with it, naming the field and the limit.
    pub fn decode(text: &str, limits: &Limits) -> Result<Self, Invalid> {
        // Remembering the field takes longer than reading, and only an error needs it.
        let message = serde_json::from_str::<Self>(text)
            .map_err(|_error| explain(text))
            .and_then(|message| message.check(limits).map(|()| message));
        message.map_err(Invalid::shortened)
    }

    /// Checks what serde cannot: ranges, and fields that exclude each other.
    ///
    /// # Errors
    /// The field that is wrong, with the limit.
    pub fn check(&self, limits: &Limits) -> Result<(), Invalid> {
        let (id, checked) = match self {
            Self::Open(open) => (None, open.check()),
            Self::Close(close) => (None, close.check()),
            Self::Link(set) => (None, check_link(&set.link)),
            Self::Send(send) => (Some(send.id), send.check(limits)),
            Self::Stop(stop) => (Some(stop.id), check_id(stop.id)),
            Self::Watch(watch) => (None, watch.check()),
            Self::Room(request) => (None, request.check()),
            Self::Nodelay(_) | Self::Ping(_) => (None, Ok(())),
        };
        checked.map_err(|invalid| Invalid { message: Some(self.name().into()), id, ..invalid })
    }
}

/// Finds out why a text is not a message: which field of which message is wrong, and how.
fn explain(text: &str) -> Invalid {
    // serde_json would read a string as the name of a message without fields.
    if !text.trim_start().starts_with('{') {
        return Invalid::bad_json("a message is a JSON object, in { and }");
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let read: Result<ClientMessage, _> = serde_path_to_error::deserialize(&mut json);
    let Err(error) = read else {
        return Invalid::bad_json("something follows the message");
    };
    if !error.inner().is_data() {
        return Invalid::bad_json(&why_unreadable(text, error.inner()));
    }
    // serde_json appends where in the text; the field says it better.
    let sentence = error.inner().to_string();
    let sentence = sentence.split(" at line ").next().unwrap_or(&sentence);
    let mut path = error.path().iter();
    let Some(Segment::Enum { variant: message }) = path.next() else {
        return Invalid { code: Code::UnknownMessage, ..Invalid::bad_json(sentence) };
    };
    // A field that is missing, or there twice, is not in the path: the sentence names it.
    let not_in_path = ["missing field `", "duplicate field `"];
    let last =
        not_in_path.into_iter().find_map(|start| sentence.strip_prefix(start)?.split('`').next());
    let segments = path.map(Segment::to_string).chain(last.map(str::to_owned));
    let field = segments.reduce(|path, segment| {
        let dot = if segment.starts_with('[') { "" } else { "." };
        format!("{path}{dot}{segment}")
    });
    let detail = match &field {
        Some(field) if sentence.split('`').nth(1) == Some(field) => sentence.to_owned(),
        Some(field) => format!("{field}: {sentence}"),
        None => format!("{message}: {sentence}"),
    };
    Invalid { code: Code::BadField, message: Some(message.clone()), field, id: id(text), detail }
}

/// serde_json says "expected value" of an object with no field, and of one with several.
fn why_unreadable(text: &str, error: &serde_json::Error) -> String {
    match serde_json::from_str::<HashMap<String, IgnoredAny>>(text) {
        Ok(fields) if fields.len() != 1 => {
            "a message is an object with one field, named after it".to_owned()
        }
        Ok(_) => error.to_string(),
        Err(error) => error.to_string(),
    }
}

/// The id of a message that is wrong elsewhere: its error repeats it.
fn id(text: &str) -> Option<u64> {
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum WithId {
        Send { id: u64 },
        Stop { id: u64 },
    }
    match serde_json::from_str(text).ok()? {
        WithId::Send { id } | WithId::Stop { id } => Some(id),
    }
}

fn check_id(id: u64) -> Result<(), Invalid> {
    if id > MAX_ID {
        return Err(Invalid::over_limit("id", format!("id is {id}, the limit is {MAX_ID}")));
    }
    Ok(())
}

fn check_link(link: &Link) -> Result<(), Invalid> {
    link.check()
        .map_err(|wrong| Invalid::over_limit(&format!("link.{}", wrong.knob), wrong.to_string()))
}

impl Open {
    fn check(&self) -> Result<(), Invalid> {
        if self.protocol == Protocol::Udp && self.nodelay.is_some() {
            let detail = "nodelay is an option of TCP, UDP has no such delay";
            return Err(Invalid::bad_field("nodelay", detail));
        }
        if self.capture && self.path == Path::Emulated {
            let detail = "capture is of a direct path, an emulated one reports its packets anyway";
            return Err(Invalid::bad_field("capture", detail));
        }
        match &self.link {
            Some(_) if self.path != Path::Emulated => {
                let detail = "link is of an emulated path, and path is \"direct\"";
                Err(Invalid::bad_field("link", detail))
            }
            Some(link) => check_link(link),
            None => Ok(()),
        }
    }
}

impl Close {
    fn check(&self) -> Result<(), Invalid> {
        if self.protocol == Protocol::Udp && self.how != How::Close {
            let detail = "UDP has no connection to half-close or reset, only \"close\"";
            return Err(Invalid::bad_field("how", detail));
        }
        Ok(())
    }
}

impl Watch {
    /// Of all clients that the session may see.
    #[must_use]
    pub fn all(on: bool) -> Self {
        Self { on, packets: false, port: None, token: None }
    }

    fn check(&self) -> Result<(), Invalid> {
        let filter = [("port", self.port.is_some()), ("token", self.token.is_some())];
        if let Some((field, _)) = filter.into_iter().find(|(_, is_there)| *is_there && !self.on) {
            let detail = format!("{field} is of a watch that is on, and this one ends it");
            return Err(Invalid::bad_field(field, detail));
        }
        if self.port == Some(0) {
            return Err(Invalid::over_limit("port", "port is 0, it must be 1 to 65535".into()));
        }
        match self.token.as_deref().map(str::len) {
            Some(0) => Err(Invalid::bad_field("token", "token is empty, every client has that")),
            Some(bytes) if bytes > TOKEN_BYTES => {
                let detail = format!("token is {bytes} bytes, the limit is {TOKEN_BYTES}");
                Err(Invalid::over_limit("token", detail))
            }
            _ => Ok(()),
        }
    }
}

impl Send {
    /// One line to these legs.
    #[must_use]
    pub fn new(id: u64, to: Target, data: Data) -> Self {
        let (text, hex) = match data {
            Data::Text(text) => (Some(text), None),
            Data::Hex(hex) => (None, Some(hex)),
        };
        Self { id, to, text, hex, count: 1, interval_ms: 0 }
    }

    /// The line before it is numbered. Without `text` and `hex`, which [`Send::check`] refuses, it is
    /// empty.
    #[must_use]
    pub fn data(&self) -> Data {
        match (&self.text, &self.hex) {
            (Some(text), _) => Data::Text(text.clone()),
            (None, Some(hex)) => Data::Hex(hex.clone()),
            (None, None) => Data::Text(String::new()),
        }
    }

    /// The bytes of line `n`: in text, every `{n}` becomes the number.
    ///
    /// # Errors
    /// Hex that is not hex.
    pub fn line(&self, n: u32) -> Result<Cow<'_, [u8]>, BadHex> {
        match (&self.text, &self.hex) {
            (None, Some(hex)) => unhex(hex).map(Cow::Owned),
            (text, _) => Ok(numbered_bytes(text.as_deref().unwrap_or_default(), n)),
        }
    }

    /// Whether this may be sent. A page checks it before it sends, the session checks it again.
    ///
    /// # Errors
    /// The field that is out of range, with the limit.
    pub fn check(&self, limits: &Limits) -> Result<(), Invalid> {
        let Limits { line_bytes, burst_lines, interval_ms, .. } = *limits;
        let field = match (&self.text, &self.hex) {
            (Some(_), None) => "text",
            (None, Some(_)) => "hex",
            (None, None) => {
                return Err(Invalid::bad_field("text", "one of text and hex is needed"));
            }
            (Some(_), Some(_)) => {
                return Err(Invalid::bad_field("hex", "text and hex cannot both be given"));
            }
        };
        check_id(self.id)?;
        if self.count == 0 || self.count > burst_lines {
            let detail = format!("count is {}, it must be 1 to {burst_lines}", self.count);
            return Err(Invalid::over_limit("count", detail));
        }
        if self.interval_ms > interval_ms {
            let detail = format!("interval_ms is {}, the limit is {interval_ms}", self.interval_ms);
            return Err(Invalid::over_limit("interval_ms", detail));
        }
        // The last line's number has the most digits, so it is the longest.
        let longest = self.line(self.count);
        let longest = longest.map_err(|bad| Invalid::bad_field("hex", format!("hex: {bad}")))?;
        if longest.len() > line_bytes {
            let detail = format!("line is {} bytes, the limit is {line_bytes}", longest.len());
            return Err(Invalid::over_limit(field, detail));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::Preset;

    fn decode(text: &str) -> Result<ClientMessage, Invalid> {
        ClientMessage::decode(text, &Limits::default())
    }

    /// Code, field, detail of what is wrong with a message.
    fn wrong(text: &str) -> (Code, String, String) {
        let invalid = decode(text).unwrap_err();
        (invalid.code, invalid.field.unwrap_or_default(), invalid.detail)
    }

    #[test]
    fn what_may_be_left_out_has_its_default() {
        assert_eq!(
            decode(r#"{"send":{"id":7,"to":"both","text":"hi"}}"#).unwrap(),
            ClientMessage::Send(Send::new(7, Target::Both, Data::Text("hi".into())))
        );
        assert_eq!(
            decode(r#"{"close":{"protocol":"tcp"}}"#).unwrap(),
            ClientMessage::Close(Close { protocol: Protocol::Tcp, how: How::Close })
        );
    }

    #[test]
    fn a_switch_is_on_or_off() {
        for on in [true, false] {
            let json = format!(r#"{{"watch":{{"on":{on}}}}}"#);
            let watch = ClientMessage::Watch(Watch::all(on));
            assert_eq!((decode(&json), watch.encode()), (Ok(watch.clone()), json));
        }
        assert_eq!(wrong(r#"{"watch":{}}"#).1, "on");
    }

    #[test]
    fn a_watch_of_some_clients_says_which() {
        let watch = ClientMessage::Watch(Watch {
            port: Some(51_702),
            token: Some("ab12".into()),
            ..Watch::all(true)
        });
        let json = r#"{"watch":{"on":true,"port":51702,"token":"ab12"}}"#;
        assert_eq!((decode(json), watch.encode()), (Ok(watch.clone()), json.into()));
        let of = |fields: &str| wrong(&format!(r#"{{"watch":{{{fields}}}}}"#));
        let (bad, over) = (Code::BadField, Code::OverLimit);
        for (field, fields, code, detail) in [
            ("port", r#""on":true,"port":0"#, over, "port is 0, it must be 1 to 65535"),
            ("token", r#""on":true,"token":"""#, bad, "token is empty, every client has that"),
            (
                "port",
                r#""on":false,"port":9"#,
                bad,
                "port is of a watch that is on, and this one ends it",
            ),
        ] {
            assert_eq!(of(fields), (code, field.into(), detail.into()));
        }
        assert_eq!(of(r#""on":true,"port":70000"#).1, "port");
        let long = "x".repeat(TOKEN_BYTES + 1);
        let detail = of(&format!(r#""on":true,"token":"{long}""#)).2;
        assert_eq!(detail, "token is 129 bytes, the limit is 128");
    }

    #[test]
    fn a_mistake_names_its_field() {
        for (field, text) in [
            ("id", r#"{"send":{"id":"x","to":"tcp","text":""}}"#),
            ("to", r#"{"send":{"id":1,"to":"smtp","text":""}}"#),
            ("text", r#"{"send":{"id":1,"to":"tcp"}}"#),
            ("hex", r#"{"send":{"id":1,"to":"tcp","text":"","hex":""}}"#),
            ("hex", r#"{"send":{"id":1,"to":"tcp","hex":"0g"}}"#),
            ("id", r#"{"send":{"to":"tcp","text":""}}"#),
            ("id", r#"{"send":{"id":1,"id":1,"to":"tcp","text":""}}"#),
            ("host", r#"{"send":{"id":1,"to":"tcp","text":"","host":"x:80"}}"#),
            ("count", r#"{"send":{"id":1,"to":"tcp","text":"","count":-1}}"#),
            ("nodelay", r#"{"open":{"protocol":"udp","nodelay":true}}"#),
            ("path", r#"{"open":{"protocol":"tcp","path":"magic"}}"#),
            ("link", r#"{"open":{"protocol":"tcp","link":{}}}"#),
            ("link", r#"{"link":{"protocol":"tcp"}}"#),
            ("link.up.loss", r#"{"link":{"protocol":"tcp","link":{"up":{"loss":101}}}}"#),
            ("link.up.delay_ms", r#"{"link":{"protocol":"tcp","link":{"up":{"delay_ms":-1}}}}"#),
            ("link.up.speed", r#"{"link":{"protocol":"tcp","link":{"up":{"speed":1}}}}"#),
            (
                "link.rules[0].black_out.to_ms",
                r#"{"link":{"protocol":"tcp","link":{"rules":[{"black_out":{"from_ms":1}}]}}}"#,
            ),
            ("how", r#"{"close":{"protocol":"udp","how":"reset"}}"#),
        ] {
            let (code, found, _) = wrong(text);
            assert_eq!(found, field, "{text}");
            assert!(matches!(code, Code::BadField | Code::OverLimit), "{code:?}");
        }
    }

    #[test]
    fn a_mistake_says_what_was_expected() {
        assert_eq!(
            wrong(r#"{"send":{"id":"x","to":"tcp","text":""}}"#).2,
            "id: invalid type: string \"x\", expected u64"
        );
        assert_eq!(
            wrong(r#"{"nodelay":{}}"#),
            (Code::BadField, "on".into(), "missing field `on`".into())
        );
        assert_eq!(
            wrong(r#"{"stop":null}"#),
            (
                Code::BadField,
                String::new(),
                "stop: invalid type: null, expected struct Stop".into()
            )
        );
        let (code, field, detail) = wrong(r#"{"dial":{"host":"10.0.0.1:80"}}"#);
        assert_eq!((code, field.as_str()), (Code::UnknownMessage, ""));
        assert!(detail.starts_with("unknown variant `dial`, expected one of `open`"), "{detail}");
    }

    #[test]
    fn what_is_not_one_named_message_is_bad_json() {
        let one_field = "a message is an object with one field, named after it";
        for (text, detail) in [
            ("", "a message is a JSON object, in { and }"),
            ("[1]", "a message is a JSON object, in { and }"),
            (r#""stop""#, "a message is a JSON object, in { and }"),
            ("{", "EOF while parsing an object at line 1 column 1"),
            ("{}", one_field),
            (r#"{"stop":{"id":1},"watch":{"on":true}}"#, one_field),
            (r#"{"stop":{"id":1},"stop":{"id":1}}"#, "expected value at line 1 column 16"),
            (r#"{"stop":{"id":1},}"#, "trailing comma at line 1 column 18"),
            (r#"{"stop":{"id":1e999}}"#, "number out of range at line 1 column 19"),
            (
                r#"{"send":{"id":1,"to":"tcp","text":"\ud800"}}"#,
                "unexpected end of hex escape at line 1 column 42",
            ),
            (r#"{"stop":{"id":1}} {}"#, "something follows the message"),
        ] {
            assert_eq!(wrong(text), (Code::BadJson, String::new(), detail.into()), "{text}");
        }
    }

    #[test]
    fn a_mistake_is_explained_in_few_words_however_long_it_is() {
        let long = "\u{7f}".repeat(100_000);
        for text in [
            format!(r#"{{"{long}":{{}}}}"#),
            format!(r#"{{"stop":{{"id":1,"{long}":1}}}}"#),
            format!(r#"{{"stop":{{"id":"{long}"}}}}"#),
            format!(r#"{{"open":{{"protocol":"{long}"}}}}"#),
            format!(r#"{{"link":{{"protocol":"tcp","link":{{"up":{{"{long}":1}}}}}}}}"#),
            format!(r#"{{"open{long}":{{"{long}":1}}}}"#),
        ] {
            let Invalid { message, field, detail, .. } = decode(&text).unwrap_err();
            for text in [message, field, Some(detail)].into_iter().flatten() {
                let length = text.chars().count();
                assert!(length <= MAX_ERROR_CHARS, "{length} characters");
            }
        }
        let detail = wrong(&format!(r#"{{"stop":{{"id":"{long}"}}}}"#)).2;
        assert!(detail.starts_with("id: invalid type: string") && detail.ends_with("expected u64"));
    }

    #[test]
    fn an_error_repeats_the_id_and_the_name() {
        for text in [
            r#"{"send":{"id":9,"to":"tcp","text":"","count":0}}"#,
            r#"{"send":{"id":9,"to":"tcp","text":7}}"#,
        ] {
            let invalid = decode(text).unwrap_err();
            assert_eq!((invalid.id, invalid.message.as_deref()), (Some(9), Some("send")));
        }
    }

    #[test]
    fn each_limit_is_hit_one_above_it() {
        let send = |text: &str, count: u32, interval_ms: u32, id: u64| {
            let json = serde_json::json!({ "send": { "id": id, "to": "udp", "text": text,
                "count": count, "interval_ms": interval_ms } });
            decode(&json.to_string())
        };
        let detail = |result: Result<ClientMessage, Invalid>| {
            let invalid = result.unwrap_err();
            assert_eq!(invalid.code, Code::OverLimit);
            invalid.detail
        };
        assert!(send(&"x".repeat(65_507), 1_000, 10_000, MAX_ID).is_ok());
        assert_eq!(
            detail(send(&"x".repeat(65_508), 1, 0, 1)),
            "line is 65508 bytes, the limit is 65507"
        );
        assert_eq!(detail(send("", 1_001, 0, 1)), "count is 1001, it must be 1 to 1000");
        assert_eq!(detail(send("", 0, 0, 1)), "count is 0, it must be 1 to 1000");
        assert_eq!(detail(send("", 1, 10_001, 1)), "interval_ms is 10001, the limit is 10000");
        assert!(detail(send("", 1, 0, MAX_ID + 1)).starts_with("id is 9007199254740992"));
    }

    #[test]
    fn the_longest_line_of_a_burst_counts_not_the_pattern() {
        let data = Data::Text("x".repeat(65_504) + "{n}");
        let mut send = Send { count: 999, ..Send::new(1, Target::Udp, data) };
        assert!(send.check(&Limits::default()).is_ok());
        send.count = 1_000;
        assert!(send.check(&Limits::default()).is_err());
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_decoder(text: String) {
            let _either = decode(&text);
        }

        #[test]
        fn no_field_of_a_send_breaks_the_decoder(id: i64, to: String, text: String, n: u64) {
            let json = serde_json::json!({ "send": { "id": id, "to": to, "text": text,
                "count": n, "interval_ms": n } });
            let _either = decode(&json.to_string());
        }

        #[test]
        fn a_send_that_is_written_is_read(
            text: String,
            bytes: Vec<u8>,
            id in 0..=MAX_ID,
            count in 1..=1_000_u32,
            to in select(&[Target::Tcp, Target::Udp, Target::Both]),
        ) {
            for data in [Data::Text(text.clone()), Data::Hex(Data::hex(&bytes))] {
                let send = Send { count, interval_ms: 5, ..Send::new(id, to, data.clone()) };
                prop_assert_eq!(send.data(), data);
                let message = ClientMessage::Send(send);
                prop_assert_eq!(decode(&message.encode()), Ok(message));
            }
        }

        #[test]
        fn every_message_that_is_written_is_read(message: ClientMessage) {
            let read: ClientMessage = serde_json::from_str(&message.encode()).unwrap();
            prop_assert_eq!(read, message);
        }
    }

    #[test]
    fn what_every_leg_can_do_is_allowed() {
        let check = |message: ClientMessage| assert_eq!(decode(&message.encode()), Ok(message));
        for how in [How::Half, How::Close, How::Reset] {
            check(ClientMessage::Close(Close { protocol: Protocol::Tcp, how }));
        }
        for Preset { link, .. } in Preset::all() {
            for link in [None, Some(Box::new(link))] {
                let (protocol, path) = (Protocol::Tcp, Path::Emulated);
                check(ClientMessage::Open(Open {
                    protocol,
                    nodelay: Some(true),
                    path,
                    link,
                    capture: false,
                    fault: None,
                }));
            }
        }
        let (protocol, path) = (Protocol::Udp, Path::Direct);
        check(ClientMessage::Open(Open {
            protocol,
            nodelay: None,
            path,
            link: None,
            capture: true,
            fault: Some(0),
        }));
    }
}
