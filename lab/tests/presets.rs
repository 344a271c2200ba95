//! Every preset shows what its sentence promises.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use streamgram_lab::{Mark, Options, Packet, TcpLab, UdpLab};
use streamgram_protocol::{Data, End, Line, Preset, PresetName, Verdict};

/// When the first line goes out.
const START: u64 = 2_000_000;
/// When the last reply must be back.
const OVER: u64 = 60_000_000;

fn preset(name: PresetName) -> Preset {
    Preset::all().into_iter().find(|preset| preset.name == name).unwrap()
}

/// The times at which the lines of its burst go out, with their bytes.
fn burst(preset: &Preset) -> Vec<(u64, Line, Vec<u8>)> {
    let data = Data::Text(preset.text.clone().into_owned());
    (1..=preset.count)
        .map(|number| {
            let at = START + u64::from((number - 1) * preset.interval_ms) * 1_000;
            (at, Line { send: 1, number }, data.line(number).unwrap().into_owned())
        })
        .collect()
}

/// The trace, and when everything was back.
fn tcp(preset: &Preset) -> (Vec<Packet>, u64) {
    let mut lab = TcpLab::open(&preset.link, Options::default(), 0);
    let (mut trace, mut back, mut done) = (Vec::new(), Vec::new(), 0);
    let mut run = |lab: &mut TcpLab, until: u64| {
        while let Some(now) = lab.next().filter(|now| *now <= until) {
            lab.step(now);
            let bytes = lab.read(now, End::Gateway);
            assert_eq!(lab.write(now, End::Gateway, &bytes, None), bytes.len());
            let bytes = lab.read(now, End::Client);
            if !bytes.is_empty() {
                done = now;
                back.extend(bytes);
            }
            trace.extend(lab.take_packets());
        }
    };
    for (at, line, bytes) in burst(preset) {
        run(&mut lab, at);
        assert_eq!(
            lab.write(at, End::Client, &bytes, Some(line)),
            bytes.len(),
            "{:?}",
            preset.name
        );
    }
    run(&mut lab, OVER);
    let sent: Vec<u8> = burst(preset).into_iter().flat_map(|(_, _, bytes)| bytes).collect();
    assert!(back == sent, "{:?}: TCP answers everything, in order", preset.name);
    (trace, done)
}

/// For each reply, in the order in which they came back, its line and its round trip in ms.
fn udp(preset: &Preset) -> Vec<(u32, u64)> {
    let mut lab = UdpLab::open(&preset.link, Options::default(), 0);
    let (mut back, mut asked, mut sent) = (Vec::new(), Vec::new(), Vec::new());
    let mut run = |lab: &mut UdpLab, until: u64, sent: &[u64]| {
        while let Some(now) = lab.next().filter(|now| *now <= until) {
            lab.step(now);
            while let Some(datagram) = lab.receive(End::Gateway) {
                asked.push(datagram.number);
                lab.send(now, End::Gateway, &[b'c'; 24], None).unwrap();
            }
            while let Some(reply) = lab.receive(End::Client) {
                let of = asked[usize::try_from(reply.number).unwrap()];
                let took = now - sent[usize::try_from(of).unwrap()];
                back.push((u32::try_from(of).unwrap() + 1, took / 1_000));
            }
        }
    };
    for (at, line, bytes) in burst(preset) {
        run(&mut lab, at, &sent);
        lab.send(at, End::Client, &bytes, Some(line)).unwrap();
        sent.push(at);
    }
    run(&mut lab, OVER, &sent);
    back
}

fn lines(replies: &[(u32, u64)]) -> Vec<u32> {
    replies.iter().map(|(line, _)| *line).collect()
}

fn again(trace: &[Packet]) -> usize {
    trace.iter().filter(|packet| packet.mark == Some(Mark::Retransmission)).count()
}

#[test]
fn perfect_loses_nothing_and_repeats_nothing() {
    let preset = preset(PresetName::Perfect);
    assert_eq!(again(&tcp(&preset).0), 0);
    assert_eq!(lines(&udp(&preset)), (1..=20).collect::<Vec<_>>());
}

#[test]
fn wifi_loses_a_datagram_and_repeats_a_segment() {
    let preset = preset(PresetName::Wifi);
    assert!(again(&tcp(&preset).0) > 0);
    assert!(udp(&preset).len() < 20);
}

#[test]
fn satellite_takes_600_ms_there_and_back() {
    let preset = preset(PresetName::Satellite);
    assert_eq!(udp(&preset), (1..=5).map(|line| (line, 600)).collect::<Vec<_>>());
    let (trace, _) = tcp(&preset);
    assert_eq!(trace[1].sent_at / 1_000, 300, "the SYN has arrived");
}

#[test]
fn reordering_lets_datagrams_change_places_and_tcp_say_so() {
    let preset = preset(PresetName::Reordering);
    assert!(!lines(&udp(&preset)).is_sorted());
    let (trace, _) = tcp(&preset);
    assert!(trace.iter().any(|packet| packet.mark == Some(Mark::DuplicateAck)));
}

#[test]
fn duplicates_are_answered_twice_by_udp_and_dropped_by_tcp() {
    let preset = preset(PresetName::Duplicates);
    assert!(udp(&preset).len() > 20);
    let (trace, _) = tcp(&preset);
    assert!(trace.iter().any(|packet| packet.verdict == Verdict::Duplicated));
}

#[test]
fn a_deep_queue_loses_nothing_and_answers_later_and_later() {
    let preset = preset(PresetName::DeepQueue);
    let replies = udp(&preset);
    assert_eq!(lines(&replies), (1..=40).collect::<Vec<_>>());
    assert!(replies.is_sorted_by_key(|(_, took)| *took));
    assert!(replies[39].1 > 5 * replies[0].1);
}

#[test]
fn one_fragment_of_a_small_mtu_loses_the_whole_datagram() {
    let preset = preset(PresetName::SmallMtu);
    assert_eq!(lines(&udp(&preset)), [2]);
    let (trace, _) = tcp(&preset);
    let lost = trace.iter().filter(|packet| packet.verdict == Verdict::LostByRule).count();
    assert_eq!(lost, 1);
}

#[test]
fn line_three_is_lost_once_for_tcp_and_for_ever_for_udp() {
    let preset = preset(PresetName::LineThreeLost);
    assert_eq!(lines(&udp(&preset)), [1, 2, 4, 5]);
    let (trace, done) = tcp(&preset);
    assert!(again(&trace) > 0);
    // The timeout of a second, from when line 3 went out.
    assert!((1_000..1_300).contains(&((done - START) / 1_000)), "{done}");
}

#[test]
fn a_blackout_loses_datagrams_and_only_delays_tcp() {
    let preset = preset(PresetName::Blackout);
    let answered = lines(&udp(&preset));
    // One every 300 ms: lines 5 to 14 go out in the dark.
    let expected: Vec<u32> = (1..=4).chain(15..=20).collect();
    assert_eq!(answered, expected);
    assert!(tcp(&preset).1 > START + 4_000_000);
}
