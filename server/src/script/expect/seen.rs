//! What the servers saw of clients: as numbers, as bytes, and as lines for a person. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use streamgram_protocol::fault::Deed;
use streamgram_protocol::{Cause, Event, Protocol, Raw, RawObservation, ServerMessage, printable};
use strum::IntoStaticStr;

use super::number::Number;

/// Lines of observations that are shown; those in the midst are counted.
const SHOWN: usize = 40;

/// What is counted of what the servers saw. A file calls it by its name in snake case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub(super) enum Figure {
    /// TCP: connections that were accepted.
    Connections,
    /// TCP: reads of the server that returned bytes.
    Reads,
    /// TCP: connections in which the client sent FIN before the server did.
    HalfClosed,
    /// TCP: connections that the client ended by RST.
    Reset,
    /// TCP: connections that had not ended when the client had.
    Open,
    /// UDP: addresses from which datagrams came.
    Peers,
    /// UDP: datagrams.
    Datagrams,
    /// Bytes of the client's.
    Bytes,
    /// Reads or datagrams that were answered.
    Answered,
    /// Connections or datagrams that were turned away.
    Refused,
    /// What a faulty server did on purpose.
    Faults,
}

impl Figure {
    /// The protocol that it is of, if it is of one only.
    pub(super) fn protocol(self) -> Option<Protocol> {
        match self {
            Self::Connections | Self::Reads | Self::HalfClosed | Self::Reset | Self::Open => {
                Some(Protocol::Tcp)
            }
            Self::Peers | Self::Datagrams => Some(Protocol::Udp),
            Self::Bytes | Self::Answered | Self::Refused | Self::Faults => None,
        }
    }
}

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    messages: Vec<ServerMessage>,
    figures: BTreeMap<Figure, u64>,
    /// What the clients sent, as far as it is known.
    pub(super) sent: Vec<u8>,
}

