//! Plots of what the session told: round trips, bytes on the wire, and reads of a burst that is repeated.

use std::rc::Rc;

use streamgram_protocol::{Path, Protocol};
use yew::prelude::*;

use super::plot::{Axis, BOTH, Plot, Scale, Shape, binned, merged};
use super::plot_figure::PlotFigure;
use super::repetition::{OnAgain, RUNS, Repetition, State, use_repetition};
use crate::i18n::figures::{Noun, Unit, count, counted};
use crate::i18n::language::{Language, use_language};
use crate::session::page::Page;
use crate::session::sockets_card::SocketRequest;
use crate::session::use_slowed::use_slowed;

#[derive(Properties, PartialEq)]
pub(crate) struct PlotsCardProps {
    pub(crate) page: Rc<Page>,
    pub(crate) on_again: OnAgain,
    pub(crate) on_ask: Callback<SocketRequest>,
    /// Whether they are in sight.
    pub(crate) shown: bool,
}

/// The plots, while they are in sight, and the repetition, in any case.
#[component]
pub(crate) fn PlotsCard(PlotsCardProps { page, on_again, on_ask, shown }: &PlotsCardProps) -> Html {
    let language = use_language();
    let repetition = use_repetition(page, on_again.clone());
    let toggle = {
        let (repetition, page, on_ask) = (repetition.clone(), Rc::clone(page), on_ask.clone());
        move |_| match repetition.as_ref().filter(|it| it.is_running()) {
            Some(running) => {
                let lanes = Protocol::BOTH.map(|protocol| page.lane(protocol).running.as_ref());
                lanes
                    .into_iter()
                    .flatten()
                    .for_each(|send| on_ask.emit(SocketRequest::Stop(send.id)));
                repetition.set(Some(running.with(State::Cancelled)));
            }
            None => repetition.set(page.last_sends().last().cloned().map(Repetition::of)),
        }
    };
    html! {
        if *shown {
            <section class="plots card" aria-label={language.plots()}>
                <h2>{ language.plots() }</h2>
                <div class="plots-figures">
                    <Figures page={Rc::clone(page)} />
                    <div>
                        { repeat(language, page, (*repetition).as_ref(), Callback::from(toggle)) }
                        if let Some(repetition) = &*repetition {
                            { figure(reads(language, repetition)) }
                        }
                    </div>
                </div>
            </section>
        }
    }
}

#[derive(Properties, PartialEq)]
struct FiguresProps {
    page: Rc<Page>,
}

/// What is drawn of all that goes over the legs.
#[component]
fn Figures(FiguresProps { page }: &FiguresProps) -> Html {
    let language = use_language();
    let page = use_slowed(page);
    let drawn = use_memo((Rc::as_ptr(&page), language), |_| {
        html! {
            <>
                { figure(round_trips(language, &page)) }
                { figure(distribution(language, &page)) }
                { figure(usage(language, &page)) }
            </>
        }
    });
    (*drawn).clone()
}

/// A plot with what there is to say of it.
fn figure((plot, hint): (Plot, String)) -> Html {
    html! {
        <div>
            if plot.rows.is_empty() {
                <p class="plot-none">{ plot.title }</p>
            } else {
                <PlotFigure plot={Rc::new(plot)} />
            }
            <p class="hint">{ hint }</p>
        </div>
    }
}

fn axis(label: &'static str, unit: Unit, scale: Scale) -> Axis {
    Axis { label, unit, scale }
}

fn round_trips(language: Language, page: &Page) -> (Plot, String) {
    let lanes = [&page.tcp, &page.udp].map(|lane| &lane.round_trips);
    let first = lanes.iter().filter_map(|recent| recent.samples.front()).map(|it| it.0).min();
    let since = |at_us: u64| at_us.saturating_sub(first.unwrap_or(0));
    let samples = lanes
        .map(|recent| recent.samples.iter().map(|(at_us, rtt)| (since(*at_us), *rtt)).collect());
    let plot = Plot {
        csv_header: "after_us,tcp_rtt_us,udp_rtt_us",
        name: "round-trips",
        title: language.plot_round_trips(),
        x: axis(language.plot_since(), Unit::Microseconds, Scale::Linear),
        y: axis(language.plot_round_trip(), Unit::Microseconds, Scale::Linear),
        shape: Shape::Dots,
        series: BOTH.to_vec(),
        rows: merged(&samples),
    };
    (plot, gone(language, lanes[0].gone + lanes[1].gone))
}

