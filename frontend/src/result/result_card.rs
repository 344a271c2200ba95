//! A run's result: what happened in words, replies, strip and ladder, in one sight.

use std::rc::Rc;

use streamgram_protocol::{Congestion, Protocol};
use yew::prelude::*;

use super::asked::{asked, title};
use super::boundary_strip::BoundaryStrip;
use super::figures::figures;
use super::ladder_card::LadderCard;
use super::linux::differences;
use super::pointed::Pointed;
use super::replies::replies;
use super::strip::Strip;
use super::tabs::{Tab, tabs};
use super::verdict::{Finding, Verdict};
use crate::i18n::figures::time_of_day;
use crate::i18n::language::{Language, use_language};
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
    let [tcp, udp] = traces(run);
    let (tcp_strip, differs) = use_drawn(run.tcp.clone());
    let (udp_strip, _) = use_drawn(run.udp.clone());
    let strips = [tcp_strip, udp_strip];
    let strips = strips.iter().filter_map(|strip| (**strip).as_ref());
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
                for ((finding, leg), strip) in verdict.findings.iter().zip(run.legs()).zip(strips) {
                    { found(language, finding, leg, strip, (*pointed, on_point)) }
                }
            </div>
            if !differs.is_empty() {
                <ul class="differs">for text in differs.iter() { <li>{ text }</li> }</ul>
            }
            if let Some((tab, on_tab)) = tab { { tabs(language, *tab, on_tab) } }
            // Where packets are not known the ladder says why, to those who look for it.
            if has_packets(run) || chosen == Some("ladder") {
                <LadderCard key={run.number} {tcp} {udp} zone={*zone} congestion={congestion(run)} caption={caption(language, run)}
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
    strip: &Rc<Strip>,
    (pointed, on_point): (Option<Pointed>, &Callback<Option<Pointed>>),
) -> Html {
    let protocol = finding.protocol;
    let class = if protocol == Protocol::Tcp { "tcp" } else { "udp" };
    html! {
        <section key={class} class="finding" role="group" data-protocol={protocol.name()} aria-label={protocol.name()}>
            <p class="finding-figures"><b {class}>{ protocol.name() }</b>{ " " }{ &finding.figures }</p>
            <p class="finding-meaning">{ &finding.meaning }</p>
            { replies(language, leg) }
            <BoundaryStrip strip={Rc::clone(strip)} {pointed} {on_point} />
            { figures(language, leg) }
        </section>
    }
}

/// What is worth keeping of a leg from one drawing to the next: its strip, and for TCP where Linux would differ.
#[hook]
fn use_drawn(leg: Option<Rc<LegRun>>) -> (Rc<Option<Rc<Strip>>>, Rc<Vec<String>>) {
    let language = use_language();
    let strip = use_memo((language, leg.clone()), |(language, leg)| {
        leg.as_ref().map(|leg| Rc::new(Strip::of(*language, leg)))
    });
    let trace = leg.filter(|leg| leg.protocol == Protocol::Tcp).map(|leg| Rc::clone(&leg.trace));
    let differs = use_memo((language, trace), |(language, trace)| {
        trace.as_ref().map_or_else(Vec::new, |trace| differences(*language, trace))
    });
    (strip, differs)
}

/// The packets of both legs; none of a leg that had none.
pub(crate) fn traces(run: &Run) -> [Option<Rc<Trace>>; 2] {
    let trace = |leg: &Option<Rc<LegRun>>| {
        let leg = leg.as_ref().filter(|leg| !leg.trace.packets.is_empty());
        leg.map(|leg| Rc::clone(&leg.trace))
    };
    [trace(&run.tcp), trace(&run.udp)]
}

pub(crate) fn has_packets(run: &Run) -> bool {
    traces(run).iter().any(Option::is_some)
}

/// What a picture of the run says of itself.
pub(crate) fn caption(language: Language, run: &Run) -> String {
    format!("{} · {}", title(language, run), asked(language, run))
}

/// Whose TCP it was.
fn congestion(run: &Run) -> &'static str {
    match run.conditions.link.congestion {
        Congestion::Reno => "Reno",
        Congestion::Cubic => "Cubic",
    }
}
