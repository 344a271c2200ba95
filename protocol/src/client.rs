//! What a client asks of its session, and how a message is checked: one place, used by both sides.
//!
//! Every message is one JSON object in one text frame, with a `type`. A message that is not right is
//! answered with an [`Event::Error`](crate::Event::Error) that names the field; the session lives on.

mod encode;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::text::shortened;
use crate::{Code, Data, Limits, Link, MAX_ERROR_CHARS, MAX_ID, Path, Protocol};

/// A message from a client, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// Opens a leg.
    Open(Open),
    /// Ends a leg, or one direction of it.
    Close(Close),
    /// Turns TCP_NODELAY on the open TCP leg.
    Nodelay(Nodelay),
    /// Changes the emulated link of a leg.
    Link(SetLink),
    /// Sends one line, or a burst of lines.
    Send(Send),
    /// Ends a burst before its last line.
    Stop(Stop),
    /// Asks to be told of raw clients, or no longer.
    Watch(Watch),
}

/// `{"type":"open","protocol":"tcp"}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Open {
    /// Which server to talk to.
    pub protocol: Protocol,
    /// TCP_NODELAY (RFC 1122, section 4.2.3.4) from the start; TCP only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodelay: Option<bool>,
    /// What lies between.
    pub path: Path,
    /// The link of an emulated path; a perfect one if it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<Box<Link>>,
}

/// `{"type":"close","protocol":"tcp","how":"reset"}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Close {
    /// Which leg.
    pub protocol: Protocol,
    /// How.
    pub how: How,
}

/// The ways to end a leg. UDP knows only [`How::Close`]: there is no connection to end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// `{"type":"nodelay","on":false}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Nodelay {
    /// On sends every write at once; off lets Nagle's algorithm (RFC 896) hold small ones back.
    pub on: bool,
}

/// `{"type":"link","protocol":"tcp","link":{"up":{"loss":5}}}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetLink {
    /// Which leg.
    pub protocol: Protocol,
    /// The whole link: a knob that is left out is as on a perfect one.
    pub link: Box<Link>,
}

/// `{"type":"send","id":1,"to":"both","text":"hello {n}","count":20,"interval_ms":0}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Send {
    /// The client's own number for this send, at most [`MAX_ID`]; events repeat it.
    pub id: u64,
    /// Which legs.
    pub to: Target,
    /// The line. In text, `{n}` becomes the line's number, from 1.
    #[serde(flatten)]
    pub data: Data,
    /// How many lines.
    pub count: u32,
    /// Milliseconds between two lines; 0 is as fast as the socket takes them.
    pub interval_ms: u32,
}

/// `{"type":"stop","id":1}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stop {
    /// Which send, on every leg that still works on it.
    pub id: u64,
}

/// `{"type":"watch","on":true}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Watch {
    /// Whether [`Event::Raw`](crate::Event::Raw) is told from now on.
    pub on: bool,
}

/// Where a line goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// What kind of mistake.
    pub code: Code,
    /// The message's type, where it could be read.
    pub message: Option<String>,
    /// The field that is meant.
    pub field: Option<String>,
    /// The message's id, where it could be read.
    pub id: Option<u64>,
    /// A sentence for a person.
    pub detail: String,
}

impl Invalid {
    /// An error quotes the message that it is about, which can be as long as a message may be; with
    /// every character escaped, several times that.
    fn in_few_words(self) -> Self {
        let Self { message, field, detail, .. } = self;
        let [message, field] =
            [message, field].map(|text| text.map(|text| shortened(&text, MAX_ERROR_CHARS)));
        Self { message, field, detail: shortened(&detail, MAX_ERROR_CHARS), ..self }
    }
}

