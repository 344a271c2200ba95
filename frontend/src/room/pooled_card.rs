//! What a class voted and saw at a step; until that is known, how many of it have voted and run.

use streamgram_protocol::room::Pooled;
use yew::prelude::*;

use super::measure_figure::{MeasureFigure, measure_figure};
use super::pooled_picture;
use super::pooled_step::PooledShown;
use super::votes::choices;
use super::votes_bars::votes_bars;
use crate::browser::download::save;
use crate::i18n::language::Language;

/// The step.
pub(crate) fn pooled_card(language: Language, shown: &PooledShown) -> Html {
    html! {
        <section class="pooled card" aria-label={shown.heading(language)}>
            <h2>{ shown.heading(language) }</h2>
            if let Some(question) = &shown.question { <p class="pooled-question">{ question }</p> }
            { match &shown.pooled {
                Some(pooled) => seen(language, shown, pooled),
                None => html! {
                    <ul class="pooled-given">
                        for gift in shown.gifts() { <li>{ shown.given(language, gift) }</li> }
                    </ul>
                },
            } }
        </section>
    }
}

fn seen(language: Language, shown: &PooledShown, pooled: &Pooled) -> Html {
    let (choices, figures) = (choices(shown), MeasureFigure::all(shown, pooled));
    let is_empty = choices.is_empty() && figures.is_empty();
    let onsave = {
        let shown = shown.clone();
        move |_: MouseEvent| {
            let name = format!("streamgram-step-{}.svg", shown.number);
            let picture = pooled_picture::svg(language, &shown);
            save(&name, "image/svg+xml", picture.as_bytes());
        }
    };
    html! {
        <>
            if !choices.is_empty() {
                { votes_bars(language, &choices) }
            } else if !shown.choices.is_empty() {
                <p class="hint">{ language.votes_none() }</p>
            }
            if !figures.is_empty() {
                <h3>{ language.measure_title() }</h3>
                <div class="measures">for figure in figures.iter() { { measure_figure(language, figure) } }</div>
            } else {
                <p class="hint">{ language.measure_none() }</p>
            }
            if !is_empty {
                <div class="pooled-tools">
                    <button type="button" onclick={onsave}>{ "SVG" }</button>
                </div>
            }
        </>
    }
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::room::{Measure, Own};

    use super::*;
    use crate::room::pooled_step::tests::{pooled, shown};
    use crate::ui::tests::rendered;

    async fn card(shown: &PooledShown) -> String {
        rendered(pooled_card(Language::En, shown)).await
    }

    #[tokio::test]
    async fn until_it_is_revealed_only_how_many_have_done_it_is_said() {
        let waiting = card(&shown(None)).await;
        for text in ["Step 2 · Records", "3 of 4 have voted", "2 of 4 have run it"] {
            assert!(waiting.contains(text), "{text}: {waiting}");
        }
        assert!(!waiting.contains("<svg") && !waiting.contains("again"), "{waiting}");
        let gone = PooledShown { members: 1, ..shown(None) };
        assert!(card(&gone).await.contains("3 of 3 have voted"), "those who left had voted");
        let place = PooledShown { choices: Vec::new(), ..shown(None) };
        assert!(!card(&place).await.contains("voted"), "there is no question");
    }

    #[tokio::test]
    async fn one_s_own_vote_is_marked_by_a_mark_and_words() {
        let own = Own { before: Some(0), after: Some(1) };
        let seen = card(&PooledShown { own, ..shown(Some(pooled(&[3, 1, 0], &[1, 3, 0]))) }).await;
        assert_eq!(seen.matches("◆ your vote").count(), 2, "{seen}");
        assert_eq!(seen.matches("class=\"votes-bar\"").count(), 6, "{seen}");
        assert!(seen.contains("3 · 75 %"), "{seen}");
        let not_voted = card(&shown(Some(pooled(&[3, 1, 0], &[])))).await;
        assert!(!not_voted.contains('◆') && !not_voted.contains(">after<"), "{not_voted}");
    }

    #[tokio::test]
    async fn what_a_lesson_or_a_link_says_is_no_markup() {
        let hostile = "<img src=x onerror=alert(1)>\"'";
        let shown = PooledShown {
            title: hostile.into(),
            question: Some(hostile.into()),
            choices: vec![hostile.into()],
            ..shown(Some(pooled(&[1], &[])))
        };
        let seen = card(&shown).await;
        assert!(!seen.contains("<img") && !seen.contains("\"'\""), "{seen}");
        assert_eq!(seen.matches("&lt;img src=x").count(), 4, "{seen}");
    }

    #[tokio::test]
    async fn where_nobody_did_anything_that_is_said() {
        let nothing = card(&shown(Some(pooled(&[0, 0, 0], &[])))).await;
        assert!(nothing.contains("Nobody has voted"), "{nothing}");
        assert!(!nothing.contains("<svg") && !nothing.contains("<button"), "{nothing}");
    }

    #[tokio::test]
    async fn a_full_room_with_as_many_choices_as_there_may_be_is_shown_whole() {
        let mut pooled = pooled(&[250; 8], &[250; 8]);
        for measure in Measure::ALL {
            pooled.outcomes.insert(*measure, (0..464).map(|value| (value, 4)).collect());
        }
        let choices = (0..8).map(|at| format!("Choice {at}")).collect();
        let seen = card(&PooledShown { choices, members: 2_000, ..shown(Some(pooled)) }).await;
        assert_eq!(seen.matches("250 · 13 %").count(), 16, "{seen}");
        assert_eq!(seen.matches("<figure").count(), Measure::ALL.len());
        assert!(seen.matches("<rect").count() <= 16 + 6 * 41);
    }
}
