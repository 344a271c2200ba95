//! What each tool's programs look like. Replies are printed as they came, except by Python, which shows
//! where each of its reads ended. None has a `!` of its own: a shell could take it for history.

/// How a tool says it, in templates: a `§` and a letter stand for what is written there. Of pairs, the
/// first is for TCP.
#[derive(Debug)]
pub(super) struct Dialect {
    /// All of it: `h`ost, `p`ort, address `f`amily, `i`mport, `s`tatements, seconds to `w`ait.
    pub(super) frames: [&'static str; 2],
    /// Sends a `l`ine; over UDP it also prints the reply. A shell's own printf writes at every line
    /// break, and nc makes a datagram of each write: an e`x`ternal one writes once.
    pub(super) says: [&'static str; 2],
    /// A line of text, one to be numbered, and one of bytes: `t`ext of the literal, how many `b`ytes that
    /// is, `a`rguments of a format.
    pub(super) lines: [&'static str; 3],
    /// Says a line `n` times, `e` being one more: `d`eclarations, `v`ariable, what is `g`iven to be said,
    /// `q` for a pause.
    pub(super) burst: &'static str,
    /// A place for a numbered line, of the `z`ize that it may have.
    pub(super) declaration: &'static str,
    /// Waits for so many `m`illiseconds, or se`c`onds.
    pub(super) pause: &'static str,
    /// What a pause needs.
    pub(super) import: &'static str,
    /// Between two statements.
    pub(super) between: &'static str,
    /// Families of IPv4 and IPv6.
    pub(super) families: [&'static str; 2],
}

pub(super) const NC: Dialect = Dialect {
    frames: ["§s | nc -w§w §h §p; echo", "§s"],
    says: ["printf §l", "§xprintf §l | nc -u -w1 §h §p; echo"],
    lines: ["'§t'", "'§t'§a", "'§t'"],
    burst: "for n in $(seq 1 §n); do §g§q; done",
    declaration: "",
    pause: "; sleep §c",
    import: "",
    between: "; ",
    families: ["", ""],
};

pub(super) const PYTHON: Dialect = Dialect {
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
    lines: ["\"§t\".encode()", "\"§t\".replace(\"{n}\", str(n)).encode()", "b\"§t\""],
    burst: "for n in range(1, §e):\n    §g§q",
    declaration: "",
    pause: "\n    sleep(§c)",
    import: "from time import sleep\n",
    between: "\n",
    families: ["AF_INET", "AF_INET6"],
};

pub(super) const NODE: Dialect = Dialect {
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
    lines: ["\"§t\"", "\"§t\".replaceAll(\"{n}\", n)", "Buffer.from(\"§t\", \"hex\")"],
    burst: "for (let n = 1; n <= §n; n++) {\n  §g§q\n}",
    declaration: "",
    pause: "\n  await sleep(§m);",
    import: "import { setTimeout as sleep } from \"node:timers/promises\";\n",
    between: "\n",
    families: ["udp4", "udp6"],
};

pub(super) const RUST: Dialect = Dialect {
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
    lines: ["\"§t\".as_bytes()", "\"§t\".replace(\"{n}\", &n.to_string()).as_bytes()", "b\"§t\""],
    burst: "for §v in 1..§e {\n        §g§q\n    }",
    declaration: "",
    pause: "\n        sleep(std::time::Duration::from_millis(§m));",
    import: "use std::thread::sleep;\n",
    between: "\n    ",
    families: ["0.0.0.0", "[::]"],
};

pub(super) const C: Dialect = Dialect {
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
    lines: ["\"§t\", §b", "line, snprintf(line, sizeof line, \"§t\"§a)", "\"§t\", §b"],
    burst: "for (int n = 1; n <= §n; n++) {\n        §d§g§q\n    }",
    declaration: "char line[§z];\n        ",
    pause: "\n        poll(0, 0, §m);",
    import: "#include <poll.h>\n",
    between: "\n    ",
    families: ["AF_INET", "AF_INET6"],
};
