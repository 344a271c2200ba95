//! What a session reports to its client. Every event is a JSON object; a text frame holds one or more of
//! them, a line each.
//!
//! `at_us` counts microseconds from the start of the session, on one monotonic clock of the server.

#[cfg(test)]
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use crate::fault::Deed;
use crate::room::RoomEvent;
use crate::{Capture, Captured, Data, Feed, Limits, Packet, Path, Protocol, Raw};

/// An event and when it happened. The server's own observations carry the time at which the server
/// made them, so `at_us` can be a little smaller than that of the message before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct ServerMessage {
    /// Microseconds since the session began.
    pub at_us: u64,
    /// The leg that it happened to, if it did not happen to the session as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leg: Option<LegId>,
    /// What happened.
    pub event: Event,
}

/// The leg that an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct LegId {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// A number that no other leg of the session has; it counts from 1.
    pub number: u32,
}

/// What can happen.
///
/// Offsets are absolute within a leg: bytes for TCP, datagrams for UDP, both from 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The first message of every session.
    Hello(#[cfg_attr(test, proptest(strategy = "any::<Hello>().boxed()"))] Hello),
    /// A leg is open: TCP's handshake is done, UDP's socket is there.
    Opened {
        /// What lies between the leg and the server.
        path: Path,
        /// The leg's own address: what the server sees as its peer.
        local: String,
        /// The server's address.
        peer: String,
        /// How long `connect` took; UDP has no handshake.
        #[serde(skip_serializing_if = "Option::is_none")]
        handshake_us: Option<u64>,
        /// Whether TCP_NODELAY is set; UDP has no such option.
        #[serde(skip_serializing_if = "Option::is_none")]
        nodelay: Option<bool>,
    },
    /// TCP_NODELAY was switched on or off.
    NodelaySet {
        /// How it stands now.
        nodelay: bool,
    },
    /// A line went out; `at_us` is just before its write, `done_us` just after.
    Sent {
        /// The send's id.
        id: u64,
        /// Which line of it, from 1.
        line: u32,
        /// TCP: where its first byte stands in the stream. UDP: the datagram's number.
        offset: u64,
        /// Its length.
        bytes: usize,
        /// When the socket had taken all of it.
        done_us: u64,
    },
    /// A send has nothing left to send on this leg.
    Finished {
        /// The send's id.
        id: u64,
        /// Lines that went out.
        lines: u32,
        /// Lines that were asked for; more than `lines` if it was stopped or the leg ended.
        of: u32,
    },
    /// The TCP server accepted the connection.
    ServerAccepted {},
    /// One read of the TCP server returned; it answers each with one stamp and the same bytes.
    ServerRead {
        /// Which read of the connection, from 0.
        number: u64,
        /// Where its first byte stands in the stream.
        offset: u64,
        /// How many bytes it returned.
        bytes: usize,
    },
    /// The UDP server took a datagram.
    ServerDatagram {
        /// Which datagram of this leg, from 0.
        number: u64,
        /// Its length.
        bytes: usize,
        /// How many of its bytes a `recv(1024)` keeps; the rest it would throw away.
        kept: usize,
    },
    /// The leg's server is a faulty one, and did something on purpose.
    Fault(#[cfg_attr(test, proptest(strategy = "any::<Deed>().boxed()"))] Deed),
    /// The TCP server saw the connection end.
    ServerClosed {
        /// What it saw.
        cause: Cause,
    },
    /// A read of the leg returned: some bytes of TCP's stream, or one datagram of UDP. `at_us` is when its socket had
    /// the last of them, where the system tells that; else when the read returned.
    Reply {
        /// TCP: where its first byte stands in the stream of replies. UDP: the reply's number.
        offset: u64,
        /// Its length.
        bytes: usize,
        /// The bytes.
        data: Data,
        /// Its socket may have had it up to so much earlier: the system does not tell, and only the read is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        earlier_us: Option<u64>,
    },
    /// A line has its reply: TCP, when the bytes that cover its last byte are back.
    Answered {
        /// The send's id.
        id: u64,
        /// Which line of it.
        line: u32,
        /// The `offset` of the `reply` that completed the answer; that event came before.
        reply: u64,
        /// From just before its write to the `at_us` of that event.
        rtt_us: u64,
        /// It came after the line had been reported as `no_reply`.
        late: bool,
        /// False: UDP replies carry no echo and one was lost, so this may be a neighbour's.
        certain: bool,
    },
    /// A line will not be answered, or not in time.
    NoReply {
        /// The send's id.
        id: u64,
        /// Which line of it.
        line: u32,
        /// Why.
        cause: Unanswered,
        /// False: one of the lines that were under way together had no reply, perhaps another.
        certain: bool,
    },
    /// Nobody listens there: RST to the SYN, or ICMP port unreachable (RFC 1122, section 4.1.3.1).
    /// A TCP leg ends with it, a UDP leg stays open.
    Refused {
        /// The address that refused.
        peer: String,
    },
    /// No more can be sent on the TCP leg (FIN); replies are still read.
    HalfClosed {},
    /// The leg has ended.
    Closed {
        /// Why.
        cause: Cause,
        /// The system's word, where it has one.
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    /// A message could not be carried out; the session lives on.
    Error(#[cfg_attr(test, proptest(strategy = "any::<Problem>().boxed()"))] Problem),
    /// The session was too slow for this many observations of the servers; they are lost.
    Missed {
        /// How many, since the last such message.
        count: u64,
    },
    /// A packet went onto the leg's emulated path, at `at_us`.
    Packet(Packet),
    /// A packet of the leg's direct path was captured. `at_us` is when it was first seen.
    // The generators of all events together do not fit the stack of a test.
    Captured(
        #[cfg_attr(test, proptest(strategy = "any::<Captured>().prop_map(Box::new).boxed()"))]
        Box<Captured>,
    ),
    /// Packets of the leg that are not reported: the client is too slow, or they are too many.
    PacketsMissed {
        /// How many, since the last such message.
        count: u64,
    },
    /// Packets that were dropped before anybody could say whose they were: by the system, whose buffer was full, or
    /// above the rate at which the server captures. Some may have been this session's.
    CaptureMissed {
        /// How many, since the last such message.
        count: u64,
    },
    /// The leg's emulated link was changed. Seed, MTU and congestion control apply to the next leg.
    LinkSet {},
    /// A server saw something of a client that is not a leg.
    Raw(#[cfg_attr(test, proptest(strategy = "any::<Raw>().boxed()"))] Raw),
    /// Observations of raw clients that are not reported: the session is too slow, or knows as many
    /// clients as it may.
    RawMissed {
        /// How many, since the last such message.
        count: u64,
    },
    /// Something of the session's room.
    Room(#[cfg_attr(test, proptest(strategy = "any::<RoomEvent>().boxed()"))] RoomEvent),
    /// The session lives: the answer to a ping.
    Pong {},
}

/// Who the server is and what it allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Hello {
    /// The server's version.
    pub version: String,
    /// Unix time in milliseconds at `at_us` 0, to show times of day; never used to measure.
    pub wall_ms: u64,
    /// Address of the TCP timestamp server.
    pub tcp: String,
    /// Address of the UDP timestamp server.
    pub udp: String,
    /// Which raw clients are reported if this session asks for it.
    pub feed: Feed,
    /// Whether packets are reported to a session that asks for them.
    pub capture: Capture,
    /// The servers whose replies go wrong on purpose, as `open` counts them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultyServer>,
    /// The page's likeliest address in the network. Only for a session on the server's own machine, and
    /// only where others can open the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lan: Option<String>,
    /// This server's limits.
    pub limits: Limits,
}

/// A server whose replies go wrong on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct FaultyServer {
    /// Which protocol it speaks.
    pub protocol: Protocol,
    /// Its address.
    pub address: String,
    /// How its replies go wrong, as a flag takes it.
    pub recipe: String,
}

/// Why a leg or connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// This end closed it.
    Closed,
    /// This end reset it.
    Reset,
    /// The peer closed it (FIN).
    PeerClosed,
    /// The peer reset it (RST).
    PeerReset,
    /// Nobody answered the handshake in time, or, over an emulated path, acknowledged anything in time.
    TimedOut,
    /// A limit ended it; `detail` names the limit.
    Limit,
    /// The system refused to go on; `detail` says why.
    Failed,
}

/// Why a line has no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(rename_all = "snake_case")]
pub enum Unanswered {
    /// Nothing came in time; it may still be late. UDP only: TCP keeps trying.
    TimedOut,
    /// Nobody listens there.
    Refused,
    /// The leg ended first.
    Closed,
}

/// What was wrong with a message, or with carrying it out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Problem {
    /// What kind of mistake.
    pub code: Code,
    /// A sentence for a person, naming the thing and the limit.
    pub detail: String,
    /// The name of the message that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The field that is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The message's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// The leg's protocol, where only one of two is concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
}

/// What kind of mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Not a JSON object.
    BadJson,
    /// A message that this version does not know.
    UnknownMessage,
    /// A field is missing, unknown, or of the wrong kind.
    BadField,
    /// A field is out of its range.
    OverLimit,
    /// The leg is not open.
    NotOpen,
    /// The leg is open, or about to be.
    AlreadyOpen,
    /// An empty line over TCP: there is nothing that could be sent.
    Empty,
    /// The leg has as many bursts in progress as it may have.
    TooManySends,
    /// The server emulates as many paths as it may.
    TooManyLabs,
    /// The leg's path is not emulated: it has no link to change.
    NotEmulated,
    /// The server tells nobody of raw clients.
    FeedOff,
    /// The system refused; `detail` says why.
    Io,
    /// There is no such room: it has ended, or was never there.
    NoRoom,
    /// The room is another server's, and this one shares no rooms with it.
    RoomElsewhere,
    /// The room, or the server, has as many as it may have.
    RoomFull,
    /// Only who has the room's key may ask that.
    NotTeacher,
    /// The session is in no room, or the class is not where the message says, or nothing is asked there now.
    NotAsked,
    /// The shared store is out of reach, and only there it is known.
    StoreAway,
}

