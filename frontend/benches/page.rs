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
    pub(crate) mod address;
    pub(crate) mod app;
    pub(crate) mod clipboard;
    pub(crate) mod commands;
    pub(crate) mod components;
    pub(crate) mod draft;
    pub(crate) mod escapes;
    pub(crate) mod export;
    pub(crate) mod figures;
    pub(crate) mod hooks;
    pub(crate) mod kept;
    pub(crate) mod knobs;
    pub(crate) mod ladder;
    pub(crate) mod lane;
    pub(crate) mod language;
    pub(crate) mod last_send;
    pub(crate) mod log;
    pub(crate) mod matches;
    pub(crate) mod note;
    pub(crate) mod notice;
    pub(crate) mod observed;
    pub(crate) mod page;
    pub(crate) mod part;
    pub(crate) mod playground;
    pub(crate) mod plot;
    pub(crate) mod progress;
    pub(crate) mod raw_clients;
    pub(crate) mod records;
    pub(crate) mod repetition;
    pub(crate) mod route;
    pub(crate) mod row;
    pub(crate) mod samples;
    pub(crate) mod scenario;
    pub(crate) mod status;
    pub(crate) mod storage;
    pub(crate) mod strip;
    pub(crate) mod sweep;
    pub(crate) mod template;
    pub(crate) mod theme;
    pub(crate) mod trace;
    pub(crate) mod verdict;
    pub(crate) mod view;
}

use std::rc::Rc;

use criterion::{BatchSize, Criterion, Throughput};
use source::page::{Action, Page};
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
    let opened = r#"{"at_us":9,"type":"opened","protocol":"tcp","leg":1,"path":"direct","local":"127.0.0.1:1","peer":"127.0.0.1:2","handshake_us":284,"nodelay":true}"#;
    vec![ServerMessage::decode(opened).expect("an event")]
}

/// What is told of one line over TCP.
fn line(number: u64) -> impl Iterator<Item = ServerMessage> {
    let (id, offset, reply) = (number + 1, 16 * number, 43 * number);
    let events = [
        format!(r#""sent","id":{id},"line":1,"offset":{offset},"bytes":16,"done_us":9"#),
        format!(r#""finished","id":{id},"lines":1,"of":1"#),
        format!(r#""server_read","number":{number},"offset":{offset},"bytes":16"#),
        format!(
            r#""reply","offset":{reply},"bytes":43,"text":"[Mon Nov 23 05:52:57 2026] 0123456789abcdef""#
        ),
        format!(r#""answered","id":{id},"line":1,"rtt_us":9,"late":false,"certain":true"#),
    ];
    let message = |event| format!(r#"{{"at_us":9,"protocol":"tcp","leg":1,"type":{event}}}"#);
    events.map(message).map(|text| ServerMessage::decode(&text).expect("an event")).into_iter()
}
