//! The packets of an external client, as a ladder. What its program sent at once cannot be seen from here, so its
//! segments have sizes and no lines; the replies are named after the reads, or the datagrams, that they answer.

use std::rc::Rc;

use streamgram_protocol::{Capture, End, Header, Line, Protocol, STAMP_LEN};
use yew::prelude::*;

use crate::i18n::language::Language;
use crate::result::export::packet_export;
use crate::result::ladder::Traces;
use crate::result::ladder_card::{LadderCard, Source};
use crate::result::pointed::Pointed;
use crate::session::raw_clients::{Exchange, RawClient};
use crate::session::sent::Sent;
use crate::session::trace::Trace;

/// The ladder with what saves it, in a zone that many minutes east of UTC; without packets, why there are none.
pub(super) fn packets(
    language: Language,
    client: &RawClient,
    (zone, capture): (i32, Option<Capture>),
    (pointed, on_point): (Option<Pointed>, Callback<Option<Pointed>>),
) -> Html {
    let source = Source::Kernel(capture);
    if client.trace.packets.is_empty() {
        return html! { <p class="hint client-packets">{ source.nothing(language) }</p> };
    }
    let trace = Some(Rc::new(with_replies(client)));
    let (tcp, udp) = if client.protocol == Protocol::Tcp { (trace, None) } else { (None, trace) };
    let traces: Traces = [tcp.clone(), udp.clone()];
    let caption = AttrValue::from(format!("{} {}", client.protocol.name(), client.peer));
    html! {
        <>
            <LadderCard key={client.key} {tcp} {udp} {source} {zone} {pointed} {on_point} caption={caption.clone()} />
            { packet_export(language, zone, &traces, &caption) }
        </>
    }
}

/// The packets; a reply has the number of what it answers, from 1.
fn with_replies(client: &RawClient) -> Trace {
    let mut trace = (*client.trace).clone();
    for sent in &mut trace.packets {
        let numbers = answers(client, sent);
        if let Some([first, last]) = numbers {
            let line = |number: u64| {
                let number = u32::try_from(number + 1).unwrap_or(u32::MAX);
                Line { send: 0, number }
            };
            let packet = &mut Rc::make_mut(sent).packet;
            packet.line = Some(line(first));
            packet.last_line = (first != last).then(|| line(last));
        }
    }
    trace
}

/// The first and the last read that a packet of the server answers, or the datagram.
fn answers(client: &RawClient, sent: &Sent) -> Option<[u64; 2]> {
    let is_placed = sent.seen.as_ref().is_some_and(|seen| seen.placed);
    if sent.packet.from == End::Client || !is_placed {
        return None;
    }
    let number = |exchange: &Exchange| exchange.number;
    match sent.packet.header {
        Header::Tcp { seq, length, .. } if length > 0 => {
            let begin = u64::from(seq.saturating_sub(1));
            let end = begin + u64::from(length);
            let reply = |exchange: &Exchange| {
                let stamps = STAMP_LEN as u64 * exchange.number;
                let from = exchange.offset + stamps;
                (from, from + (exchange.bytes + STAMP_LEN) as u64)
            };
            let mut own = client.exchanges.iter().filter(|exchange| {
                let (from, to) = reply(exchange);
                from < end && begin < to
            });
            let first = number(own.next()?);
            Some([first, own.next_back().map_or(first, number)])
        }
        Header::Udp { .. } => {
            let is_known = client.exchanges.iter().any(|it| it.number == sent.packet.number);
            is_known.then_some([sent.packet.number; 2])
        }
        Header::Tcp { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::{RawObservation, Side};

    use super::*;
    use crate::session::raw_clients::tests::{client, read_at, reply};
    use crate::session::sent::tests::{datagram, opening, segment};

    fn packet(captured: streamgram_protocol::Captured) -> RawObservation {
        RawObservation::Packet(Box::new(captured))
    }

    fn labels(client: &RawClient) -> Vec<String> {
        let trace = with_replies(client);
        trace.packets.iter().map(|sent| sent.label(Language::En)).collect()
    }

    #[test]
    fn segments_have_sizes_and_replies_the_numbers_of_their_reads() {
        let [syn, syn_ack] = opening();
        let client = client(
            Protocol::Tcp,
            [
                packet(syn),
                packet(syn_ack),
                RawObservation::Accepted {},
                packet(segment(Side::Client, 2, 1, 12)),
                read_at(0, 0, 5),
                reply(0),
                packet(segment(Side::Server, 1, 1, 32)),
                read_at(1, 5, 7),
                reply(1),
                packet(segment(Side::Server, 2, 33, 34)),
                packet(segment(Side::Server, 3, 1, 66)),
            ],
        );
        let labels = labels(&client);
        assert_eq!(labels, ["SYN", "SYN ACK", "12 bytes", "reply 1", "reply 2", "replies 1–2"]);
    }

    #[test]
    fn a_reply_to_a_datagram_is_not_named_once_a_packet_was_missed() {
        let taken = |number| RawObservation::Datagram { number, bytes: 5, kept: 5, data: None };
        let client = client(
            Protocol::Udp,
            [
                packet(datagram(Side::Client, 0, 5)),
                taken(0),
                packet(datagram(Side::Server, 0, 24)),
                RawObservation::PacketsMissed { count: 2 },
                taken(1),
                packet(datagram(Side::Server, 1, 24)),
            ],
        );
        assert_eq!(labels(&client), ["5 bytes", "reply 1", "24 bytes"]);
    }
}
