//! Everything that a client can ask of a lab, one message on a line, in any order, while TCP and UDP
//! run over it.

use std::collections::VecDeque;

use streamgram_lab::{Micros, Options, Packet, State, TcpLab, UdpLab};
use streamgram_protocol::{
    ClientMessage, Close, How, Limits, Line, Link, MAX_EMULATED_DATAGRAM, Open, Protocol, Send,
    SetLink,
};
use streamgram_protocol::{End, Nodelay};

/// Messages of one input; the rest is not read.
const MESSAGES: usize = 32;
/// Lines that one send may bring, and bytes of one.
const LINES: u32 = 16;
const LINE_BYTES: usize = 3_000;
/// Bytes that one lab may be given: twice a socket buffer.
const LAB_BYTES: usize = 32 * 1024;
/// Steps between two messages: few, so that knobs are turned while packets are under way.
const STEPS_BETWEEN: usize = 40;
/// Far more steps than so few bytes can need before both ends are done or have given up.
const STEPS_TO_SILENCE: usize = 200_000;

/// Whatever is asked of a lab in whatever order: what arrives is what was sent, nothing is larger than
/// the link carries, time never runs back, and in the end the lab falls silent.
///
/// # Panics
/// One of these is not so.
pub fn lab_knobs(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let limits = Limits::default();
    let messages = text.lines().filter_map(|line| ClientMessage::decode(line, &limits).ok());
    let mut stream = Stream::open(&Link::default(), true);
    let mut datagrams = Datagrams::open(&Link::default());
    for message in messages.take(MESSAGES) {
        match message {
            ClientMessage::Open(Open { protocol: Protocol::Tcp, link, nodelay, .. }) => {
                stream.finish();
                stream = Stream::open(&link.unwrap_or_default(), nodelay.unwrap_or(true));
            }
            ClientMessage::Open(Open { protocol: Protocol::Udp, link, .. }) => {
                datagrams.finish();
                datagrams = Datagrams::open(&link.unwrap_or_default());
            }
            ClientMessage::Link(SetLink { protocol: Protocol::Tcp, link }) => {
                stream.lab.set_link(&link);
            }
            ClientMessage::Link(SetLink { protocol: Protocol::Udp, link }) => {
                datagrams.lab.set_link(&link);
            }
            ClientMessage::Nodelay(Nodelay { on }) => stream.lab.set_nodelay(stream.now, on),
            ClientMessage::Close(Close { protocol: Protocol::Tcp, how }) => stream.close(how),
            ClientMessage::Send(send) => {
                for (protocol, line, bytes) in lines(&send) {
                    match protocol {
                        Protocol::Tcp => stream.send(line, bytes),
                        Protocol::Udp => datagrams.send(line, &bytes),
                    }
                }
            }
            ClientMessage::Close(Close { protocol: Protocol::Udp, .. })
            | ClientMessage::Stop(_)
            | ClientMessage::Watch(_)
            | ClientMessage::Room(_)
            | ClientMessage::Ping(_) => {}
        }
        for _ in 0..STEPS_BETWEEN {
            let _goes_on = stream.step();
            let _goes_on = datagrams.step();
        }
    }
    stream.finish();
    datagrams.finish();
}

/// The lines of a send, each for one leg.
fn lines(send: &Send) -> impl Iterator<Item = (Protocol, Line, Vec<u8>)> {
    (1..=send.count.min(LINES)).flat_map(move |number| {
        let bytes = send.line(number).expect("it was checked");
        let bytes = bytes[..bytes.len().min(LINE_BYTES)].to_vec();
        let line = Line { send: send.id, number };
        send.to.protocols().iter().map(move |protocol| (*protocol, line, bytes.clone()))
    })
}

/// A connection whose gateway sends back what it reads.
struct Stream {
    lab: TcpLab,
    mtu: usize,
    now: Micros,
    waiting: VecDeque<(Line, Vec<u8>)>,
    given: usize,
    /// What the client's end has taken.
    sent: Vec<u8>,
    at_gateway: usize,
    passed_on: usize,
    back: usize,
    line: Option<Line>,
}

impl Stream {
    fn open(link: &Link, nodelay: bool) -> Self {
        let options = Options { nodelay, ..Options::default() };
        Self {
            lab: TcpLab::open(link, options, 0),
            mtu: link.mtu.into(),
            now: 0,
            waiting: VecDeque::new(),
            given: 0,
            sent: Vec::new(),
            at_gateway: 0,
            passed_on: 0,
            back: 0,
            line: None,
        }
    }

    fn send(&mut self, line: Line, bytes: Vec<u8>) {
        if !bytes.is_empty() && self.given + bytes.len() <= LAB_BYTES {
            self.given += bytes.len();
            self.waiting.push_back((line, bytes));
        }
    }

    fn close(&mut self, how: How) {
        match how {
            How::Half | How::Close => self.lab.close(self.now, End::Client),
            How::Reset => self.lab.reset(self.now, End::Client),
        }
    }

