//! The scenario of a link that was opened: shown, and not followed before a click.

use std::rc::Rc;

use streamgram_protocol::scenario::Remark;
use streamgram_protocol::{Limits, Scenario};
use yew::prelude::*;

use super::carried;
use super::scenario::{language_of, remark_text};
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
pub(crate) type Offer = (Option<Rc<Scenario>>, Vec<Remark>);

/// Reads a fragment; none is no offer.
pub(crate) fn read(fragment: &str, limits: &Limits) -> Option<Offer> {
    if fragment.is_empty() {
        return None;
    }
    let (scenario, remarks) = Scenario::decode(fragment, limits);
    Some((scenario.map(Rc::new), remarks))
}

/// The offer, until it is answered.
pub(crate) fn offer_card(language: Language, offer: &Offer, on_answer: &Callback<Answer>) -> Html {
    let (scenario, remarks) = offer;
    let title = if scenario.is_some() { language.offer_title() } else { language.offer_useless() };
    let stranger = scenario.as_deref().and_then(unknown_language);
    let mut answers = vec![(language.offer_dismiss(), Answer::Dismiss)];
    if let Some(scenario) = scenario {
        answers.insert(0, (language.offer_fill_in(), Answer::FillIn(Rc::clone(scenario))));
        answers.insert(0, (language.offer_run(), Answer::Run(Rc::clone(scenario))));
    }
    html! {
        <section class="offer card" aria-labelledby="offer-title">
            <h2 id="offer-title">{ title }</h2>
            if let Some(scenario) = scenario {
                <p class="offer-hint">{ language.offer_hint() }</p>
                { carried::list(language, scenario) }
            }
            { said(language, remarks.iter().chain(&stranger)) }
            { buttons(answers, on_answer) }
        </section>
    }
}

/// Stands there while legs open for a scenario that was taken.
pub(crate) fn waiting_card(language: Language, on_answer: &Callback<Answer>) -> Html {
    html! {
        <section class="offer card" aria-label={language.offer_title()}>
            <p role="status">{ language.offer_waits_for_legs() }</p>
            { buttons(vec![(language.offer_dismiss(), Answer::Dismiss)], on_answer) }
        </section>
    }
}

fn buttons(answers: Vec<(&'static str, Answer)>, on_answer: &Callback<Answer>) -> Html {
    html! {
        <div class="offer-answers">
            for (name, answer) in answers {
                <button type="button" class={matches!(answer, Answer::Run(_)).then_some("primary")}
                    onclick={on_answer.reform(move |_| answer.clone())}>{ name }</button>
            }
        </div>
    }
}

/// A language that is none of the page's.
fn unknown_language(scenario: &Scenario) -> Option<Remark> {
    let value = scenario.language.clone().filter(|_| language_of(scenario).is_none())?;
    Some(Remark::Unreadable { name: "lang".into(), value })
}

fn said<'a>(language: Language, remarks: impl Iterator<Item = &'a Remark>) -> Html {
    let said: Vec<_> = remarks.map(|remark| remark_text(language, remark)).collect();
    if said.is_empty() {
        return html! {};
    }
    html! {
        <div class="offer-remarks">
            <p>{ language.offer_remarks() }</p>
            <ul>
                for text in said { <li>{ text }</li> }
            </ul>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use yew::LocalServerRenderer;

    use super::*;

    #[derive(Properties, PartialEq)]
    struct CardProps {
        offer: Offer,
    }

    #[component]
    fn Card(CardProps { offer }: &CardProps) -> Html {
        offer_card(Language::En, offer, &Callback::noop())
    }

    async fn markup(fragment: &str) -> String {
        let offer = read(fragment, &Limits::default()).unwrap();
        let props = CardProps { offer };
        LocalServerRenderer::<Card>::with_props(props).hydratable(false).render().await
    }

    #[test]
    fn without_a_link_there_is_nothing_to_answer() {
        assert_eq!(read("", &Limits::default()), None);
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
    async fn a_link_of_another_version_can_only_be_dismissed() {
        let markup = markup("v9&text=x").await;
        assert!(markup.contains("v9") && markup.matches("<button").count() == 1, "{markup}");
    }
}
