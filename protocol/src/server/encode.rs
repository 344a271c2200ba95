//! Writes what a session tells, field by field: a line has five events, and what serde derives for a
//! tagged, flattened message takes several times as long. The tests hold it against what is derived.

use super::{Event, Hello, LegId, Problem, ServerMessage};
use crate::{Data, Flags, Header, Limits, Line, Object, Packet, Protocol, Raw, Seen};

/// What a message without a long text takes at most, roughly.
pub(super) const USUAL_BYTES: usize = 160;

/// Writes a message behind what is written already.
pub(super) fn message(message: &ServerMessage, written: String) -> String {
    let ServerMessage { at_us, event: happened, on } = message;
    let object = event(Object::behind(written).number("at_us", *at_us), happened);
    let object = match *on {
        Some(LegId { protocol, leg }) => of_protocol(object, protocol).number("leg", leg),
        None => object,
    };
    object.written()
}

fn event(object: Object, event: &Event) -> Object {
    let of = |name| object.plain("type", name);
    match *event {
        Event::Hello(ref told) => hello(of("hello"), told),
        Event::Opened { path, ref local, ref peer, handshake_us, nodelay } => {
            let opened = of("opened").plain("path", path.name());
            let opened = opened.string("local", local).string("peer", peer);
            let opened = if_there(opened, "handshake_us", handshake_us, Object::number);
            if_there(opened, "nodelay", nodelay, Object::flag)
        }
        Event::NodelaySet { nodelay } => of("nodelay_set").flag("nodelay", nodelay),
        Event::Sent { id, line, offset, bytes, done_us } => {
            let sent = of("sent").number("id", id).number("line", line);
            sent.number("offset", offset).number("bytes", bytes).number("done_us", done_us)
        }
        Event::Finished { id, lines, of: asked } => {
            of("finished").number("id", id).number("lines", lines).number("of", asked)
        }
        Event::ServerAccepted => of("server_accepted"),
        Event::ServerRead { number, offset, bytes } => of("server_read")
            .number("number", number)
            .number("offset", offset)
            .number("bytes", bytes),
        Event::ServerDatagram { number, bytes, kept } => of("server_datagram")
            .number("number", number)
            .number("bytes", bytes)
            .number("kept", kept),
        Event::ServerClosed { cause } => of("server_closed").word("cause", cause),
        Event::Reply { offset, bytes, data: ref payload } => {
            data(of("reply").number("offset", offset).number("bytes", bytes), payload)
        }
        Event::Answered { id, line, rtt_us, late, certain } => {
            let answered = of("answered").number("id", id).number("line", line);
            answered.number("rtt_us", rtt_us).flag("late", late).flag("certain", certain)
        }
        Event::NoReply { id, line, cause, certain } => {
            let silence = of("no_reply").number("id", id).number("line", line);
            silence.word("cause", cause).flag("certain", certain)
        }
        Event::Refused { ref peer } => of("refused").string("peer", peer),
        Event::HalfClosed => of("half_closed"),
        Event::Closed { cause, ref detail } => {
            if_there(of("closed").word("cause", cause), "detail", detail.as_deref(), Object::string)
        }
        Event::Error(ref wrong) => problem(of("error"), wrong),
        Event::Missed { count } => of("missed").number("count", count),
        Event::Packet(ref told) => packet(of("packet"), told),
        Event::PacketsMissed { count } => of("packets_missed").number("count", count),
        Event::LinkSet => of("link_set"),
        Event::Raw(ref told) => raw(of("raw"), told),
        Event::RawMissed { count } => of("raw_missed").number("count", count),
    }
}

/// Adds a value if there is one.
fn if_there<V>(
    object: Object,
    name: &str,
    value: Option<V>,
    add: impl FnOnce(Object, &str, V) -> Object,
) -> Object {
    match value {
        Some(value) => add(object, name, value),
        None => object,
    }
}

/// The same word as serde's, which takes its time.
fn of_protocol(object: Object, protocol: Protocol) -> Object {
    let name = match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
    };
    object.plain("protocol", name)
}

