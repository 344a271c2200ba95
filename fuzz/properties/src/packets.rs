//! Packets that nobody sent, at the hosts of a lab that is at work.
//!
//! An input is a row of packets, each behind a head of three bytes: how it is delivered, and its length.

use std::sync::Arc;

use smoltcp::wire::{IpProtocol, Ipv4Packet, TcpPacket, UdpPacket};
use streamgram_lab::{Host, INBOX_BYTES, Lab, Micros, Options, Packet, TcpLab, UdpLab, pcapng};
use streamgram_protocol::{End, Line, Link};

/// Packets of one input; the rest is not read.
const PACKETS: usize = 32;
/// How long the labs then run. Two ends that were made to disagree may go on telling each other so.
const RUN: Micros = 60_000_000;
/// Far more steps than they can need in this time: smoltcp contradicts once a second.
const STEPS: usize = 20_000;
/// Writes of each end of the connection.
const WRITES: usize = 12;
const LINE: Line = Line { send: 1, number: 1 };

/// The head's bits: for the gateway instead of the client; with its checksums put right; to the lab of
/// datagrams; and so many steps before it.
const TO_GATEWAY: u8 = 1;
const REPAIR: u8 = 2;
const DATAGRAMS: u8 = 4;
const STEPS_SHIFT: u8 = 4;

/// Whatever a host is handed: nothing panics, nothing is kept without bound, and the labs do not go
/// mad about it; whatever a packet holds, it can be looked at and exported.
///
/// # Panics
/// One of these is not so.
pub fn lab_packets(input: &[u8]) {
    let link = Link { mtu: 576, ..Link::default() };
    let mut stream = TcpLab::open(&link, Options::default(), 0);
    let mut datagrams = UdpLab::open(&link, Options::default(), 0);
    let mut trace = Vec::new();
    let mut writes = [WRITES; 2];
    let mut talk = |lab: &mut TcpLab, now: Micros| talk(lab, now, &mut writes);
    for (how, packet) in packets(input) {
        let to = if how & TO_GATEWAY == 0 { End::Client } else { End::Gateway };
        let steps = usize::from(how >> STEPS_SHIFT);
        if how & DATAGRAMS == 0 {
            run(&mut stream, steps, &mut trace, &mut talk);
            let now = stream.next().unwrap_or(0);
            stream.inject(now, to, &packet);
        } else {
            // One that needs fragments.
            let _sent = datagrams.send(0, End::Client, &[7; 1_000], Some(LINE));
            run(&mut datagrams, steps, &mut trace, &mut answer);
            let now = datagrams.next().unwrap_or(0);
            datagrams.inject(now, to, &packet);
        }
        look_at(&trace, packet.into());
    }
    let steps = run(&mut stream, STEPS, &mut trace, &mut talk);
    assert!(steps < STEPS, "TCP: {:?}", End::BOTH.map(|end| stream.state(end)));
    let steps = run(&mut datagrams, STEPS, &mut trace, &mut answer);
    assert!(steps < STEPS, "UDP: {:?}", datagrams.next());
}

fn packets(mut input: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut packets = Vec::new();
    while let Some(([how, high, low], rest)) = input.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
        let (packet, rest) = rest.split_at(length);
        let mut packet = packet.to_vec();
        if how & REPAIR != 0 {
            repair(&mut packet);
        }
        packets.push((*how, packet));
        input = rest;
        if packets.len() == PACKETS {
            break;
        }
    }
    packets
}

/// Puts the checksums right, for what is behind them is hardly ever reached else.
fn repair(packet: &mut [u8]) {
    let Ok(mut ip) = Ipv4Packet::new_checked(packet) else { return };
    ip.fill_checksum();
    let (from, to) = (ip.src_addr().into(), ip.dst_addr().into());
    match ip.next_header() {
        IpProtocol::Tcp => {
            if let Ok(mut segment) = TcpPacket::new_checked(ip.payload_mut()) {
                segment.fill_checksum(&from, &to);
            }
        }
        IpProtocol::Udp => {
            if let Ok(mut datagram) = UdpPacket::new_checked(ip.payload_mut()) {
                datagram.fill_checksum(&from, &to);
            }
        }
        _ => {}
    }
}

/// Runs a lab and its applications for some steps, and says how many there were.
fn run<H: Host>(
    lab: &mut Lab<H>,
    steps: usize,
    trace: &mut Vec<Packet>,
    application: &mut dyn FnMut(&mut Lab<H>, Micros),
) -> usize {
    for step in 0..steps {
        let Some(now) = lab.next().filter(|now| *now < RUN) else { return step };
        lab.step(now);
        application(lab, now);
        *trace = lab.take_packets();
    }
    steps
}

/// Both ends of a connection write a little and read everything.
fn talk(lab: &mut TcpLab, now: Micros, writes: &mut [usize; 2]) {
    for end in End::BOTH {
        let read = lab.read(now, end);
        assert!(read.len() <= Options::default().buffer);
        let left = &mut writes[end as usize];
        if *left > 0 && lab.write(now, end, &[7; 700], Some(LINE)) > 0 {
            *left -= 1;
        }
    }
}

/// The gateway answers, the client reads.
fn answer(lab: &mut UdpLab, now: Micros) {
    let mut bytes = 0;
    while let Some(datagram) = lab.receive(End::Gateway) {
        bytes += datagram.bytes.len();
        let _sent = lab.send(now, End::Gateway, &datagram.bytes, Some(LINE));
    }
    while let Some(datagram) = lab.receive(End::Client) {
        bytes += datagram.bytes.len();
    }
    assert!(bytes <= 2 * INBOX_BYTES, "{bytes} bytes at once");
}

/// Shows the record of a packet with other bytes in it.
fn look_at(trace: &[Packet], bytes: Arc<[u8]>) {
    let Some(packet) = trace.last() else { return };
    let packet = Packet { bytes, ..packet.clone() };
    assert!(packet.payload().len() <= packet.bytes.len());
    for end in End::BOTH {
        let file = pcapng::write(std::slice::from_ref(&packet), end);
        assert!(file.len() <= 2 * packet.bytes.len() + 1_000);
    }
}
