//! A lab: two hosts, the wire between them, and what is recorded of it.

use std::{mem, vec};

use streamgram_protocol::{End, Line, Link};

use crate::Micros;
use crate::dice::Dice;
use crate::flow::{Flow, Seen};
use crate::host::{BadDatagram, Datagram, Host, Outgoing, State, Tcp, Udp};
use crate::record::Packet;
use crate::script::Script;
use crate::wire::Wire;

/// How soon a stack is asked again that says it has something to send and then sends nothing.
const ASK_AGAIN: Micros = 1_000;

/// A lab with a TCP connection: the client connects at once, the gateway accepts by itself.
pub type TcpLab = Lab<Tcp>;
/// A lab for datagrams.
pub type UdpLab = Lab<Udp>;

/// What a leg asks of its lab, beside the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How long an end waits for a sign of life while something of its own is unanswered, the
    /// handshake included; then the connection is [`State::TimedOut`].
    pub give_up: Micros,
    /// Whether the client sends small writes at once (TCP_NODELAY) instead of by Nagle's algorithm.
    /// The gateway always does.
    pub nodelay: bool,
    /// Bytes of each of the four socket buffers of a connection.
    pub buffer: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { give_up: 30_000_000, nodelay: true, buffer: 16 * 1024 }
    }
}

/// Two hosts and the path between them.
///
/// Time stands still between two calls of [`Lab::step`]. A driver steps the lab at the times that
/// [`Lab::next`] names, and reads and writes after every step: each step hands over one packet at
/// most, and what that packet causes to be sent is sent with the next one, when the window shows
/// what has been read.
#[derive(Debug)]
pub struct Lab<H> {
    link: Link,
    wire: Wire,
    script: Script,
    sides: [Side<H>; 2],
    clock: Micros,
    packets: Vec<Packet>,
}

#[derive(Debug)]
struct Side<H> {
    host: H,
    flow: Flow,
    /// Whether something has happened to the host since it was last asked what it sends.
    stirred: bool,
    due: Option<Micros>,
}

impl<H: Host> Lab<H> {
    /// A lab that begins now; the link must have been [checked](Link::check).
    #[must_use]
    pub fn open(link: &Link, options: Options, now: Micros) -> Self {
        let dice = Dice::new(link.seed);
        let side = |end| Side {
            host: H::open(end, link, options, dice.seed_for(end), now),
            flow: Flow::default(),
            stirred: true,
            due: None,
        };
        Self {
            link: link.clone(),
            wire: Wire::new(link),
            script: Script::new(link),
            sides: End::BOTH.map(side),
            clock: now,
            packets: Vec::new(),
        }
    }

    /// Turns knobs under way. Seed, MTU, congestion control and delayed ACK stay until the next open.
    pub fn set_link(&mut self, link: &Link) {
        self.wire.set(link);
        self.script.set(link);
        let Link { up, down, rules, .. } = link.clone();
        self.link = Link { up, down, rules, ..self.link.clone() };
    }

    /// The link as it is in force.
    #[must_use]
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// When the lab has something to do: [`Lab::step`] it then.
    #[must_use]
    pub fn next(&self) -> Option<Micros> {
        if self.sides.iter().any(|side| side.stirred) {
            return Some(self.clock);
        }
        let times = [self.wire.next(), self.sides[0].due, self.sides[1].due];
        times.into_iter().flatten().min().map(|at| at.max(self.clock))
    }

    /// Sends what is to be sent, then hands over at most one packet that has arrived by now.
    pub fn step(&mut self, now: Micros) {
        self.clock = self.clock.max(now);
        for end in End::BOTH {
            let side = &self.sides[end as usize];
            if side.stirred || side.due.is_some_and(|due| due <= self.clock) {
                self.send_from(end);
            }
        }
        if let Some(parcel) = self.wire.pop_due(self.clock) {
            let side = &mut self.sides[parcel.from.peer() as usize];
            side.host.ingress(self.clock, &parcel.bytes, parcel.datagram);
            side.stirred = true;
        }
    }

    /// The packets sent since the last call, in the order in which they were sent. The lab keeps
    /// them until they are taken: take them after every step.
    pub fn take_packets(&mut self) -> Vec<Packet> {
        mem::take(&mut self.packets)
    }

