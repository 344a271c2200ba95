//! The runs, the newest first: one is looked at again, two are compared.

use std::rc::Rc;

use streamgram_protocol::Protocol;
use yew::prelude::*;

use super::asked::{asked, title};
use crate::i18n::figures::count;
use crate::i18n::language::Language;
use crate::session::leg_run::Status;
use crate::session::run::Run;
use crate::session::runs::Runs;

/// The list. `shown` are the runs in sight: one, or two that are compared.
pub(crate) fn runs_list(
    language: Language,
    runs: &Runs,
    shown: [Option<u32>; 2],
    on_show: &Callback<u32>,
    on_compare: &Callback<u32>,
) -> Html {
    html! {
        <section class="runs card" aria-label={language.runs()}>
            <h2>{ language.runs() }</h2>
            if runs.kept.is_empty() { <p class="hint">{ language.runs_none() }</p> }
            <ol class="runs-list">
                for run in runs.kept.iter().rev() {
                    <li key={run.number} class="run">{ entry(language, run, shown, on_show, on_compare) }</li>
                }
            </ol>
            if runs.dropped > 0 { <p class="hint">{ language.runs_dropped(&count(runs.dropped.into())) }</p> }
        </section>
    }
}

fn entry(
    language: Language,
    run: &Rc<Run>,
    shown: [Option<u32>; 2],
    on_show: &Callback<u32>,
    on_compare: &Callback<u32>,
) -> Html {
    let number = run.number;
    let is_shown = shown.contains(&Some(number));
    let is_compared = is_shown && shown[1].is_some();
    html! {
        <>
            <button type="button" class="run-line" aria-current={is_shown.to_string()}
                onclick={on_show.reform(move |_| number)}>
                <b class="run-path">{ title(language, run) }</b>
                <code class="run-asked" translate="no">{ asked(language, run) }</code>
                <span class="run-figures">
                    for protocol in Protocol::BOTH { { answered(run, protocol) } }
                </span>
            </button>
            if !is_shown || is_compared {
                <button type="button" class="run-compare" aria-pressed={is_compared.to_string()}
                    aria-label={language.compare_with(&number.to_string())} title={language.compare()}
                    onclick={on_compare.reform(move |_| number)}>{ "⇄" }</button>
            }
        </>
    }
}

/// `TCP 5/5`: how many lines of all are answered.
fn answered(run: &Run, protocol: Protocol) -> Html {
    let Some(leg) = run.leg(protocol) else { return html! {} };
    let answered = leg.count(|status| matches!(status, Status::Answered { .. }));
    let class = if protocol == Protocol::Tcp { "tcp" } else { "udp" };
    html! { <span {class}>{ format!("{} {}/{}", protocol.name(), count(answered), count(leg.of.into())) }</span> }
}
