//! What an event costs the page, natively and without a browser:
//! `cargo bench --package streamgram-frontend --bench page`.
#![expect(
    dead_code,
    unused_imports,
    reason = "all of the page is here, and only its state is used"
)]

/// The page is a program: there is no library that could be named.
#[path = "../src"]
mod source {
    pub(crate) mod app;
    pub(crate) mod browser;
    pub(crate) mod clients;
    pub(crate) mod commands;
    pub(crate) mod i18n;
    pub(crate) mod lab;
    pub(crate) mod lessons;
    pub(crate) mod plots;
    pub(crate) mod prompt;
    pub(crate) mod result;
    pub(crate) mod room;
    pub(crate) mod session;
    pub(crate) mod share;
    pub(crate) mod transcript;
    pub(crate) mod ui;
}

use std::rc::Rc;

use criterion::{BatchSize, Criterion, Throughput};
use source::session::page::{Action, Page};
use source::*;
use streamgram_protocol::ServerMessage;
use yew::Reducible as _;

/// Lines of a burst, all of whose events come in one frame of the screen.
const LINES: u64 = 100;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let burst = || (0..LINES).flat_map(line).collect::<Vec<_>>();
    let page = Rc::new(Page::new()).reduce(Action::Received(opened()));
    let page = page.reduce(Action::Received(burst()));
    let mut events = criterion.benchmark_group("events");
    events.throughput(Throughput::Elements(burst().len() as u64));
    events.bench_function("reduced, all of a burst at once", |bencher| {
        let reduce = |messages| Rc::clone(&page).reduce(Action::Received(messages));
        bencher.iter_batched(burst, reduce, BatchSize::SmallInput);
    });
    events.finish();
    criterion.final_summary();
}

fn opened() -> Vec<ServerMessage> {
    let opened = r#"{"at_us":9,"leg":{"protocol":"tcp","number":1},"event":{"opened":{"path":"direct","local":"127.0.0.1:1","peer":"127.0.0.1:2","handshake_us":284,"nodelay":true}}}"#;
    vec![ServerMessage::decode(opened).expect("an event")]
}

/// What is told of one line over TCP.
fn line(number: u64) -> impl Iterator<Item = ServerMessage> {
    let (id, offset, reply) = (number + 1, 16 * number, 43 * number);
    let events = [
        format!(r#"{{"sent":{{"id":{id},"line":1,"offset":{offset},"bytes":16,"done_us":9}}}}"#),
        format!(r#"{{"finished":{{"id":{id},"lines":1,"of":1}}}}"#),
        format!(r#"{{"server_read":{{"number":{number},"offset":{offset},"bytes":16}}}}"#),
        format!(
            r#"{{"reply":{{"offset":{reply},"bytes":43,"data":{{"text":"[Mon Nov 23 05:52:57 2026] 0123456789abcdef"}}}}}}"#
        ),
        format!(
            r#"{{"answered":{{"id":{id},"line":1,"reply":{reply},"rtt_us":9,"late":false,"certain":true}}}}"#
        ),
    ];
    let leg = r#"{"protocol":"tcp","number":1}"#;
    let message = |event| format!(r#"{{"at_us":9,"leg":{leg},"event":{event}}}"#);
    events.map(message).map(|text| ServerMessage::decode(&text).expect("an event")).into_iter()
}
