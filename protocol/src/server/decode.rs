//! Reads what a server tells, field by field: what serde derives for so many kinds of messages, and
//! serde_json, add 30 kB to what a browser has to load. The tests hold it against what is derived for
//! writing.

use std::fmt;

use serde::Deserialize;
use serde::de::IntoDeserializer;

use super::{Event, Hello, LegId, Problem, ServerMessage, Unreadable};
use crate::json::Json;
use crate::{Data, Flags, Header, Limits, Line, Packet, Raw, Seen};

/// Every `type` that there is.
const TYPES: [&str; 22] = [
    "hello",
    "opened",
    "nodelay_set",
    "sent",
    "finished",
    "server_accepted",
    "server_read",
    "server_datagram",
    "server_closed",
    "reply",
    "answered",
    "no_reply",
    "refused",
    "half_closed",
    "closed",
    "error",
    "missed",
    "packet",
    "packets_missed",
    "link_set",
    "raw",
    "raw_missed",
];

/// The name of a field that is missing, or not what it should be.
type Wrong = &'static str;

/// The fields of a message that were not taken yet.
struct Fields(Vec<(String, Json)>);

impl Fields {
    fn take(&mut self, name: &str) -> Option<Json> {
        let at = self.0.iter().position(|(other, _)| other == name)?;
        Some(self.0.swap_remove(at).1)
    }

    /// A number that must be there, of a type that it fits in.
    fn number<N: TryFrom<u64>>(&mut self, name: &'static str) -> Result<N, Wrong> {
        self.number_if_there(name)?.ok_or(name)
    }

    fn number_if_there<N: TryFrom<u64>>(&mut self, name: &'static str) -> Result<Option<N>, Wrong> {
        match self.take(name) {
            None => Ok(None),
            Some(Json::Number(number)) => N::try_from(number).map(Some).map_err(|_| name),
            Some(_) => Err(name),
        }
    }

    /// A flag; false if it is left out.
    fn flag(&mut self, name: &'static str) -> bool {
        self.flag_if_there(name) == Some(true)
    }

    fn flag_if_there(&mut self, name: &'static str) -> Option<bool> {
        match self.take(name) {
            Some(Json::Flag(flag)) => Some(flag),
            _ => None,
        }
    }

    fn string(&mut self, name: &'static str) -> Result<String, Wrong> {
        self.string_if_there(name).ok_or(name)
    }

