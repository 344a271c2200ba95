//! Commands for a terminal that do, without the page, what was done last on it.
//!
//! Every byte of a line that could end its quotes, run, or turn the text around it is escaped, as each
//! language writes that. No command has a `!` of its own: a shell could take it for history.

use std::fmt::Write as _;
use std::rc::Rc;

use streamgram_protocol::{Data, Protocol, STAMP_LEN, Send};

/// Bytes of all lines that stand in a command; each has its share, and the rest is cut off, which is
/// said. A terminal takes more, a person would not read it.
const LITERAL_BYTES: usize = 4_096;
/// Bytes of replies that wait in a client that is still sending, with the buffers that systems give.
/// With more it may happen that both ends wait for each other.
const UNREAD_BYTES: usize = 65_536;

/// What a command is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    Nc,
    Python,
    Node,
    Rust,
    C,
}

/// Where a server is, as somebody beside this page's browser would say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    host: String,
    port: u16,
    v6: bool,
}

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
        let dialect = self.dialect();
        let room = LITERAL_BYTES / sends.len().max(1);
        let udp = usize::from(protocol == Protocol::Udp);
        let (mut statements, mut cut, mut bytes) = (Vec::new(), None, 0);
        let pauses = sends.iter().filter(|send| send.count > 1).map(|send| send.interval_ms);
        let pause_ms = pauses.max().unwrap_or_default();
        for send in sends {
            let whole = send.data.line(send.count).map_or(0, |line| line.len());
            bytes += (whole + STAMP_LEN) * send.count as usize;
            let line = Line::of(send, room);
            if line.is_empty() && self == Self::Nc {
                return None;
            }
            if whole > room {
                cut = cut.max(Some((whole, room)));
            }
            statements.push(dialect.statement(self, udp, address, &line, send));
        }
        let mut all = statements.join(dialect.between);
        if self == Self::Nc && udp == 0 && sends.len() > 1 {
            all = format!("{{ {all}; }}");
        }
        let text = dialect.frame(udp, address, &all, pause_ms);
        let reads_late = udp == 0 && bytes > UNREAD_BYTES && cut.is_none();
        let reads_late = reads_late && !matches!(self, Self::Nc | Self::Node);
        Some(Command { text, cut, unread: reads_late.then_some(bytes) })
    }

    fn dialect(self) -> &'static Dialect {
        match self {
            Self::Nc => &NC,
            Self::Python => &PYTHON,
            Self::Node => &NODE,
            Self::Rust => &RUST,
            Self::C => &C,
        }
    }
}

impl Address {
    /// From the address that a server listens on. Where that is every address of its machine, the page
    /// knows one: the host that it came from.
    pub(crate) fn of(listens: &str, page_host: &str) -> Option<Self> {
        let (host, port) = listens.rsplit_once(':')?;
        let bare = |host: &str| host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let host = bare(host);
        let loopback = if host.contains(':') { "::1" } else { "127.0.0.1" };
        let host = match host.as_str() {
            // A name of both 127.0.0.1 and ::1; this server is on one of them.
            "0.0.0.0" | "::" if page_host == "localhost" => loopback.into(),
            "0.0.0.0" | "::" => bare(page_host),
            _ => host,
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | '_');
        let is_name = host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == ':');
        let host = if is_name && host.chars().all(is_plain) { host } else { loopback.into() };
        Some(Self { v6: host.contains(':'), port: port.parse().ok()?, host })
    }
}

/// What a line is in a program.
enum Line {
    /// With `{n}` in it, if it is to be numbered there.
    Text(String),
    Bytes(Vec<u8>),
}

impl Line {
    fn of(send: &Send, room: usize) -> Self {
        match &send.data {
            Data::Text(text) => {
                let text = if send.count == 1 { text.replace("{n}", "1") } else { text.clone() };
                Self::Text(text[..text.floor_char_boundary(room)].to_owned())
            }
            hex @ Data::Hex(_) => {
                let mut bytes = hex.to_bytes().unwrap_or_default().into_owned();
                bytes.truncate(room);
                Self::Bytes(bytes)
            }
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Bytes(bytes) => bytes.is_empty(),
        }
    }

    fn is_numbered(&self) -> bool {
        matches!(self, Self::Text(text) if text.contains("{n}"))
    }
}