impl ClientMessage {
    /// The message's `type`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Open(_) => "open",
            Self::Close(_) => "close",
            Self::Nodelay(_) => "nodelay",
            Self::Link(_) => "link",
            Self::Send(_) => "send",
            Self::Stop(_) => "stop",
            Self::Watch(_) => "watch",
        }
    }

    /// The message as JSON, as [`ClientMessage::decode`] reads it.
    #[must_use]
    pub fn encode(&self) -> String {
        encode::message(self)
    }

    /// Reads and checks one text frame.
    ///
    /// # Errors
    /// What is wrong with it, naming the field and the limit.
    pub fn decode(text: &str, limits: &Limits) -> Result<Self, Invalid> {
        Self::read(text, limits).map_err(Invalid::in_few_words)
    }

    fn read(text: &str, limits: &Limits) -> Result<Self, Invalid> {
        let bad_json =
            |detail| Invalid { code: Code::BadJson, message: None, field: None, id: None, detail };
        // serde would take the values of an array for the fields of a message, in their order.
        if !text.trim_start().starts_with('{') {
            return Err(bad_json("a message is a JSON object, in { and }".into()));
        }
        let head: Head = serde_json::from_str(text).map_err(|error| bad_json(error.to_string()))?;
        let id = head.id.as_ref().and_then(serde_json::Value::as_u64);
        let Some(serde_json::Value::String(name)) = head.kind else {
            return Err(Invalid {
                code: Code::BadField,
                message: None,
                field: Some("type".into()),
                id,
                detail: "type is missing or not a string".into(),
            });
        };
        let checked = match name.as_str() {
            "open" => fields(text).and_then(open),
            "close" => fields(text).and_then(close),
            "nodelay" => fields(text).map(|f: OnFields| Self::Nodelay(Nodelay { on: f.on })),
            "link" => fields(text).and_then(set_link),
            "send" => fields(text).and_then(|fields| send(fields, limits)),
            "stop" => fields(text).and_then(stop),
            "watch" => fields(text).map(|f: OnFields| Self::Watch(Watch { on: f.on })),
            _ => Err(Invalid {
                code: Code::UnknownType,
                detail: format!(
                    "{name:?} is not one of \"open\", \"close\", \"nodelay\", \"link\", \"send\", \"stop\", \
                     \"watch\""
                ),
                ..bad_field("type", "")
            }),
        };
        checked.map_err(|invalid| Invalid { message: Some(name), id, ..invalid })
    }
}

