//! What a lesson counts, as it was observed of the last send.

use streamgram_protocol::lesson::{Count, Figures};
use streamgram_protocol::{End, Header, Packet, Path, Protocol};

use crate::session::lane::Lane;
use crate::session::leg_run::{LegRun, Read, Status};
use crate::session::page::Page;

/// The figures of the last send, and of the packets of its leg from its opening on.
pub(crate) fn figures(page: &Page) -> Figures {
    let mut figures = Figures::default();
    for protocol in Protocol::BOTH {
        let lane = page.lane(protocol);
        let mut set = |count, value| figures.set(protocol, count, value);
        if let Some(send) = &lane.last_send {
            of_lines(send, &mut set);
        }
        // What was not told, or is not kept any more, cannot be counted.
        if lane.path == Path::Emulated && lane.trace.missed + lane.trace.dropped == 0 {
            of_packets(lane, &mut set);
        }
    }
    figures
}

fn of_lines(send: &LegRun, mut set: impl FnMut(Count, u64)) {
    set(Count::Lines, send.lines.len() as u64);
    set(Count::Answered, send.count(|status| matches!(status, Status::Answered { .. })));
    set(Count::OutOfOrder, send.overtaken);
    set(Count::Bytes, send.lines.iter().map(|line| line.bytes as u64).sum());
    let reads: Vec<&Read> = match send.protocol {
        Protocol::Tcp => send.own_reads().collect(),
        Protocol::Udp => send.reads.iter().collect(),
    };
    if send.left_out == 0 {
        set(Count::Reads, reads.len() as u64);
        set(Count::ReadBytes, reads.iter().map(|read| read.bytes as u64).sum());
    }
}

fn of_packets(lane: &Lane, mut set: impl FnMut(Count, u64)) {
    let packets = || lane.trace.packets.iter().map(|sent| &sent.packet);
    let count =
        |wanted: fn(&Packet) -> bool| packets().filter(|packet| wanted(packet)).count() as u64;
    let carries = |packet: &Packet| match packet.header {
        Header::Tcp { length, .. } => length > 0,
        Header::Udp { .. } => true,
    };
    let opening = packets().take_while(|packet| !carries(packet)).count();
    set(Count::OpeningPackets, opening as u64);
    let data = packets().filter(|packet| packet.from == End::Client && carries(packet)).count();
    set(Count::DataPackets, data as u64);
    set(Count::Packets, packets().count() as u64);
    set(Count::WireBytes, packets().map(|packet| u64::from(packet.bytes)).sum());
    set(Count::LostPackets, count(|packet| packet.arrives_us.is_none()));
    set(Count::SentAgain, count(|packet| packet.retransmission));
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::session::leg_run::tests::merged;
    use crate::session::trace::tests::segment;

    #[test]
    fn lines_and_packets_are_counted_where_they_are_seen() {
        let mut page = Page::new();
        let lane = Rc::make_mut(&mut page.tcp);
        lane.last_send = Some(merged());
        let figures = |page: &Page, count| figures(page).get(Protocol::Tcp, count);
        assert_eq!(figures(&page, Count::Lines), Some(5));
        assert_eq!(
            (figures(&page, Count::Reads), figures(&page, Count::ReadBytes)),
            (Some(3), Some(35))
        );
        assert_eq!(figures(&page, Count::Packets), None);

        let lane = Rc::make_mut(&mut page.tcp);
        lane.path = Path::Emulated;
        for (at, from, length) in
            [(0, End::Client, 0), (1, End::Gateway, 0), (2, End::Client, 7), (3, End::Gateway, 34)]
        {
            let mut packet = segment(from, at, at, at == 2).packet;
            if let Header::Tcp { length: bytes, .. } = &mut packet.header {
                *bytes = length;
            }
            lane.trace.push(1, at, packet);
        }
        let counted = [
            Count::OpeningPackets,
            Count::DataPackets,
            Count::Packets,
            Count::WireBytes,
            Count::LostPackets,
        ];
        assert_eq!(counted.map(|count| figures(&page, count)), [2, 1, 4, 160, 1].map(Some));
        Rc::make_mut(&mut page.tcp).trace.missed = 1;
        assert_eq!(figures(&page, Count::Packets), None);
        assert_eq!(super::figures(&page).get(Protocol::Udp, Count::Lines), None);
    }
}
