//! Connections: how they begin and end, and which packets the rules take.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use streamgram_lab::{Mark, Options, Packet, State, TcpLab};
use streamgram_protocol::{End, Header, Impairment, Line, Link, Percent, Rule, Verdict};

const MS: u64 = 1_000;
const LINES: u32 = 5;

fn delayed() -> Link {
    let way = Impairment { delay_ms: 20, ..Impairment::default() };
    Link { up: way, down: way, ..Link::default() }
}

/// Steps until `until`, with a reply to every line of a burst; returns the trace and the replies.
struct Driver {
    lab: TcpLab,
    trace: Vec<Packet>,
    replies: Vec<u8>,
}

impl Driver {
    fn new(link: &Link) -> Self {
        let lab = TcpLab::open(link, Options::default(), 0);
        Self { lab, trace: Vec::new(), replies: Vec::new() }
    }

    /// Lets the gateway answer each line of four bytes until then.
    fn run(&mut self, until: u64) {
        while let Some(now) = self.lab.next().filter(|now| *now <= until) {
            self.lab.step(now);
            for line in self.lab.read(now, End::Gateway).chunks_exact(4) {
                let number = std::str::from_utf8(&line[..3]).unwrap().parse().unwrap();
                let line = Line { send: 1, number };
                let reply = format!("re {number}\n");
                assert_eq!(
                    self.lab.write(now, End::Gateway, reply.as_bytes(), Some(line)),
                    reply.len()
                );
            }
            self.replies.extend(self.lab.read(now, End::Client));
            self.trace.extend(self.lab.take_packets());
        }
    }

    /// A burst, 20 ms between two lines, and time enough for everything to arrive.
    fn burst(&mut self, send: u64) {
        let start = self.lab.next().unwrap_or(0).max(1_000 * MS * send);
        for number in 1..=LINES {
            let at = start + u64::from(number) * 20 * MS;
            self.run(at);
            let text = format!("{number:03}\n");
            let line = Some(Line { send, number });
            assert_eq!(self.lab.write(at, End::Client, text.as_bytes(), line), 4);
        }
        self.run(start + 20_000 * MS);
    }

    fn lost(&self) -> Vec<&Packet> {
        self.trace.iter().filter(|packet| packet.deliver_at.is_none()).collect()
    }

    /// How often each end's bytes of a line were on the wire.
    fn copies(&self, from: End, line: Line) -> usize {
        let carries = |packet: &&Packet| {
            packet.from == from && packet.lines.is_some_and(|[a, b]| a <= line && line <= b)
        };
        self.trace.iter().filter(carries).count()
    }

    fn flags(&self, from: End, fin: bool) -> usize {
        let has = |packet: &&Packet| match packet.header {
            Header::Tcp { flags, .. } => {
                packet.from == from && (flags.fin && fin || flags.rst && !fin)
            }
            Header::Udp { .. } => false,
        };
        self.trace.iter().filter(has).count()
    }
}

fn all_replies() -> Vec<u8> {
    (1..=LINES).flat_map(|n| format!("re {n}\n").into_bytes()).collect()
}

#[test]
fn a_rule_takes_the_first_copy_of_its_line_and_nothing_else() {
    for n in 1..=LINES {
        let rules = vec![Rule::LoseLine { line: n, packet: None }];
        let mut driver = Driver::new(&Link { rules, ..delayed() });
        driver.burst(1);
        let [lost] = driver.lost()[..] else { panic!("line {n}: {:?}", driver.lost()) };
        let line = Line { send: 1, number: n };
        assert_eq!((lost.from, lost.lines), (End::Client, Some([line; 2])));
        assert_eq!(lost.verdict, Verdict::LostByRule);
        assert_eq!(lost.payload(), format!("{n:03}\n").as_bytes());
        assert!(driver.copies(End::Client, line) >= 2);
        assert_eq!(driver.replies, all_replies());
    }
}