    /// One step, and what the applications of both ends do after it; false once there is none to do.
    fn step(&mut self) -> bool {
        self.write();
        let Some(now) = self.lab.next() else { return false };
        assert!(now >= self.now, "from {} back to {now}", self.now);
        self.now = now;
        self.lab.step(now);
        let arrived = self.lab.read(now, End::Gateway);
        self.at_gateway = same(&self.sent, self.at_gateway, &arrived);
        let back = self.lab.read(now, End::Client);
        self.back = same(&self.sent[..self.passed_on], self.back, &back);
        look_at(&self.lab.take_packets(), self.mtu);
        true
    }

    fn write(&mut self) {
        while let Some((line, bytes)) = self.waiting.front_mut() {
            let taken = self.lab.write(self.now, End::Client, bytes, Some(*line));
            self.sent.extend(bytes.drain(..taken));
            self.line = Some(*line);
            if !bytes.is_empty() {
                break;
            }
            self.waiting.pop_front();
        }
        let owed = &self.sent[self.passed_on..self.at_gateway];
        if !owed.is_empty() {
            self.passed_on += self.lab.write(self.now, End::Gateway, owed, self.line);
        }
    }

    /// Closes both ends when they are done, and runs until nothing is left to happen.
    fn finish(&mut self) {
        let mut open = End::BOTH.into_iter();
        for _ in 0..STEPS_TO_SILENCE {
            if self.step() {
                continue;
            }
            // Silent: the client has sent what it could, or has given up; then the gateway likewise.
            let Some(end) = open.next() else {
                self.is_over();
                return;
            };
            self.lab.close(self.now, end);
        }
        let states = End::BOTH.map(|end| self.lab.state(end));
        panic!("TCP goes on after {STEPS_TO_SILENCE} steps: {states:?}, {:?}", self.lab.link());
    }

    /// Whoever closed in order has everything.
    fn is_over(&self) {
        if End::BOTH.map(|end| self.lab.state(end)) == [State::Closed; 2] {
            assert_eq!(self.at_gateway, self.sent.len(), "{:?}", self.lab.link());
        }
    }
}

/// Datagrams that the gateway sends back.
struct Datagrams {
    lab: UdpLab,
    mtu: usize,
    now: Micros,
    given: usize,
    sent: Vec<Vec<u8>>,
    /// Which datagram each of the gateway's answers, by its own number.
    answers: Vec<usize>,
}

impl Datagrams {
    fn open(link: &Link) -> Self {
        Self {
            lab: UdpLab::open(link, Options::default(), 0),
            mtu: link.mtu.into(),
            now: 0,
            given: 0,
            sent: Vec::new(),
            answers: Vec::new(),
        }
    }

    fn send(&mut self, line: Line, bytes: &[u8]) {
        if self.given + bytes.len() > LAB_BYTES || bytes.len() > MAX_EMULATED_DATAGRAM {
            return;
        }
        self.given += bytes.len();
        // A full queue refuses, and then nothing was sent.
        if let Ok(number) = self.lab.send(self.now, End::Client, bytes, Some(line)) {
            assert_eq!(number, self.sent.len() as u64);
            self.sent.push(bytes.to_vec());
        }
    }

    fn step(&mut self) -> bool {
        let Some(now) = self.lab.next() else { return false };
        assert!(now >= self.now, "from {} back to {now}", self.now);
        self.now = now;
        self.lab.step(now);
        while let Some(datagram) = self.lab.receive(End::Gateway) {
            let number = usize::try_from(datagram.number).expect("a small number");
            assert_eq!(datagram.bytes, self.sent[number]);
            let line = Line { send: 1, number: 1 };
            if self.lab.send(now, End::Gateway, &datagram.bytes, Some(line)).is_ok() {
                self.answers.push(number);
            }
        }
        while let Some(datagram) = self.lab.receive(End::Client) {
            let number = usize::try_from(datagram.number).expect("a small number");
            assert_eq!(datagram.bytes, self.sent[self.answers[number]]);
        }
        look_at(&self.lab.take_packets(), self.mtu);
        true
    }

    fn finish(&mut self) {
        for _ in 0..STEPS_TO_SILENCE {
            if !self.step() {
                return;
            }
        }
        panic!("UDP goes on after {STEPS_TO_SILENCE} steps: {:?}", self.lab.link());
    }
}

/// Checks that what arrived is what was sent from there on, and says how far it goes.
fn same(sent: &[u8], from: usize, arrived: &[u8]) -> usize {
    let to = from + arrived.len();
    assert_eq!(sent.get(from..to), Some(arrived), "at {from} of {}", sent.len());
    to
}

fn look_at(packets: &[Packet], mtu: usize) {
    for packet in packets {
        assert!(packet.bytes.len() <= mtu, "{packet:?}");
        assert!(packet.payload().len() < packet.bytes.len());
        let times = [packet.deliver_at, packet.duplicate_at];
        assert!(times.into_iter().flatten().all(|at| at >= packet.sent_at), "{packet:?}");
    }
}
