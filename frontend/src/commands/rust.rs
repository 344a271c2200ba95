//! Rust without crates, compiled into a folder of its own.

use streamgram_protocol::Protocol;

use super::address::Address;
use super::literal::{quoted, quoted_bytes, unicode};
use super::script::{Line, Payload, Script};

pub(super) fn command(script: &Script) -> String {
    let Address { host, port, v6 } = script.address;
    let any = if *v6 { "[::]" } else { "0.0.0.0" };
    let import = if script.pause_ms().is_some() { "use std::thread::sleep;\n" } else { "" };
    let statements = script.statements("\n    ", statement);
    match script.protocol {
        Protocol::Tcp => format!(
            r#"d=$(mktemp -d) && rustc -o "$d/ask" - <<'EOF' && "$d/ask"
use std::io::{{copy, stdout, Result, Write}};
use std::net::{{Shutdown, TcpStream}};
{import}
fn main() -> Result<()> {{
    let mut s = TcpStream::connect(("{host}", {port}))?;
    {statements}
    s.shutdown(Shutdown::Write)?;
    copy(&mut s, &mut stdout())?;
    Ok(())
}}
EOF"#
        ),
        Protocol::Udp => format!(
            r#"d=$(mktemp -d) && rustc -o "$d/ask" - <<'EOF' && "$d/ask"
use std::io::{{stdout, Result, Write}};
use std::net::UdpSocket;
use std::time::Duration;
{import}
fn ask(s: &UdpSocket, line: &[u8]) -> Result<()> {{
    let mut reply = [0; 1024];
    s.send(line)?;
    match s.recv(&mut reply) {{
        Ok(n) => stdout().write_all(&[&reply[..n], b"\n"].concat()),
        Err(_) => stdout().write_all(b"no reply\n"),
    }}
}}

fn main() -> Result<()> {{
    let s = UdpSocket::bind("{any}:0")?;
    s.connect(("{host}", {port}))?;
    s.set_read_timeout(Some(Duration::from_secs(2)))?;
    {statements}
    Ok(())
}}
EOF"#
        ),
    }
}

fn statement(script: &Script, line: &Line) -> String {
    let literal = literal(&line.payload);
    let send = match script.protocol {
        Protocol::Tcp => format!("s.write_all({literal})?;"),
        Protocol::Udp => format!("ask(&s, {literal})?;"),
    };
    if line.count == 1 {
        return send;
    }
    let n = if matches!(line.payload, Payload::Numbered(_)) { "n" } else { "_" };
    let sleep = "\n        sleep(std::time::Duration::from_millis(";
    let pause = line.pause_ms.map(|ms| format!("{sleep}{ms}));")).unwrap_or_default();
    format!("for {n} in 1..={} {{\n        {send}{pause}\n    }}", line.count)
}

pub(super) fn literal(payload: &Payload) -> String {
    match payload {
        Payload::Text(text) => format!("{}.as_bytes()", quoted(text, unicode)),
        Payload::Numbered(text) => {
            format!(r#"{}.replace("{{n}}", &n.to_string()).as_bytes()"#, quoted(text, unicode))
        }
        Payload::Bytes(bytes) => quoted_bytes(bytes),
    }
}
