//! Datagrams: fragments, numbers, limits, rules.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use streamgram_lab::{BadDatagram, Options, Packet, UdpLab};
use streamgram_protocol::{
    End, Header, Impairment, Line, Link, MAX_EMULATED_DATAGRAM, Percent, Rule,
};

const MS: u64 = 1_000;

fn delayed() -> Link {
    let way = Impairment { delay_ms: 20, ..Impairment::default() };
    Link { up: way, down: way, ..Link::default() }
}

/// An echo: what came back, by the number of the client's datagram.
#[derive(Default)]
struct Echo {
    /// The client's datagrams as the gateway received them.
    arrived: Vec<u64>,
    /// The number of the client's datagram for each reply, by the reply's number.
    asked: Vec<u64>,
    /// Client's number and bytes of each reply that came back.
    back: Vec<(u64, Vec<u8>)>,
    trace: Vec<Packet>,
}

impl Echo {
    fn run(&mut self, lab: &mut UdpLab, until: u64) {
        while let Some(now) = lab.next().filter(|now| *now <= until) {
            lab.step(now);
            while let Some(datagram) = lab.receive(End::Gateway) {
                self.arrived.push(datagram.number);
                let number = u32::try_from(datagram.number + 1).unwrap();
                let line = Line { send: 1, number };
                let reply = lab.send(now, End::Gateway, &datagram.bytes, Some(line)).unwrap();
                assert_eq!(reply, self.asked.len() as u64);
                self.asked.push(datagram.number);
            }
            while let Some(reply) = lab.receive(End::Client) {
                let asked = self.asked[usize::try_from(reply.number).unwrap()];
                self.back.push((asked, reply.bytes));
            }
            self.trace.extend(lab.take_packets());
        }
    }
}

fn payload(n: u64, length: usize) -> Vec<u8> {
    let seed = n.to_be_bytes();
    seed.iter().chain(seed.iter()).cycle().take(length).copied().collect()
}

fn burst(link: &Link, count: u64, length: usize) -> Echo {
    let mut lab = UdpLab::open(link, Options::default(), 0);
    let mut echo = Echo::default();
    for n in 0..count {
        let at = n * 20 * MS;
        echo.run(&mut lab, at);
        let line = Some(Line { send: 1, number: u32::try_from(n + 1).unwrap() });
        assert_eq!(lab.send(at, End::Client, &payload(n, length), line), Ok(n));
    }
    echo.run(&mut lab, 600_000 * MS);
    echo
}

#[test]
fn every_length_up_to_the_limit_arrives_at_every_mtu() {
    for mtu in [576, 577, 580, 1_500, 8_191, 8_192, 9_000] {
        let mut lab = UdpLab::open(&Link { mtu, ..Link::default() }, Options::default(), 0);
        let mut echo = Echo::default();
        let lengths: Vec<usize> = (0..10)
            .chain(540..570)
            .chain([1_471, 1_472, 1_473, 8_163, MAX_EMULATED_DATAGRAM])
            .collect();
        for (n, length) in (0..).zip(&lengths) {
            assert_eq!(lab.send(n * MS, End::Client, &payload(n, *length), None), Ok(n));
            echo.run(&mut lab, n * MS);
        }
        echo.run(&mut lab, 10_000 * MS);
        let sent: Vec<_> =
            (0..).zip(&lengths).map(|(n, length)| (n, payload(n, *length))).collect();
        assert_eq!(echo.back, sent, "MTU {mtu}");
        assert!(echo.trace.iter().all(|packet| packet.bytes.len() <= usize::from(mtu)));
    }
}

#[test]
fn one_byte_too_many_is_refused_with_the_limit() {
    let mut lab = UdpLab::open(&Link::default(), Options::default(), 0);
    let error = lab.send(0, End::Client, &[0; MAX_EMULATED_DATAGRAM + 1], None).unwrap_err();
    assert_eq!(error, BadDatagram::TooLong(8_165));
    assert_eq!(error.to_string(), "datagram is 8165 bytes, the limit on an emulated path is 8164");
}

#[test]
fn what_does_not_fit_into_the_queue_is_refused_and_nothing_is_lost() {
    let mut lab = UdpLab::open(&Link::default(), Options::default(), 0);
    let taken = (0..20)
        .take_while(|_| lab.send(0, End::Client, &[7; MAX_EMULATED_DATAGRAM], None).is_ok())
        .count();
    assert_eq!(taken, streamgram_lab::QUEUE_BYTES / MAX_EMULATED_DATAGRAM);
    assert_eq!(lab.send(0, End::Client, &[7; 1_000], None), Err(BadDatagram::QueueFull));
    let mut echo = Echo::default();
    echo.run(&mut lab, 1_000 * MS);
    assert_eq!(echo.back.len(), taken);
}