    /// As [`Lab::take_packets`], and the lab keeps the room that they took: for a driver that looks at
    /// them one by one.
    pub fn drain_packets(&mut self) -> vec::Drain<'_, Packet> {
        self.packets.drain(..)
    }

    /// Bytes of memory that a lab at rest does not take: of packets under way and of what waits in queues.
    #[must_use]
    pub fn held(&self) -> usize {
        let sides = self.sides.iter().map(|side| side.host.held() + side.flow.held());
        self.wire.held() + sides.sum::<usize>()
    }

    /// Hands a packet that nobody sent to a host.
    #[cfg(feature = "inject")]
    pub fn inject(&mut self, now: Micros, to: End, packet: &[u8]) {
        let side = self.stir(now, to);
        side.host.ingress(now, packet, Some(0));
    }

    fn send_from(&mut self, end: End) {
        let due = loop {
            let host = &mut self.sides[end as usize].host;
            let outgoing = host.egress(self.clock);
            let due = host.due(self.clock);
            match outgoing {
                Some(outgoing) => self.put_on_wire(end, outgoing),
                None => {
                    let again = self.clock + ASK_AGAIN;
                    break due.map(|due| if due > self.clock { due } else { again });
                }
            }
            // Asking a stack what else it sends costs more than asking whether it does.
            if due.is_none_or(|due| due > self.clock) {
                break due;
            }
        };
        let side = &mut self.sides[end as usize];
        (side.stirred, side.due) = (false, due);
    }

    fn put_on_wire(&mut self, from: End, outgoing: Outgoing) {
        let peer_isn = self.sides[from.peer() as usize].flow.isn();
        let seen = self.sides[from as usize].flow.see(&outgoing, peer_isn);
        // The stacks send TCP and UDP over IPv4 and nothing else.
        let Some(Seen { header, mark, lines, first }) = seen else { return };
        let now = self.clock;
        let condemned = self.script.verdict(now, from, &first);
        let datagram = outgoing.datagram.map(|datagram| datagram.number);
        let bytes = outgoing.bytes;
        let fate = self.wire.send(now, from, &bytes, datagram, condemned);
        self.packets.push(Packet {
            from,
            number: fate.number,
            sent_at: now,
            verdict: fate.verdict,
            deliver_at: fate.deliver_at,
            duplicate_at: fate.duplicate_at,
            header,
            mark,
            lines,
            datagram,
            bytes,
        });
    }

    /// An end, about to be asked for something that may make it send.
    fn stir(&mut self, now: Micros, end: End) -> &mut Side<H> {
        self.clock = self.clock.max(now);
        let side = &mut self.sides[end as usize];
        side.stirred = true;
        side
    }

    /// The client has handed over a line, or a piece of one.
    fn handed(&mut self, now: Micros, end: End, line: Option<Line>) {
        if let (End::Client, Some(line)) = (end, line) {
            self.script.handed(now, line);
        }
    }
}

impl Lab<Tcp> {
    /// Where the connection stands, seen from one end.
    #[must_use]
    pub fn state(&self, end: End) -> State {
        self.sides[end as usize].host.state()
    }

    /// Hands bytes of a line (at the gateway: of the reply to a line) over for sending, and says how
    /// many were taken: as many as [`Lab::free`] says. A line may come in pieces.
    pub fn write(&mut self, now: Micros, end: End, bytes: &[u8], line: Option<Line>) -> usize {
        let taken = self.sides[end as usize].host.write(bytes);
        // A full buffer must not stir: a driver that tries again after every step would never get on.
        if taken > 0 {
            let side = self.stir(now, end);
            side.flow.write(taken, line, side.host.queued());
            self.handed(now, end, line);
        }
        taken
    }

    /// Bytes that [`Lab::write`] would take now.
    #[must_use]
    pub fn free(&self, end: End) -> usize {
        self.sides[end as usize].host.free()
    }

    /// Everything that has arrived in order and was not read yet.
    #[must_use]
    pub fn read(&mut self, now: Micros, end: End) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.read_into(now, end, &mut bytes);
        bytes
    }

    /// As [`Lab::read`], behind what a buffer already holds; returns how much that was.
    pub fn read_into(&mut self, now: Micros, end: End, bytes: &mut Vec<u8>) -> usize {
        let read = self.sides[end as usize].host.read(bytes);
        if read > 0 {
            self.stir(now, end);
        }
        read
    }

    /// Sends FIN behind what was written; the peer can still send.
    pub fn close(&mut self, now: Micros, end: End) {
        self.stir(now, end).host.close();
    }

    /// Tears the connection down with RST.
    pub fn reset(&mut self, now: Micros, end: End) {
        self.stir(now, end).host.reset();
    }

    /// Turns TCP_NODELAY of the client.
    pub fn set_nodelay(&mut self, now: Micros, on: bool) {
        self.stir(now, End::Client).host.set_nodelay(on);
    }
}

impl Lab<Udp> {
    /// Hands a datagram over for sending, as a line or as the reply to one, and says its number.
    ///
    /// # Errors
    /// It is too long, or too many wait.
    pub fn send(
        &mut self,
        now: Micros,
        end: End,
        bytes: &[u8],
        line: Option<Line>,
    ) -> Result<u64, BadDatagram> {
        let number = self.sides[end as usize].host.send(bytes, line)?;
        self.stir(now, end);
        self.handed(now, end, line);
        Ok(number)
    }

    /// The next datagram that has arrived.
    #[must_use]
    pub fn receive(&mut self, end: End) -> Option<Datagram> {
        self.sides[end as usize].host.receive()
    }
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::Congestion;

    use super::*;

    #[test]
    fn a_lab_can_move_to_another_thread() {
        fn moves<T: Send + 'static>(_: &T) {}
        moves(&TcpLab::open(&Link::default(), Options::default(), 0));
        moves(&UdpLab::open(&Link::default(), Options::default(), 0));
    }

    #[test]
    fn what_applies_at_the_next_open_stays_until_then() {
        let mut lab = TcpLab::open(&Link::default(), Options::default(), 0);
        let mut other = Link { seed: 9, mtu: 576, ..Link::default() };
        (other.congestion, other.up.delay_ms) = (Congestion::Cubic, 7);
        lab.set_link(&other);
        let expected = Link { up: other.up, ..Link::default() };
        assert_eq!(*lab.link(), expected);
    }

    #[test]
    fn a_write_that_takes_nothing_does_not_keep_the_lab_at_the_same_time() {
        let mut lab = TcpLab::open(&Link::default(), Options::default(), 0);
        while let Some(now) = lab.next().filter(|now| *now < 1_000_000) {
            lab.step(now);
        }
        while lab.write(1_000_000, End::Client, &[7; 4_096], None) > 0 {}
        let mut steps = 0;
        while let Some(now) = lab.next().filter(|now| *now < 2_000_000) {
            lab.step(now);
            lab.write(now, End::Client, &[7; 4_096], None);
            steps += 1;
        }
        assert!(steps < 1_000, "{steps} steps, though nobody reads");
    }
}
