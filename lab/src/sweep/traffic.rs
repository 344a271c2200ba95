//! What a sweep sends over its link: one run of one kind of traffic, which gives one number.

use streamgram_protocol::{Congestion, End, Impairment, Link, Percent};

use super::setting::Setting;
use crate::dice::Dice;
use crate::{Micros, Options, TcpLab, UdpLab, bulk};

/// Lines of an exchange.
pub const LINES: u32 = 20;
/// A transfer is over after so many packets, so that no run is long to wait for.
pub const PACKETS: u64 = 50_000;
/// Or after so many simulated seconds, where loss leaves few packets to send.
pub const SECONDS: u64 = 1_000;
/// Datagrams of one run; they say more of their share than a transfer does of its rate.
pub const DATAGRAMS: u32 = 10_000;
/// Bytes of each of a transfer's socket buffers: they must be no bottleneck.
pub const BUFFER: usize = 256 * 1024;

const SECOND: Micros = 1_000_000;
/// What lies between two datagrams: far more than the link needs for one.
const PACE: Micros = 10_000;
/// An exchange that is not over by now counts as this long. Nobody gives up before: of ten tries in a
/// row, the timeout of the last is a minute.
const PATIENCE: Micros = 3_600 * SECOND;
/// What is in a line; what matters is that it fits into one packet.
const LINE: &[u8] = b"what time is it?";

/// A kind of traffic.
#[derive(Debug, Clone, Copy)]
pub(super) enum Traffic {
    /// The client sends over TCP without end; bits a second that the server read.
    Bulk(Congestion),
    /// The client sends datagrams; the share of them that arrived.
    Datagrams,
    /// Over TCP, each line when the reply to the one before is there; seconds to the last reply.
    TcpLines,
    /// Over UDP, a line every round trip; how many were answered.
    UdpLines,
}

impl Traffic {
    /// Runs it once, at this loss.
    pub(super) fn run(self, setting: &Setting, loss: Percent, run: u64) -> f64 {
        let link = link(setting, loss, run);
        match self {
            Self::Bulk(congestion) => bulk(&Link { congestion, ..link }),
            Self::Datagrams => datagrams(&link, setting.mss),
            Self::TcpLines => tcp_lines(&both_ways(link)),
            Self::UdpLines => udp_lines(&both_ways(link), setting.rtt_ms * 1_000),
        }
    }
}

/// A link that loses what goes to the server and nothing of what comes back, with an ACK for every segment, as
/// the models have it.
fn link(setting: &Setting, loss: Percent, run: u64) -> Link {
    // Checked: both are small.
    let rtt_ms = u32::try_from(setting.rtt_ms).unwrap_or(u32::MAX);
    let mtu = u16::try_from(setting.mss + 40).unwrap_or(u16::MAX);
    let up = Impairment { delay_ms: rtt_ms / 2, loss, ..Impairment::default() };
    let down = Impairment { delay_ms: rtt_ms - rtt_ms / 2, ..Impairment::default() };
    let seed = Dice::new(setting.seed).link_seed(run);
    Link { seed, mtu, delayed_ack: false, up, down, ..Link::default() }
}

/// The same link, which also loses on the way back.
fn both_ways(link: Link) -> Link {
    let down = Impairment { loss: link.up.loss, ..link.down };
    Link { down, ..link }
}

fn bulk(link: &Link) -> f64 {
    let until = SECONDS * SECOND;
    // Full segments: with TCP_NODELAY, smoltcp fills a window that is not a multiple of the segment
    // size with small ones.
    let options = Options { give_up: 2 * until, nodelay: false, buffer: BUFFER };
    bulk::one_way_of(link, options, PACKETS, until, &mut |_| {}).goodput()
}

fn datagrams(link: &Link, bytes: u64) -> f64 {
    let mut lab = UdpLab::open(link, Options::default(), 0);
    let payload = vec![0; usize::try_from(bytes).unwrap_or(0)];
    let mut arrived = 0;
    let mut server = |lab: &mut UdpLab, _| {
        while lab.receive(End::Gateway).is_some() {
            arrived += 1;
        }
    };
    for number in 0..DATAGRAMS {
        drive(&mut lab, u64::from(number) * PACE, &mut server);
        // One at a time always fits.
        let _number = lab.send(u64::from(number) * PACE, End::Client, &payload, None);
    }
    drive(&mut lab, Micros::MAX, &mut server);
    f64::from(arrived) / f64::from(DATAGRAMS)
}

fn udp_lines(link: &Link, round_trip: Micros) -> f64 {
    let mut lab = UdpLab::open(link, Options::default(), 0);
    let mut answered = 0;
    let mut both = |lab: &mut UdpLab, now| {
        while let Some(line) = lab.receive(End::Gateway) {
            let _number = lab.send(now, End::Gateway, &line.bytes, None);
        }
        while lab.receive(End::Client).is_some() {
            answered += 1;
        }
    };
    for number in 0..LINES {
        drive(&mut lab, u64::from(number) * round_trip, &mut both);
        let _number = lab.send(u64::from(number) * round_trip, End::Client, LINE, None);
    }
    drive(&mut lab, Micros::MAX, &mut both);
    f64::from(answered)
}

/// Steps a lab until then, or until nothing is under way, with the application after each step.
fn drive(lab: &mut UdpLab, until: Micros, application: &mut dyn FnMut(&mut UdpLab, Micros)) {
    while let Some(now) = lab.next().filter(|now| *now <= until) {
        lab.step(now);
        lab.drain_packets().for_each(drop);
        application(lab, now);
    }
}

fn tcp_lines(link: &Link) -> f64 {
    let options = Options { give_up: 2 * PATIENCE, ..Options::default() };
    let mut lab = TcpLab::open(link, options, 0);
    let (mut sent, mut back) = (0, 0);
    while let Some(now) = lab.next().filter(|now| *now < PATIENCE) {
        lab.step(now);
        lab.drain_packets().for_each(drop);
        let line = lab.read(now, End::Gateway);
        lab.write(now, End::Gateway, &line, None);
        back += lab.read(now, End::Client).len();
        if back == LINES as usize * LINE.len() {
            return seconds(now);
        }
        if back == sent {
            // Nothing is taken before the handshake is over.
            sent += lab.write(now, End::Client, LINE, None);
        }
    }
    seconds(PATIENCE)
}

#[expect(clippy::cast_precision_loss, reason = "hours are far below 2^53 us")]
fn seconds(time: Micros) -> f64 {
    time as f64 / 1e6
}
