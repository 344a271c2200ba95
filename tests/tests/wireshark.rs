//! What tshark says of the export: it reads it, finds every checksum right and calls the same
//! packets retransmissions as the record does.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use streamgram_lab::{Mark, Options, Packet, UdpLab, bulk, pcapng};
use streamgram_protocol::{End, Impairment, Link, Percent};
use streamgram_tests::skip;

fn bad_link(seed: u64) -> Link {
    let way = Impairment {
        delay_ms: 40,
        jitter_ms: 2,
        loss: Percent::whole(3),
        duplicate: Percent::whole(1),
        ..Impairment::default()
    };
    Link { seed, up: way, down: way, ..Link::default() }
}

/// The fields that tshark prints for the packets of a file, or nothing where there is no tshark.
fn tshark(
    name: &str,
    packets: &[Packet],
    vantage: End,
    fields: &[&str],
) -> Option<Vec<Vec<String>>> {
    let file: PathBuf = [env!("CARGO_TARGET_TMPDIR"), name].iter().collect();
    fs::write(&file, pcapng::write(packets, vantage)).unwrap();
    let mut command = Command::new(env::var_os("TSHARK").unwrap_or("tshark".into()));
    command.args(["-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE"]);
    // To it, some bytes look like messages of another protocol, which it would put together.
    command.args(["-o", "tcp.desegment_tcp_streams:FALSE"]);
    command.args(["-o", "udp.check_checksum:TRUE", "-T", "fields", "-E", "separator=;", "-r"]);
    command.arg(&file);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => {
            skip(&format!("tshark is missing: {error}"));
            return None;
        }
    };
    // Whoever runs as root is told so on stderr; a file that is cut short gives a status of its own.
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(|line| line.split(';').map(str::to_owned).collect()).collect())
}

#[test]
fn tshark_calls_the_same_segments_retransmissions() {
    for seed in 1..=5 {
        let mut trace = Vec::new();
        let options = Options { nodelay: false, ..Options::default() };
        let _done = bulk::echo(&bad_link(seed), options, 200_000, u64::MAX, &mut |packet| {
            trace.push(packet.clone());
        });
        for vantage in End::BOTH {
            let name = format!("tcp-{seed}-{vantage:?}.pcapng");
            let fields = [
                "ip.src",
                "tcp.seq",
                "frame.time_epoch",
                "tcp.analysis.retransmission",
                "tcp.analysis.out_of_order",
                "ip.checksum.status",
                "tcp.checksum.status",
                "_ws.malformed",
            ];
            let Some(rows) = tshark(&name, &trace, vantage, &fields) else { return };
            assert!(rows.iter().all(|row| row[5..] == ["1", "1", ""]));
            let source = if vantage == End::Client { "10.0.0.1" } else { "10.0.0.2" };
            // Nobody sends out of order: what it calls so at the sender is a fast retransmission that
            // came too early for its heuristics.
            let again = |row: &Vec<String>| !row[3].is_empty() || !row[4].is_empty();
            let theirs: Vec<bool> = rows.iter().filter(|row| row[0] == source).map(again).collect();
            let own = trace.iter().filter(|packet| packet.from == vantage);
            let ours: Vec<bool> =
                own.clone().map(|packet| packet.mark == Some(Mark::Retransmission)).collect();
            assert_eq!(theirs.len(), ours.len());
            let differ: Vec<_> = own
                .zip(theirs.iter().zip(&ours))
                .filter(|(_, (theirs, ours))| theirs != ours)
                .map(|(packet, (theirs, _))| {
                    (theirs, packet.sent_at, packet.number, packet.header, packet.mark)
                })
                .collect();
            assert!(differ.is_empty(), "{name}: {differ:#?}");
            assert!(ours.contains(&true));
        }
    }
}

#[test]
fn tshark_puts_fragments_together_and_finds_their_checksums_right() {
    let mut lab = UdpLab::open(&Link { mtu: 576, ..bad_link(1) }, Options::default(), 0);
    for n in 0..50 {
        assert_eq!(lab.send(0, End::Client, &[7; 1_000], None), Ok(n));
    }
    let mut trace = Vec::new();
    let mut arrived = BTreeSet::new();
    while let Some(now) = lab.next() {
        lab.step(now);
        while let Some(datagram) = lab.receive(End::Gateway) {
            arrived.insert(datagram.number);
        }
        trace.extend(lab.take_packets());
    }
    let fields = ["udp.checksum.status", "ip.checksum.status", "udp.length", "_ws.malformed"];
    let Some(rows) = tshark("udp.pcapng", &trace, End::Gateway, &fields) else { return };
    let whole = rows.iter().filter(|row| row[2] == "1008").count();
    assert!(rows.iter().all(|row| row[1] == "1" && row[3].is_empty()));
    assert!(rows.iter().all(|row| row[0].is_empty() || row[0] == "1"), "{rows:?}");
    assert_eq!(whole, arrived.len());
}
