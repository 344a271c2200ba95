use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use strum::VariantArray as _;

use super::*;
use crate::link::{DELAY_MS, LIMIT, RATE_KBIT};
use crate::{Congestion, Impairment, Percent, Preset, Rule};

fn read(fragment: &str) -> (Scenario, Vec<Remark>) {
    let (scenario, remarks) = Scenario::decode(fragment, &Limits::default());
    (scenario.unwrap(), remarks)
}

fn refused(fragment: &str) -> Vec<Remark> {
    let (scenario, remarks) = Scenario::decode(fragment, &Limits::default());
    assert_eq!(scenario, None);
    remarks
}

#[test]
fn a_link_can_be_read_and_typed() {
    let scenario = Scenario { count: 20, ..Scenario::default() };
    let fragment = "v1&text=hello%20%7Bn%7D&to=both&count=20&every=0";
    assert_eq!(scenario.encode(), fragment);
    assert_eq!(read(fragment), (scenario.clone(), vec![]));
    // As a person types it, or a program that makes forms.
    assert_eq!(read("v1&text=hello+{n}&count=20"), (scenario, vec![]));
    let lesson =
        "v1&text=%E4%BD%A0%E5%A5%BD&delay=20&up.loss=2.5&rule=lose_line:3&lang=zh-Hans&view=large";
    let (lesson, remarks) = read(lesson);
    assert_eq!((lesson.text.as_str(), remarks), ("你好", vec![]));
    assert_eq!((lesson.language.as_deref(), lesson.view), (Some("zh-Hans"), View::Large));
    let link = lesson.link.unwrap();
    assert_eq!((link.up.delay_ms, link.down.delay_ms), (20, 20));
    assert_eq!((link.up.loss, link.down.loss), (Percent::hundredths(250), Percent::ZERO));
    assert_eq!(link.rules, [Rule::LoseLine { line: 3, packet: None }]);
}

#[test]
fn delayed_acks_are_the_default_and_both_words_are_read() {
    let link = |delayed_ack| Some(Link { delayed_ack, ..Link::default() });
    for (word, delayed_ack) in [("on", true), ("off", false)] {
        let (scenario, remarks) = read(&format!("v1&delayed_ack={word}"));
        assert_eq!((scenario.link, remarks), (link(delayed_ack), vec![]));
    }
    let encoded = |link| Scenario { link, ..Scenario::default() }.encode();
    assert!(!encoded(link(true)).contains("delayed_ack"));
    assert!(encoded(link(false)).ends_with("&delayed_ack=off"));
}

#[test]
fn every_preset_survives() {
    for preset in Preset::all() {
        let scenario = Scenario {
            text: preset.text.into_owned(),
            count: preset.count,
            interval_ms: preset.interval_ms,
            link: Some(preset.link),
            ..Scenario::default()
        };
        assert_eq!(read(&scenario.encode()), (scenario, vec![]));
    }
}

#[test]
fn what_is_out_of_range_is_moved_into_it_and_said() {
    let moved = |pair: &str| match read(&format!("v1&{pair}")).1.as_slice() {
        [Remark::Clamped { name, value, taken }] => format!("{name} {value} {taken}"),
        other => panic!("{pair}: {other:?}"),
    };
    assert_eq!(moved("count=0"), "count 0 1");
    assert_eq!(moved("count=1001"), "count 1001 1000");
    assert_eq!(moved("count=99999999999999999999999"), "count 99999999999999999999999 1000");
    assert_eq!(moved("every=10001"), "every 10001 10000");
    assert_eq!(moved("up.delay=10001"), "up.delay 10001 10000");
    assert_eq!(moved("loss=100.01"), "loss 100.01 100");
    assert_eq!(moved("rate=0"), "rate 0 1");
    assert_eq!(moved("mtu=100000"), "mtu 100000 9000");
    assert_eq!(moved("seed=9007199254740992"), "seed 9007199254740992 9007199254740991");
}