    fn string_if_there(&mut self, name: &'static str) -> Option<String> {
        match self.take(name) {
            Some(Json::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// One of the words that serde derives for a type.
    fn word<'de, W: Deserialize<'de>>(&mut self, name: &'static str) -> Result<W, Wrong> {
        self.word_if_there(name)?.ok_or(name)
    }

    fn word_if_there<'de, W: Deserialize<'de>>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<W>, Wrong> {
        let Some(word) = self.string_if_there(name) else { return Ok(None) };
        W::deserialize(word.into_deserializer()).map(Some).map_err(|NoSuchWord| name)
    }

    fn object(&mut self, name: &'static str) -> Result<Self, Wrong> {
        self.object_if_there(name).ok_or(name)
    }

    fn object_if_there(&mut self, name: &'static str) -> Option<Self> {
        match self.take(name) {
            Some(Json::Object(fields)) => Some(Self(fields)),
            _ => None,
        }
    }

    fn data(&mut self) -> Result<Data, Wrong> {
        self.data_if_there().ok_or("text")
    }

    fn data_if_there(&mut self) -> Option<Data> {
        let text = self.string_if_there("text").map(Data::Text);
        text.or_else(|| self.string_if_there("hex").map(Data::Hex))
    }

    fn on(&mut self) -> Result<Option<LegId>, Wrong> {
        let Some(leg) = self.number_if_there("leg")? else { return Ok(None) };
        Ok(Some(LegId { protocol: self.word("protocol")?, leg }))
    }
}

/// A word that its type does not have. Which ones there are would be of no use: a server says it.
#[derive(Debug)]
struct NoSuchWord;

impl fmt::Display for NoSuchWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such word")
    }
}

impl std::error::Error for NoSuchWord {}

impl serde::de::Error for NoSuchWord {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

pub(super) fn message(text: &str) -> Result<ServerMessage, Unreadable> {
    let Some(Json::Object(fields)) = Json::read(text) else {
        return Err(Unreadable("a message is a JSON object".into()));
    };
    read(&mut Fields(fields)).map_err(|wrong| {
        let mut sentence = format!("{wrong} is missing, or not what it should be");
        if wrong == "type" {
            sentence +=
                &format!(": expected one of {}", TYPES.map(|name| format!("`{name}`")).join(", "));
        }
        Unreadable(sentence)
    })
}

fn read(fields: &mut Fields) -> Result<ServerMessage, Wrong> {
    let at_us = fields.number("at_us")?;
    let kind = fields.string("type")?;
    let on = fields.on()?;
    let event = event(&kind, fields)?;
    Ok(ServerMessage { at_us, event, on })
}

fn event(kind: &str, fields: &mut Fields) -> Result<Event, Wrong> {
    Ok(match kind {
        "hello" => Event::Hello(hello(fields)?),
        "opened" => Event::Opened {
            path: fields.word("path")?,
            local: fields.string("local")?,
            peer: fields.string("peer")?,
            handshake_us: fields.number_if_there("handshake_us")?,
            nodelay: fields.flag_if_there("nodelay"),
        },
        "nodelay_set" => Event::NodelaySet { nodelay: fields.flag("nodelay") },
        "half_closed" => Event::HalfClosed,
        "closed" => {
            Event::Closed { cause: fields.word("cause")?, detail: fields.string_if_there("detail") }
        }
        "refused" => Event::Refused { peer: fields.string("peer")? },
        "error" => Event::Error(problem(fields)?),
        "missed" => Event::Missed { count: fields.number("count")? },
        "packet" => Event::Packet(packet(fields)?),
        "packets_missed" => Event::PacketsMissed { count: fields.number("count")? },
        "link_set" => Event::LinkSet,
        "raw" => Event::Raw(raw(fields)?),
        "raw_missed" => Event::RawMissed { count: fields.number("count")? },
        "server_accepted" => Event::ServerAccepted,
        "server_read" => Event::ServerRead {
            number: fields.number("number")?,
            offset: fields.number("offset")?,
            bytes: fields.number("bytes")?,
        },
        "server_datagram" => Event::ServerDatagram {
            number: fields.number("number")?,
            bytes: fields.number("bytes")?,
            kept: fields.number("kept")?,
        },
        "server_closed" => Event::ServerClosed { cause: fields.word("cause")? },
        _ => return of_a_line(kind, fields),
    })
}

/// Events about a line and its bytes.
fn of_a_line(kind: &str, fields: &mut Fields) -> Result<Event, Wrong> {
    Ok(match kind {
        "sent" => Event::Sent {
            id: fields.number("id")?,
            line: fields.number("line")?,
            offset: fields.number("offset")?,
            bytes: fields.number("bytes")?,
            done_us: fields.number("done_us")?,
        },
        "finished" => Event::Finished {
            id: fields.number("id")?,
            lines: fields.number("lines")?,
            of: fields.number("of")?,
        },
        "reply" => Event::Reply {
            offset: fields.number("offset")?,
            bytes: fields.number("bytes")?,
            data: fields.data()?,
        },
        "answered" => Event::Answered {
            id: fields.number("id")?,
            line: fields.number("line")?,
            rtt_us: fields.number("rtt_us")?,
            late: fields.flag("late"),
            certain: fields.flag("certain"),
        },
        "no_reply" => Event::NoReply {
            id: fields.number("id")?,
            line: fields.number("line")?,
            cause: fields.word("cause")?,
            certain: fields.flag("certain"),
        },
        _ => return Err("type"),
    })
}

fn hello(fields: &mut Fields) -> Result<Hello, Wrong> {
    Ok(Hello {
        version: fields.string("version")?,
        wall_ms: fields.number("wall_ms")?,
        tcp: fields.string("tcp")?,
        udp: fields.string("udp")?,
        feed: fields.word("feed")?,
        lan: fields.string_if_there("lan"),
        limits: limits(&mut fields.object("limits")?)?,
    })
}

fn limits(fields: &mut Fields) -> Result<Limits, Wrong> {
    Ok(Limits {
        line_bytes: fields.number("line_bytes")?,
        burst_lines: fields.number("burst_lines")?,
        interval_ms: fields.number("interval_ms")?,
        sends_in_progress: fields.number("sends_in_progress")?,
        message_bytes: fields.number("message_bytes")?,
        no_reply_ms: fields.number("no_reply_ms")?,
        connect_ms: fields.number("connect_ms")?,
        labs: fields.number("labs")?,
        lab_give_up_ms: fields.number("lab_give_up_ms")?,
        lab_packets: fields.number("lab_packets")?,
        lab_packets_per_s: fields.number("lab_packets_per_s")?,
        lab_lifetime_s: fields.number("lab_lifetime_s")?,
    })
}

fn problem(fields: &mut Fields) -> Result<Problem, Wrong> {
    Ok(Problem {
        code: fields.word("code")?,
        detail: fields.string("detail")?,
        message: fields.string_if_there("message"),
        field: fields.string_if_there("field"),
        id: fields.number_if_there("id")?,
        protocol: fields.word_if_there("protocol")?,
    })
}

fn packet(fields: &mut Fields) -> Result<Packet, Wrong> {
    Ok(Packet {
        number: fields.number("number")?,
        from: fields.word("from")?,
        verdict: fields.word("verdict")?,
        arrives_us: fields.number_if_there("arrives_us")?,
        copy_arrives_us: fields.number_if_there("copy_arrives_us")?,
        bytes: fields.number("bytes")?,
        header: header(&mut fields.object("header")?)?,
        line: fields.object_if_there("line").as_mut().map(line).transpose()?,
        retransmission: fields.flag("retransmission"),
        duplicate_ack: fields.flag("duplicate_ack"),
        hex: fields.string("hex")?,
    })
}

fn raw(fields: &mut Fields) -> Result<Raw, Wrong> {
    let seen = match fields.string("seen")?.as_str() {
        "accepted" => Seen::Accepted,
        "read" => Seen::Read {
            number: fields.number("number")?,
            offset: fields.number("offset")?,
            bytes: fields.number("bytes")?,
            data: fields.data_if_there(),
        },
        "datagram" => Seen::Datagram {
            number: fields.number("number")?,
            bytes: fields.number("bytes")?,
            kept: fields.number("kept")?,
            data: fields.data_if_there(),
        },
        "reply" => Seen::Reply {
            number: fields.number("number")?,
            offset: fields.number("offset")?,
            bytes: fields.number("bytes")?,
            data: fields.data_if_there(),
        },
        "refused" => Seen::Refused { reason: fields.string("reason")? },
        "closed" => Seen::Closed { cause: fields.word("cause")? },
        _ => return Err("seen"),
    };
    Ok(Raw {
        protocol: fields.word("protocol")?,
        client: fields.number("client")?,
        peer: fields.string("peer")?,
        seen,
    })
}

fn line(fields: &mut Fields) -> Result<Line, Wrong> {
    Ok(Line { send: fields.number("send")?, number: fields.number("number")? })
}

fn header(fields: &mut Fields) -> Result<Header, Wrong> {
    if fields.string("protocol")? == "udp" {
        return Ok(Header::Udp {
            ident: fields.number("ident")?,
            offset: fields.number("offset")?,
            more: fields.flag("more"),
            length: fields.number("length")?,
        });
    }
    let flags = Flags {
        syn: fields.flag("syn"),
        acks: fields.flag("acks"),
        psh: fields.flag("psh"),
        fin: fields.flag("fin"),
        rst: fields.flag("rst"),
    };
    Ok(Header::Tcp {
        flags,
        seq: fields.number("seq")?,
        ack: fields.number("ack")?,
        window: fields.number("window")?,
        length: fields.number("length")?,
    })
}