/// The first look at a message: which type it is, and which id an error must repeat.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    kind: Option<serde_json::Value>,
    id: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenFields {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    protocol: Protocol,
    nodelay: Option<bool>,
    #[serde(default)]
    path: Path,
    link: Option<Box<Link>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkFields {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    protocol: Protocol,
    link: Box<Link>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct CloseFields {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    protocol: Protocol,
    #[serde(default)]
    how: How,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OnFields {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    on: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SendFields {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    id: u64,
    to: Target,
    text: Option<String>,
    hex: Option<String>,
    #[serde(default = "one_line")]
    count: u32,
    #[serde(default)]
    interval_ms: u32,
}

fn one_line() -> u32 {
    1
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct StopFields {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    id: u64,
}

/// Reads the fields of one type of message; an error knows which field it is about.
fn fields<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, Invalid> {
    // Remembering the field takes longer than reading, and only an error needs it.
    serde_json::from_str(text).or_else(|_error| tracked_fields(text))
}

fn tracked_fields<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, Invalid> {
    let mut json = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let sentence = error.into_inner().to_string();
        // serde_json appends where in the text; the field says it better. A field that is missing or
        // unknown has no path: the sentence names it between back quotes.
        let sentence = sentence.split(" at line ").next().unwrap_or(&sentence).to_owned();
        let field = match path.as_str() {
            "." | "?" => sentence.split('`').nth(1).unwrap_or("type").to_owned(),
            _ => path,
        };
        let detail = if sentence.contains(&format!("`{field}`")) {
            sentence
        } else {
            format!("{field}: {sentence}")
        };
        bad_field(&field, &detail)
    })
}

fn bad_field(field: &str, detail: &str) -> Invalid {
    Invalid {
        code: Code::BadField,
        message: None,
        field: Some(field.into()),
        id: None,
        detail: detail.into(),
    }
}

fn over_limit(field: &str, detail: String) -> Invalid {
    Invalid { code: Code::OverLimit, detail, ..bad_field(field, "") }
}

fn open(fields: OpenFields) -> Result<ClientMessage, Invalid> {
    let OpenFields { protocol, nodelay, path, link, .. } = fields;
    if protocol == Protocol::Udp && nodelay.is_some() {
        return Err(bad_field("nodelay", "nodelay is an option of TCP, UDP has no such delay"));
    }
    if let Some(link) = &link {
        if path != Path::Emulated {
            return Err(bad_field("link", "link is of an emulated path, and path is \"direct\""));
        }
        check_link(link)?;
    }
    Ok(ClientMessage::Open(Open { protocol, nodelay, path, link }))
}

fn set_link(fields: LinkFields) -> Result<ClientMessage, Invalid> {
    let LinkFields { protocol, link, .. } = fields;
    check_link(&link)?;
    Ok(ClientMessage::Link(SetLink { protocol, link }))
}

fn check_link(link: &Link) -> Result<(), Invalid> {
    link.check().map_err(|wrong| over_limit(&format!("link.{}", wrong.knob), wrong.to_string()))
}

fn close(fields: CloseFields) -> Result<ClientMessage, Invalid> {
    let CloseFields { protocol, how, .. } = fields;
    if protocol == Protocol::Udp && how != How::Close {
        return Err(bad_field(
            "how",
            "UDP has no connection to half-close or reset, only \"close\"",
        ));
    }
    Ok(ClientMessage::Close(Close { protocol, how }))
}

fn stop(fields: StopFields) -> Result<ClientMessage, Invalid> {
    checked_id(fields.id).map(|id| ClientMessage::Stop(Stop { id }))
}

fn checked_id(id: u64) -> Result<u64, Invalid> {
    if id > MAX_ID {
        return Err(over_limit("id", format!("id is {id}, the limit is {MAX_ID}")));
    }
    Ok(id)
}

fn send(fields: SendFields, limits: &Limits) -> Result<ClientMessage, Invalid> {
    let SendFields { id, to, text, hex, count, interval_ms, .. } = fields;
    let data = match (text, hex) {
        (Some(text), None) => Data::Text(text),
        (None, Some(hex)) => Data::Hex(hex),
        (None, None) => return Err(bad_field("text", "one of text and hex is needed")),
        (Some(_), Some(_)) => return Err(bad_field("hex", "text and hex cannot both be given")),
    };
    let send = Send { id: checked_id(id)?, to, data, count, interval_ms };
    send.check(limits)?;
    Ok(ClientMessage::Send(send))
}

impl Send {
    /// Whether this may be sent; a page asks before it sends, the session asks again.
    ///
    /// # Errors
    /// The field that is out of range, with the limit.
    pub fn check(&self, limits: &Limits) -> Result<(), Invalid> {
        let Limits { line_bytes, burst_lines, interval_ms, .. } = *limits;
        if self.count == 0 || self.count > burst_lines {
            let detail = format!("count is {}, it must be 1 to {burst_lines}", self.count);
            return Err(over_limit("count", detail));
        }
        if self.interval_ms > interval_ms {
            let detail = format!("interval_ms is {}, the limit is {interval_ms}", self.interval_ms);
            return Err(over_limit("interval_ms", detail));
        }
        // The last line's number has the most digits, so it is the longest.
        let longest = self.data.line(self.count);
        let longest = longest.map_err(|bad| bad_field("hex", &format!("hex: {bad}")))?.len();
        if longest > line_bytes {
            let field = if matches!(self.data, Data::Text(_)) { "text" } else { "hex" };
            let detail = format!("line is {longest} bytes, the limit is {line_bytes}");
            return Err(over_limit(field, detail));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
            decode(r#"{"type":"send","id":7,"to":"both","text":"hi"}"#).unwrap(),
            ClientMessage::Send(Send {
                id: 7,
                to: Target::Both,
                data: Data::Text("hi".into()),
                count: 1,
                interval_ms: 0
            })
        );
        assert_eq!(
            decode(r#"{"type":"close","protocol":"tcp"}"#).unwrap(),
            ClientMessage::Close(Close { protocol: Protocol::Tcp, how: How::Close })
        );
    }

    #[test]
    fn a_switch_is_on_or_off() {
        for on in [true, false] {
            let json = format!(r#"{{"type":"watch","on":{on}}}"#);
            let watch = ClientMessage::Watch(Watch { on });
            assert_eq!((decode(&json), watch.encode()), (Ok(watch.clone()), json));
        }
        assert_eq!(wrong(r#"{"type":"watch"}"#).1, "on");
    }

    #[test]
    fn a_mistake_names_its_field() {
        let field = |text: &str| wrong(text).1;
        assert_eq!(field(r#"{"type":"send","id":"x","to":"tcp","text":""}"#), "id");
        assert_eq!(field(r#"{"type":"send","id":1,"to":"smtp","text":""}"#), "to");
        assert_eq!(field(r#"{"type":"send","id":1,"to":"tcp"}"#), "text");
        assert_eq!(field(r#"{"type":"send","id":1,"to":"tcp","text":"","hex":""}"#), "hex");
        assert_eq!(field(r#"{"type":"send","id":1,"to":"tcp","hex":"0g"}"#), "hex");
        assert_eq!(field(r#"{"type":"send","to":"tcp","text":""}"#), "id");
        assert_eq!(field(r#"{"type":"send","id":1,"to":"tcp","text":"","host":"x:80"}"#), "host");
        assert_eq!(field(r#"{"type":"send","id":1,"to":"tcp","text":"","count":-1}"#), "count");
        assert_eq!(field(r#"{"type":"open","protocol":"udp","nodelay":true}"#), "nodelay");
        assert_eq!(field(r#"{"type":"open","protocol":"tcp","path":"magic"}"#), "path");
        assert_eq!(field(r#"{"type":"open","protocol":"tcp","link":{}}"#), "link");
        assert_eq!(field(r#"{"type":"link","protocol":"tcp"}"#), "link");
        assert_eq!(
            field(r#"{"type":"link","protocol":"tcp","link":{"up":{"loss":101}}}"#),
            "link.up.loss"
        );
        assert_eq!(
            field(r#"{"type":"link","protocol":"tcp","link":{"up":{"delay_ms":-1}}}"#),
            "link.up.delay_ms"
        );
        assert_eq!(field(r#"{"type":"close","protocol":"udp","how":"reset"}"#), "how");
        assert_eq!(field(r#"{"protocol":"udp"}"#), "type");
        assert_eq!(field(r#"{"type":"dial","host":"10.0.0.1:80"}"#), "type");
    }

    #[test]
    fn a_mistake_says_what_was_expected() {
        assert_eq!(
            wrong(r#"{"type":"send","id":"x","to":"tcp","text":""}"#).2,
            "id: invalid type: string \"x\", expected u64"
        );
        assert_eq!(
            wrong(r#"{"type":"nodelay"}"#),
            (Code::BadField, "on".into(), "missing field `on`".into())
        );
        assert_eq!(wrong("{").0, Code::BadJson);
        assert_eq!(wrong("[1]").0, Code::BadJson);
        assert_eq!(wrong(r#"["stop",1]"#).0, Code::BadJson);
        assert_eq!(wrong(r#"{"type":"x"}"#).0, Code::UnknownType);
    }

    #[test]
    fn a_mistake_is_told_in_few_words_however_long_it_is() {
        let long = "\u{7f}".repeat(100_000);
        for text in [
            format!(r#"{{"type":"{long}"}}"#),
            format!(r#"{{"type":"stop","id":1,"{long}":1}}"#),
            format!(r#"{{"type":"stop","id":"{long}"}}"#),
            format!(r#"{{"type":"open","protocol":"{long}"}}"#),
            format!(r#"{{"type":"link","protocol":"tcp","link":{{"up":{{"{long}":1}}}}}}"#),
            format!(r#"{{"type":"open{long}","{long}":1}}"#),
        ] {
            let Invalid { message, field, detail, .. } = decode(&text).unwrap_err();
            for told in [message, field, Some(detail)].into_iter().flatten() {
                let length = told.chars().count();
                assert!(length <= MAX_ERROR_CHARS, "{length} characters");
            }
        }
        let detail = wrong(&format!(r#"{{"type":"stop","id":"{long}"}}"#)).2;
        assert!(detail.starts_with("id: invalid type: string") && detail.ends_with("expected u64"));
    }

    #[test]
    fn an_error_repeats_the_id_and_the_type() {
        let invalid = decode(r#"{"type":"send","id":9,"to":"tcp","text":"","count":0}"#);
        let invalid = invalid.unwrap_err();
        assert_eq!((invalid.id, invalid.message.as_deref()), (Some(9), Some("send")));
    }

    #[test]
    fn each_limit_is_hit_one_above_it() {
        let send = |text: &str, count: u32, interval_ms: u32, id: u64| {
            let json = serde_json::json!({ "type": "send", "id": id, "to": "udp", "text": text,
                "count": count, "interval_ms": interval_ms });
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
        let mut send = Send {
            id: 1,
            to: Target::Udp,
            data: Data::Text("x".repeat(65_504) + "{n}"),
            count: 999,
            interval_ms: 0,
        };
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
            let json = serde_json::json!({ "type": "send", "id": id, "to": to, "text": text,
                "count": n, "interval_ms": n });
            let _either = decode(&json.to_string());
        }

        #[test]
        fn what_is_encoded_is_decoded(text: String, id in 0..=MAX_ID, count in 1..=1_000_u32) {
            let message = ClientMessage::Send(Send {
                id, to: Target::Tcp, data: Data::Text(text), count, interval_ms: 5,
            });
            prop_assert_eq!(decode(&message.encode()), Ok(message));
        }
    }
}