#[test]
fn a_rule_takes_the_reply_to_its_line_and_nothing_else() {
    for n in 1..=LINES {
        let rules = vec![Rule::LoseReply { line: n }];
        let mut driver = Driver::new(&Link { rules, ..delayed() });
        driver.burst(1);
        let [lost] = driver.lost()[..] else { panic!("line {n}: {:?}", driver.lost()) };
        let line = Line { send: 1, number: n };
        assert_eq!((lost.from, lost.lines), (End::Gateway, Some([line; 2])));
        assert_eq!(lost.payload(), format!("re {n}\n").as_bytes());
        assert_eq!(driver.replies, all_replies());
    }
}

#[test]
fn a_rule_applies_anew_to_every_send() {
    let rules = vec![Rule::LoseLine { line: 2, packet: None }];
    let mut driver = Driver::new(&Link { rules, ..delayed() });
    driver.burst(1);
    driver.burst(2);
    let lost: Vec<_> = driver.lost().iter().map(|packet| packet.lines.unwrap()[0]).collect();
    assert_eq!(lost, [Line { send: 1, number: 2 }, Line { send: 2, number: 2 }]);
}

#[test]
fn a_rule_can_take_one_packet_of_a_line_that_comes_in_pieces() {
    for nth in 1..=3 {
        let rules = vec![Rule::LoseLine { line: 1, packet: Some(nth) }];
        let link = Link { mtu: 576, rules, ..delayed() };
        let mut driver = Driver::new(&link);
        driver.run(1_000 * MS);
        let text: Vec<u8> = (0..375).flat_map(|n| format!("{n:03}\n").into_bytes()).collect();
        let line = Some(Line { send: 1, number: 1 });
        for piece in text.chunks(700) {
            let taken = driver.lab.write(1_000 * MS, End::Client, piece, line);
            assert_eq!(taken, piece.len());
        }
        driver.run(20_000 * MS);
        let [lost] = driver.lost()[..] else { panic!("{:?}", driver.lost()) };
        let Header::Tcp { seq, .. } = lost.header else { panic!() };
        assert_eq!(seq, 1 + (nth - 1) * 536);
        assert_eq!(driver.replies.iter().filter(|byte| **byte == b'\n').count(), 375);
    }
}

#[test]
fn a_blackout_counts_from_the_first_line_and_takes_everything_in_it() {
    let rules = vec![Rule::BlackOut { from_ms: 30, to_ms: 3_000 }];
    let mut driver = Driver::new(&Link { rules, ..delayed() });
    driver.burst(1);
    let first = driver.trace.iter().find(|packet| packet.lines.is_some()).unwrap().sent_at;
    for packet in &driver.trace {
        let dark = (30 * MS..3_000 * MS).contains(&packet.sent_at.saturating_sub(first));
        assert_eq!(packet.verdict == Verdict::LostInBlackOut, dark, "{packet:?}");
    }
    assert!(driver.lost().len() > 3);
    assert_eq!(driver.replies, all_replies());
}

#[test]
fn fin_passes_both_ways_and_what_was_sent_before_arrives() {
    let mut driver = Driver::new(&delayed());
    driver.run(100 * MS);
    assert_eq!(driver.lab.write(100 * MS, End::Client, b"001\n", None), 4);
    driver.lab.close(100 * MS, End::Client);
    driver.run(200 * MS);
    assert_eq!(driver.lab.state(End::Gateway), State::PeerClosed);
    assert_eq!(driver.lab.state(End::Client), State::Closing);
    assert_eq!(driver.replies, b"re 1\n");
    driver.lab.close(200 * MS, End::Gateway);
    driver.run(300 * MS);
    assert_eq!(End::BOTH.map(|end| driver.lab.state(end)), [State::Closed; 2]);
    assert_eq!(End::BOTH.map(|end| driver.flags(end, true)), [1, 1]);
}