#[test]
fn a_rule_takes_its_line_and_nothing_else() {
    let rules = vec![
        Rule::LoseLine { line: 3, packet: None },
        Rule::LoseReply { line: 5 },
        Rule::LoseLine { line: 7, packet: Some(2) },
    ];
    for (length, packets) in [(10, 1), (1_500, 3)] {
        let echo = burst(&Link { mtu: 576, rules: rules.clone(), ..delayed() }, 8, length);
        let back: Vec<u64> = echo.back.iter().map(|(asked, _)| asked + 1).collect();
        let lost = echo.trace.iter().filter(|packet| packet.deliver_at.is_none());
        let lost: Vec<_> =
            lost.map(|packet| (packet.from, packet.lines.unwrap()[0].number)).collect();
        let mut expected = vec![(End::Client, 3); packets];
        expected.extend(vec![(End::Gateway, 5); packets]);
        if packets > 1 {
            expected.push((End::Client, 7));
            assert_eq!(back, [1, 2, 4, 6, 8]);
        } else {
            // It has no second packet.
            assert_eq!(back, [1, 2, 4, 6, 7, 8]);
        }
        assert_eq!(lost, expected);
    }
}

#[test]
fn the_fragments_of_a_datagram_say_so() {
    let echo = burst(&Link { mtu: 576, ..delayed() }, 1, 1_500);
    let up = echo.trace.iter().filter(|packet| packet.from == End::Client);
    let fragments: Vec<_> = up
        .map(|packet| match packet.header {
            Header::Udp { offset, more, length, .. } => {
                assert_eq!(packet.payload().len(), usize::from(length));
                (offset, more, length)
            }
            Header::Tcp { .. } => panic!(),
        })
        .collect();
    assert_eq!(fragments, [(0, true, 544), (552, true, 552), (1_104, false, 404)]);
}

#[test]
fn numbers_survive_loss_duplicates_and_reordering() {
    let way = Impairment {
        delay_ms: 50,
        jitter_ms: 40,
        loss: Percent::whole(5),
        duplicate: Percent::whole(20),
        reorder: Percent::whole(20),
        ..Impairment::default()
    };
    for length in [20, 1_500] {
        let echo = burst(&Link { mtu: 576, up: way, down: way, ..Link::default() }, 500, length);
        assert!(echo.back.iter().all(|(asked, bytes)| *bytes == payload(*asked, length)));
        assert!(echo.arrived.windows(2).any(|pair| pair[0] > pair[1]), "one overtakes");
        let mut distinct = echo.arrived.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert!(echo.arrived.len() > distinct.len(), "a copy arrives");
        // Each of its packets must arrive, or its copy; a copy shares the fate of its original.
        let packets = length.div_ceil(552).max(1);
        let chance = 0.95_f64.powi(i32::try_from(packets).unwrap());
        let share = f64::from(u32::try_from(distinct.len()).unwrap()) / 500.0;
        assert!((share - chance).abs() < 0.04, "{share} of {chance} with {length} bytes");
    }
}

#[test]
fn a_full_queue_drops_what_does_not_fit() {
    let up = Impairment { rate_kbit: 8, limit: 10, ..Impairment::default() };
    let link = Link { up, ..Link::default() };
    let echo = burst(&link, 100, 100);
    let lost = echo.trace.iter().filter(|packet| packet.deliver_at.is_none()).count();
    // 128 ms each, one every 20 ms: about as many get through as take that long.
    assert_eq!((lost, echo.back.len()), (75, 25));
}

#[test]
fn a_burst_of_fragmented_datagrams_arrives_whole_however_its_fragments_mix() {
    let way = Impairment { delay_ms: 50, jitter_ms: 50, ..Impairment::default() };
    let link = Link { mtu: 576, up: way, down: way, ..Link::default() };
    let mut lab = UdpLab::open(&link, Options::default(), 0);
    for n in 0..40 {
        assert_eq!(lab.send(0, End::Client, &payload(n, 1_500), None), Ok(n));
    }
    let mut echo = Echo::default();
    echo.run(&mut lab, 10_000 * MS);
    assert_eq!(echo.back.len(), 40);
    assert!(echo.back.iter().all(|(asked, bytes)| *bytes == payload(*asked, 1_500)));
}