fn data(object: Object, data: &Data) -> Object {
    match data {
        Data::Text(text) => object.string("text", text),
        Data::Hex(hex) => object.string("hex", hex),
    }
}

fn hello(object: Object, hello: &Hello) -> Object {
    let Hello { version, wall_ms, tcp, udp, feed, lan, limits: allowed } = hello;
    let object = object.string("version", version).number("wall_ms", *wall_ms);
    let object = object.string("tcp", tcp).string("udp", udp).plain("feed", feed.name());
    let object = if_there(object, "lan", lan.as_deref(), Object::string);
    object.object("limits", |object| limits(object, allowed))
}

fn limits(object: Object, limits: &Limits) -> Object {
    let Limits {
        line_bytes,
        burst_lines,
        interval_ms,
        sends_in_progress,
        message_bytes,
        no_reply_ms,
        connect_ms,
        labs,
        lab_give_up_ms,
        lab_packets,
        lab_packets_per_s,
        lab_lifetime_s,
    } = *limits;
    object
        .number("line_bytes", line_bytes)
        .number("burst_lines", burst_lines)
        .number("interval_ms", interval_ms)
        .number("sends_in_progress", sends_in_progress)
        .number("message_bytes", message_bytes)
        .number("no_reply_ms", no_reply_ms)
        .number("connect_ms", connect_ms)
        .number("labs", labs)
        .number("lab_give_up_ms", lab_give_up_ms)
        .number("lab_packets", lab_packets)
        .number("lab_packets_per_s", lab_packets_per_s)
        .number("lab_lifetime_s", lab_lifetime_s)
}

fn problem(object: Object, problem: &Problem) -> Object {
    let Problem { code, detail, message, field, id, protocol } = problem;
    let object = object.word("code", code).string("detail", detail);
    let object = if_there(object, "message", message.as_deref(), Object::string);
    let object = if_there(object, "field", field.as_deref(), Object::string);
    let object = if_there(object, "id", *id, Object::number);
    match *protocol {
        Some(protocol) => of_protocol(object, protocol),
        None => object,
    }
}

fn packet(object: Object, packet: &Packet) -> Object {
    let Packet { number, from, verdict, arrives_us, copy_arrives_us, bytes, ref header, .. } =
        *packet;
    let Packet { line, retransmission, duplicate_ack, ref hex, .. } = *packet;
    let object = object.number("number", number).word("from", from).word("verdict", verdict);
    let object = if_there(object, "arrives_us", arrives_us, Object::number);
    let object = if_there(object, "copy_arrives_us", copy_arrives_us, Object::number);
    let object = object.number("bytes", bytes).object("header", |object| of_header(object, header));
    let object = if_there(object, "line", line, |object, name, Line { send, number }| {
        object.object(name, |object| object.number("send", send).number("number", number))
    });
    let object = if_there(object, "retransmission", retransmission.then_some(true), Object::flag);
    let object = if_there(object, "duplicate_ack", duplicate_ack.then_some(true), Object::flag);
    object.string("hex", hex)
}

fn of_header(object: Object, header: &Header) -> Object {
    match *header {
        Header::Tcp { flags, seq, ack, window, length } => {
            let Flags { syn, acks, psh, fin, rst } = flags;
            let object = of_protocol(object, Protocol::Tcp).flag("syn", syn).flag("acks", acks);
            let object = object.flag("psh", psh).flag("fin", fin).flag("rst", rst);
            let object = object.number("seq", seq).number("ack", ack);
            object.number("window", window).number("length", length)
        }
        Header::Udp { ident, offset, more, length } => {
            let object = of_protocol(object, Protocol::Udp).number("ident", ident);
            object.number("offset", offset).flag("more", more).number("length", length)
        }
    }
}

