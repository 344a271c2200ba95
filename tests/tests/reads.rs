//! A leg meets the server that any other client meets: a burst over it comes in as many reads as one from another
//! process. The number of reads is the processors' and the scheduler's, so only its distributions are compared.

use std::fmt::{self, Display, Formatter};
use std::io::{BufRead as _, BufReader, Write as _, stderr};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use streamgram_protocol::Event;
use streamgram_tests::{Browser, Server, skip};

const REPEATS: usize = 200;
const COUNT: usize = 20;
/// How many times as often bursts from outside may come in more than two reads as those over a leg. On two processors
/// both shares vary fivefold from run to run; with a server on the thread of its leg, a leg's was always zero.
const APART: usize = 10;
const LINE: &str = "0123456789abcdef";

/// A client in another process.
struct RawClient {
    process: Child,
    asks: ChildStdin,
    says: BufReader<ChildStdout>,
}

impl RawClient {
    fn connect(server: SocketAddr) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_burst_client"))
            .args([&server.to_string(), LINE, &COUNT.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("cargo has built it");
        let asks = process.stdin.take().expect("standard input is a pipe");
        let says = BufReader::new(process.stdout.take().expect("standard output is a pipe"));
        Self { process, asks, says }
    }

    /// How many reads the server needed for a burst.
    fn burst(&mut self) -> usize {
        self.asks.write_all(b"\n").expect("the client lives");
        let mut reads = String::new();
        self.says.read_line(&mut reads).expect("the client lives");
        reads.trim().parse().expect("a number")
    }
}

impl Drop for RawClient {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _waited = self.process.wait();
    }
}

/// How many reads the server needed for a burst over a leg.
async fn burst(browser: &mut Browser, id: usize) -> usize {
    browser.messages.clear();
    let burst = format!(r#"{{"send":{{"id":{id},"to":"tcp","text":"{LINE}","count":{COUNT}}}}}"#);
    browser.say(&burst).await;
    browser.until_count(COUNT, |event| matches!(event, Event::Answered { .. })).await;
    browser.count(|event| matches!(event, Event::ServerRead { .. }))
}

/// In how many reads bursts came.
#[derive(Debug)]
struct Split {
    /// The least, the quartiles and the most.
    quartiles: [usize; 5],
    /// How many bursts came in more than two.
    often: usize,
}

impl Split {
    fn of(reads: &[usize]) -> Self {
        let mut reads = reads.to_vec();
        reads.sort_unstable();
        let quartiles = [0, 1, 2, 3, 4].map(|quarter| reads[(reads.len() - 1) * quarter / 4]);
        Self { quartiles, often: reads.iter().filter(|reads| **reads > 2).count() }
    }
}

impl Display for Split {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { quartiles: [least, low, median, high, most], often } = self;
        write!(f, "{median} ({least}, {low}, {high}, {most}), more than two {often} times")
    }
}

#[tokio::test]
async fn a_burst_over_a_leg_comes_in_as_many_reads_as_one_from_another_process() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    let mut client = RawClient::connect(server.tcp);
    let (mut over_leg, mut from_outside) = (Vec::new(), Vec::new());
    for id in 1..=REPEATS {
        over_leg.push(burst(&mut browser, id).await);
        from_outside.push(client.burst());
    }
    let [leg, outside] = [over_leg, from_outside].map(|reads| Split::of(&reads));
    let _said = writeln!(stderr(), "reads of a burst: over a leg {leg}; from outside {outside}");
    if outside.often == 0 {
        return skip(
            "no burst is split here: the server reads when a burst is out, whoever sends it",
        );
    }
    // A leg whose thread the server shares is read when it has sent everything, and when it was interrupted.
    assert!(leg.often * APART >= outside.often, "over a leg {leg}; from outside {outside}");
}
