//! C with the sockets of POSIX, compiled into a folder of its own.

use streamgram_protocol::Protocol;

use super::address::Address;
use super::literal::{escape, octal, octal_char};
use super::script::{Line, Payload, Script};

pub(super) fn command(script: &Script) -> String {
    let Address { host, port, v6 } = script.address;
    let family = if *v6 { "AF_INET6" } else { "AF_INET" };
    let import = if script.pause_ms().is_some() { "#include <poll.h>\n" } else { "" };
    let statements = script.statements("\n    ", statement);
    match script.protocol {
        Protocol::Tcp => format!(
            r#"d=$(mktemp -d) && cc -x c -o "$d/ask" - <<'EOF' && "$d/ask"
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
{import}
int main(void) {{
    struct addrinfo *to, hints = {{.ai_family = {family}, .ai_socktype = SOCK_STREAM}};
    if (getaddrinfo("{host}", "{port}", &hints, &to)) return 1;
    int s = socket(to->ai_family, to->ai_socktype, 0);
    if (connect(s, to->ai_addr, to->ai_addrlen)) return perror("connect"), 1;
    {statements}
    shutdown(s, SHUT_WR);
    char reply[1024];
    for (ssize_t n; (n = read(s, reply, sizeof reply)) > 0;) fwrite(reply, 1, n, stdout);
    return 0;
}}
EOF"#
        ),
        Protocol::Udp => format!(
            r#"d=$(mktemp -d) && cc -x c -o "$d/ask" - <<'EOF' && "$d/ask"
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

static void ask(int s, const char *line, int bytes) {{
    char reply[1024];
    struct pollfd in = {{s, POLLIN, 0}};
    send(s, line, bytes, 0);
    int n = poll(&in, 1, 2000) == 1 ? recv(s, reply, sizeof reply, 0) : -1;
    if (n < 0) puts("no reply");
    else printf("%.*s\n", n, reply);
}}

int main(void) {{
    struct addrinfo *to, hints = {{.ai_family = {family}, .ai_socktype = SOCK_DGRAM}};
    if (getaddrinfo("{host}", "{port}", &hints, &to)) return 1;
    int s = socket(to->ai_family, to->ai_socktype, 0);
    if (connect(s, to->ai_addr, to->ai_addrlen)) return perror("connect"), 1;
    {statements}
    return 0;
}}
EOF"#
        ),
    }
}

fn statement(script: &Script, line: &Line) -> String {
    let literal = literal(&line.payload);
    let send = match script.protocol {
        Protocol::Tcp => format!("send(s, {literal}, 0);"),
        Protocol::Udp => format!("ask(s, {literal});"),
    };
    if line.count == 1 {
        return send;
    }
    let declaration = match &line.payload {
        // The three bytes of a {n} become at most ten digits, and a zero ends what snprintf writes.
        Payload::Numbered(text) => format!("char line[{}];\n        ", 4 * text.len() + 1),
        Payload::Text(_) | Payload::Bytes(_) => String::new(),
    };
    let pause = line.pause_ms.map(|ms| format!("\n        poll(0, 0, {ms});")).unwrap_or_default();
    let count = line.count;
    format!("for (int n = 1; n <= {count}; n++) {{\n        {declaration}{send}{pause}\n    }}")
}

/// The bytes, and how many they are.
pub(super) fn literal(payload: &Payload) -> String {
    match payload {
        Payload::Text(text) => format!("\"{}\", {}", quoted(text), text.len()),
        Payload::Numbered(text) => numbered(text),
        Payload::Bytes(bytes) => format!("\"{}\", {}", octal(bytes), bytes.len()),
    }
}

fn numbered(text: &str) -> String {
    let (mut format, mut arguments) = (String::new(), String::new());
    for (at, part) in text.split("{n}").enumerate() {
        if at > 0 {
            format.push_str("%d");
            arguments.push_str(", n");
        }
        for (at, part) in part.split('\0').enumerate() {
            if at > 0 {
                // A zero itself would end the format.
                format.push_str("%c");
                arguments.push_str(", 0");
            }
            format.push_str(&quoted(part).replace('%', "%%"));
        }
    }
    format!("line, snprintf(line, sizeof line, \"{format}\"{arguments})")
}

fn quoted(text: &str) -> String {
    // Three question marks with another sign were a character once.
    text.chars().map(|c| if c == '?' { r"\?".into() } else { escape(c, octal_char) }).collect()
}
