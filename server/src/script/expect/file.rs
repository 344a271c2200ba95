//! A file of checks: TOML, of which every key is known, and what is wrong is named with what would be right.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use serde::Deserialize;
use streamgram_protocol::Protocol;
use streamgram_protocol::fault::{TcpRecipe, UdpRecipe};

use super::number::Number;
use super::seen;
use super::text::Text;
use crate::script::figures;
use crate::script::own_server::Recipe;
use crate::terminal::screen::note;

/// Bytes of a file of checks. A longer one is refused.
const FILE_BYTES: u64 = 1 << 20;
/// Cases of a file. With one more it is refused.
const CASES: usize = 1_000;
/// Milliseconds that a case may take, if it says nothing.
const USUAL_DEADLINE_MS: u64 = 10_000;
/// The longest deadline, in milliseconds. A longer one is refused.
const DEADLINE_MS: u64 = 600_000;

/// What a server can be.
const SERVERS: &str = "\"tcp\", \"udp\", or with a recipe as in \"tcp;split;seed=7\"";

/// Why a file is not one of checks.
#[derive(Debug)]
pub(crate) struct Wrong(String);

impl Wrong {
    pub(super) fn of(path: &Path, why: impl fmt::Display) -> Self {
        Self(format!("{}: {why}", path.display()))
    }

    /// Says it; the status of the process.
    pub(crate) fn told(&self) -> ExitCode {
        note(&self.0);
        ExitCode::from(2)
    }
}

/// Cases, checked.
#[derive(Debug)]
pub(super) struct File {
    pub(super) cases: Vec<Case>,
}

/// What is done, and what must come of it.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) deadline: Duration,
    /// Whose replies go wrong.
    pub(super) recipe: Option<Recipe>,
    pub(super) deed: Deed,
    pub(super) checks: Checks,
}

/// What is done.
#[derive(Debug)]
pub(super) enum Deed {
    /// A command is run against a protocol's server.
    Command { protocol: Protocol, run: Vec<String>, stdin: Vec<u8> },
    /// A scenario is run.
    Scenario(String),
    /// Nothing: a run is given.
    Given,
}

/// What must come of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Checks {
    pub(super) status: Option<Number>,
    pub(super) stdout: Option<Text>,
    pub(super) stderr: Option<Text>,
    pub(super) sent: Option<Text>,
    pub(super) seen: BTreeMap<seen::Figure, Number>,
    pub(super) tcp: BTreeMap<figures::Figure, Number>,
    pub(super) udp: BTreeMap<figures::Figure, Number>,
}

/// As it stands in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    default: Defaults,
    case: Vec<WrittenCase>,
}

/// What every case has that says nothing else.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Defaults {
    server: Option<String>,
    run: Option<Vec<String>>,
    stdin: Option<String>,
    deadline_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCase {
    name: String,
    server: Option<String>,
    run: Option<Vec<String>>,
    stdin: Option<String>,
    scenario: Option<String>,
    deadline_ms: Option<u64>,
    status: Option<Number>,
    stdout: Option<Text>,
    stderr: Option<Text>,
    sent: Option<Text>,
    #[serde(default)]
    seen: BTreeMap<seen::Figure, Number>,
    #[serde(default)]
    tcp: BTreeMap<figures::Figure, Number>,
    #[serde(default)]
    udp: BTreeMap<figures::Figure, Number>,
}

/// Reads a file. A `command`, if it is not empty, stands in place of those in the file.
///
/// # Errors
/// It cannot be read, or what in it is wrong.
pub(super) fn read(path: &Path, command: &[String]) -> Result<File, Wrong> {
    let length = fs::metadata(path).map_err(|error| Wrong::of(path, error))?.len();
    if length > FILE_BYTES {
        let why = format!("the file is {length} bytes, the limit is {FILE_BYTES}");
        return Err(Wrong::of(path, why));
    }
    let text = fs::read_to_string(path).map_err(|error| Wrong::of(path, error))?;
    parse(&text, command).map_err(|why| Wrong::of(path, why))
}

