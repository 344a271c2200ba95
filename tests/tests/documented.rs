//! `docs/protocol.md` is true: its conversations happen, its messages are messages, and nothing that
//! can be said is missing. No flag is missing in `docs/reliability.md` or `docs/rooms.md`, and no test that the former
//! names.
//! What deploys it uses flags that there are.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use streamgram::observe::feed::{WAITING_SIGHTINGS, WATCHERS};
use streamgram::observe::journal::{ANSWERS_AT_ONCE, JOURNAL_CLIENTS};
use streamgram::observe::{UNDECIDED_BYTES, WAITING_PACKET_BYTES};
use streamgram_protocol::fault::{Deed, NAMED, Named};
use streamgram_protocol::{
    CAPTURED_BYTES, CTIME_LEN, Cause, ClientMessage, Code, Event, Limits, RAW_BYTES, RAW_CLIENTS,
    RawObservation, Rule, ServerMessage, TOKEN_BYTES, TOKEN_WITHIN, Unanswered,
};
use streamgram_tests::{Browser, PATIENCE, Server, binary, is_ctime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

const DOCUMENT: &str = include_str!("../../docs/protocol.md");
const FAULTS: &str = include_str!("../../docs/faults.md");
const RELIABILITY: &str = include_str!("../../docs/reliability.md");
const ROOMS: &str = include_str!("../../docs/rooms.md");

/// What differs from run to run.
const OWN_TO_A_RUN: [&str; 12] = [
    "at_us",
    "done_us",
    "rtt_us",
    "handshake_us",
    "wall_ms",
    "arrives_us",
    "hex",
    "version",
    "local",
    "peer",
    "tcp",
    "udp",
];

/// The blocks of a kind, each as its lines.
fn blocks(kind: &str) -> Vec<Vec<&'static str>> {
    let begin = format!("```{kind}\n");
    let blocks: Vec<_> = DOCUMENT
        .split(&begin)
        .skip(1)
        .map(|rest| rest.split("\n```").next().unwrap_or_default().lines().collect())
        .collect();
    assert!(!blocks.is_empty(), "there is no {kind}");
    blocks
}

/// An event without what differs from run to run; that such a field is there is kept.
fn comparable(message: &str) -> Value {
    let mut message = serde_json::from_str(message).expect("JSON");
    forget_the_run(&mut message);
    message
}