#[test]
fn the_gateway_can_close_first() {
    let mut driver = Driver::new(&delayed());
    driver.run(100 * MS);
    driver.lab.close(100 * MS, End::Gateway);
    driver.run(200 * MS);
    assert_eq!(driver.lab.state(End::Client), State::PeerClosed);
    driver.lab.close(200 * MS, End::Client);
    driver.run(300 * MS);
    assert_eq!(End::BOTH.map(|end| driver.lab.state(end)), [State::Closed; 2]);
}

#[test]
fn rst_passes_both_ways() {
    for end in End::BOTH {
        let mut driver = Driver::new(&delayed());
        driver.run(100 * MS);
        assert_eq!(driver.lab.state(end.peer()), State::Open);
        driver.lab.reset(100 * MS, end);
        driver.run(200 * MS);
        assert_eq!(End::BOTH.map(|end| driver.lab.state(end)), [State::Reset; 2]);
        assert_eq!(driver.flags(end, false), 1);
    }
}

#[test]
fn a_handshake_that_nobody_answers_is_given_up_when_it_is_said() {
    let up = Impairment { loss: Percent::whole(100), ..Impairment::default() };
    let mut driver = Driver::new(&Link { up, ..Link::default() });
    driver.run(30_000 * MS - 1);
    assert_eq!(driver.lab.state(End::Client), State::Connecting);
    driver.run(30_000 * MS);
    assert_eq!(driver.lab.state(End::Client), State::TimedOut);
    let sent: Vec<u64> = driver.trace.iter().map(|packet| packet.sent_at / MS).collect();
    // SYNs at doubling distances, then RST.
    assert_eq!(sent, [0, 1_000, 3_000, 7_000, 15_000, 30_000]);
    assert_eq!(driver.lab.next(), None);
}

#[test]
fn data_that_nobody_acknowledges_is_given_up_when_it_is_said() {
    let mut driver = Driver::new(&delayed());
    driver.run(100_000 * MS);
    assert_eq!(driver.trace.len(), 3, "an idle connection is quiet");
    let up = Impairment { loss: Percent::whole(100), ..Impairment::default() };
    driver.lab.set_link(&Link { up, ..delayed() });
    assert_eq!(driver.lab.write(100_000 * MS, End::Client, b"001\n", None), 4);
    driver.run(130_000 * MS - 1);
    assert_eq!(driver.lab.state(End::Client), State::Open);
    driver.run(130_000 * MS);
    assert_eq!(driver.lab.state(End::Client), State::TimedOut);
}

#[test]
fn nagle_holds_back_what_nodelay_sends() {
    let segments = |nodelay| {
        let options = Options { nodelay, ..Options::default() };
        let mut lab = TcpLab::open(&delayed(), options, 0);
        while let Some(now) = lab.next().filter(|now| *now < 100 * MS) {
            lab.step(now);
        }
        for n in 0..10 {
            assert_eq!(lab.write(100 * MS + n, End::Client, b"x", None), 1);
            lab.step(100 * MS + n);
        }
        while let Some(now) = lab.next().filter(|now| *now < 1_000 * MS) {
            lab.step(now);
            let _echo = lab.read(now, End::Gateway);
        }
        let trace = lab.take_packets();
        trace.iter().filter(|packet| !packet.payload().is_empty()).count()
    };
    assert_eq!(segments(true), 10);
    assert_eq!(segments(false), 2);
}

#[test]
fn three_duplicate_acks_make_a_fast_retransmission() {
    let rules = vec![Rule::LoseLine { line: 1, packet: None }];
    let mut driver = Driver::new(&Link { rules, ..delayed() });
    driver.burst(1);
    let count = |mark| driver.trace.iter().filter(|packet| packet.mark == Some(mark)).count();
    assert!(count(Mark::DuplicateAck) >= 3);
    let again = driver.trace.iter().find(|packet| packet.mark == Some(Mark::Retransmission));
    let first = driver.lost()[0].sent_at;
    // Line 4 is the third behind the hole: 60 ms later, 40 ms there and back, and 1 us through the
    // bottleneck each way.
    assert_eq!(again.unwrap().sent_at - first, (3 * 20 + 40) * MS + 2);
}
