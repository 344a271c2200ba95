//! A sweep of loss: what it is asked for, how far it is, and its plots. It needs no session.

use std::rc::Rc;

use streamgram_lab::sweep::{Kind, Limit, MSS, RTT, SEED, Setting};
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::plot_figure::PlotFigure;
use super::sweep::{State, Sweep};
use super::use_sweep::{Request, use_sweep};
use crate::i18n::figures::count;
use crate::i18n::language::{Language, use_language};
use crate::ui::toggle_group::toggle_group;
use crate::ui::use_details::use_details;

/// What can be chosen, and what it is called.
fn fields(language: Language) -> [(Limit, &'static str); 3] {
    [(RTT, "RTT"), (MSS, "MSS"), (SEED, language.seed())]
}

/// The sweep.
#[component]
pub(crate) fn SweepCard() -> Html {
    let language = use_language();
    let (open, ontoggle) = use_details();
    let kind = use_state(|| Kind::Goodput);
    let (sweep, start, cancel) = use_sweep();
    let typed = use_state(|| {
        let Setting { rtt_ms, mss, seed, .. } = Setting::new(Kind::Goodput);
        [rtt_ms, mss, seed].map(|number| number.to_string())
    });
    let is_running = sweep.state == State::Running;
    let wrong = fields(language).into_iter().zip(&*typed);
    let wrong = wrong.filter_map(|((limit, _), text)| objection(language, &limit, text));
    let wrong: Option<String> = wrong.into_iter().next();
    let onsubmit = {
        let (typed, kind, is_wrong) = ((*typed).clone(), *kind, wrong.is_some());
        move |event: SubmitEvent| {
            event.prevent_default();
            if is_running {
                cancel.emit(());
            } else if !is_wrong {
                let [rtt, mss, seed] = typed.each_ref().map(|text| text.trim().to_owned());
                start.emit(Request { kind, rtt, mss, seed });
            }
        }
    };
    let kinds = Kind::EVERY.map(|of| (of, kind_name(language, of)));
    let field = |at: usize, limit: &Limit, label: &'static str| {
        let oninput = {
            let typed = typed.clone();
            move |event: InputEvent| {
                let mut next = (*typed).clone();
                next[at] = event.target_unchecked_into::<HtmlInputElement>().value();
                typed.set(next);
            }
        };
        html! {
            <label key={at}>{ label }{ " " }<input type="text" inputmode="numeric" value={typed[at].clone()}
                {oninput} />{ limit.unit }</label>
        }
    };
    html! {
        <section class="sweep card" aria-label={language.sweep()}>
            <details {ontoggle}>
                <summary><h2>{ language.sweep() }</h2></summary>
                if open {
                    <p class="hint">{ language.sweep_hint() }</p>
                    <form class="plots-repeat" {onsubmit} novalidate=true>
                        { toggle_group(language.sweep(), kinds, *kind, kind.setter()) }
                        for (at, (limit, label)) in fields(language).iter().enumerate() {
                            { field(at, limit, label) }
                        }
                        <button class="sweep-start">
                            { if is_running { language.cancel() } else { language.start() } }
                        </button>
                        if is_running {
                            <progress max={sweep.runs.max(1).to_string()} value={sweep.done.to_string()}
                                aria-label={language.progress()} />
                            <span>{ language.done_of(&count(sweep.done), &count(sweep.runs)) }</span>
                        }
                        <span role="status">{ said(language, &sweep) }</span>
                    </form>
                    <p class="notice" role="alert">{ wrong }</p>
                    <div class="plots-figures">
                        { figures(language, &sweep) }
                    </div>
                }
            </details>
        </section>
    }
}

fn figures(language: Language, sweep: &Sweep) -> Html {
    let csv = AttrValue::from(sweep.csv.clone());
    let plots = sweep.plots(language).into_iter().filter(|plot| !plot.rows.is_empty());
    html! {
        for (name, plot) in plots.map(|plot| (plot.name, Rc::new(plot))) {
            <PlotFigure key={name} {plot} csv={csv.clone()} />
        }
    }
}

fn kind_name(language: Language, kind: Kind) -> &'static str {
    match kind {
        Kind::Goodput => language.sweep_kind_goodput(),
        Kind::Exchange => language.sweep_kind_exchange(),
    }
}

/// Why a setting is not allowed; the limit is the lab's.
fn objection(language: Language, limit: &Limit, text: &str) -> Option<String> {
    limit.parse(text.trim()).err()?;
    let (least, most) = (limit.range.start(), limit.range.end());
    let most = format!("{most}{}", limit.unit);
    Some(language.out_of_range(limit.name, text.trim(), &least.to_string(), &most))
}

fn said(language: Language, sweep: &Sweep) -> Option<String> {
    match &sweep.state {
        State::None | State::Running => None,
        State::Done => Some(language.sweep_done().into()),
        State::Cancelled => Some(language.sweep_cancelled().into()),
        State::Failed(None) => Some(language.sweep_unloaded().into()),
        State::Failed(Some(said)) => Some(said.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_allowed_is_told_as_the_lab_tells_it_and_in_every_language() {
        for text in ["801", "0", "-1", "1.5", "", "many"] {
            let lab = RTT.parse(text).unwrap_err().to_string();
            assert_eq!(objection(Language::En, &RTT, text), Some(lab));
        }
        assert_eq!(objection(Language::En, &RTT, " 800 "), None);
        let chinese = objection(Language::Zh, &MSS, "535").unwrap();
        assert!(chinese.contains("536") && chinese.contains("1460 bytes"), "{chinese}");
    }
}
