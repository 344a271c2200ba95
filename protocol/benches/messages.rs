//! What a message costs both ways: `cargo bench --package streamgram-protocol --bench messages`.

use std::hint::black_box;

use criterion::Criterion;
use streamgram_protocol::{ClientMessage, Data, Event, LegId, Limits, Protocol, ServerMessage};

const SEND: &str = r#"{"send":{"id":1,"to":"both","text":"0123456789abcdef"}}"#;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let limits = Limits::default();
    criterion.bench_function("decode a send", |bencher| {
        bencher.iter(|| ClientMessage::decode(black_box(SEND), &limits));
    });
    let long = format!(r#"{{"send":{{"id":1,"to":"both","text":"{}"}}}}"#, "x".repeat(64_000));
    criterion.bench_function("decode a send of 64,000 bytes", |bencher| {
        bencher.iter(|| ClientMessage::decode(black_box(&long), &limits));
    });
    let events = [
        ("encode a sent", Event::Sent { id: 1, line: 1, offset: 0, bytes: 16, done_us: 3_333 }),
        ("encode a reply", reply(b"[Mon Nov 23 05:52:57 2026] 0123456789abcdef")),
        ("encode a reply that is not text", reply(&[0xf0; 43])),
    ];
    for (name, event) in events {
        let leg = Some(LegId { protocol: Protocol::Tcp, number: 1 });
        let message = ServerMessage { at_us: 3_626, leg, event };
        criterion.bench_function(name, |bencher| bencher.iter(|| black_box(&message).encode()));
        let text = message.encode();
        let decode = name.replace("encode", "decode");
        criterion.bench_function(&decode, |bencher| {
            bencher.iter(|| ServerMessage::decode(black_box(&text)));
        });
    }
    criterion.final_summary();
}

fn reply(bytes: &[u8]) -> Event {
    Event::Reply { offset: 0, bytes: bytes.len(), data: Data::from_bytes(bytes), earlier_us: None }
}
