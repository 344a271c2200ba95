//! The scenario of a link that was opened: shown, and not followed before a click.

use std::rc::Rc;

use streamgram_protocol::scenario::Remark;
use streamgram_protocol::{Limits, Scenario};
use yew::prelude::*;

use super::scenario::{carried_list, language_of, remark_text};
use crate::i18n::language::Language;

/// What a person wants of a link's scenario.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    /// Take it, and send once the legs are open.
    Run(Rc<Scenario>),
    /// Take it, and send nothing.
    FillIn(Rc<Scenario>),
    /// Do not take it, or do not wait for the legs any more.
    Dismiss,
}

/// What was read from a link, and what of it was not taken.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Offer {
    scenario: Option<Rc<Scenario>>,
    remarks: Vec<Remark>,
}

/// Reads a fragment; without one there is no offer.
pub(crate) fn offer(fragment: &str, limits: &Limits) -> Option<Offer> {
    if fragment.is_empty() {
        return None;
    }
    let (scenario, mut remarks) = Scenario::decode(fragment, limits);
    remarks.extend(scenario.as_ref().and_then(unknown_language));
    Some(Offer { scenario: scenario.map(Rc::new), remarks })
}

/// The offer, until it is answered.
pub(crate) fn offer_card(
    language: Language,
    offer: &Offer,
    on_answer: &Callback<Answer>,
    on_language: &Callback<Language>,
) -> Html {
    let Offer { scenario, remarks } = offer;
    let linked = scenario.as_deref().and_then(language_of).filter(|linked| *linked != language);
    let title = if scenario.is_some() { language.offer_title() } else { language.offer_useless() };
    html! {
        <section class="offer card" aria-labelledby="offer-title">
            <h2 id="offer-title">{ title }</h2>
            if let Some(scenario) = scenario {
                <p class="offer-hint">{ language.offer_hint() }</p>
                { carried_list(language, scenario) }
            }
            if !remarks.is_empty() {
                <div class="offer-remarks">
                    <p>{ language.offer_remarks() }</p>
                    <ul>
                        for remark in remarks { <li>{ remark_text(language, remark) }</li> }
                    </ul>
                </div>
            }
            <div class="offer-answers">
                if let Some(scenario) = scenario {
                    { answer_button(language, Answer::Run(Rc::clone(scenario)), on_answer) }
                    { answer_button(language, Answer::FillIn(Rc::clone(scenario)), on_answer) }
                }
                { answer_button(language, Answer::Dismiss, on_answer) }
                if let Some(linked) = linked {
                    <button type="button" lang={linked.tag()} onclick={on_language.reform(move |_| linked)}>
                        { linked.read_here() }</button>
                }
            </div>
        </section>
    }
}

/// Stands there while legs open for a scenario that was taken.
pub(crate) fn waiting_card(language: Language, on_answer: &Callback<Answer>) -> Html {
    html! {
        <section class="offer card" aria-label={language.offer_title()}>
            <p role="status">{ language.offer_waits_for_legs() }</p>
            <div class="offer-answers">{ answer_button(language, Answer::Dismiss, on_answer) }</div>
        </section>
    }
}

fn answer_button(language: Language, answer: Answer, on_answer: &Callback<Answer>) -> Html {
    let (name, class) = match answer {
        Answer::Run(_) => (language.offer_run(), Some("primary")),
        Answer::FillIn(_) => (language.offer_fill_in(), None),
        Answer::Dismiss => (language.offer_dismiss(), None),
    };
    let onclick = on_answer.reform(move |_: MouseEvent| answer.clone());
    html! { <button type="button" {class} {onclick}>{ name }</button> }
}

/// A language that is none of the page's.
fn unknown_language(scenario: &Scenario) -> Option<Remark> {
    let value = scenario.language.clone().filter(|_| language_of(scenario).is_none())?;
    Some(Remark::Unreadable { name: "lang".into(), value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::tests::rendered;

    async fn markup(fragment: &str) -> String {
        let offer = offer(fragment, &Limits::default()).unwrap();
        rendered(offer_card(Language::En, &offer, &Callback::noop(), &Callback::noop())).await
    }

    #[test]
    fn without_a_link_there_is_nothing_to_answer() {
        assert_eq!(offer("", &Limits::default()), None);
    }

    #[tokio::test]
    async fn a_hostile_link_stays_text() {
        let markup =
            markup("v1&text=%3Cimg%20src=x%3E%E2%80%AE%1b&lang=xx&<script>=1&count=0").await;
        for shown in ["&lt;img src=x&gt;", r"\u{202e}\x1b", "&lt;script&gt;", "lang", "from 0 to 1"]
        {
            assert!(markup.contains(shown), "{shown}: {markup}");
        }
        assert!(!markup.contains("<img") && !markup.contains("<script"), "{markup}");
    }

    #[tokio::test]
    async fn the_language_of_a_link_is_offered_in_that_language() {
        assert!(markup("v1&text=x&lang=zh").await.contains("用中文阅读"));
        assert!(!markup("v1&text=x&lang=en").await.contains("lang="));
    }

    #[tokio::test]
    async fn a_link_of_another_version_can_only_be_dismissed() {
        let markup = markup("v9&text=x").await;
        assert!(markup.contains("v9") && markup.matches("<button").count() == 1, "{markup}");
    }
}
