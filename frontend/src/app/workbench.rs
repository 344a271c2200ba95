//! The result in sight, with what belongs to it: a run, two that are compared, or an external client.

use std::rc::Rc;

use gloo_timers::callback::Timeout;
use web_sys::Element;
use yew::prelude::*;

use super::export_panel::export_panel;
use crate::browser::sight;
use crate::clients::client_result::ClientResult;
use crate::commands::commands_card::CommandsCard;
use crate::i18n::language::{ELEMENT, use_language, with_element};
use crate::prompt::prompt_card::QUICK_BURST;
use crate::result::bytes_panel::bytes_panel;
use crate::result::compare_card::compare_card;
use crate::result::pointed::Pointed;
use crate::result::result_card::ResultCard;
use crate::result::tabs::Tab;
use crate::session::page::Page;
use crate::session::run::Run;
use crate::transcript::transcript_pane::TranscriptPane;
use crate::transcript::view::View;

/// What is in sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// The latest run, whichever that is.
    Latest,
    Run(u32),
    Compared(u32, u32),
    /// An external client, by its key.
    Client(u64),
}

impl Shown {
    /// The runs in sight: one, or two that are compared. What is no longer kept gives way to the latest.
    pub(crate) fn runs(self, page: &Page) -> [Option<Rc<Run>>; 2] {
        let kept = |number| page.runs.get(number).cloned();
        let latest = || page.runs.latest().cloned();
        match self {
            Self::Latest => [latest(), None],
            Self::Run(number) => [kept(number).or_else(latest), None],
            Self::Compared(one, other) => match (kept(one), kept(other)) {
                (Some(one), Some(other)) => [Some(one), Some(other)],
                (one, other) => [one.or(other).or_else(latest), None],
            },
            Self::Client(_) => [None, None],
        }
    }

