//! JavaScript, run by Node.

use streamgram_protocol::{Data, Protocol};

use super::address::Address;
use super::literal::{quoted, unicode};
use super::script::{Line, Payload, Script};

pub(super) fn command(script: &Script) -> String {
    let Address { host, port, v6 } = script.address;
    let family = if *v6 { "udp6" } else { "udp4" };
    let import = if script.pause_ms().is_some() {
        "import { setTimeout as sleep } from \"node:timers/promises\";\n"
    } else {
        ""
    };
    let statements = script.statements("\n", statement);
    match script.protocol {
        Protocol::Tcp => format!(
            r#"node --input-type=module - <<'EOF'
import net from "node:net";
{import}
const s = net.connect({port}, "{host}");
s.pipe(process.stdout);
{statements}
s.end();
EOF"#
        ),
        Protocol::Udp => format!(
            r#"node --input-type=module - <<'EOF'
import dgram from "node:dgram";
import {{ once }} from "node:events";
{import}
const s = dgram.createSocket("{family}");

async function ask(line) {{
  s.send(line, {port}, "{host}");
  const reply = once(s, "message", {{ signal: AbortSignal.timeout(2000) }});
  console.log(String(await reply.then(([bytes]) => bytes, () => "no reply")));
}}

{statements}
s.close();
EOF"#
        ),
    }
}

fn statement(script: &Script, line: &Line) -> String {
    let literal = literal(&line.payload);
    let send = match script.protocol {
        Protocol::Tcp => format!("s.write({literal});"),
        Protocol::Udp => format!("await ask({literal});"),
    };
    if line.count == 1 {
        return send;
    }
    let pause = line.pause_ms.map(|ms| format!("\n  await sleep({ms});")).unwrap_or_default();
    format!("for (let n = 1; n <= {}; n++) {{\n  {send}{pause}\n}}", line.count)
}

pub(super) fn literal(payload: &Payload) -> String {
    match payload {
        Payload::Text(text) => quoted(text, unicode),
        Payload::Numbered(text) => format!(r#"{}.replaceAll("{{n}}", n)"#, quoted(text, unicode)),
        Payload::Bytes(bytes) => format!(r#"Buffer.from("{}", "hex")"#, Data::hex(bytes)),
    }
}
