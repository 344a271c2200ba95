//! Scenarios without a browser, checks of clients from a file, the graded exercise, and the examples of
//! `docs/testing.md`: all of it is really run.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use serde_json::Value;
use streamgram_protocol::{Event, ServerMessage};
use streamgram_tests::{PATIENCE, SOON, binary, skip};

const DOCUMENT: &str = include_str!("../../docs/testing.md");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// Runs the program in a folder of the repository.
fn streamgram(folder: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary());
    command.current_dir(root().join(folder)).args(arguments).stdin(Stdio::null());
    command.output().expect("it starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

/// A file that is removed with its test.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str, content: &str) -> Self {
        let path = std::env::temp_dir().join(format!("{}-{name}", std::process::id()));
        fs::write(&path, content).expect("there is room");
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("a plain path")
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _removed = fs::remove_file(&self.0);
    }
}

/// Whether a program is there; if not, the test is skipped.
fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output();
    let is_there = found.is_ok_and(|output| output.status.success());
    if !is_there {
        skip(&format!("there is no {program}"));
    }
    is_there
}

/// Does what a file of checks says.
fn expect(name: &str, content: &str) -> Output {
    let file = Temporary::new(name, content);
    streamgram(".", &["expect", file.path()])
}

#[test]
fn in_the_exercise_the_naive_client_fails_split_and_a_correct_one_passes() {
    if !has("python3") {
        return;
    }
    let junit = Temporary::new("exercise.xml", "");
    let correct =
        streamgram("examples/graded", &["expect", "exercise.toml", "--junit", junit.path()]);
    let (said, written) = (text(&correct.stdout), fs::read_to_string(&junit.0).unwrap());
    assert_eq!(correct.status.code(), Some(0), "{said}{}", text(&correct.stderr));
    assert!(said.ends_with("7 of 7 cases are ok\n"), "{said}");
    assert!(written.contains(r#"tests="7" skipped="0" errors="0" failures="0""#), "{written}");

    let given = ["--", "python3", "naive.py", "{host}", "{port}"];
    let arguments = ["expect", "exercise.toml", "--junit", junit.path()];
    let naive = streamgram("examples/graded", &[&arguments[..], &given].concat());
    let (said, written) = (text(&naive.stdout), fs::read_to_string(&junit.0).unwrap());
    assert_eq!(naive.status.code(), Some(1), "{said}");
    assert!(said.contains("ok     a server that does nothing wrong"), "{said}");
    let split = said.split("FAILED split").nth(1).expect("split fails");
    let split = split.split("FAILED").next().unwrap();
    for line in [
        r"    expected  [{ctime}] hello\n[{ctime}] 你好\n",
        "    seen      [",
        "read 0: 5 bytes at 0: hello",
        "on purpose: wrote, bytes",
    ] {
        assert!(split.contains(line), "{line}: {split}");
    }
    assert!(written.contains(r#"<testcase name="split""#), "{written}");
    assert!(written.contains(r#"<failure message="standard output: expected ["#), "{written}");
}

#[test]
fn a_file_that_is_wrong_ends_with_2_and_names_the_key_and_what_would_be_right() {
    for (content, said) in [
        ("[[case]]\nname = \"x\"\nraeds = 1", "unknown field `raeds`, expected one of `name`"),
        ("[[case]]\nname = \"x\"\nseen = { raeds = 1 }", "expected one of `connections`, `reads`"),
        (
            "[[case]]\nname = \"x\"\nserver = \"tcp;splt\"\nrun = [\"a\"]\nstatus = 0",
            "case \"x\": server is \"tcp;splt\": TCP has no recipe of the name \"splt\"",
        ),
        ("[[case]]\nname = ", "line 2, column 8"),
        ("", "missing field `case`"),
    ] {
        let output = expect("wrong.toml", content);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(said) && error.contains("wrong.toml"), "{content}: {error}");
        assert!(output.stdout.is_empty());
    }
    let output = streamgram(".", &["expect", "nowhere.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).starts_with("streamgram: nowhere.toml: "));
}

#[test]
fn a_command_that_is_missing_fails_its_case_and_no_other() {
    let program = env!("CARGO");
    let content = format!(
        "[default]\nserver = \"tcp\"\n[[case]]\nname = \"missing\"\nrun = [\"no-such-client\"]\nstatus = 0\n\
         [[case]]\nname = \"there\"\nrun = ['{program}', \"--version\"]\nstatus = 0\n\
         stdout = {{ contains = [\"cargo\"] }}\nseen = {{ connections = 0 }}\n"
    );
    let output = expect("missing.toml", &content);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot start \"no-such-client\": "), "{said}");
    assert!(said.contains("ok     there") && said.ends_with("1 of 2 cases are ok\n"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_command_that_hangs_is_ended_at_its_deadline_with_all_that_it_started() {
    let content = r#"
        [[case]]
        name = "hangs"
        server = "udp"
        run = ["sh", "-c", "echo begun; sleep 1000 & sleep 1000"]
        deadline_ms = 300
        stdout = "begun\n"
    "#;
    let since = Instant::now();
    let output = expect("hangs.toml", content);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("expected  it ends within 300 ms"), "{said}");
    assert!(!said.contains("standard output"), "what it had printed is there: {said}");
    assert!(since.elapsed() < PATIENCE, "{:?}", since.elapsed());
}

#[cfg(unix)]
#[test]
fn what_the_servers_saw_is_what_the_client_did() {
    if !has("python3") {
        return;
    }
    let content = r#"
        [[case]]
        name = "three writes, and a half-close"
        server = "tcp"
        run = ["python3", "-c", """
import os, socket
peer = socket.create_connection((os.environ['STREAMGRAM_PEER_HOST'], int(os.environ['STREAMGRAM_PEER_PORT'])))
for line in (b'a', b'bb', b'ccc'):
    peer.sendall(line)
    peer.recv(100)
peer.shutdown(socket.SHUT_WR)
print(peer.recv(100))
"""]
        status = 0
        stdout = "b''\n"
        sent = "abbccc"
        seen = { connections = 1, reads = ">= 3", bytes = 6, answered = "all", half_closed = true, reset = false, open = 0 }

        [[case]]
        name = "two datagrams, from two sockets"
        server = "udp;mute"
        run = ["python3", "-c", """
import socket, sys
for line in (b'x', b'y'):
    socket.socket(type=socket.SOCK_DGRAM).sendto(line, (sys.argv[1], int(sys.argv[2])))
""", "{host}", "{port}"]
        seen = { datagrams = 2, peers = 2, answered = 0, bytes = 2 }

        [[case]]
        name = "a reset is told from a FIN"
        server = "tcp"
        run = ["python3", "-c", """
import socket, struct, sys
peer = socket.create_connection((sys.argv[1], int(sys.argv[2])))
peer.sendall(b'x')
peer.recv(100)
peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
""", "{host}", "{port}"]
        seen = { half_closed = true, reset = 0 }
    "#;
    let output = expect("seen.toml", content);
    let said = text(&output.stdout);
    assert!(said.contains("ok     three writes, and a half-close"), "{said}");
    assert!(said.contains("ok     two datagrams, from two sockets"), "{said}");
    for line in [
        "  half closed, as the server saw it\n    expected  at least 1\n    seen      0 of 1\n",
        "  reset, as the server saw it\n    expected  0\n    seen      1\n",
        "closed by the client's RST",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
}

/// The events and the last line of a run.
fn events(output: &Output) -> (Vec<ServerMessage>, Value) {
    let lines: Vec<_> = text(&output.stdout).lines().collect();
    let (last, events) = lines.split_last().expect("a last line");
    let message =
        |line: &&str| ServerMessage::decode(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    (events.iter().map(message).collect(), serde_json::from_str(last).expect("JSON"))
}

#[test]
fn a_share_links_scenario_runs_and_tells_every_event_and_the_figures() {
    let link = "http://192.0.2.1:8000/#v1&text=line%20%7Bn%7D&to=both&count=5&delay=20&rule=lose_line:3&rate=5000000";
    let output = streamgram(".", &["run", link, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "streamgram: rate is 5000000, 1000000 is taken\n");
    let (events, last) = events(&output);
    assert!(matches!(events[0].event, Event::Hello(_)));
    let count = |wanted: &dyn Fn(&Event) -> bool| {
        events.iter().filter(|message| wanted(&message.event)).count() as u64
    };
    let figures = &last["figures"];
    assert_eq!(last["settled"], true);
    assert_eq!(
        count(&|event| matches!(event, Event::Answered { .. })),
        figures["tcp"]["answered"].as_u64().unwrap() + figures["udp"]["answered"].as_u64().unwrap()
    );
    let of = |leg: &str| ["lines", "answered", "no_reply"].map(|name| figures[leg][name].as_u64());
    assert_eq!(of("tcp"), [Some(5), Some(5), Some(0)]);
    assert_eq!(of("udp"), [Some(5), Some(4), Some(1)]);
    for (leg, name) in
        [("tcp", "retransmissions"), ("tcp", "lost_packets"), ("udp", "lost_packets")]
    {
        assert_eq!(figures[leg][name], 1, "{figures}");
    }
    assert!(figures["tcp"]["rtt_min_us"].as_u64() >= Some(40_000), "{figures}");
    assert_eq!(count(&|event| matches!(event, Event::Closed { .. })), 2);
}

#[test]
fn the_same_seed_does_the_same_to_every_run() {
    let faults = || {
        let flags = ["run", "v1&text=hello&to=tcp", "--json", "--fault-tcp", "split;seed=7"];
        let (events, last) = events(&streamgram(".", &flags));
        let faults = events.into_iter().filter_map(|message| match message.event {
            Event::Fault(deed) => Some(deed),
            _ => None,
        });
        let faults: Vec<_> = faults.collect();
        assert_eq!(last["figures"]["tcp"]["faults"], faults.len());
        faults
    };
    let first = faults();
    assert!(first.len() > 5 && first == faults(), "{first:?}");
}

#[test]
fn a_run_without_json_is_a_summary() {
    let output = streamgram(".", &["run", "v1&text=hello&to=both&count=3"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for line in [
        "TCP over the direct path\n  lines           3 sent, 3 answered, 0 without a reply in time\n",
        "UDP over the direct path\n",
        "  server          3 datagrams\n",
    ] {
        assert!(said.contains(line), "{said}");
    }
}

#[test]
fn a_scenario_that_cannot_run_ends_with_1_and_says_why() {
    let long = format!("v1&text={}", "x".repeat(16_377));
    for (arguments, why) in [
        (&["http://127.0.0.1:8000/"][..], "this is no share link: it begins with"),
        (&["v2&text=x"], "where v1 is expected"),
        (&["v1&mode=hex&text=0g"], "line 1 of the scenario: 'g' at 1 is not a hexadecimal digit"),
        (&["v1&mode=escapes&text=a%0Ab%5Cq"], r"line 2 of the scenario: \q (from character 2)"),
        (&["v1&text=&to=tcp"], "an empty line has no bytes, so over TCP there is nothing to send"),
        (
            &["v1&text=x&to=tcp", "--fault-tcp=silent", "--deadline-s=1"],
            "not every line was answered or given up before the deadline",
        ),
        (&[&*long], "the scenario is 16385 bytes, the limit is 16384"),
    ] {
        let output = streamgram(".", &[&["run"], arguments].concat());
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{why}: {error}");
        assert!(error.contains(why), "{why}: {error}");
    }
    let output = streamgram(".", &["run", "v1", "--fault-tcp=splt"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn who_has_read_enough_of_a_run_ends_it() {
    let mut run = Command::new(binary())
        .args(["run", "v1&text=x&to=udp&count=1000&every=100", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(run.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    drop(stdout);
    let since = Instant::now();
    assert!(run.wait().unwrap().success());
    assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
    let mut said = String::new();
    run.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "");
}

#[test]
fn the_figures_of_a_run_are_checked() {
    let content = r#"
        [[case]]
        name = "all of TCP's lines, and all but one of UDP's"
        tcp = { lines = 5, answered = "all", retransmissions = ">= 1" }
        udp = { answered = 4, no_reply = 1, lost_packets = 1 }
        [[case]]
        name = "nothing is lost"
        udp = { answered = "all" }
        tcp = { late = 1 }
        [[case]]
        name = "of another scenario"
        scenario = "v1&text=x&to=udp&count=2"
        udp = { lines = 2, answered = "all", server_reads = 2, rtt_max_us = "<= 20000000" }
        [[case]]
        name = "direct paths have no packets to be seen"
        scenario = "v1&text=x&to=udp"
        udp = { packets = 0 }
    "#;
    let file = Temporary::new("figures.toml", content);
    let scenario = "v1&text=x&count=5&delay=10&rule=lose_line:3";
    let run = streamgram(".", &["run", scenario, "--expect", file.path()]);
    let said = text(&run.stdout);
    assert_eq!(run.status.code(), Some(1), "{said}");
    assert!(said.contains("ok     all of TCP's lines, and all but one of UDP's"), "{said}");
    assert!(said.contains("  UDP answered\n    expected  all\n    seen      4\n"), "{said}");
    assert!(said.ends_with("1 of 2 cases are ok\n"), "{said}");
    // With --json standard output is for events.
    let json = streamgram(".", &["run", scenario, "--json", "--expect", file.path()]);
    assert_eq!((json.status.code(), events(&json).1["settled"].clone()), (Some(1), true.into()));
    assert!(text(&json.stderr).ends_with("1 of 2 cases are ok\n"));

    let expect = streamgram(".", &["expect", file.path()]);
    let said = text(&expect.stdout);
    assert!(said.contains("ok     of another scenario"), "{said}");
    assert!(said.contains("seen      nothing: this run does not tell it"), "{said}");
    assert!(said.contains("it checks a run: streamgram run SCENARIO --expect FILE"), "{said}");
    let none = Temporary::new(
        "none.toml",
        "[[case]]\nname = \"x\"\nscenario = \"v1\"\ntcp = { lines = 1 }",
    );
    let none = streamgram(".", &["run", scenario, "--expect", none.path()]);
    assert_eq!(none.status.code(), Some(2), "{}", text(&none.stderr));
}

/// The blocks of a kind in the document.
fn blocks(kind: &str) -> Vec<&'static str> {
    let begin = format!("```{kind}\n");
    let blocks = DOCUMENT.split(&begin).skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap_or_default()).collect()
}

/// An example that the document shows as it is.
fn example(name: &str, kind: &str) -> PathBuf {
    let path = root().join("examples/testing").join(name);
    let content = fs::read_to_string(&path).expect("an example");
    assert!(blocks(kind).contains(&&*content), "docs/testing.md shows another {name}");
    path
}

/// Runs a test of another language against the binary.
fn passes(command: &mut Command) {
    let output = command.env("STREAMGRAM_BIN", binary()).output().expect("it starts");
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn the_example_in_python_is_shown_as_it_is_and_passes() {
    let path = example("client_test.py", "python");
    if has("python3") {
        passes(Command::new("python3").env("PYTHONDONTWRITEBYTECODE", "1").arg(path));
    }
}

#[test]
fn the_example_in_node_is_shown_as_it_is_and_passes() {
    let path = example("client.test.mjs", "js");
    if has("node") {
        passes(Command::new("node").arg("--test").arg(path));
    }
}

#[test]
fn the_example_in_rust_is_shown_as_it_is_and_passes() {
    let path = example("client_test.rs", "rust");
    if has("rustc") {
        let suffix = std::env::consts::EXE_SUFFIX;
        let program = Temporary::new(&format!("client_test{suffix}"), "");
        fs::remove_file(&program.0).expect("it was made a moment ago");
        passes(
            Command::new("rustc")
                .args(["--edition=2024", "--test", "-o", program.path()])
                .arg(path),
        );
        passes(&mut Command::new(&program.0));
    }
}

#[test]
fn the_files_of_checks_in_the_document_are_some_and_pass() {
    if !has("python3") {
        return;
    }
    let files = blocks("toml");
    assert!(!files.is_empty());
    for content in files {
        let file = Temporary::new("documented.toml", content);
        let output = streamgram("examples/graded", &["expect", file.path()]);
        assert_eq!(output.status.code(), Some(0), "{content}{}", text(&output.stdout));
    }
}

#[test]
fn every_key_and_figure_is_documented() {
    let keys = |content: &str| {
        let output = expect("keys.toml", content);
        let error = text(&output.stderr).to_owned();
        let (_, names) = error.split_once("expected one of ").expect("the names");
        names.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()
    };
    let case = |field: &str| keys(&format!("[[case]]\nname = \"x\"\n{field}"));
    let of = [
        keys("[default]\nx = 1"),
        case("x = 1"),
        case("seen = { x = 1 }"),
        case("tcp = { x = 1 }"),
    ];
    assert!(of.iter().all(|names| names.len() >= 4), "{of:?}");
    for name in of.iter().flatten() {
        assert!(DOCUMENT.contains(&format!("`{name}`")), "{name} is not documented");
    }
}