#[test]
fn what_cannot_be_read_is_left_out_and_said() {
    for pair in [
        "count=-1",
        "count=",
        "count=1e3",
        "to=everywhere",
        "mode=html",
        "ending=cr",
        "path=http://evil.example/",
        "lang=<b>",
        "lang=",
        "view=huge",
        "loss=2.555",
        "loss=.5",
        "tcp=bbr",
        "delayed_ack=1",
        "rule=lose_line",
        "rule=lose_line:0",
        "rule=lose_line:1:2:3",
        "rule=black_out:5:5",
    ] {
        let (scenario, remarks) = read(&format!("v1&{pair}"));
        assert_eq!(scenario, Scenario::default(), "{pair}");
        assert!(matches!(remarks.as_slice(), [Remark::Unreadable { .. }]), "{pair}: {remarks:?}");
    }
    let unknown = [Remark::Unknown("host".into()), Remark::Unknown("up.text".into())];
    assert_eq!(read("v1&host=evil.example&up.text=1").1, unknown);
    let twice = read("v1&text=one&text=two");
    assert_eq!((twice.0.text.as_str(), twice.1), ("one", vec![Remark::Repeated("text".into())]));
    let rules = read(&format!("v1{}", "&rule=lose_line:1".repeat(17)));
    assert_eq!(rules.1, [Remark::Rules { limit: 16 }]);
}

#[test]
fn a_direct_path_has_no_link() {
    assert_eq!(read("v1&path=direct&loss=5").0.link, None);
    assert_eq!(read("v1&path=emulated").0.link, Some(Link::default()));
}

#[test]
fn broken_codes_are_taken_for_themselves_and_broken_characters_are_marked() {
    let text = |value: &str| {
        let (scenario, remarks) = read(&format!("v1&text={value}"));
        (scenario.text, remarks)
    };
    let percent = vec![Remark::Percent("text".into())];
    assert_eq!(text("100%"), ("100%".into(), percent.clone()));
    assert_eq!(text("%zz%4"), ("%zz%4".into(), percent));
    let not_utf8 = vec![Remark::NotUtf8("text".into())];
    assert_eq!(text("%ff%C3"), ("\u{fffd}\u{fffd}".into(), not_utf8));
    assert_eq!(text("%00%1b%5B2J%E2%80%AE"), ("\0\u{1b}[2J\u{202e}".into(), vec![]));
}

#[test]
fn what_is_no_scenario_of_ours_is_not_read() {
    assert_eq!(refused("v2&text=x"), [Remark::Version("v2".into())]);
    assert_eq!(refused("%3Cimg%20src=x"), [Remark::Version("<img src=x".into())]);
    let longest = format!("v1&text={}", "x".repeat(MAX_FRAGMENT - 8));
    assert_eq!(read(&longest).1, []);
    let (bytes, limit) = (MAX_FRAGMENT + 1, MAX_FRAGMENT);
    assert_eq!(refused(&format!("{longest}x")), [Remark::TooLong { bytes, limit }]);
}

#[test]
fn a_line_is_cut_at_its_limit_between_characters() {
    let limits = Limits { line_bytes: 4, ..Limits::default() };
    let (scenario, remarks) = Scenario::decode("v1&text=%E4%BD%A0%E5%A5%BD", &limits);
    assert_eq!(scenario.unwrap().text, "你");
    assert_eq!(remarks, [Remark::Cut { bytes: 6, limit: 4 }]);
}

#[test]
fn remarks_are_few_and_short() {
    let remarks = read(&format!("v1{}", "&x".repeat(100))).1;
    assert_eq!(remarks.len(), MAX_REMARKS + 1);
    assert_eq!(remarks.last(), Some(&Remark::More(100 - 1 - MAX_REMARKS + 1)));
    let [Remark::Unknown(name)] = &read(&format!("v1&{}=1", "y".repeat(9_000))).1[..] else {
        panic!()
    };
    assert_eq!(name.chars().count(), MAX_QUOTE_CHARS);
}

