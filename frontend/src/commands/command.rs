//! Sends as a command for a terminal, the tools that it can be written for, and what must be known about it.

use std::rc::Rc;

use streamgram_protocol::{Protocol, STAMP_LEN, Send};

use super::address::Address;
use super::script::{Line, Script};
use super::{c, nc, node, python, rust};

/// Bytes of all lines that stand in a command; each has its share, and the rest is cut off, which is
/// said. A terminal takes more, a person would not read it.
const LITERAL_BYTES: usize = 4_096;
/// Bytes of replies that wait in a client that is still sending, with the buffers that systems give.
/// With more it may happen that both ends wait for each other.
const UNREAD_BYTES: usize = 65_536;

/// A command, and what must be known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) text: String,
    /// A line is longer than what stands in the command; bytes of the longest, and of what stands there.
    pub(crate) cut: Option<(usize, usize)>,
    /// It sends that many bytes before it reads the first, and that may be too many.
    pub(crate) unread: Option<usize>,
}

/// What a command is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    Nc,
    Python,
    Node,
    Rust,
    C,
}

impl Tool {
    pub(crate) const ALL: [Self; 5] = [Self::Nc, Self::Python, Self::Node, Self::Rust, Self::C];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nc => "nc",
            Self::Python => "Python",
            Self::Node => "Node",
            Self::Rust => "Rust",
            Self::C => "C",
        }
    }

    /// The command for these sends, one after the other; none, if the tool cannot do that.
    pub(crate) fn command(
        self,
        protocol: Protocol,
        address: &Address,
        sends: &[Rc<Send>],
    ) -> Option<Command> {
        let room = LITERAL_BYTES / sends.len().max(1);
        let (mut longest, mut shortest, mut replies) = (0, room, 0);
        for send in sends {
            let bytes = send.line(send.count).map_or(0, |line| line.len());
            (longest, shortest) = (longest.max(bytes), shortest.min(bytes));
            replies += (bytes + STAMP_LEN) * send.count as usize;
        }
        let is_nc = self == Self::Nc;
        if is_nc && shortest == 0 {
            return None;
        }
        let cut = (longest > room).then_some((longest, room));
        let reads_late = protocol == Protocol::Tcp && !is_nc && self != Self::Node;
        let unread = (reads_late && cut.is_none() && replies > UNREAD_BYTES).then_some(replies);
        let lines = sends.iter().map(|send| Line::new(send, room)).collect();
        let script = Script { protocol, address, lines };
        let text = match self {
            Self::Nc => nc::command(&script),
            Self::Python => python::command(&script),
            Self::Node => node::command(&script),
            Self::Rust => rust::command(&script),
            Self::C => c::command(&script),
        };
        Some(Command { text, cut, unread })
    }
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::{Data, Target};

    use super::*;

    fn address() -> Address {
        Address::of("127.0.0.1:25677").unwrap()
    }

    fn send(data: Data, count: u32, interval_ms: u32) -> Rc<Send> {
        Rc::new(Send { count, interval_ms, ..Send::new(1, Target::Both, data) })
    }

    fn text(tool: Tool, protocol: Protocol, sends: &[Rc<Send>]) -> String {
        tool.command(protocol, &address(), sends).unwrap().text
    }

    fn hello(count: u32, interval_ms: u32) -> Vec<Rc<Send>> {
        vec![send(Data::Text("hello {n}".into()), count, interval_ms)]
    }

    #[test]
    fn nc_takes_one_line() {
        let nc = |protocol, sends: &[Rc<Send>]| text(Tool::Nc, protocol, sends);
        let once = hello(1, 0);
        assert_eq!(nc(Protocol::Tcp, &once), "printf 'hello 1' | nc -w1 127.0.0.1 25677; echo");
        assert_eq!(nc(Protocol::Udp, &once), "printf 'hello 1' | nc -u -w1 127.0.0.1 25677; echo");
        assert_eq!(
            nc(Protocol::Tcp, &hello(20, 1_500)),
            "for n in $(seq 1 20); do printf 'hello %d' \"$n\"; sleep 1.500; done \
             | nc -w3 127.0.0.1 25677; echo"
        );
        let broken = [send(Data::Text("a\nb".into()), 1, 0)];
        assert_eq!(
            nc(Protocol::Udp, &broken),
            r"env printf 'a\nb' | nc -u -w1 127.0.0.1 25677; echo"
        );
        let two = [send(Data::Text("-a".into()), 1, 0), send(Data::Hex("ff27".into()), 1, 0)];
        assert_eq!(
            nc(Protocol::Tcp, &two),
            r"{ printf '\055a'; printf '\377\047'; } | nc -w1 127.0.0.1 25677; echo"
        );
        let empty = [send(Data::Text(String::new()), 1, 0)];
        assert_eq!(Tool::Nc.command(Protocol::Udp, &address(), &empty), None);
        assert!(Tool::C.command(Protocol::Udp, &address(), &empty).is_some());
    }

    #[test]
    fn what_is_cut_is_said_and_never_in_the_middle_of_a_character() {
        let long = [send(Data::Text("时".repeat(2_000)), 1, 0)];
        let command = Tool::Node.command(Protocol::Tcp, &address(), &long).unwrap();
        assert_eq!(command.cut, Some((6_000, LITERAL_BYTES)));
        assert_eq!(command.text.matches('时').count(), LITERAL_BYTES / 3);
        let fits = [send(Data::Text("x".repeat(LITERAL_BYTES)), 1, 0)];
        assert_eq!(Tool::Node.command(Protocol::Tcp, &address(), &fits).unwrap().cut, None);
    }

    #[test]
    fn who_sends_much_before_it_reads_is_warned_about() {
        let unread = |tool: Tool, protocol, count| {
            let sends = [send(Data::Text("x".repeat(100)), count, 0)];
            tool.command(protocol, &address(), &sends).unwrap().unread
        };
        assert_eq!(unread(Tool::C, Protocol::Tcp, 500), None);
        assert_eq!(unread(Tool::C, Protocol::Tcp, 1_000), Some(127_000));
        assert_eq!(unread(Tool::C, Protocol::Udp, 1_000), None);
        assert_eq!(unread(Tool::Nc, Protocol::Tcp, 1_000), None);
    }

    #[test]
    fn what_is_put_in_is_not_looked_at_again() {
        let sends = [send(Data::Text("§h{s}§l§s".into()), 2, 1)];
        for tool in Tool::ALL {
            for protocol in Protocol::BOTH {
                let text = text(tool, protocol, &sends);
                assert_eq!(text.matches('§').count(), 3, "{text}");
            }
        }
    }
}
