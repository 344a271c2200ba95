//! Reads what a server tells, field by field: what serde derives for so many kinds of messages adds
//! 22 kB to what a browser has to load. The tests hold it against what is derived for writing.

use serde::de::{DeserializeOwned, Error as _};
use serde_json::{Error, Map, Value};

use super::{Event, Hello, LegId, Problem, ServerMessage};
use crate::{Data, Flags, Header, Packet, Raw, Seen};

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

/// The fields of a message that were not taken yet.
struct Fields(Map<String, Value>);

impl Fields {
    /// A field that must be there.
    fn take<T: DeserializeOwned>(&mut self, name: &'static str) -> Result<T, Error> {
        let value = self.0.remove(name).unwrap_or(Value::Null);
        serde_json::from_value(value).map_err(|error| wrong(name, &error))
    }

    /// A number that must be there, of a type that it fits in.
    fn number<N: TryFrom<u64>>(&mut self, name: &'static str) -> Result<N, Error> {
        self.number_if_there(name)?.ok_or_else(|| missing(name))
    }

    fn number_if_there<N: TryFrom<u64>>(&mut self, name: &'static str) -> Result<Option<N>, Error> {
        let Some(value) = self.0.remove(name) else { return Ok(None) };
        let number = value.as_u64().and_then(|number| N::try_from(number).ok());
        number.map(Some).ok_or_else(|| missing(name))
    }

    /// A flag; false if it is left out.
    fn flag(&mut self, name: &'static str) -> bool {
        self.0.remove(name) == Some(Value::Bool(true))
    }

    fn string(&mut self, name: &'static str) -> Result<String, Error> {
        self.string_if_there(name).ok_or_else(|| missing(name))
    }

    fn string_if_there(&mut self, name: &'static str) -> Option<String> {
        match self.0.remove(name) {
            Some(Value::String(string)) => Some(string),
            _ => None,
        }
    }

    fn data(&mut self) -> Result<Data, Error> {
        self.data_if_there().ok_or_else(|| missing("text"))
    }

    fn data_if_there(&mut self) -> Option<Data> {
        let text = self.string_if_there("text").map(Data::Text);
        text.or_else(|| self.string_if_there("hex").map(Data::Hex))
    }

    fn on(&mut self) -> Result<Option<LegId>, Error> {
        let Some(leg) = self.number_if_there("leg")? else { return Ok(None) };
        Ok(Some(LegId { protocol: self.take("protocol")?, leg }))
    }
}

fn missing(name: &'static str) -> Error {
    Error::custom(format_args!("{name} is missing, or not what it should be"))
}

fn wrong(name: &'static str, error: &Error) -> Error {
    Error::custom(format_args!("{name}: {error}"))
}

pub(super) fn message(text: &str) -> Result<ServerMessage, Error> {
    let mut fields = Fields(serde_json::from_str(text)?);
    let at_us = fields.number("at_us")?;
    let kind = fields.string("type")?;
    let on = fields.on()?;
    let event = event(&kind, &mut fields)?;
    Ok(ServerMessage { at_us, event, on })
}

fn event(kind: &str, fields: &mut Fields) -> Result<Event, Error> {
    Ok(match kind {
        "hello" => Event::Hello(hello(fields)?),
        "opened" => Event::Opened {
            path: fields.take("path")?,
            local: fields.string("local")?,
            peer: fields.string("peer")?,
            handshake_us: fields.number_if_there("handshake_us")?,
            nodelay: fields.take("nodelay")?,
        },
        "nodelay_set" => Event::NodelaySet { nodelay: fields.flag("nodelay") },
        "half_closed" => Event::HalfClosed,
        "closed" => {
            Event::Closed { cause: fields.take("cause")?, detail: fields.string_if_there("detail") }
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
        "server_closed" => Event::ServerClosed { cause: fields.take("cause")? },
        _ => return of_a_line(kind, fields),
    })
}

/// Events about a line and its bytes.
fn of_a_line(kind: &str, fields: &mut Fields) -> Result<Event, Error> {
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
            cause: fields.take("cause")?,
            certain: fields.flag("certain"),
        },
        unknown => {
            let types = TYPES.map(|name| format!("`{name}`")).join(", ");
            let sentence = format_args!("unknown type {unknown:?}, expected one of {types}");
            return Err(Error::custom(sentence));
        }
    })
}

fn hello(fields: &mut Fields) -> Result<Hello, Error> {
    Ok(Hello {
        version: fields.string("version")?,
        wall_ms: fields.number("wall_ms")?,
        tcp: fields.string("tcp")?,
        udp: fields.string("udp")?,
        feed: fields.take("feed")?,
        limits: fields.take("limits")?,
    })
}

fn problem(fields: &mut Fields) -> Result<Problem, Error> {
    Ok(Problem {
        code: fields.take("code")?,
        detail: fields.string("detail")?,
        message: fields.string_if_there("message"),
        field: fields.string_if_there("field"),
        id: fields.number_if_there("id")?,
        protocol: fields.take("protocol")?,
    })
}

fn packet(fields: &mut Fields) -> Result<Packet, Error> {
    Ok(Packet {
        number: fields.number("number")?,
        from: fields.take("from")?,
        verdict: fields.take("verdict")?,
        arrives_us: fields.number_if_there("arrives_us")?,
        copy_arrives_us: fields.number_if_there("copy_arrives_us")?,
        bytes: fields.number("bytes")?,
        header: header(&mut Fields(fields.take("header")?))?,
        line: fields.take("line")?,
        retransmission: fields.flag("retransmission"),
        duplicate_ack: fields.flag("duplicate_ack"),
        hex: fields.string("hex")?,
    })
}

fn raw(fields: &mut Fields) -> Result<Raw, Error> {
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
        "closed" => Seen::Closed { cause: fields.take("cause")? },
        _ => return Err(missing("seen")),
    };
    Ok(Raw {
        protocol: fields.take("protocol")?,
        client: fields.number("client")?,
        peer: fields.string("peer")?,
        seen,
    })
}

fn header(fields: &mut Fields) -> Result<Header, Error> {
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