fn parse(text: &str, command: &[String]) -> Result<File, String> {
    let written: Written = toml::from_str(text).map_err(|wrong| wrong.to_string())?;
    let Written { default, case: cases } = written;
    if cases.is_empty() || cases.len() > CASES {
        return Err(format!("there are {} cases, it must be 1 to {CASES}", cases.len()));
    }
    let mut names = HashSet::new();
    if let Some(twice) = cases.iter().find(|case| !names.insert(case.name.clone())) {
        return Err(format!("two cases have the name {:?}", twice.name));
    }
    let checked = cases.into_iter().map(|case| {
        let name = case.name.clone();
        case.check(&default, command).map_err(|why| format!("case {name:?}: {why}"))
    });
    Ok(File { cases: checked.collect::<Result<_, _>>()? })
}

impl WrittenCase {
    /// The keys of one kind of check that are there.
    fn keys(&self, of_run: bool) -> Vec<&'static str> {
        let keys = if of_run {
            vec![("tcp", !self.tcp.is_empty()), ("udp", !self.udp.is_empty())]
        } else {
            vec![
                ("run", self.run.is_some()),
                ("stdin", self.stdin.is_some()),
                ("status", self.status.is_some()),
                ("stdout", self.stdout.is_some()),
                ("stderr", self.stderr.is_some()),
                ("sent", self.sent.is_some()),
                ("seen", !self.seen.is_empty()),
            ]
        };
        keys.into_iter().filter(|(_, is_there)| *is_there).map(|(key, _)| key).collect()
    }

    fn check(self, default: &Defaults, command: &[String]) -> Result<Case, String> {
        let deadline_ms = self.deadline_ms.or(default.deadline_ms).unwrap_or(USUAL_DEADLINE_MS);
        if deadline_ms == 0 || deadline_ms > DEADLINE_MS {
            return Err(format!("deadline_ms is {deadline_ms}, it must be 1 to {DEADLINE_MS}"));
        }
        let server = self.server.as_ref().or(default.server.as_ref());
        let server = server.map(|server| read_server(server)).transpose()?;
        let deed = self.deed(default, command, server.as_ref().map(|(protocol, _)| *protocol))?;
        if let Deed::Command { protocol, .. } = deed {
            let others =
                |figure: &&seen::Figure| figure.protocol().is_some_and(|it| it != protocol);
            if let Some(other) = self.seen.keys().find(others) {
                let (name, server) = (<&str>::from(other), protocol.name());
                return Err(format!("seen.{name} is not of {server}, which the server is"));
            }
        }
        let Self { name, status, stdout, stderr, sent, seen, tcp, udp, .. } = self;
        let checks = Checks { status, stdout, stderr, sent, seen, tcp, udp };
        if checks.are_none() {
            return Err(
                "it checks nothing: give one of status, stdout, stderr, sent, seen, or of a \
                        scenario tcp, udp"
                    .into(),
            );
        }
        let recipe = server.and_then(|(_, recipe)| recipe);
        let deadline = Duration::from_millis(deadline_ms);
        Ok(Case { name, deadline, recipe, deed, checks })
    }

    /// What is to be done, if it goes with what is to be checked.
    fn deed(
        &self,
        default: &Defaults,
        command: &[String],
        server: Option<Protocol>,
    ) -> Result<Deed, String> {
        let (of_command, of_run) = (self.keys(false), self.keys(true));
        if let Some(scenario) = &self.scenario {
            return match of_command.first() {
                Some(key) => Err(format!("{key} is of a command, and this case runs a scenario")),
                None => Ok(Deed::Scenario(scenario.clone())),
            };
        }
        if let Some(key) = of_run.first() {
            return match of_command.first() {
                Some(_) => Err(format!("{key} is of a scenario, and this case runs a command")),
                None => Ok(Deed::Given),
            };
        }
        let in_file = self.run.as_deref().or(default.run.as_deref());
        let run = if command.is_empty() { in_file } else { Some(command) };
        let run = run.ok_or("run or scenario is needed: what is to be done")?;
        if run.first().is_none_or(String::is_empty) {
            return Err("run is empty, it must begin with a program".into());
        }
        let protocol = server.ok_or_else(|| format!("server is needed, it must be {SERVERS}"))?;
        let stdin = self.stdin.as_ref().or(default.stdin.as_ref()).cloned().unwrap_or_default();
        Ok(Deed::Command { protocol, run: run.to_vec(), stdin: stdin.into_bytes() })
    }
}

impl Checks {
    fn are_none(&self) -> bool {
        let Self { status, stdout, stderr, sent, seen, tcp, udp } = self;
        let texts = [stdout, stderr, sent].iter().all(|text| text.is_none());
        status.is_none() && texts && seen.is_empty() && tcp.is_empty() && udp.is_empty()
    }
}

