//! The sweep: the same rows each time, beside what theory expects.

use streamgram_lab::sweep::{DATAGRAMS, Kind, LINES, PACKETS, Row, Setting, Sweep};
use streamgram_lab::{Options, bulk};
use streamgram_protocol::{Impairment, Link, Percent};

fn setting(kind: Kind, losses: &str) -> Setting {
    let mut setting = Setting::new(kind);
    setting.set("loss", losses).expect("it is allowed");
    setting
}

fn rows(setting: Setting) -> Vec<Row> {
    Sweep::new(setting).expect("it is allowed").filter_map(|step| step.row).collect()
}

/// A figure that there must be.
fn figure(row: &Row, name: &str) -> f64 {
    let figure = row.figures.iter().find(|figure| figure.column.name == name);
    figure.and_then(|figure| figure.value).unwrap_or_else(|| panic!("no {name} in {row:?}"))
}

/// How far off Reno is of a model: 0.1 is a tenth too much.
fn error_of_reno(row: &Row, model: &str) -> f64 {
    figure(row, "reno_bit_per_s") / figure(row, model) - 1.0
}

#[test]
fn the_same_seed_gives_the_same_rows_and_another_one_others() {
    for kind in Kind::EVERY {
        let short = |seed| Setting { runs: 3, seed, ..setting(kind, "1,5") };
        assert_eq!(rows(short(1)), rows(short(1)));
        assert_ne!(rows(short(1)), rows(short(2)));
    }
}

#[test]
fn the_csv_is_as_printed() {
    let csv = |kind: Kind, losses| {
        let setting = Setting { runs: 2, ..setting(kind, losses) };
        let lines: Vec<_> = rows(setting).iter().map(Row::csv).collect();
        [kind.csv_header(), lines.join("\n")].join("\n")
    };
    let goodput = "\
loss_percent,reno_bit_per_s,cubic_bit_per_s,mathis_bit_per_s,pftk_bit_per_s,udp_delivered_percent
0,19875793,19875793,,,100.000
7.5,160451,186441,558706,174624,92.415";
    let exchange = "\
loss_percent,tcp_median_s,tcp_mean_s,tcp_worst_s,udp_answered_of_20,udp_complete_percent
0,2.100042,2.100042,2.100042,20.000,100.000
7.5,4.100042,4.100042,4.100042,18.000,0.000";
    assert_eq!(csv(Kind::Goodput, "0,7.5"), goodput, "it has changed: is that meant?");
    assert_eq!(csv(Kind::Exchange, "0,7.5"), exchange, "it has changed: is that meant?");
}

#[test]
fn reno_is_near_mathis_at_little_loss() {
    for rtt_ms in [20, 100] {
        for seed in 1..=4 {
            let setting = Setting { rtt_ms, seed, ..setting(Kind::Goodput, "0.1") };
            let error = error_of_reno(&rows(setting)[0], "mathis_bit_per_s");
            println!("Mathis at 0.1 %, {rtt_ms} ms, seed {seed}: {:+.1} %", 100.0 * error);
            assert!(error.abs() < 0.15, "{rtt_ms} ms, seed {seed}: {error}");
        }
    }
}

#[test]
fn reno_is_near_pftk_where_timeouts_count() {
    for row in rows(setting(Kind::Goodput, "1,2,3,5,7.5,10,15,20")) {
        let error = error_of_reno(&row, "pftk_bit_per_s");
        println!("PFTK at {} %: {:+.1} %", row.loss, 100.0 * error);
        assert!(error.abs() < 0.15, "{} %: {error}", row.loss);
    }
}

#[test]
fn udp_delivers_what_the_link_does_not_lose() {
    let setting = setting(Kind::Goodput, "0.1,1,5,20");
    let datagrams = f64::from(DATAGRAMS) * 5.0;
    assert_eq!(setting.runs, 5);
    for row in rows(setting) {
        let arrives = 1.0 - f64::from(row.loss.in_hundredths()) / 1e4;
        let deviation = (arrives * (1.0 - arrives) / datagrams).sqrt();
        let delivered = figure(&row, "udp_delivered_percent") / 100.0;
        assert!((delivered - arrives).abs() < 4.0 * deviation, "{row:?}");
    }
}