impl Seen {
    /// What these messages tell.
    pub(super) fn of(messages: Vec<ServerMessage>) -> Self {
        let (mut figures, mut sent) = (BTreeMap::<_, u64>::new(), Vec::new());
        let (mut peers, mut open, mut ended_here) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for raw in messages.iter().filter_map(raw) {
            let mut add = |figure, n: u64| *figures.entry(figure).or_default() += n;
            if let Some(data) = data_sent(&raw.observation) {
                sent.extend_from_slice(&data);
            }
            match &raw.observation {
                RawObservation::Accepted {} => {
                    add(Figure::Connections, 1);
                    open.insert(raw.client);
                }
                RawObservation::Read { bytes, .. } => {
                    add(Figure::Reads, 1);
                    add(Figure::Bytes, *bytes as u64);
                }
                RawObservation::Datagram { bytes, .. } => {
                    add(Figure::Datagrams, 1);
                    add(Figure::Bytes, *bytes as u64);
                    if peers.insert(raw.client) {
                        add(Figure::Peers, 1);
                    }
                }
                RawObservation::Reply { .. } => add(Figure::Answered, 1),
                RawObservation::Refused { .. } => add(Figure::Refused, 1),
                RawObservation::Fault(deed) => {
                    add(Figure::Faults, 1);
                    if matches!(deed, Deed::Ended { .. } | Deed::HalfClosed { .. }) {
                        ended_here.insert(raw.client);
                    }
                }
                RawObservation::Closed { cause } => {
                    open.remove(&raw.client);
                    match cause {
                        Cause::PeerClosed if !ended_here.contains(&raw.client) => {
                            add(Figure::HalfClosed, 1);
                        }
                        Cause::PeerReset => add(Figure::Reset, 1),
                        _ => {}
                    }
                }
                RawObservation::Packet(_) | RawObservation::PacketsMissed { .. } => {}
            }
        }
        figures.insert(Figure::Open, open.len() as u64);
        Self { messages, figures, sent }
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// How many.
    pub(super) fn get(&self, figure: Figure) -> u64 {
        self.figures.get(&figure).copied().unwrap_or_default()
    }

    /// How many there could be: all that came for what was answered, all connections for how they ended.
    fn most(&self, figure: Figure) -> u64 {
        match figure {
            Figure::Answered => self.get(Figure::Reads) + self.get(Figure::Datagrams),
            Figure::HalfClosed | Figure::Reset | Figure::Open => self.get(Figure::Connections),
            _ => self.get(figure),
        }
    }

    /// Whether there are as many as there must be.
    pub(super) fn is(&self, figure: Figure, number: Number) -> bool {
        number.is(self.get(figure), self.most(figure))
    }

    /// How many, and of how many.
    pub(super) fn shown(&self, figure: Figure) -> String {
        let (number, most) = (self.get(figure), self.most(figure));
        if number == most { number.to_string() } else { format!("{number} of {most}") }
    }

    /// A line for each observation; if there are too many, the first and the last ones.
    pub(super) fn lines(&self) -> Vec<String> {
        let began = self.messages.first().map_or(0, |first| first.at_us);
        let line = |message: &ServerMessage| {
            let raw = raw(message)?;
            let us = message.at_us.saturating_sub(began);
            let words = words(&raw.observation);
            let (ms, us) = (us / 1_000, us % 1_000);
            Some(format!("{ms:>5}.{us:03} ms  client {}  {words}", raw.client))
        };
        let mut lines: Vec<_> = self.messages.iter().filter_map(line).collect();
        let more = lines.len().saturating_sub(SHOWN);
        if more > 0 {
            let left_out = format!("… and {more} more …");
            lines.splice(SHOWN / 2..SHOWN / 2 + more, [left_out]);
        }
        lines
    }
}

fn raw(message: &ServerMessage) -> Option<&Raw> {
    match &message.event {
        Event::Raw(raw) => Some(raw),
        _ => None,
    }
}

/// The bytes of the client's that an observation tells.
fn data_sent(observation: &RawObservation) -> Option<Vec<u8>> {
    match observation {
        RawObservation::Read { data, .. } | RawObservation::Datagram { data, .. } => {
            Some(data.as_ref()?.to_bytes().ok()?.into_owned())
        }
        _ => None,
    }
}

/// An observation for a person.
fn words(observation: &RawObservation) -> String {
    let shown = |data: &Option<streamgram_protocol::Data>| {
        let bytes = data.as_ref().and_then(|data| data.to_bytes().ok()).unwrap_or_default();
        printable(&bytes)
    };
    match observation {
        RawObservation::Accepted {} => "accepted".into(),
        RawObservation::Read { number, offset, bytes, data } => {
            format!("read {number}: {bytes} bytes at {offset}: {}", shown(data))
        }
        RawObservation::Datagram { number, bytes, data, .. } => {
            format!("datagram {number}: {bytes} bytes: {}", shown(data))
        }
        RawObservation::Reply { number, bytes, data, .. } => {
            format!("reply {number}: {bytes} bytes: {}", shown(data))
        }
        RawObservation::Refused { reason } => format!("refused: {reason}"),
        RawObservation::Closed { cause } => match cause {
            Cause::PeerClosed => "closed by FIN".into(),
            Cause::PeerReset => "closed by the client's RST".into(),
            Cause::Reset => "closed by the server's RST".into(),
            Cause::Closed | Cause::TimedOut | Cause::Limit | Cause::Failed => {
                format!("closed: {cause:?}").to_lowercase()
            }
        },
        RawObservation::Fault(deed) => format!("on purpose: {}", deed_words(deed)),
        RawObservation::Packet(_) => "a packet".into(),
        RawObservation::PacketsMissed { count } => format!("{count} packets are not reported"),
    }
}

/// The name of a deed and its fields, as they stand in a message.
fn deed_words(deed: &Deed) -> String {
    let Ok(Value::Object(deed)) = serde_json::to_value(deed) else { return String::new() };
    let field = |(name, value): (&String, &Value)| format!(", {name} {value}");
    let words = |(name, fields): (&String, &Value)| {
        let fields = fields.as_object().into_iter().flatten().map(field);
        name.replace('_', " ") + &fields.collect::<String>()
    };
    deed.iter().map(words).collect()
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::Data;

    use super::*;

    fn seen(observations: Vec<(u64, RawObservation)>) -> Seen {
        let message = |(client, observation)| {
            let peer = "127.0.0.1:5".into();
            let raw = Raw { protocol: Protocol::Tcp, client, peer, fault: None, observation };
            ServerMessage { at_us: 7, leg: None, event: Event::Raw(raw) }
        };
        Seen::of(observations.into_iter().map(message).collect())
    }

    fn read(number: u64, text: &str) -> RawObservation {
        let data = Some(Data::Text(text.into()));
        RawObservation::Read { number, offset: 0, bytes: text.len(), data }
    }

    #[test]
    fn how_a_connection_ended_is_told_from_who_ended_it_first() {
        let closed = |cause| RawObservation::Closed { cause };
        let seen = seen(vec![
            (1, RawObservation::Accepted {}),
            (1, read(0, "a")),
            (1, read(1, "bc")),
            (1, closed(Cause::PeerClosed)),
            (2, RawObservation::Accepted {}),
            (2, RawObservation::Fault(Deed::Ended { offset: 9 })),
            (2, closed(Cause::PeerClosed)),
            (3, RawObservation::Accepted {}),
            (3, closed(Cause::PeerReset)),
            (4, RawObservation::Accepted {}),
        ]);
        let figures = [
            Figure::Connections,
            Figure::HalfClosed,
            Figure::Reset,
            Figure::Open,
            Figure::Reads,
            Figure::Bytes,
        ];
        assert_eq!(figures.map(|figure| seen.get(figure)), [4, 1, 1, 1, 2, 3]);
        assert_eq!((seen.sent.as_slice(), seen.lines().len()), (b"abc".as_slice(), 10));
        assert!(
            !seen.is(Figure::HalfClosed, Number::All) && !seen.is(Figure::Answered, Number::All)
        );
        assert_eq!(seen.shown(Figure::Answered), "0 of 2");
        assert_eq!(seen.lines()[5], "    0.000 ms  client 2  on purpose: ended, offset 9");
    }

    #[test]
    fn of_many_observations_the_first_and_the_last_are_shown() {
        let seen = seen((0..100).map(|number| (1, read(number, "x"))).collect());
        let lines = seen.lines();
        assert_eq!(lines.len(), SHOWN + 1);
        assert!(lines[SHOWN / 2].contains("60 more") && lines[SHOWN].contains("read 99"));
    }
}