/// How a tool says it. A `§` and a letter are filled in; of pairs, the first is for TCP.
struct Dialect {
    /// All of it: `h`ost, `p`ort, address `f`amily, `i`mport, `s`tatements, seconds to `w`ait.
    frames: [&'static str; 2],
    /// Sends a `l`ine; over UDP it also prints the reply.
    says: [&'static str; 2],
    /// Does it `n` times, `e` being one more: `d`eclarations, `v`ariable, `s`tatement, `q` for a pause.
    burst: &'static str,
    /// Waits for so many `m`illiseconds, or se`c`onds.
    pause: &'static str,
    /// What a pause needs.
    import: &'static str,
    /// Between two statements.
    between: &'static str,
    /// Families of IPv4 and IPv6.
    families: [&'static str; 2],
}

const NC: Dialect = Dialect {
    frames: ["§s | nc -w§w §h §p; echo", "§s"],
    says: ["printf §l", "printf §l | nc -u -w1 §h §p; echo"],
    burst: "for n in $(seq 1 §n); do §s§q; done",
    pause: "; sleep §c",
    import: "",
    between: "; ",
    families: ["", ""],
};

const PYTHON: Dialect = Dialect {
    frames: [
        "python3 - <<'EOF'
from socket import *
§i
s = socket(§f, SOCK_STREAM)
s.connect((\"§h\", §p))
§s
s.shutdown(SHUT_WR)
while data := s.recv(1024):
    print(data)
EOF",
        "python3 - <<'EOF'
from socket import *
§i
s = socket(§f, SOCK_DGRAM)
s.settimeout(2)

def ask(line):
    s.sendto(line, (\"§h\", §p))
    try:
        print(s.recv(1024))
    except timeout:
        print(\"no reply\")

§s
EOF",
    ],
    says: ["s.sendall(§l)", "ask(§l)"],
    burst: "for n in range(1, §e):\n    §s§q",
    pause: "\n    sleep(§c)",
    import: "from time import sleep\n",
    between: "\n",
    families: ["AF_INET", "AF_INET6"],
};

const NODE: Dialect = Dialect {
    frames: [
        "node --input-type=module - <<'EOF'
import net from \"node:net\";
§i
const s = net.connect(§p, \"§h\");
s.pipe(process.stdout);
§s
s.end();
EOF",
        "node --input-type=module - <<'EOF'
import dgram from \"node:dgram\";
import { once } from \"node:events\";
§i
const s = dgram.createSocket(\"§f\");

async function ask(line) {
  s.send(line, §p, \"§h\");
  const reply = once(s, \"message\", { signal: AbortSignal.timeout(2000) });
  console.log(String(await reply.then(([bytes]) => bytes, () => \"no reply\")));
}

§s
s.close();
EOF",
    ],
    says: ["s.write(§l);", "await ask(§l);"],
    burst: "for (let n = 1; n <= §n; n++) {\n  §s§q\n}",
    pause: "\n  await sleep(§m);",
    import: "import { setTimeout as sleep } from \"node:timers/promises\";\n",
    between: "\n",
    families: ["udp4", "udp6"],
};

const RUST: Dialect = Dialect {
    frames: [
        "d=$(mktemp -d) && rustc -o \"$d/ask\" - <<'EOF' && \"$d/ask\"
use std::io::{copy, stdout, Result, Write};
use std::net::{Shutdown, TcpStream};
§i
fn main() -> Result<()> {
    let mut s = TcpStream::connect((\"§h\", §p))?;
    §s
    s.shutdown(Shutdown::Write)?;
    copy(&mut s, &mut stdout())?;
    Ok(())
}
EOF",
        "d=$(mktemp -d) && rustc -o \"$d/ask\" - <<'EOF' && \"$d/ask\"
use std::io::{stdout, Result, Write};
use std::net::UdpSocket;
use std::time::Duration;
§i
fn ask(s: &UdpSocket, line: &[u8]) -> Result<()> {
    let mut reply = [0; 1024];
    s.send(line)?;
    match s.recv(&mut reply) {
        Ok(n) => stdout().write_all(&[&reply[..n], b\"\\n\"].concat()),
        Err(_) => stdout().write_all(b\"no reply\\n\"),
    }
}

fn main() -> Result<()> {
    let s = UdpSocket::bind(\"§f:0\")?;
    s.connect((\"§h\", §p))?;
    s.set_read_timeout(Some(Duration::from_secs(2)))?;
    §s
    Ok(())
}
EOF",
    ],
    says: ["s.write_all(§l)?;", "ask(&s, §l)?;"],
    burst: "for §v in 1..§e {\n        §s§q\n    }",
    pause: "\n        sleep(std::time::Duration::from_millis(§m));",
    import: "use std::thread::sleep;\n",
    between: "\n    ",
    families: ["0.0.0.0", "[::]"],
};

const C: Dialect = Dialect {
    frames: [
        "d=$(mktemp -d) && cc -x c -o \"$d/ask\" - <<'EOF' && \"$d/ask\"
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
§i
int main(void) {
    struct addrinfo *to, hints = {.ai_family = §f, .ai_socktype = SOCK_STREAM};
    if (getaddrinfo(\"§h\", \"§p\", &hints, &to)) return 1;
    int s = socket(to->ai_family, to->ai_socktype, 0);
    if (connect(s, to->ai_addr, to->ai_addrlen)) return perror(\"connect\"), 1;
    §s
    shutdown(s, SHUT_WR);
    char reply[1024];
    for (ssize_t n; (n = read(s, reply, sizeof reply)) > 0;) fwrite(reply, 1, n, stdout);
    return 0;
}
EOF",
        "d=$(mktemp -d) && cc -x c -o \"$d/ask\" - <<'EOF' && \"$d/ask\"
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

static void ask(int s, const char *line, int bytes) {
    char reply[1024];
    struct pollfd in = {s, POLLIN, 0};
    send(s, line, bytes, 0);
    int n = poll(&in, 1, 2000) == 1 ? recv(s, reply, sizeof reply, 0) : -1;
    if (n < 0) puts(\"no reply\");
    else printf(\"%.*s\\n\", n, reply);
}

int main(void) {
    struct addrinfo *to, hints = {.ai_family = §f, .ai_socktype = SOCK_DGRAM};
    if (getaddrinfo(\"§h\", \"§p\", &hints, &to)) return 1;
    int s = socket(to->ai_family, to->ai_socktype, 0);
    if (connect(s, to->ai_addr, to->ai_addrlen)) return perror(\"connect\"), 1;
    §s
    return 0;
}
EOF",
    ],
    says: ["send(s, §l, 0);", "ask(s, §l);"],
    burst: "for (int n = 1; n <= §n; n++) {\n        §d§s§q\n    }",
    pause: "\n        poll(0, 0, §m);",
    import: "#include <poll.h>\n",
    between: "\n    ",
    families: ["AF_INET", "AF_INET6"],
};

impl Dialect {
    fn statement(
        &self,
        tool: Tool,
        udp: usize,
        address: &Address,
        line: &Line,
        send: &Send,
    ) -> String {
        let Address { host, port, .. } = address;
        let line_texts = [('l', &*expression(tool, line)), ('h', host), ('p', &port.to_string())];
        let say = fill(self.says[udp], &line_texts);
        if send.count == 1 {
            return say;
        }
        let (ms, n) = (send.interval_ms, send.count);
        let pause = fill(
            self.pause,
            &[('m', &ms.to_string()), ('c', &format!("{}.{:03}", ms / 1_000, ms % 1_000))],
        );
        let declaration = match line {
            Line::Text(text) if line.is_numbered() => {
                // A number has at most ten digits.
                let bytes = text.len() + 10 * text.matches("{n}").count() + 1;
                format!("char line[{bytes}];\n        ")
            }
            _ => String::new(),
        };
        fill(
            self.burst,
            &[
                ('n', &n.to_string()),
                ('e', &(n + 1).to_string()),
                ('v', if line.is_numbered() { "n" } else { "_" }),
                ('d', &declaration),
                ('s', &say),
                ('q', if ms > 0 { &pause } else { "" }),
            ],
        )
    }

    /// All of it; `ms` are those of its pauses.
    fn frame(&self, udp: usize, address: &Address, statements: &str, ms: u32) -> String {
        fill(
            self.frames[udp],
            &[
                ('h', &address.host),
                ('p', &address.port.to_string()),
                ('f', self.families[usize::from(address.v6)]),
                ('i', if ms > 0 { self.import } else { "" }),
                ('s', statements),
                // It gives up when nothing goes either way for so long.
                ('w', &(1 + ms.div_ceil(1_000)).to_string()),
            ],
        )
    }
}

/// Puts texts in the places of a template, in one pass: what is put in is not looked at again.
fn fill(template: &str, texts: &[(char, &str)]) -> String {
    let mut parts = template.split('§');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut rest = part.chars();
        let key = rest.next();
        let text = texts.iter().find(|(other, _)| Some(*other) == key);
        filled.push_str(text.map_or("", |(_, text)| text));
        filled.push_str(rest.as_str());
    }
    filled
}

/// A line as an expression of the tool's language; for C, with its length.
fn expression(tool: Tool, line: &Line) -> String {
    let mut literal = Literal {
        tool,
        raw: matches!(line, Line::Bytes(_)),
        is_format: false,
        text: String::new(),
        arguments: String::new(),
    };
    match line {
        Line::Text(text) if line.is_numbered() && matches!(tool, Tool::Nc | Tool::C) => {
            literal.is_format = true;
            for (place, part) in text.split("{n}").enumerate() {
                if place > 0 {
                    literal.text.push_str("%d");
                    literal.arguments.push_str(if tool == Tool::C { ", n" } else { " \"$n\"" });
                }
                part.chars().for_each(|c| literal.push(c));
            }
        }
        Line::Text(text) => text.chars().for_each(|c| literal.push(c)),
        Line::Bytes(bytes) if tool == Tool::Node => literal.text = Data::hex(bytes),
        Line::Bytes(bytes) => bytes.iter().for_each(|byte| literal.push_byte(*byte)),
    }
    let Literal { text, arguments, is_format, .. } = literal;
    let (numbered, bytes) = match line {
        Line::Text(text) => (line.is_numbered(), text.len()),
        Line::Bytes(bytes) => (false, bytes.len()),
    };
    match (tool, line) {
        (Tool::Nc, _) => format!("'{text}'{arguments}"),
        (Tool::C, _) if is_format => {
            format!("line, snprintf(line, sizeof line, \"{text}\"{arguments})")
        }
        (Tool::C, _) => format!("\"{text}\", {bytes}"),
        (Tool::Node, Line::Bytes(_)) => format!("Buffer.from(\"{text}\", \"hex\")"),
        (Tool::Node, _) if numbered => format!("\"{text}\".replaceAll(\"{{n}}\", n)"),
        (Tool::Node, _) => format!("\"{text}\""),
        (Tool::Python | Tool::Rust, Line::Bytes(_)) => format!("b\"{text}\""),
        (Tool::Python, _) if numbered => format!("\"{text}\".replace(\"{{n}}\", str(n)).encode()"),
        (Tool::Python, _) => format!("\"{text}\".encode()"),
        (Tool::Rust, _) if numbered => {
            format!("\"{text}\".replace(\"{{n}}\", &n.to_string()).as_bytes()")
        }
        (Tool::Rust, _) => format!("\"{text}\".as_bytes()"),
    }
}

/// What stands between the quotes.
struct Literal {
    tool: Tool,
    /// Bytes, not characters.
    raw: bool,
    /// A format, as `printf` reads it.
    is_format: bool,
    text: String,
    /// Of the format.
    arguments: String,
}

impl Literal {
    fn push(&mut self, c: char) {
        let shell = self.tool == Tool::Nc;
        match c {
            '\\' => self.text.push_str("\\\\"),
            '\n' => self.text.push_str("\\n"),
            '\r' => self.text.push_str("\\r"),
            '\t' => self.text.push_str("\\t"),
            // What is printed is a format in any case.
            '%' if shell || self.is_format => self.text.push_str("%%"),
            // It would end a format of C.
            '\0' if self.is_format && self.tool == Tool::C => {
                self.text.push_str("%c");
                self.arguments.push_str(", 0");
            }
            '\'' if shell => self.escape(c),
            // An option begins so.
            '-' if shell && self.text.is_empty() => self.escape(c),
            '"' if shell => self.text.push(c),
            '"' => self.text.push_str("\\\""),
            '!' if !shell => self.escape(c),
            // Three of them were a character once.
            '?' if self.tool == Tool::C => self.text.push_str("\\?"),
            _ if is_plain(c) && (c.is_ascii() || !self.raw) => self.text.push(c),
            _ => self.escape(c),
        }
    }

    fn push_byte(&mut self, byte: u8) {
        if byte.is_ascii() { self.push(byte.into()) } else { self.escape(byte.into()) }
    }

    fn escape(&mut self, c: char) {
        let code = u32::from(c);
        let text = &mut self.text;
        // Writing to a String cannot fail.
        let _ok = match self.tool {
            Tool::Nc | Tool::C if self.raw => write!(text, "\\{code:03o}"),
            Tool::Nc | Tool::C => {
                let mut buffer = [0; 4];
                let mut bytes = c.encode_utf8(&mut buffer).bytes();
                bytes.try_for_each(|byte| write!(text, "\\{byte:03o}"))
            }
            Tool::Python | Tool::Rust if self.raw => write!(text, "\\x{code:02x}"),
            Tool::Python => write!(text, "\\U{code:08x}"),
            Tool::Node | Tool::Rust => write!(text, "\\u{{{code:x}}}"),
        };
    }
}

/// Characters that can be told from each other, neither are nor move anything: ASCII, letters of Europe,
/// punctuation, Chinese, Japanese, Korean, symbols.
fn is_plain(c: char) -> bool {
    matches!(c, ' '..='~'
        | '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{24f}' | '\u{391}'..='\u{3c9}' | '\u{400}'..='\u{45f}'
        | '\u{2010}'..='\u{2027}' | '\u{3001}'..='\u{3029}' | '\u{3041}'..='\u{3096}'
        | '\u{30a0}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{ff01}'..='\u{ff5e}' | '\u{1f300}'..='\u{1f6ff}')
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command as Process, Stdio};

    use proptest::prelude::*;
    use streamgram_protocol::Target;

    use super::*;

    fn address() -> Address {
        Address::of("127.0.0.1:25677", "localhost").unwrap()
    }

    fn send(data: Data, count: u32, interval_ms: u32) -> Rc<Send> {
        Rc::new(Send { id: 1, to: Target::Both, data, count, interval_ms })
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
    fn a_server_on_every_address_is_called_as_the_page_s() {
        let of = |listens, page| Address::of(listens, page).map(|it| (it.host, it.port, it.v6));
        let found = |host: &str, v6| Some((host.to_owned(), 7, v6));
        assert_eq!(of("10.0.0.2:7", "lab.example"), found("10.0.0.2", false));
        assert_eq!(of("0.0.0.0:7", "lab.example"), found("lab.example", false));
        assert_eq!(of("0.0.0.0:7", "localhost"), found("127.0.0.1", false));
        assert_eq!(of("[::]:7", "localhost"), found("::1", true));
        assert_eq!(of("[::]:7", "[fe80::1]"), found("fe80::1", true));
        assert_eq!(of("0.0.0.0:7", "$(reboot)"), found("127.0.0.1", false));
        assert_eq!(of("0.0.0.0:7", "-e"), found("127.0.0.1", false));
        assert_eq!((of("nowhere", ""), of("127.0.0.1:x", "")), (None, None));
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
        assert_eq!(fill("§a §b§c.", &[('a', "§b"), ('b', "x")]), "§b x.");
        let sends = [send(Data::Text("§h{s}§l§s".into()), 2, 1)];
        for tool in Tool::ALL {
            for protocol in Protocol::BOTH {
                let text = text(tool, protocol, &sends);
                assert_eq!(text.matches('§').count(), 3, "{text}");
            }
        }
    }

    /// What a shell prints for the expression of nc.
    fn printed(line: &Line, n: u32) -> Vec<u8> {
        let script = format!("n={n}; printf {}", expression(Tool::Nc, line));
        let mut shell =
            Process::new("sh").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        shell.wait_with_output().unwrap().stdout
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_shell_prints_the_bytes_and_runs_nothing(bytes: Vec<u8>, text in "[-'\"\\\\$`%!?(){}n;|&\\PC\0\n\u{202e}]*") {
            prop_assert_eq!(printed(&Line::Bytes(bytes.clone()), 7), bytes);
            let numbered = text.replace("{n}", "7").into_bytes();
            prop_assert_eq!(printed(&Line::Text(text), 7), numbered);
        }
    }

    proptest! {
        #[test]
        fn no_line_breaks_out_of_its_literal(bytes: Vec<u8>, text in "[-'\"\\\\$`%!?(){}n;|&\\PC\0\n\u{202e}]*") {
            for line in [Line::Bytes(bytes), Line::Text(text)] {
                for tool in Tool::ALL {
                    let expression = expression(tool, &line);
                    prop_assert!(expression.chars().all(is_plain), "{expression}");
                    let quote = if tool == Tool::Nc { '\'' } else { '"' };
                    // Escapes are gone, then quotes come in pairs with nothing special outside.
                    let bare = expression.replace("\\\\", "").replace("\\\"", "");
                    let outside: String = bare.split(quote).step_by(2).collect();
                    let known = |c: char| c.is_ascii_alphanumeric() || " .,()&_{}$\"\\".contains(c);
                    prop_assert!(outside.chars().all(known), "{expression}");
                    prop_assert!(tool == Tool::Nc || !expression.contains('!'));
                    prop_assert!(bare.matches(quote).count().is_multiple_of(2), "{expression}");
                }
            }
        }
    }
}