#[test]
fn a_datagram_of_an_exchange_has_two_ways_to_be_lost() {
    let setting = setting(Kind::Exchange, "1,5,20");
    let lines = f64::from(LINES);
    let exchanges = 500.0;
    assert_eq!(setting.runs, 500);
    for row in rows(setting) {
        let arrives = (1.0 - f64::from(row.loss.in_hundredths()) / 1e4).powi(2);
        let deviation = (lines * arrives * (1.0 - arrives) / exchanges).sqrt();
        let answered = figure(&row, "udp_answered_of_20");
        assert!((answered - lines * arrives).abs() < 4.0 * deviation, "{row:?}");
        let complete = arrives.powi(20);
        let deviation = (complete * (1.0 - complete) / exchanges).sqrt();
        let found = figure(&row, "udp_complete_percent") / 100.0;
        assert!((found - complete).abs() < 4.0 * deviation + 1e-9, "{row:?}");
    }
}

#[test]
fn the_slower_of_two_exchanges_is_the_one_that_lost_more() {
    let rows = rows(setting(Kind::Exchange, "0,1,5,10,20"));
    let means: Vec<_> = rows.iter().map(|row| figure(row, "tcp_mean_s")).collect();
    assert!(means.is_sorted_by(|less, more| less < more), "{means:?}");
    for row in rows {
        let [median, worst] = ["tcp_median_s", "tcp_worst_s"].map(|name| figure(&row, name));
        // A round trip for the handshake, and one for each line.
        assert!(2.1 <= median && median <= worst && worst < 3_600.0, "{row:?}");
    }
}

#[test]
fn without_loss_there_is_one_run_and_no_model() {
    let none = setting(Kind::Goodput, "0");
    let sweep = Sweep::new(none).unwrap();
    assert_eq!(sweep.runs(), 3);
    let [row] = &sweep.filter_map(|step| step.row).collect::<Vec<_>>()[..] else { panic!() };
    assert_eq!(figure(row, "udp_delivered_percent"), 100.0);
    let models = row.figures.iter().filter(|figure| figure.value.is_none());
    let models: Vec<_> = models.map(|figure| figure.column.title).collect();
    assert_eq!(models, ["Mathis", "PFTK"]);
    // A window in flight, all the time.
    let goodput = figure(row, "reno_bit_per_s");
    assert!((19e6..21e6).contains(&goodput), "{goodput}");
    assert!(row.csv().contains(",,"), "{}", row.csv());
}

#[test]
fn every_end_of_every_range_runs() {
    for (rtt, mss) in [("1", "536"), ("1", "1460"), ("800", "536"), ("800", "1460")] {
        for kind in Kind::EVERY {
            let mut setting = Setting { runs: 1, ..setting(kind, "0,20") };
            setting.set("rtt", rtt).unwrap();
            setting.set("mss", mss).unwrap();
            for row in rows(setting) {
                let figures = row.figures.iter().filter_map(|figure| figure.value);
                assert!(figures.clone().all(|value| value.is_finite() && value >= 0.0), "{row:?}");
                assert!(figures.clone().next().is_some_and(|first| first > 0.0), "{row:?}");
            }
        }
    }
}

#[test]
fn every_run_is_a_step_and_every_loss_a_row() {
    let setting = Setting { runs: 2, ..setting(Kind::Exchange, "0,1,2") };
    let sweep = Sweep::new(setting).unwrap();
    let of = sweep.runs();
    assert_eq!(of, 2 * (1 + 2 + 2));
    let steps: Vec<_> = sweep.collect();
    assert!(steps.iter().map(|step| step.done).eq(1..=of));
    let rows = steps.iter().filter_map(|step| Some((step.done, step.row.as_ref()?.loss)));
    let expected = [(2, 0), (6, 1), (10, 2)].map(|(done, loss)| (done, Percent::whole(loss)));
    assert!(rows.eq(expected), "{steps:?}");
}

#[test]
fn what_is_not_allowed_does_not_begin() {
    let refused = Sweep::new(Setting { runs: 1_001, ..Setting::new(Kind::Goodput) }).unwrap_err();
    assert_eq!(refused.to_string(), "runs is 1001, it must be 1 to 1000");
}

#[test]
fn a_transfer_ends_with_its_packets() {
    let way = Impairment { delay_ms: 1, ..Impairment::default() };
    let link = Link { up: way, down: way, ..Link::default() };
    let done = bulk::one_way_of(&link, Options::default(), PACKETS, 3_600_000_000, &mut |_| {});
    assert!((PACKETS..PACKETS + 100).contains(&done.packets), "{done:?}");
    assert!(done.corrupt_at.is_none() && done.delivered > 0, "{done:?}");
}