/// `tcp`, `udp`, or one of these with a recipe.
fn read_server(text: &str) -> Result<(Protocol, Option<Recipe>), String> {
    let (protocol, recipe) = text.split_once(';').unwrap_or((text, ""));
    let protocol = protocol.trim().parse::<Protocol>();
    let protocol = protocol.map_err(|_| format!("server is {text:?}, it must be {SERVERS}"))?;
    let wrong = |wrong| format!("server is {text:?}: {wrong}");
    let recipe = match protocol {
        _ if recipe.trim().is_empty() => None,
        Protocol::Tcp => Some(Recipe::Tcp(TcpRecipe::read(recipe).map_err(wrong)?)),
        Protocol::Udp => Some(Recipe::Udp(UdpRecipe::read(recipe).map_err(wrong)?)),
    };
    Ok((protocol, recipe))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        parse(text, &[]).unwrap_err()
    }

    #[test]
    fn a_case_has_what_it_says_and_else_what_all_have() {
        let text = r#"
            [default]
            server = "tcp;split;seed=7"
            run = ["client", "{host}", "{port}"]
            deadline_ms = 500
            [[case]]
            name = "one"
            status = 0
            [[case]]
            name = "two"
            server = "udp"
            stdin = "x"
            seen = { datagrams = 1 }
            [[case]]
            name = "three"
            scenario = "v1&text=x"
            tcp = { answered = "all" }
            [[case]]
            name = "four"
            udp = { lines = 1 }
        "#;
        let File { cases } = parse(text, &[]).unwrap();
        assert!(matches!(&cases[0].recipe, Some(Recipe::Tcp(recipe)) if recipe.seed == 7));
        assert_eq!((cases[0].deadline.as_millis(), &cases[1].recipe), (500, &None));
        assert!(matches!(&cases[1].deed, Deed::Command { stdin, .. } if stdin == b"x"));
        assert!(matches!(&cases[2].deed, Deed::Scenario(link) if link == "v1&text=x"));
        assert!(matches!(&cases[3].deed, Deed::Given));
        let given = parse(text, &["mine".into()]).unwrap();
        assert!(matches!(&given.cases[0].deed, Deed::Command { run, .. } if run == &["mine"]));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_would_be_right() {
        let case = |rest: &str| wrong(&format!("[[case]]\nname = \"x\"\n{rest}"));
        for (rest, said) in [
            ("raeds = 1", "unknown field `raeds`, expected one of `name`, `server`, `run`"),
            ("seen = { raeds = 1 }", "unknown variant `raeds`, expected one of `connections`"),
            ("seen = { reads = \"three\" }", "it must be a number"),
            ("run = [\"a\"]\nstatus = 0", "server is needed, it must be \"tcp\""),
            ("server = \"smtp\"\nstatus = 0", "server is \"smtp\", it must be \"tcp\""),
            ("server = \"tcp;lossy\"\nstatus = 0", "TCP has no recipe of the name \"lossy\""),
            ("server = \"tcp\"\nrun = []\nstatus = 0", "run is empty"),
            ("server = \"tcp\"\nstatus = 0", "run or scenario is needed"),
            ("server = \"tcp\"\nrun = [\"a\"]", "it checks nothing: give one of status"),
            ("server = \"udp\"\nrun = [\"a\"]\nseen = { reads = 1 }", "seen.reads is not of UDP"),
            ("scenario = \"v1\"\nstatus = 0", "status is of a command"),
            ("run = [\"a\"]\ntcp = { lines = 1 }", "tcp is of a scenario"),
            ("deadline_ms = 600001", "deadline_ms is 600001, it must be 1 to 600000"),
            ("name = \"y\"", "duplicate key"),
        ] {
            let wrong = case(rest);
            assert!(wrong.contains(said), "{rest}: {wrong}");
        }
        assert!(wrong("").contains("missing field `case`"));
        assert!(wrong("case = []").contains("there are 0 cases, it must be 1 to 1000"));
        let many: String = (0..=CASES).map(|n| format!("[[case]]\nname = \"{n}\"\n")).collect();
        assert!(wrong(&many).contains("there are 1001 cases, it must be 1 to 1000"));
        let twice = "[[case]]\nname = \"x\"\n".repeat(2);
        assert!(wrong(&twice).contains("two cases have the name \"x\""));
    }
}
