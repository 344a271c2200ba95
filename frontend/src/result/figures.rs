//! A run's figures on one leg. They are the run's own: nothing before it or after it counts.

use streamgram_protocol::Protocol;
use yew::prelude::*;

use crate::i18n::figures::{count, duration, short};
use crate::i18n::language::Language;
use crate::session::carried::{inside_us, on_the_wire};
use crate::session::leg_run::{LegRun, Status};
use crate::session::trace::{Sum, Trace};

/// What is counted of a run on a leg, each with its name; the packets have their lines.
pub(crate) fn figures_of(
    language: Language,
    leg: &LegRun,
    trace: &Trace,
) -> Vec<(&'static str, String)> {
    let time = |us: Option<u64>| us.map_or_else(|| "–".to_owned(), duration);
    let answered = leg.count(|status| matches!(status, Status::Answered { .. }));
    let without = leg.count(|status| matches!(status, Status::NoReply { .. }));
    let mut figures = vec![
        (language.stat_sent(), count(leg.lines.len() as u64)),
        (language.stat_answered(), count(answered)),
        (language.stat_without_reply(), count(without)),
        (language.stat_median(), time(leg.median_round_trip())),
        (language.stat_slowest(), time(leg.round_trips().max())),
    ];
    if let Some(inside) = inside_us(leg, trace) {
        figures.push((language.stat_inside(), short(inside)));
    }
    let Some(sum) = on_the_wire(leg, trace) else { return figures };
    let Sum { packets, bytes, again, lost, duplicated, overtaken } = sum;
    let of_packets = match leg.protocol {
        Protocol::Tcp => vec![(language.stat_segments(), packets), (language.stat_again(), again)],
        // What became of it on the way nobody saw.
        Protocol::Udp if trace.is_captured() => vec![(language.stat_packets(), packets)],
        Protocol::Udp => vec![
            (language.stat_packets(), packets),
            (language.stat_lost(), lost),
            (language.stat_duplicated(), duplicated),
            (language.stat_overtaken(), overtaken),
        ],
    };
    let of_packets = of_packets.into_iter().chain([(language.stat_wire(), bytes)]);
    figures.extend(of_packets.map(|(name, number)| (name, count(number))));
    figures
}

/// The figures, in a row.
pub(crate) fn figures(language: Language, leg: &LegRun, trace: &Trace) -> Html {
    html! {
        <>
            <dl class="figures">
                for (name, figure) in figures_of(language, leg, trace) {
                    <div><dt>{ name }</dt><dd translate="no">{ figure }</dd></div>
                }
            </dl>
            if let Some(late) = leg.read_late_us() {
                <p class="hint">{ language.read_late(&short(late)) }</p>
            }
        </>
    }
}
