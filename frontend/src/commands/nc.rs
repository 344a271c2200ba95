//! nc, which sends what the shell's printf writes.

use streamgram_protocol::Protocol;

use super::address::Address;
use super::literal::{escape, octal, octal_char};
use super::script::{Line, Payload, Script, seconds};

pub(super) fn command(script: &Script) -> String {
    let statements = script.statements("; ", statement);
    if script.protocol == Protocol::Udp {
        return statements;
    }
    let Address { host, port, .. } = script.address;
    // It gives up when nothing goes either way for so long.
    let wait = 1 + script.pause_ms().unwrap_or_default().div_ceil(1_000);
    let printed = if script.lines.len() > 1 { format!("{{ {statements}; }}") } else { statements };
    format!("{printed} | nc -w{wait} {host} {port}; echo")
}

fn statement(script: &Script, line: &Line) -> String {
    let Address { host, port, .. } = script.address;
    let mut send = format!("printf {}", literal(&line.payload));
    if script.protocol == Protocol::Udp {
        send = format!("{send} | nc -u -w1 {host} {port}; echo");
        // A shell's own printf writes at every line break, and nc makes a datagram of each write: an
        // external one writes once.
        if line.payload.has_line_break() {
            send.insert_str(0, "env ");
        }
    }
    if line.count == 1 {
        return send;
    }
    let pause = line.pause_ms.map(|ms| format!("; sleep {}", seconds(ms))).unwrap_or_default();
    format!("for n in $(seq 1 {}); do {send}{pause}; done", line.count)
}

/// A format of printf, and its arguments.
pub(super) fn literal(payload: &Payload) -> String {
    match payload {
        Payload::Text(text) => format!("'{}'", quoted(text)),
        Payload::Numbered(text) => {
            let parts: Vec<_> = text.split("{n}").map(quoted).collect();
            format!("'{}'{}", parts.join("%d"), " \"$n\"".repeat(parts.len() - 1))
        }
        Payload::Bytes(bytes) => format!("'{}'", octal(bytes)),
    }
}

fn quoted(text: &str) -> String {
    let escape = |(at, c)| match c {
        '"' | '!' => c.into(),
        '%' => "%%".into(),
        '\'' => octal_char(c),
        // An option begins so.
        '-' if at == 0 => octal_char(c),
        _ => escape(c, octal_char),
    };
    text.chars().enumerate().map(escape).collect()
}