fn distribution(language: Language, page: &Page) -> (Plot, String) {
    let lanes = [&page.tcp, &page.udp].map(|lane| &lane.round_trips);
    let samples = lanes.map(|recent| recent.samples.iter().map(|(_, rtt_us)| *rtt_us).collect());
    let plot = Plot {
        csv_header: "rtt_from_us,tcp_answers,udp_answers",
        name: "distribution",
        title: language.plot_distribution(),
        x: axis(language.plot_round_trip_from(), Unit::Microseconds, Scale::Steps),
        y: axis(language.plot_answers(), Unit::Whole, Scale::Linear),
        shape: Shape::Bars,
        series: BOTH.to_vec(),
        rows: binned(Scale::Log, &samples),
    };
    (plot, gone(language, lanes[0].gone + lanes[1].gone))
}

fn usage(language: Language, page: &Page) -> (Plot, String) {
    let lanes = [&page.tcp, &page.udp];
    // A send whose payload has not come yet has no ratio.
    let ratio = |payload: u64, wire: u64| wire.saturating_mul(1_000).checked_div(payload);
    let samples = lanes.map(|lane| {
        let usage = lane.usage.samples.iter();
        usage.filter_map(|it| Some((it.send, ratio(it.payload, it.wire)?))).collect()
    });
    let plot = Plot {
        csv_header: "send,tcp_bytes_per_byte,udp_bytes_per_byte",
        name: "wire",
        title: language.plot_wire(),
        x: axis(language.plot_send(), Unit::Whole, Scale::Steps),
        y: axis(language.plot_per_byte(), Unit::Thousandths, Scale::Linear),
        shape: Shape::Lines,
        series: BOTH.to_vec(),
        rows: merged(&samples),
    };
    let runs = page.runs.kept.iter().filter(|run| run.conditions.path == Path::Emulated);
    let legs = runs.flat_map(|run| run.legs());
    let missed: u64 = legs.map(|leg| leg.trace.missed).sum();
    let mut hints = vec![gone(language, page.tcp.usage.gone + page.udp.usage.gone)];
    if lanes.iter().any(|lane| lane.path == Path::Direct) {
        hints.push(language.plot_wire_direct().into());
    }
    if !plot.rows.is_empty() {
        hints.push(language.plot_wire_what().into());
    }
    if missed > 0 {
        hints.push(language.packets_missed(&count(missed)));
    }
    let hint = hints.join(language.between_sentences());
    (plot, hint)
}

fn reads(language: Language, repetition: &Repetition) -> (Plot, String) {
    let samples = [0, 1].map(|of| repetition.reads.iter().filter_map(|run| run[of]).collect());
    let plot = Plot {
        csv_header: "reads_from,tcp_bursts,udp_bursts",
        name: "reads",
        title: language.plot_reads(),
        x: axis(language.plot_reads_from(), Unit::Whole, Scale::Steps),
        y: axis(language.plot_bursts(), Unit::Whole, Scale::Linear),
        shape: Shape::Bars,
        series: BOTH.to_vec(),
        rows: binned(Scale::Linear, &samples),
    };
    (plot, String::new())
}

fn gone(language: Language, gone: u64) -> String {
    if gone == 0 { String::new() } else { language.plot_gone(&count(gone)) }
}

/// The button that repeats, and how far a repetition is.
fn repeat(
    language: Language,
    page: &Page,
    repetition: Option<&Repetition>,
    toggle: Callback<MouseEvent>,
) -> Html {
    let running = repetition.filter(|it| it.is_running());
    let lines = page.last_sends().last().map_or(0, |send| u64::from(send.count));
    let done = repetition.map_or(0, |it| it.reads.len());
    html! {
        <div class="plots-repeat">
            <button type="button" onclick={toggle}>
                if running.is_some() {
                    { language.cancel() }
                } else {
                    { language.repeat(&RUNS.to_string(), &counted(language, lines, Noun::Line)) }
                }
            </button>
            if running.is_some() {
                <progress max={RUNS.to_string()} value={done.to_string()} aria-label={language.progress()} />
                <span>{ language.done_of(&done.to_string(), &RUNS.to_string()) }</span>
            }
            <span role="status">{ repetition.and_then(|it| ended(language, it)) }</span>
        </div>
    }
}

fn ended(language: Language, repetition: &Repetition) -> Option<String> {
    let (done, of) = (repetition.reads.len().to_string(), RUNS.to_string());
    let runs = language.done_of(&done, &of);
    match &repetition.state {
        State::Due | State::Running(_) => None,
        State::Done => Some(language.repeat_done(&of)),
        State::Cancelled => Some(language.repeat_cancelled(&runs)),
        State::Disturbed => Some(language.repeat_disturbed(&runs)),
        State::Refused(notice) => Some(language.repeat_refused(&runs, &notice.text(language))),
    }
}
