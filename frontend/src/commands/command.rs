//! A send as a command for a terminal, and what must be known about it.

use std::fmt::Write as _;
use std::rc::Rc;

use streamgram_protocol::{Protocol, STAMP_LEN, Send};

use super::address::Address;
use super::dialect::{self, Dialect};
use super::literal::Literal;
use super::tool::Tool;

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

impl Tool {
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
        let mut program = Program {
            tool: self,
            dialect: self.dialect(),
            protocol: usize::from(protocol == Protocol::Udp),
            address,
            sends,
            room,
            line: None,
            text: String::new(),
        };
        program.write(program.dialect.frames[program.protocol]);
        Some(Command { text: program.text, cut, unread })
    }

    fn dialect(self) -> &'static Dialect {
        match self {
            Self::Nc => &dialect::NC,
            Self::Python => &dialect::PYTHON,
            Self::Node => &dialect::NODE,
            Self::Rust => &dialect::RUST,
            Self::C => &dialect::C,
        }
    }
}

/// A program that is being written.
struct Program<'a> {
    tool: Tool,
    dialect: &'static Dialect,
    /// Which of a pair.
    protocol: usize,
    address: &'a Address,
    sends: &'a [Rc<Send>],
    /// Bytes that a line may have here.
    room: usize,
    /// The line that is being written.
    line: Option<(&'a Send, Literal)>,
    text: String,
}

impl Program<'_> {
    /// Writes a template. What is put in is either a template itself or comes as it is: no byte of a line
    /// is taken for a place.
    fn write(&mut self, template: &str) {
        let mut parts = template.split('§');
        self.text.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let (place, rest) = part.split_at(1);
            self.put(place);
            self.text.push_str(rest);
        }
    }

    fn put(&mut self, place: &str) {
        let Self { dialect, protocol, address, .. } = *self;
        match place {
            "h" => self.text.push_str(&address.host),
            "p" => self.number(address.port.into()),
            "f" => self.text.push_str(dialect.families[usize::from(address.v6)]),
            "i" if self.pause_ms() > 0 => self.text.push_str(dialect.import),
            // It gives up when nothing goes either way for so long.
            "w" => self.number(1 + u64::from(self.pause_ms().div_ceil(1_000))),
            "s" => self.statements(),
            "g" => self.write(dialect.says[protocol]),
            _ => self.put_of_line(place),
        }
    }

    fn statements(&mut self) {
        let dialect = self.dialect;
        // Into one pipe.
        let together = self.tool == Tool::Nc && self.protocol == 0 && self.sends.len() > 1;
        self.text.push_str(if together { "{ " } else { "" });
        for (place, send) in self.sends.iter().enumerate() {
            self.text.push_str(if place > 0 { dialect.between } else { "" });
            self.line = Some((send, Literal::of(self.tool, send, self.room)));
            self.write(if send.count > 1 { dialect.burst } else { "§g" });
        }
        self.text.push_str(if together { "; }" } else { "" });
    }

    fn put_of_line(&mut self, place: &str) {
        let Some((send, literal)) = self.line.take() else { return };
        let (dialect, count, ms) = (self.dialect, u64::from(send.count), send.interval_ms);
        match place {
            "t" => self.text.push_str(&literal.text),
            "a" => self.text.push_str(&literal.arguments),
            "b" => self.number(literal.bytes as u64),
            "x" => self.text.push_str(if literal.breaks { "env " } else { "" }),
            // A number has at most ten digits; a zero ends it.
            "z" => self.number((literal.bytes + 10 * literal.numbers + 1) as u64),
            "n" => self.number(count),
            "e" => self.number(count + 1),
            "v" => self.text.push_str(if literal.numbers > 0 { "n" } else { "_" }),
            "m" => self.number(ms.into()),
            // Writing to a String cannot fail.
            "c" => drop(write!(self.text, "{}.{:03}", ms / 1_000, ms % 1_000)),
            _ => {
                let template = match place {
                    "l" => dialect.lines[literal.kind()],
                    "d" if literal.numbers > 0 => dialect.declaration,
                    "q" if ms > 0 => dialect.pause,
                    _ => "",
                };
                self.line = Some((send, literal));
                return self.write(template);
            }
        }
        self.line = Some((send, literal));
    }

    /// The longest pause that it makes.
    fn pause_ms(&self) -> u32 {
        let bursts = self.sends.iter().filter(|send| send.count > 1);
        bursts.map(|send| send.interval_ms).max().unwrap_or_default()
    }

    fn number(&mut self, number: u64) {
        self.text.push_str(&number.to_string());
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use streamgram_protocol::{Data, Target};

    use super::*;

    fn address() -> Address {
        Address::of("127.0.0.1:25677", "localhost").unwrap()
    }

    fn send(data: Data, count: u32, interval_ms: u32) -> Rc<Send> {
        Rc::new(Send { count, interval_ms, ..Send::new(1, Target::Both, data) })
    }

    fn text(tool: Tool, protocol: Protocol, sends: &[Rc<Send>]) -> String {
        tool.command(protocol, &address(), sends).unwrap().text
    }

    /// A line as a tool would write it.
    pub(crate) fn expression(tool: Tool, send: &Send) -> String {
        let sends = [Rc::new(send.clone())];
        let mut program = Program {
            tool,
            dialect: tool.dialect(),
            protocol: 0,
            address: &address(),
            sends: &sends,
            room: usize::MAX,
            line: Some((send, Literal::of(tool, send, usize::MAX))),
            text: String::new(),
        };
        program.write("§l");
        program.text
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