fn forget_the_run(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(forget_the_run),
        Value::Object(fields) => {
            for (name, field) in fields {
                // A header is named `tcp` too, but that is an object.
                if OWN_TO_A_RUN.contains(&name.as_str()) && !field.is_object() {
                    *field = Value::Null;
                } else {
                    forget_the_run(field);
                }
            }
        }
        Value::String(text) => {
            for at in (0..text.len()).rev() {
                let end = at + CTIME_LEN;
                if text.get(at..end).is_some_and(|words| is_ctime(words.as_bytes())) {
                    text.replace_range(at..end, "<ctime>");
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Reads on until an event that is not used yet is as the document says, and uses it.
#[expect(clippy::print_stdout, reason = "captured, and shown only when the test fails")]
async fn expect(browser: &mut Browser, used: &mut Vec<bool>, documented: &str) {
    let expected = comparable(documented);
    let mut looked_at = 0;
    loop {
        used.resize(browser.messages.len(), false);
        for (message, used) in browser.messages.iter().zip(used.iter_mut()).skip(looked_at) {
            let same = comparable(&message.encode()) == expected;
            if same && !*used {
                *used = true;
                return;
            }
        }
        looked_at = browser.messages.len();
        println!("waiting for {documented}");
        browser.next().await;
    }
}

/// Does what a command line with `printf` and `nc` does.
async fn raw_client(command: &str, server: &Server) {
    let (printf, nc) = command.split_once(" | ").expect("a pipe");
    let line = printf.strip_prefix("printf ").expect("printf").as_bytes();
    if nc.starts_with("nc -u -w 1 ") {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        socket.send_to(line, server.udp).await.expect("the socket takes a datagram");
        let reply = timeout(PATIENCE, socket.recv(&mut [0; 64])).await;
        reply.expect("UDP answers in time").expect("UDP answers");
        return;
    }
    assert!(nc.starts_with("nc -N "), "{nc}");
    let mut stream = TcpStream::connect(server.tcp).await.expect("TCP accepts");
    stream.write_all(line).await.expect("TCP takes bytes");
    stream.shutdown().await.expect("TCP takes a FIN");
    let replies = timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await;
    replies.expect("TCP answers in time").expect("TCP answers");
}

#[tokio::test]
async fn every_conversation_happens_as_it_is_written() {
    let server = Server::start();
    for block in blocks("conversation") {
        let mut browser = Browser::connect(server.http).await;
        let mut used = Vec::new();
        for line in block {
            match line.split_once(' ') {
                Some(("→", message)) => browser.say(message).await,
                Some(("←", message)) => expect(&mut browser, &mut used, message).await,
                Some(("$", command)) => {
                    // What was said before has been carried out when this is answered.
                    browser.say("?").await;
                    browser.until(|event| matches!(event, Event::Error(_))).await;
                    raw_client(command, &server).await;
                }
                _ => panic!("neither said, answered nor done: {line}"),
            }
        }
    }
}

#[test]
fn every_message_is_one_and_is_written_as_the_server_writes_it() {
    let answers = blocks("conversation").into_iter().flatten();
    let answers = answers.filter_map(|line| line.strip_prefix("← "));
    for line in blocks("events").into_iter().flatten().chain(answers) {
        let message = ServerMessage::decode(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let written: Value = serde_json::from_str(&message.encode()).unwrap();
        let documented: Value = serde_json::from_str(line).unwrap();
        assert_eq!(written, documented);
    }
}

/// The names of an enum, from an error like "unknown variant `?`, expected one of `a`, `b`".
fn variants<'de, T: serde::Deserialize<'de> + std::fmt::Debug>() -> Vec<String> {
    let error = serde_json::from_str::<T>(r#"{"?":{}}"#).expect_err("no variant is called ?");
    let error = error.to_string();
    let (_, names) = error.split_once("expected ").unwrap_or_else(|| panic!("no names: {error}"));
    let names: Vec<_> = names.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    assert!(names.len() > 1, "{error}");
    names
}

/// A row of a table for every name.
fn has_rows(names: &[String]) {
    for name in names {
        assert!(DOCUMENT.contains(&format!("\n| `{name}` |")), "{name} is not documented");
    }
}

#[test]
fn every_event_of_the_server_is_documented() {
    has_rows(&variants::<Event>());
    has_rows(&variants::<RawObservation>());
    has_rows(&variants::<Deed>());
}

#[test]
fn every_message_of_a_client_is_documented() {
    for name in variants::<ClientMessage>() {
        assert!(DOCUMENT.contains(&format!("\n### `{name}`\n")), "{name} is not documented");
    }
}

#[test]
fn every_rule_of_a_link_is_documented() {
    for name in variants::<Rule>() {
        assert!(DOCUMENT.contains(&format!("\n| `{{\"{name}\":")), "{name} is not documented");
    }
}

#[test]
fn every_code_and_cause_is_documented() {
    has_rows(&variants::<Code>());
    has_rows(&variants::<Cause>());
    has_rows(&variants::<Unanswered>());
}

#[test]
fn every_limit_is_documented_with_its_default() {
    let limits = serde_json::to_value(Limits::default()).unwrap();
    for (name, value) in limits.as_object().unwrap() {
        let row = format!("\n| `{name}` | {} |", with_separators(&value.to_string()));
        assert!(DOCUMENT.contains(&row), "{row}");
    }
}

#[test]
fn the_limits_of_raw_clients_are_documented() {
    for (limit, unit) in [
        (RAW_BYTES, "bytes of a read or a datagram"),
        (RAW_CLIENTS, "clients that a session knows at a time"),
        (WAITING_SIGHTINGS, "observations that wait for a session"),
        (
            WAITING_PACKET_BYTES / 1_024,
            "KiB of packets that wait for a session, of a leg or of raw clients",
        ),
        (CAPTURED_BYTES, "bytes of a packet"),
        (WATCHERS, "sessions that watch the same address, or with `all` everybody"),
        (TOKEN_BYTES, "bytes of a token"),
        (TOKEN_WITHIN, "first bytes of a client in which a token is looked for"),
        (
            UNDECIDED_BYTES / 1_024,
            "KiB of observations that wait for the first bytes of connections",
        ),
        (JOURNAL_CLIENTS, "clients in the journal"),
        (ANSWERS_AT_ONCE, "answers at a time"),
    ] {
        let row = format!("\n| {} | {unit}", with_separators(&limit.to_string()));
        assert!(DOCUMENT.contains(&row), "{row}");
    }
}

/// Digits as a person reads them: in threes. A word is left as it is.
fn with_separators(digits: &str) -> String {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return digits.to_owned();
    }
    let mut written = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    written
}

#[test]
fn every_flag_of_the_defences_is_documented_with_its_default() {
    let help = Command::new(binary()).args(["serve", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let sections = help.split("\nLimits of ").skip(1);
    let is_elsewhere = |section: &&str| {
        ["a session:", "emulated paths:"].iter().any(|title| section.starts_with(title))
    };
    let flags: Vec<_> = sections.filter(|section| !is_elsewhere(section)).collect();
    assert_eq!(flags.len(), 5, "HTTP, WebSockets, TCP clients, UDP, rooms");
    for flag in flags.iter().flat_map(|section| section.split("\n      --").skip(1)) {
        let name = flag.split([' ', '\n']).next().unwrap();
        let default = flag.split("[default: ").nth(1).and_then(|rest| rest.split(']').next());
        let row = match default {
            Some(default) => format!("\n| `--{name}` | {} |", with_separators(default)),
            None => format!("\n| `--{name}` |"),
        };
        assert!([RELIABILITY, ROOMS].iter().any(|text| text.contains(&row)), "{row}");
    }
}

/// Words of a text that could be names.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_')))
}

#[test]
fn what_deploys_it_uses_flags_that_there_are() {
    let help = Command::new(binary()).args(["serve", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let known: HashSet<_> = words(&help).filter(|word| word.starts_with("STREAMGRAM_")).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut checked = 0;
    for file in [
        "deploy/Containerfile",
        "deploy/compose.yaml",
        "deploy/kubernetes-rooms.yaml",
        "deploy/kubernetes.yaml",
        "deploy/systemd/streamgram.service",
        "docs/deploying.md",
        "docs/installing.md",
        "docs/rooms.md",
    ] {
        let text = fs::read_to_string(root.join(file)).unwrap();
        for word in words(&text).filter(|word| word.starts_with("STREAMGRAM_")) {
            // What begins a name is written as `STREAMGRAM_…`.
            assert!(known.contains(word) || word == "STREAMGRAM_", "{file}: {word}");
            checked += 1;
        }
        // Commands of ours; other programs have flags too.
        for command in text.lines().filter_map(|line| line.trim().strip_prefix("streamgram ")) {
            for flag in words(command).filter(|word| word.starts_with("--")) {
                let variable = flag.trim_start_matches('-').replace('-', "_").to_uppercase();
                assert!(known.contains(&*format!("STREAMGRAM_{variable}")), "{file}: {flag}");
                checked += 1;
            }
        }
    }
    assert!(checked > 15, "{checked} are named");
}

#[test]
fn every_test_that_is_named_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let quoted = RELIABILITY.split('`').skip(1).step_by(2);
    let mut checked = 0;
    for name in quoted {
        if name.ends_with(".test.mjs") {
            assert!(root.join("tests/browser").join(name).exists(), "{name}");
            checked += 1;
        }
        let Some((file, test)) = name.split_once("::").filter(|(_, test)| test.contains('_'))
        else {
            continue;
        };
        let folder = if file == "hold" { "fuzz/properties/tests" } else { "tests/tests" };
        let path = root.join(folder).join(format!("{file}.rs"));
        let source = fs::read_to_string(path).unwrap_or_else(|_| panic!("{name}: no such file"));
        assert!(source.contains(&format!("fn {test}()")), "{name}: no such test");
        checked += 1;
    }
    assert!(checked > 40, "{checked} are named");
}

#[test]
fn every_recipe_with_a_name_is_explained() {
    for Named { name, protocol, words, robust } in NAMED {
        let row = format!("| `{name}` ({}) | `{words}` | {robust} |", protocol.name());
        assert!(FAULTS.contains(&row), "docs/faults.md lacks: {row}");
    }
}
