//! A run's result: what happened in words, replies, strip and ladder, in one sight.

use std::rc::Rc;

use streamgram_protocol::{Congestion, Path, Protocol};
use yew::prelude::*;

use super::asked::{asked, title};
use super::boundary_strip::BoundaryStrip;
use super::figures::figures;
use super::ladder_card::{LadderCard, Source};
use super::linux::differences;
use super::pointed::Pointed;
use super::replies::replies;
use super::strip::Strip;
use super::tabs::{Tab, tabs};
use super::verdict::{Finding, Verdict};
use crate::i18n::figures::time_of_day;
use crate::i18n::language::{Language, use_language};
use crate::session::carried::carried;
use crate::session::leg_run::LegRun;
use crate::session::run::Run;
use crate::session::trace::Trace;

#[derive(Properties, PartialEq)]
pub(crate) struct ResultCardProps {
    pub(crate) run: Rc<Run>,
    /// Minutes east of UTC.
    pub(crate) zone: i32,
    pub(crate) pointed: Option<Pointed>,
    pub(crate) on_point: Callback<Option<Pointed>>,
    /// The chosen tab; none where two results stand side by side.
    pub(crate) tab: Option<(Tab, Callback<Tab>)>,
    /// What the chosen tab shows.
    #[prop_or_default]
    pub(crate) children: Html,
}

/// The result.
#[component]
pub(crate) fn ResultCard(props: &ResultCardProps) -> Html {
    let ResultCardProps { run, zone, pointed, on_point, tab, children } = props;
    let language = use_language();
    let verdict = Verdict::of(language, run);
    // Read out once, when all is known, not at every step of a burst.
    let spoken = if run.is_open() { String::new() } else { verdict.to_string() };
    let [tcp, udp] = [use_drawn(run.tcp.clone()), use_drawn(run.udp.clone())];
    let drawn = [&tcp, &udp].into_iter().filter_map(|drawn| (**drawn).as_ref());
    let differs = tcp.as_ref().as_ref().map_or(&[][..], |drawn| &drawn.differs);
    let [tcp, udp] = [&tcp, &udp].map(|drawn| {
        let drawn = drawn.as_ref().as_ref().filter(|drawn| !drawn.trace.packets.is_empty());
        drawn.map(|drawn| Rc::clone(&drawn.trace))
    });
    let chosen = tab.as_ref().map(|(tab, _)| <&str>::from(tab));
    let heading = title(language, run);
    html! {
        <section class="result card" aria-label={language.result_of(&heading)} data-tab={chosen}>
            <div class="result-head">
                <h2>{ &heading }</h2>
                <code class="result-asked" translate="no">{ asked(language, run) }</code>
                if let Some(at_us) = run.at_us { <time>{ time_of_day(at_us, *zone) }</time> }
                <p class="visually-hidden" role="status">{ spoken }</p>
            </div>
            <div class="findings">
                for ((finding, leg), drawn) in verdict.findings.iter().zip(run.legs()).zip(drawn) {
                    { found(language, finding, leg, drawn, (*pointed, on_point)) }
                }
            </div>
            if !differs.is_empty() {
                <ul class="differs">for text in differs.iter() { <li>{ text }</li> }</ul>
            }
            // On a desk the ladder has no tab, and without packets no place.
            if !has_packets(run) && matches!(source(run), Source::Kernel(Some(_))) {
                <p class="hint ladder-none">{ source(run).nothing(language) }</p>
            }
            if let Some((tab, on_tab)) = tab { { tabs(language, *tab, on_tab) } }
            // Where packets are not known the ladder says why, to those who look for it.
            if has_packets(run) || chosen == Some("ladder") {
                <LadderCard key={run.number} {tcp} {udp} zone={*zone} source={source(run)} caption={caption(language, run)}
                    pointed={*pointed} {on_point} />
            }
            if tab.is_some() {
                <div class="tab-panel" role="tabpanel">{ children.clone() }</div>
            }
        </section>
    }
}

fn found(
    language: Language,
    finding: &Finding,
    leg: &LegRun,
    drawn: &Drawn,
    (pointed, on_point): (Option<Pointed>, &Callback<Option<Pointed>>),
) -> Html {
    let protocol = finding.protocol;
    let class = if protocol == Protocol::Tcp { "tcp" } else { "udp" };
    html! {
        <section key={class} class="finding" role="group" data-protocol={protocol.name()} aria-label={protocol.name()}>
            <p class="finding-figures"><b {class}>{ protocol.name() }</b>{ " " }{ &finding.figures }</p>
            <p class="finding-meaning">{ &finding.meaning }</p>
            { replies(language, leg) }
            <BoundaryStrip strip={Rc::clone(&drawn.strip)} {pointed} {on_point} />
            { drawn.figures.clone() }
        </section>
    }
}

/// What is worth keeping of a leg from one drawing to the next.
struct Drawn {
    strip: Rc<Strip>,
    trace: Rc<Trace>,
    /// Where Linux would have done otherwise than the lab's TCP.
    differs: Vec<String>,
    figures: Html,
}

#[hook]
fn use_drawn(leg: Option<Rc<LegRun>>) -> Rc<Option<Drawn>> {
    let language = use_language();
    use_memo((language, leg), |(language, leg)| {
        let leg = leg.as_ref()?;
        let (strip, trace) = (Rc::new(Strip::of(*language, leg)), carried(leg));
        let is_lab = leg.protocol == Protocol::Tcp && !trace.is_captured();
        let differs = if is_lab { differences(*language, &trace) } else { Vec::new() };
        let figures = figures(*language, leg, &trace);
        Some(Drawn { strip, trace, differs, figures })
    })
}

/// The packets of both legs, with their lines; none of a leg that had none.
pub(crate) fn traces(run: &Run) -> [Option<Rc<Trace>>; 2] {
    let trace = |leg: &Option<Rc<LegRun>>| {
        let trace = leg.as_ref().map(|leg| carried(leg));
        trace.filter(|trace| !trace.packets.is_empty())
    };
    [trace(&run.tcp), trace(&run.udp)]
}

pub(crate) fn has_packets(run: &Run) -> bool {
    run.legs().any(|leg| !leg.trace.packets.is_empty())
}

/// What a picture of the run says of itself.
pub(crate) fn caption(language: Language, run: &Run) -> String {
    format!("{} · {}", title(language, run), asked(language, run))
}

/// Whose the packets are.
pub(crate) fn source(run: &Run) -> Source {
    let conditions = &run.conditions;
    match (conditions.path, conditions.link.congestion) {
        (Path::Direct, _) => Source::Kernel(conditions.capture),
        (Path::Emulated, Congestion::Reno) => Source::Lab("Reno"),
        (Path::Emulated, Congestion::Cubic) => Source::Lab("Cubic"),
    }
}