fn impairment() -> impl Strategy<Value = Impairment> {
    let share = || (0..=10_000).prop_map(Percent::hundredths);
    (DELAY_MS, DELAY_MS, share(), share(), share(), RATE_KBIT, LIMIT).prop_map(
        |(delay_ms, jitter_ms, loss, duplicate, reorder, rate_kbit, limit)| Impairment {
            delay_ms,
            jitter_ms,
            loss,
            duplicate,
            reorder,
            rate_kbit,
            limit,
        },
    )
}

fn rule() -> impl Strategy<Value = Rule> {
    prop_oneof![
        (1..9_u32, option::of(1..9_u32)).prop_map(|(line, packet)| Rule::LoseLine { line, packet }),
        (1..9_u32).prop_map(|line| Rule::LoseReply { line }),
        (0..9_u32, 9..60_000_u32).prop_map(|(from_ms, to_ms)| Rule::BlackOut { from_ms, to_ms }),
    ]
}

fn link() -> impl Strategy<Value = Link> {
    let congestion = select(vec![Congestion::Reno, Congestion::Cubic]);
    let ways = prop_oneof![
        impairment().prop_map(|way| (way, way)),
        (impairment(), impairment()),
        impairment().prop_map(|way| (way, Impairment::default())),
    ];
    (0..=MAX_ID, MTU, congestion, any::<bool>(), ways, vec(rule(), RULES)).prop_map(
        |(seed, mtu, congestion, delayed_ack, (up, down), rules)| Link {
            seed,
            mtu,
            congestion,
            delayed_ack,
            up,
            down,
            rules,
        },
    )
}

fn scenario() -> impl Strategy<Value = Scenario> {
    let to = select(vec![Target::Tcp, Target::Udp, Target::Both]);
    let prompt = (any::<String>(), select(Mode::ALL), select(Ending::ALL), to);
    let language = option::of("[A-Za-z0-9-]{1,35}");
    let sent = (1..=1_000_u32, 0..=10_000_u32, any::<bool>());
    (prompt, sent, option::of(link()), language, select(View::VARIANTS)).prop_map(
        |((text, mode, ending, to), (count, interval_ms, nodelay), link, language, view)| {
            Scenario { text, mode, ending, to, count, interval_ms, nodelay, link, language, view }
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(scenario in scenario()) {
        let fragment = scenario.encode();
        prop_assume!(fragment.len() <= MAX_FRAGMENT);
        prop_assert!(fragment.bytes().all(|byte| byte.is_ascii_graphic()));
        prop_assert_eq!(read(&fragment), (scenario, vec![]));
    }
}

#[test]
fn every_line_is_a_send_of_the_scenarios_own() {
    let scenario = Scenario { text: "a {n}\nb\n".into(), count: 3, ..Scenario::default() };
    let sends = scenario.sends().unwrap();
    let data: Vec<_> = sends.iter().map(|send| (send.id, send.count, send.data())).collect();
    let text = |text: &str| crate::Data::Text(text.into());
    assert_eq!(data, [(1, 3, text("a {n}")), (2, 3, text("b"))]);
}

#[test]
fn a_line_that_cannot_go_out_is_named() {
    let bad = |text: &str, mode| {
        let scenario = Scenario { text: text.into(), mode, ..Scenario::default() };
        let (line, bad) = scenario.sends().unwrap_err();
        (line, bad.to_string())
    };
    let escape = bad("fine\na\\q", Mode::Escapes);
    assert_eq!(escape, (2, "\\q (from character 2) is not an escape".into()));
    assert_eq!(bad("0g", Mode::Hex), (1, "'g' at 1 is not a hexadecimal digit".into()));
    let numbered = bad("\\xff{n}", Mode::Escapes).1;
    assert_eq!(numbered, "a line with {n} must be text, and this one is not");
}
