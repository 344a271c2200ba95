//! Python, which shows where each of its reads ended.

use streamgram_protocol::Protocol;

use super::address::Address;
use super::literal::{quoted, quoted_bytes};
use super::script::{Line, Payload, Script, seconds};

pub(super) fn command(script: &Script) -> String {
    let Address { host, port, v6 } = script.address;
    let family = if *v6 { "AF_INET6" } else { "AF_INET" };
    let import = if script.pause_ms().is_some() { "from time import sleep\n" } else { "" };
    let statements = script.statements("\n", statement);
    match script.protocol {
        Protocol::Tcp => format!(
            r#"python3 - <<'EOF'
from socket import *
{import}
s = socket({family}, SOCK_STREAM)
s.connect(("{host}", {port}))
{statements}
s.shutdown(SHUT_WR)
while data := s.recv(1024):
    print(data)
EOF"#
        ),
        Protocol::Udp => format!(
            r#"python3 - <<'EOF'
from socket import *
{import}
s = socket({family}, SOCK_DGRAM)
s.settimeout(2)

def ask(line):
    s.sendto(line, ("{host}", {port}))
    try:
        print(s.recv(1024))
    except timeout:
        print("no reply")

{statements}
EOF"#
        ),
    }
}

fn statement(script: &Script, line: &Line) -> String {
    let literal = literal(&line.payload);
    let send = match script.protocol {
        Protocol::Tcp => format!("s.sendall({literal})"),
        Protocol::Udp => format!("ask({literal})"),
    };
    if line.count == 1 {
        return send;
    }
    let pause = line.pause_ms.map(|ms| format!("\n    sleep({})", seconds(ms)));
    let end = u64::from(line.count) + 1;
    format!("for n in range(1, {end}):\n    {send}{}", pause.unwrap_or_default())
}

pub(super) fn literal(payload: &Payload) -> String {
    match payload {
        Payload::Text(text) => format!("{}.encode()", quoted(text, by_code)),
        Payload::Numbered(text) => {
            format!(r#"{}.replace("{{n}}", str(n)).encode()"#, quoted(text, by_code))
        }
        Payload::Bytes(bytes) => quoted_bytes(bytes),
    }
}

fn by_code(c: char) -> String {
    format!("\\U{:08x}", u32::from(c))
}
