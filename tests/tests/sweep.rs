//! `streamgram sweep`: the lab's own rows, as a table or as CSV, and how it ends.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Output, Stdio};

use streamgram_lab::sweep::{Kind, Row, Setting, Sweep};
use streamgram_tests::binary;

fn sweep(arguments: &str) -> Output {
    let mut command = Command::new(binary());
    command.arg("sweep").args(arguments.split_whitespace()).stdin(Stdio::null());
    command.output().expect("it starts")
}

/// What is printed by a sweep that ends in order and has nothing else to say.
fn printed(arguments: &str) -> String {
    let output = sweep(arguments);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn the_csv_is_the_labs() {
    for kind in Kind::EVERY {
        let flags = "--csv --rtt 40 --mss 536 --seed 7 --runs 2 --loss 0,0.5,12.25";
        let mut setting = Setting::new(kind);
        for pair in flags.split("--").skip(2) {
            let (name, text) = pair.trim().split_once(' ').expect("a flag and its value");
            setting.set(name, text).expect("it is allowed");
        }
        let rows = Sweep::new(setting).expect("it is allowed").filter_map(|step| step.row);
        let lines: Vec<_> = rows.map(|row: Row| row.csv() + "\n").collect();
        let expected = format!("{}\n{}", kind.csv_header(), lines.concat());
        assert_eq!(printed(&format!("{} {flags}", kind.name())), expected);
    }
}

#[test]
fn the_table_says_what_was_run_and_is_aligned() {
    let table = printed("--runs 1 --loss 0,5");
    let [about, head, lossless, lossy] = &table.lines().collect::<Vec<_>>()[..] else {
        panic!("{table}")
    };
    for said in ["to the server", "100 ms", "1460 bytes", "seed 1", "1 run"] {
        assert!(about.contains(said), "{about}");
    }
    for title in Kind::Goodput.columns().iter().map(|column| column.title) {
        assert!(head.contains(title), "{head}");
    }
    assert!(lossless.contains("Mbit/s") && lossless.contains("–"), "{lossless}");
    assert!(lossy.contains("kbit/s") && !lossy.contains("–"), "{lossy}");
    let width = head.chars().count();
    assert!([lossless, lossy].iter().all(|line| line.chars().count() == width), "{table}");
    assert!(printed("exchange --runs 1 --loss 1").contains("loss both ways"));
}

#[test]
fn what_is_not_allowed_ends_with_2_and_is_named_with_its_limit() {
    for (arguments, said) in [
        ("--rtt 801", "rtt is 801, it must be 1 to 800 ms"),
        ("--mss 535", "mss is 535, it must be 536 to 1460 bytes"),
        ("--seed 1.5", "seed is 1.5, it must be 0 to 9007199254740991"),
        ("--runs 0", "runs is 0, it must be 1 to 1000"),
        ("--loss 1,20.5", "loss is 20.5, it must be 0 to 20 %"),
        ("speed", "goodput, exchange"),
    ] {
        let output = sweep(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
        let errors = String::from_utf8(output.stderr).expect("text");
        assert!(errors.contains(said), "{errors}");
    }
}

#[test]
fn too_many_losses_end_with_1() {
    let output = sweep(&format!("--loss {}", ["0"; 101].join(",")));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let errors = String::from_utf8(output.stderr).expect("text");
    assert_eq!(errors, "streamgram: number of losses is 101, it must be 1 to 100\n");
    assert!(output.stdout.is_empty());
}

#[test]
fn a_reader_that_has_enough_ends_it_in_order() {
    // Without an end it would go on for an hour.
    let losses = ["0", "0.01"].repeat(50).join(",");
    let mut process = Command::new(binary())
        .args(["sweep", "--csv", "--runs", "1000", "--loss", &losses])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    let mut output = BufReader::new(process.stdout.take().expect("a pipe"));
    output.read_line(&mut line).expect("it can be read");
    assert_eq!(line.trim_end(), Kind::Goodput.csv_header());
    drop(output);
    assert!(process.wait().expect("it can be waited for").success());
    let mut errors = String::new();
    process.stderr.take().expect("a pipe").read_to_string(&mut errors).expect("text");
    assert_eq!(errors, "");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_it_with_1() {
    let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
    let output = Command::new(binary()).args(["sweep", "--loss", "0"]).stdout(full).output();
    let output = output.expect("it starts");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stderr.starts_with(b"streamgram: "), "{output:?}");
}
