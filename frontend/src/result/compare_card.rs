//! Two runs side by side: their figures in a table, and both results.

use std::rc::Rc;

use streamgram_protocol::Protocol;
use yew::prelude::*;

use super::asked::title;
use super::figures::figures_of;
use super::pointed::Pointed;
use super::result_card::ResultCard;
use crate::i18n::figures::count;
use crate::i18n::language::Language;
use crate::session::carried::carried;
use crate::session::leg_run::LegRun;
use crate::session::run::Run;

/// The comparison, and `leave`, which ends it.
pub(crate) fn compare_card(
    language: Language,
    runs: &[Rc<Run>; 2],
    zone: i32,
    (pointed, on_point): (Option<Pointed>, &Callback<Option<Pointed>>),
    leave: Callback<MouseEvent>,
) -> Html {
    html! {
        <section class="compare" aria-label={language.compare()}>
            <div class="compare-figures card">
                <div class="result-head">
                    <h2>{ language.compare() }</h2>
                    <button type="button" onclick={leave}>{ language.compare_leave() }</button>
                </div>
                <table>
                    <thead>
                        <tr>
                            <td></td>
                            for protocol in Protocol::BOTH { <th scope="colgroup" colspan="2">{ protocol.name() }</th> }
                        </tr>
                        <tr>
                            <td></td>
                            for _ in Protocol::BOTH { for run in runs { <th scope="col">{ title(language, run) }</th> } }
                        </tr>
                    </thead>
                    <tbody>
                        for (name, figures) in compared(language, runs) {
                            <tr><th scope="row">{ name }</th>for figure in figures { <td translate="no">{ figure }</td> }</tr>
                        }
                    </tbody>
                </table>
            </div>
            <div class="compared">
                for run in runs {
                    <ResultCard key={run.number} run={Rc::clone(run)} {zone} {pointed} {on_point} tab={None} />
                }
            </div>
        </section>
    }
}

/// The figures of both runs over TCP, and over UDP, each with its name; `–` where there is none.
fn compared(language: Language, runs: &[Rc<Run>; 2]) -> Vec<(&'static str, [String; 4])> {
    let mut rows: Vec<(&'static str, [String; 4])> = Vec::new();
    let columns = Protocol::BOTH
        .into_iter()
        .flat_map(|protocol| runs.each_ref().map(|run| run.leg(protocol)));
    for (column, leg) in columns.enumerate() {
        let Some(leg) = leg else { continue };
        let reads = (language.compare_reads(), count(reads(leg)));
        for (name, figure) in [reads].into_iter().chain(figures_of(language, leg, &carried(leg))) {
            let at = rows.iter().position(|(other, _)| *other == name).unwrap_or(rows.len());
            if at == rows.len() {
                rows.push((name, std::array::from_fn(|_| "–".to_owned())));
            }
            rows[at].1[column] = figure;
        }
    }
    rows
}

/// How often the server took something.
fn reads(leg: &LegRun) -> u64 {
    let reads = match leg.protocol {
        Protocol::Tcp => leg.own_reads().count(),
        Protocol::Udp => leg.reads.len(),
    };
    reads as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::leg_run::tests::{ANSWERED, LOST, sent};
    use crate::session::run::Conditions;

    fn run(number: u32, udp: Option<LegRun>) -> Rc<Run> {
        let tcp = Some(Rc::new(sent(Protocol::Tcp, &[(5, ANSWERED); 2])));
        let (sends, conditions) = (Rc::default(), Conditions::default());
        Rc::new(Run { number, at_us: None, sends, conditions, tcp, udp: udp.map(Rc::new) })
    }

    #[test]
    fn the_figures_of_both_stand_beside_each_other_and_what_one_lacks_is_a_dash() {
        let udp = sent(Protocol::Udp, &[(5, ANSWERED), (5, LOST)]);
        let rows = compared(Language::En, &[run(1, None), run(2, Some(udp))]);
        let row = |name: &str| rows.iter().find(|(it, _)| *it == name).map(|(_, row)| row.clone());
        assert_eq!(row("answered"), Some(["2", "2", "–", "1"].map(String::from)));
        assert_eq!(row("without reply"), Some(["0", "0", "–", "1"].map(String::from)));
    }
}
