//! What a lesson counts, as it was observed of its run.

use streamgram_protocol::lesson::{Count, Figures};
use streamgram_protocol::{End, Header, Packet, Path, Protocol};

use crate::session::leg_run::{LegRun, Read, Status};
use crate::session::run::Run;

/// The figures of a run, and of the packets of its legs from their opening on.
pub(crate) fn figures(run: &Run) -> Figures {
    let mut figures = Figures::default();
    for leg in run.legs() {
        let mut set = |count, value| figures.set(leg.protocol, count, value);
        of_lines(leg, &mut set);
        // What was not told, or is not kept any more, cannot be counted.
        let is_known = leg.trace.missed + leg.trace.dropped == 0;
        if run.conditions.path == Path::Emulated && is_known {
            of_packets(leg, &mut set);
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

fn of_packets(leg: &LegRun, mut set: impl FnMut(Count, u64)) {
    let sent = || leg.trace.packets.iter().filter(|sent| sent.at_us <= leg.until_us());
    let packets = || sent().map(|sent| &sent.packet);
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
    use crate::session::run::Conditions;
    use crate::session::sent::Sent;
    use crate::session::trace::tests::segment;

    #[test]
    fn lines_and_packets_are_counted_where_they_are_seen() {
        let figures = |leg: &LegRun, path| {
            let conditions = Conditions { path, ..Conditions::default() };
            let (tcp, sends) = (Some(Rc::new(leg.clone())), Rc::default());
            super::figures(&Run { number: 1, at_us: None, sends, conditions, tcp, udp: None })
        };
        let mut leg = merged();
        let direct = figures(&leg, Path::Direct);
        let counted =
            [Count::Lines, Count::Reads, Count::ReadBytes].map(|it| direct.get(Protocol::Tcp, it));
        assert_eq!(counted, [Some(5), Some(3), Some(35)]);
        assert_eq!(direct.get(Protocol::Tcp, Count::Packets), None);

        let trace = Rc::make_mut(&mut leg.trace);
        for (at, from, length) in
            [(0, End::Client, 0), (1, End::Gateway, 0), (2, End::Client, 7), (3, End::Gateway, 34)]
        {
            let mut packet = segment(from, at, at, at == 2).packet;
            if let Header::Tcp { length: bytes, .. } = &mut packet.header {
                *bytes = length;
            }
            trace.push(1, Rc::new(Sent { at_us: at, packet, seen: None }));
        }
        let counted = [
            Count::OpeningPackets,
            Count::DataPackets,
            Count::Packets,
            Count::WireBytes,
            Count::LostPackets,
        ];
        let emulated = figures(&leg, Path::Emulated);
        let counted = counted.map(|it| emulated.get(Protocol::Tcp, it));
        assert_eq!(counted, [2, 1, 4, 160, 1].map(Some));
        Rc::make_mut(&mut leg.trace).missed = 1;
        let unknown = figures(&leg, Path::Emulated);
        assert_eq!(unknown.get(Protocol::Tcp, Count::Packets), None);
        assert_eq!(unknown.get(Protocol::Udp, Count::Lines), None);
    }
}