fn raw(object: Object, raw: &Raw) -> Object {
    let Raw { protocol, client, ref peer, ref seen } = *raw;
    let object = of_protocol(object, protocol).number("client", client).string("peer", peer);
    let seeing = |name| object.plain("seen", name);
    let object = match *seen {
        Seen::Accepted => seeing("accepted"),
        Seen::Read { number, offset, bytes, .. } => {
            seeing("read").number("number", number).number("offset", offset).number("bytes", bytes)
        }
        Seen::Datagram { number, bytes, kept, .. } => {
            seeing("datagram").number("number", number).number("bytes", bytes).number("kept", kept)
        }
        Seen::Reply { number, offset, bytes, .. } => {
            seeing("reply").number("number", number).number("offset", offset).number("bytes", bytes)
        }
        Seen::Refused { ref reason } => seeing("refused").string("reason", reason),
        Seen::Closed { cause } => seeing("closed").word("cause", cause),
    };
    match seen.data() {
        Some(bytes) => data(object, bytes),
        None => object,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::{Cause, Code, End, Feed, Path, Unanswered, Verdict};

    fn protocols() -> impl Strategy<Value = Protocol> {
        select(&Protocol::BOTH)
    }

    fn causes() -> impl Strategy<Value = Cause> {
        select(&[Cause::Closed, Cause::PeerReset, Cause::TimedOut, Cause::Limit, Cause::Failed])
    }

    fn payloads() -> impl Strategy<Value = Data> {
        any::<Vec<u8>>()
            .prop_map(|bytes| Data::from_bytes(&bytes))
            .boxed()
            .prop_union(any::<String>().prop_map(Data::Text).boxed())
    }

    /// What happens for every line.
    fn of_lines() -> impl Strategy<Value = Event> {
        let unanswered = select(&[Unanswered::TimedOut, Unanswered::Refused, Unanswered::Closed]);
        prop_oneof![
            any::<(u64, u32, u64, usize, u64)>().prop_map(|(id, line, offset, bytes, done_us)| {
                Event::Sent { id, line, offset, bytes, done_us }
            }),
            any::<(u64, u32, u32)>().prop_map(|(id, lines, of)| Event::Finished { id, lines, of }),
            any::<(u64, u64, usize)>().prop_map(|(number, offset, bytes)| Event::ServerRead {
                number,
                offset,
                bytes
            }),
            any::<(u64, usize, usize)>().prop_map(|(number, bytes, kept)| Event::ServerDatagram {
                number,
                bytes,
                kept
            }),
            (any::<(u64, usize)>(), payloads()).prop_map(|((offset, bytes), data)| Event::Reply {
                offset,
                bytes,
                data
            }),
            any::<(u64, u32, u64, bool, bool)>().prop_map(|(id, line, rtt_us, late, certain)| {
                Event::Answered { id, line, rtt_us, late, certain }
            }),
            (any::<(u64, u32, bool)>(), unanswered).prop_map(|((id, line, certain), cause)| {
                Event::NoReply { id, line, cause, certain }
            }),
        ]
    }

    /// What happens to a leg.
    fn of_legs() -> impl Strategy<Value = Event> {
        let paths = select(&[Path::Direct, Path::Emulated]);
        prop_oneof![
            (paths, any::<(String, String, Option<u64>, Option<bool>)>()).prop_map(
                |(path, (local, peer, handshake_us, nodelay))| {
                    Event::Opened { path, local, peer, handshake_us, nodelay }
                }
            ),
            any::<bool>().prop_map(|nodelay| Event::NodelaySet { nodelay }),
            select(&[Event::ServerAccepted, Event::HalfClosed, Event::LinkSet]),
            causes().prop_map(|cause| Event::ServerClosed { cause }),
            any::<String>().prop_map(|peer| Event::Refused { peer }),
            (causes(), any::<Option<String>>())
                .prop_map(|(cause, detail)| Event::Closed { cause, detail }),
            packets().prop_map(Event::Packet),
        ]
    }

    fn packets() -> impl Strategy<Value = Packet> {
        let headers = prop_oneof![
            any::<([bool; 5], [u32; 3], u16)>().prop_map(
                |([syn, acks, psh, fin, rst], [seq, ack, window], length)| {
                    let flags = Flags { syn, acks, psh, fin, rst };
                    Header::Tcp { flags, seq, ack, window, length }
                }
            ),
            any::<([u16; 3], bool)>().prop_map(|([ident, offset, length], more)| {
                Header::Udp { ident, offset, more, length }
            }),
        ];
        let verdicts = select(&[Verdict::Delivered, Verdict::LostByRule, Verdict::QueueFull]);
        let words = (select(&End::BOTH), verdicts, headers);
        let numbers = any::<(u64, Option<u64>, Option<u64>, u16, Option<(u64, u32)>)>();
        (words, numbers, any::<(bool, bool, String)>()).prop_map(|(words, numbers, others)| {
            let (from, verdict, header) = words;
            let (number, arrives_us, copy_arrives_us, bytes, line) = numbers;
            let line = line.map(|(send, number)| Line { send, number });
            let (retransmission, duplicate_ack, hex) = others;
            Packet {
                number,
                from,
                verdict,
                arrives_us,
                copy_arrives_us,
                bytes,
                header,
                line,
                retransmission,
                duplicate_ack,
                hex,
            }
        })
    }

    /// What happens to a session.
    fn of_sessions() -> impl Strategy<Value = Event> {
        let codes = select(&[Code::BadJson, Code::NotOpen, Code::TooManyLabs, Code::Io]);
        let texts = any::<(String, Option<String>, Option<String>, Option<u64>)>();
        let problems = (codes, texts, prop::option::of(protocols())).prop_map(
            |(code, (detail, message, field, id), protocol)| Problem {
                code,
                detail,
                message,
                field,
                id,
                protocol,
            },
        );
        let hellos = (any::<([String; 3], u64, Option<String>)>(), select(&Feed::EVERY)).prop_map(
            |(([version, tcp, udp], wall_ms, lan), feed)| Hello {
                version,
                wall_ms,
                tcp,
                udp,
                feed,
                lan,
                limits: Limits::default(),
            },
        );
        prop_oneof![
            hellos.prop_map(Event::Hello),
            problems.prop_map(Event::Error),
            any::<u64>().prop_map(|count| Event::Missed { count }),
            any::<u64>().prop_map(|count| Event::PacketsMissed { count }),
            any::<u64>().prop_map(|count| Event::RawMissed { count }),
            (protocols(), any::<(u64, String)>(), sightings()).prop_map(
                |(protocol, (client, peer), seen)| {
                    Event::Raw(Raw { protocol, client, peer, seen })
                }
            ),
        ]
    }

    fn sightings() -> impl Strategy<Value = Seen> {
        let data = || prop::option::of(payloads());
        prop_oneof![
            Just(Seen::Accepted),
            (any::<(u64, u64, usize)>(), data()).prop_map(|((number, offset, bytes), data)| {
                Seen::Read { number, offset, bytes, data }
            }),
            (any::<(u64, usize, usize)>(), data()).prop_map(|((number, bytes, kept), data)| {
                Seen::Datagram { number, bytes, kept, data }
            }),
            (any::<(u64, u64, usize)>(), data()).prop_map(|((number, offset, bytes), data)| {
                Seen::Reply { number, offset, bytes, data }
            }),
            any::<String>().prop_map(|reason| Seen::Refused { reason }),
            causes().prop_map(|cause| Seen::Closed { cause }),
        ]
    }

    proptest! {
        #[test]
        fn every_message_is_written_as_serde_derives_it(
            at_us: u64,
            event in prop_oneof![of_lines(), of_legs(), of_sessions()],
            leg in prop::option::of((protocols(), any::<u32>())),
        ) {
            let on = leg.map(|(protocol, leg)| LegId { protocol, leg });
            let message = ServerMessage { at_us, event, on };
            prop_assert_eq!(message.encode(), serde_json::to_string(&message).unwrap());
        }
    }
}