    /// What is in sight once a run is to be compared with what is in sight now, or no longer to be.
    pub(crate) fn comparing(self, page: &Page, with: u32) -> Self {
        let numbers = self.runs(page).map(|run| run.map(|run| run.number));
        match numbers {
            [Some(one), Some(other)] if one == with => Self::Run(other),
            [Some(one), Some(other)] if other == with => Self::Run(one),
            [Some(one), _] if one != with => Self::Compared(one.min(with), one.max(with)),
            _ => Self::Run(with),
        }
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct WorkbenchProps {
    pub(crate) page: Rc<Page>,
    /// Minutes east of UTC.
    pub(crate) zone: i32,
    pub(crate) shown: Shown,
    pub(crate) on_show: Callback<Shown>,
    pub(crate) on_clear: Callback<()>,
    /// What stands above the result.
    #[prop_or_default]
    pub(crate) children: Html,
    /// What is said as long as there is no result.
    #[prop_or_default]
    pub(crate) nothing: Option<Html>,
}

/// The result.
#[component]
pub(crate) fn Workbench(props: &WorkbenchProps) -> Html {
    let WorkbenchProps { page, zone, shown, on_show, on_clear, children, nothing } = props;
    let language = use_language();
    // The chosen tab, and how often one was chosen.
    let tab = use_state(|| (Tab::Rows, 0_u32));
    let place = use_node_ref();
    let pointed = use_state_eq(|| None::<Pointed>);
    // Not the pane's own: it stays when another tab is looked at.
    let view = use_state(View::default);
    let on_view = Callback::from(view.setter());
    let on_point = use_callback((), {
        let pointed = pointed.setter();
        move |at, ()| pointed.set(at)
    });
    let client = match shown {
        Shown::Client(key) => page.raw.clients.iter().find(|client| client.key == *key),
        _ => None,
    };
    let shown =
        if client.is_none() && matches!(shown, Shown::Client(_)) { Shown::Latest } else { *shown };
    // The first result is much to draw: it follows what asked for it in a task of its own, and what its tab shows
    // follows it.
    let is_there = shown.runs(page)[0].is_some();
    let (has_result, has_panel) = (use_state_eq(|| is_there), use_state_eq(|| false));
    use_effect_with(is_there, {
        let has_result = has_result.setter();
        move |is_there| {
            let next = is_there.then(|| Timeout::new(0, move || has_result.set(true)));
            move || drop(next)
        }
    });
    use_effect_with(is_there && *has_result, {
        let has_panel = has_panel.setter();
        move |is_drawn| {
            if *is_drawn {
                has_panel.set(true);
            }
        }
    });
    let runs = if *has_result { shown.runs(page) } else { [None, None] };
    let numbers = runs.each_ref().map(|run| run.as_ref().map(|run| run.number));
    use_effect_with((shown, numbers), {
        let place = place.clone();
        // Where there is room someone may look at the rows, run after run.
        move |(shown, _)| match part(&place, ".result-head") {
            Some(head) if *shown != Shown::Latest || sight::is_narrow() => sight::bring(&head),
            _ => {}
        }
    });
    use_effect_with(*tab, {
        let place = place.clone();
        move |(tab, taps)| {
            // On a phone the tabs are in sight from afar, and what they show is not.
            let shown = if *tab == Tab::Ladder { ".ladder" } else { ".tab-panel" };
            match part(&place, shown) {
                Some(shown) if *taps > 0 && sight::is_narrow() => shown.scroll_into_view(),
                _ => {}
            }
        }
    });
    let result = match runs {
        _ if client.is_some() => html! {
            for client in client {
                <section class="result card" aria-label={client.peer.clone()}>
                    <ClientResult client={Rc::clone(client)} zone={*zone} capture={page.capture()} />
                </section>
            }
        },
        _ if nothing.is_some() => nothing.clone().unwrap_or_default(),
        [Some(one), Some(other)] => compare_card(
            language,
            &[one, other],
            *zone,
            (*pointed, &on_point),
            on_show.reform(|_| Shown::Latest),
        ),
        [Some(run), _] => {
            let (chosen, taps) = *tab;
            let panel = match chosen {
                _ if !*has_panel => html! {},
                Tab::Ladder => html! {},
                Tab::Rows => html! {
                    <TranscriptPane log={Rc::clone(&page.log)} run={Rc::clone(&run)} zone={*zone}
                        pointed={*pointed} on_point={on_point.clone()} view={(*view).clone()} {on_view} {on_clear} />
                },
                Tab::Bytes => bytes_panel(language, &run),
                Tab::Code => page
                    .hello
                    .iter()
                    .map(|hello| {
                        html! {
                            <CommandsCard hello={Rc::clone(hello)} sends={Rc::clone(&run.sends)} />
                        }
                    })
                    .collect(),
                Tab::Export => export_panel(language, page, &run, *zone),
            };
            let tab = tab.setter();
            let on_tab = Callback::from(move |next| tab.set((next, taps + 1)));
            html! {
                <ResultCard {run} zone={*zone} pointed={*pointed} {on_point} tab={(chosen, on_tab)}>{ panel }</ResultCard>
            }
        }
        [None, _] => html! {
            <section class="result card" aria-label={language.result()}>
                <p class="result-invitation">
                    { with_element(
                        &language.invitation(ELEMENT),
                        html! { <b>{ language.burst(QUICK_BURST) }</b> },
                    ) }
                </p>
                // Without a row yet too, so that the first one moves nothing.
                <TranscriptPane log={Rc::clone(&page.log)} run={None::<Rc<Run>>} zone={*zone}
                    pointed={None::<Pointed>} {on_point} view={View::default()} {on_view} {on_clear} />
            </section>
        },
    };
    html! { <div class="workbench-result" ref={place}>{ children.clone() }{ result }</div> }
}

/// A part of the result.
fn part(place: &NodeRef, selector: &str) -> Option<Element> {
    place.cast::<Element>()?.query_selector(selector).ok()?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::page::tests::with_runs;

    fn numbers(shown: Shown, page: &Page) -> [Option<u32>; 2] {
        shown.runs(page).map(|run| run.map(|run| run.number))
    }

    #[test]
    fn what_is_no_longer_kept_gives_way_to_the_latest() {
        let page = with_runs(3);
        assert_eq!(numbers(Shown::Latest, &page), [Some(3), None]);
        assert_eq!(numbers(Shown::Run(2), &page), [Some(2), None]);
        assert_eq!(numbers(Shown::Run(9), &page), [Some(3), None]);
        assert_eq!(numbers(Shown::Compared(1, 9), &page), [Some(1), None]);
    }

    #[test]
    fn a_second_run_is_compared_and_taken_away_again() {
        let page = with_runs(3);
        let two = Shown::Latest.comparing(&page, 1);
        assert_eq!(numbers(two, &page), [Some(1), Some(3)]);
        assert_eq!(two.comparing(&page, 1), Shown::Run(3));
        assert_eq!(two.comparing(&page, 3), Shown::Run(1));
        assert_eq!(Shown::Client(1).comparing(&page, 2), Shown::Run(2));
    }
}