impl ServerMessage {
    /// The message as one JSON object.
    ///
    /// # Panics
    /// Never: only maps whose keys are not text cannot be written, and no message has one.
    #[must_use]
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("the keys of every map are text")
    }

    /// Adds the message to a frame of messages, one a line.
    ///
    /// # Panics
    /// Never, as above.
    pub fn append_to(&self, frame: &mut Vec<u8>) {
        if !frame.is_empty() {
            frame.push(b'\n');
        }
        serde_json::to_writer(frame, self).expect("the keys of every map are text");
    }

    /// Reads the messages of one text frame of a server. Within a message a line never ends.
    ///
    /// # Errors
    /// For each message: what is not one of this version.
    pub fn decode_frame(text: &str) -> impl Iterator<Item = serde_json::Result<Self>> {
        text.split('\n').map(Self::decode)
    }

    /// Reads one message.
    ///
    /// # Errors
    /// What is not a message of this version.
    pub fn decode(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }
}

impl From<crate::Invalid> for Problem {
    fn from(invalid: crate::Invalid) -> Self {
        let crate::Invalid { code, message, field, id, detail } = invalid;
        Self { code, detail, message, field, id, protocol: None }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(event: Event) -> ServerMessage {
        ServerMessage { at_us: 1, leg: None, event }
    }

    #[test]
    fn a_frame_has_a_line_for_each_message_whatever_they_carry() {
        let data = Data::Text("two\nlines\r\n\u{2028}".into());
        let reply = Event::Reply { offset: 0, bytes: 13, data, earlier_us: None };
        let messages =
            [message(Event::ServerAccepted {}), message(reply), message(Event::HalfClosed {})];
        let mut frame = Vec::new();
        messages.iter().for_each(|message| message.append_to(&mut frame));
        let frame = String::from_utf8(frame).unwrap();
        assert_eq!(frame.lines().count(), 3, "{frame}");
        let read: Result<Vec<_>, _> = ServerMessage::decode_frame(&frame).collect();
        assert_eq!(read.unwrap(), messages);
    }

    #[test]
    fn an_event_is_named_and_says_which_leg_it_happened_to() {
        let message = ServerMessage {
            at_us: 9,
            leg: Some(LegId { protocol: Protocol::Udp, number: 2 }),
            event: Event::Reply {
                offset: 0,
                bytes: 2,
                data: Data::Text("hi".into()),
                earlier_us: None,
            },
        };
        let json = r#"{"at_us":9,"leg":{"protocol":"udp","number":2},"event":{"reply":{"offset":0,"bytes":2,"data":{"text":"hi"}}}}"#;
        assert_eq!(message.encode(), json);
        assert_eq!(ServerMessage::decode(json).unwrap(), message);
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let message = message(Event::Error(Problem {
            code: Code::NotOpen,
            detail: "TCP is not open".into(),
            message: Some("send".into()),
            field: None,
            id: Some(3),
            protocol: Some(Protocol::Tcp),
        }));
        let json = r#"{"at_us":1,"event":{"error":{"code":"not_open","detail":"TCP is not open","message":"send","id":3,"protocol":"tcp"}}}"#;
        assert_eq!(message.encode(), json);
        assert_eq!(ServerMessage::decode(json).unwrap(), message);
    }

    proptest! {
        #[test]
        fn every_message_that_is_written_is_read(message: ServerMessage) {
            prop_assert_eq!(ServerMessage::decode(&message.encode()).unwrap(), message);
        }

        #[test]
        fn no_text_breaks_the_decoder(text: String) {
            let _either = ServerMessage::decode(&text);
        }
    }
}
