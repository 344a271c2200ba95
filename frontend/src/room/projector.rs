//! The room on a projector, readable from the back row: what is asked, what all voted once that is revealed, one
//! ladder, and always how to come in.

use streamgram_protocol::room::{RoomCode, Stage, StoreState};
use web_sys::HtmlDialogElement;
use yew::prelude::*;

use super::measure_figure::{MeasureFigure, measure_figure};
use super::pooled_step::{Gift, PooledShown};
use super::votes::choices;
use super::votes_bars::votes_bars;
use crate::i18n::figures::count;
use crate::i18n::language::{ELEMENT, Language, use_language, with_element};

/// Distributions that there is room for beside a question, and without one.
const MEASURES: [usize; 2] = [2, 4];
/// Choices that leave room for distributions.
const FEW_CHOICES: usize = 4;

#[derive(Properties, PartialEq)]
pub(crate) struct ProjectorProps {
    /// Where the class is.
    pub(crate) shown: Option<PooledShown>,
    pub(crate) stage: Option<Stage>,
    /// Members that are here now.
    pub(crate) here: u32,
    pub(crate) store: StoreState,
    pub(crate) code: RoomCode,
    /// The room's link for others; none, if they cannot reach the page.
    pub(crate) link: Option<AttrValue>,
    /// One ladder.
    #[prop_or_default]
    pub(crate) children: Html,
    /// The teacher's buttons.
    #[prop_or_default]
    pub(crate) controls: Html,
    pub(crate) on_leave: Callback<()>,
}

/// The projector's view, above all else as long as it is there. Escape leaves it.
#[component]
pub(crate) fn Projector(props: &ProjectorProps) -> Html {
    let ProjectorProps { shown, stage, here, store, controls, on_leave, .. } = props;
    let language = use_language();
    let dialog = use_node_ref();
    use_effect_with(dialog.clone(), |dialog| {
        // Fails only for a dialog that is open already.
        let _shown = dialog.cast::<HtmlDialogElement>().map(|dialog| dialog.show_modal());
    });
    let stage = stage.unwrap_or_default();
    html! {
        <dialog ref={dialog} class="projector" data-lobby={shown.is_none().to_string()} data-stage={stage.name()}
            aria-labelledby="projector-title" onclose={on_leave.reform(|_| ())}>
            // The question is read out first, and can be scrolled if it is too long for the room there is.
            <div class="projector-asked" tabindex="0" role="group" aria-labelledby="projector-title" autofocus=true>
                { match shown {
                    Some(shown) => asked(language, shown, stage),
                    None => html! { <h2 id="projector-title">{ language.projector_title() }</h2> },
                } }
            </div>
            <div class="projector-aside">
                { door(language, props) }
                if shown.is_some() { <div class="projector-ladder">{ props.children.clone() }</div> }
            </div>
            <div class="projector-foot">
                <p>{ language.projector_here(&count((*here).into())) }</p>
                if *store == StoreState::Cut { <p class="warn">{ language.projector_cut() }</p> }
                <div class="projector-controls">
                    { controls.clone() }
                    <button type="button" onclick={on_leave.reform(|_| ())}>
                        { language.projector_leave() }{ " " }<kbd>{ "Esc" }</kbd>
                    </button>
                </div>
            </div>
        </dialog>
    }
}

/// What is asked, and what came of it.
fn asked(language: Language, shown: &PooledShown, stage: Stage) -> Html {
    let is_revealed = stage == Stage::Reveal && shown.pooled.is_some();
    let heading = shown.heading(language);
    html! {
        <>
            if let Some(question) = &shown.question {
                <p class="projector-step">{ heading }</p>
                <h2 id="projector-title">{ question }</h2>
            } else {
                <h2 id="projector-title">{ heading }</h2>
            }
            <p class="projector-stage">{ stage_words(language, stage, shown.choices.is_empty()) }</p>
            if is_revealed {
                { revealed(language, shown) }
            } else {
                <ol class="projector-choices">
                    for (at, choice) in shown.choices.iter().enumerate() { <li key={at}>{ choice }</li> }
                </ol>
                <p class="projector-given">{ shown.given(language, gift(shown, stage)) }</p>
            }
        </>
    }
}

fn stage_words(language: Language, stage: Stage, is_without_question: bool) -> &'static str {
    match stage {
        _ if is_without_question && stage != Stage::Reveal => language.projector_look(),
        Stage::Look => language.projector_look(),
        Stage::Predict => language.projector_predict(),
        Stage::Again => language.projector_again(),
        Stage::Reveal => language.projector_reveal(),
    }
}

/// What is asked for now.
fn gift(shown: &PooledShown, stage: Stage) -> Gift {
    match stage {
        _ if shown.choices.is_empty() => Gift::Ran,
        Stage::Predict => Gift::Before,
        Stage::Again => Gift::After,
        Stage::Look | Stage::Reveal => Gift::Ran,
    }
}

fn revealed(language: Language, shown: &PooledShown) -> Html {
    let choices = choices(shown);
    let all = shown.pooled.as_ref().map(|pooled| MeasureFigure::all(shown, pooled));
    let mut figures = all.unwrap_or_default();
    // Those that tell most: where all saw the same, a sentence is enough.
    figures.sort_by_key(|figure| usize::MAX - figure.bars.spread());
    figures.truncate(match choices.len() {
        0 => MEASURES[1],
        1..=FEW_CHOICES => MEASURES[0],
        _ => 0,
    });
    figures.sort_by_key(|figure| figure.measure);
    html! {
        <>
            if choices.is_empty() && !shown.choices.is_empty() {
                <p class="projector-given">{ language.votes_none() }</p>
            } else {
                { votes_bars(language, &choices) }
            }
            if !figures.is_empty() {
                <div class="projector-measures">
                    <div class="measures">for figure in figures.iter() { { measure_figure(language, figure) } }</div>
                </div>
            }
        </>
    }
}

/// How to come in.
fn door(language: Language, ProjectorProps { code, link, .. }: &ProjectorProps) -> Html {
    let code = html! { <b class="projector-code" translate="no">{ code.to_string() }</b> };
    let Some((address, fragment)) = link.as_ref().and_then(|link| link.split_once('#')) else {
        return html! {
            <div class="projector-door">
                <div>{ code }<p class="hint">{ language.projector_only_here() }</p></div>
            </div>
        };
    };
    let shown = address.trim_start_matches("http://").trim_end_matches('/').to_owned();
    html! {
        <div class="projector-door">
            // The number sign would end the request; the server puts it back.
            <img src={format!("api/qr.svg?{address}%23{fragment}")} alt={language.projector_qr()} />
            <div>
                { code }
                <p>{ with_element(
                    &language.projector_enter(ELEMENT),
                    html! { <span class="projector-address" translate="no">{ shown }</span> },
                ) }</p>
            </div>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use yew::LocalServerRenderer;

    use super::*;
    use crate::room::pooled_step::tests::{pooled, shown};

    fn props(shown: Option<PooledShown>, stage: Stage) -> ProjectorProps {
        ProjectorProps {
            shown,
            stage: Some(stage),
            here: 34,
            store: StoreState::Shared,
            code: "K7M4Q2XAB".parse().unwrap(),
            link: Some("http://192.168.1.5:8080/#room=K7M4Q2XAB".into()),
            children: html! { <i>{ "a ladder" }</i> },
            controls: html! { <i>{ "buttons" }</i> },
            on_leave: Callback::noop(),
        }
    }

    async fn projector(props: ProjectorProps) -> String {
        let shown = LocalServerRenderer::<Projector>::with_props(props);
        shown.hydratable(false).render().await
    }

    #[tokio::test]
    async fn what_is_voted_is_not_shown_before_it_is_revealed_though_the_teacher_knows_it() {
        for stage in [Stage::Look, Stage::Predict, Stage::Again] {
            let seen = projector(props(Some(shown(Some(pooled(&[3, 1, 0], &[])))), stage)).await;
            assert!(!seen.contains("votes-bar") && !seen.contains("75 %"), "{seen}");
            assert!(seen.contains("<li>Twenty</li>"), "{seen}");
        }
        let open = projector(props(Some(shown(None)), Stage::Predict)).await;
        assert!(open.contains("3 of 4 have voted"), "{open}");
        let place = PooledShown { choices: Vec::new(), ..shown(None) };
        let place = projector(props(Some(place), Stage::Predict)).await;
        assert!(place.contains("2 of 4 have run it") && !place.contains("ote"), "{place}");
        let revealed = props(Some(shown(Some(pooled(&[3, 1, 0], &[])))), Stage::Reveal);
        assert!(projector(revealed).await.contains("3 · 75 %"));
    }

    #[tokio::test]
    async fn how_to_come_in_is_always_in_sight() {
        let step = |stage| props(Some(shown(None)), stage);
        for props in [props(None, Stage::Look), step(Stage::Predict), step(Stage::Reveal)] {
            let seen = projector(props).await;
            let code = "src=\"api/qr.svg?http://192.168.1.5:8080/%23room=K7M4Q2XAB\"";
            assert!(seen.contains(code) && seen.contains(">K7M-4Q2-XAB<"), "{seen}");
            assert!(seen.contains(">192.168.1.5:8080<") && seen.contains("34 here"), "{seen}");
            assert!(seen.contains("buttons"), "{seen}");
        }
        let alone = ProjectorProps { link: None, ..props(None, Stage::Look) };
        let seen = projector(alone).await;
        assert!(seen.contains(">K7M-4Q2-XAB<") && !seen.contains("<img"), "{seen}");
        assert!(seen.contains("Only this computer"), "{seen}");
    }

    #[tokio::test]
    async fn a_store_that_is_out_of_reach_is_said_and_one_that_is_not_is_no_news() {
        let seen =
            async |store| projector(ProjectorProps { store, ..props(None, Stage::Look) }).await;
        assert!(seen(StoreState::Cut).await.contains("Cut off"));
        for store in [StoreState::Local, StoreState::Shared] {
            assert!(!seen(store).await.contains("Cut off"));
        }
    }

    #[tokio::test]
    async fn a_hostile_question_is_no_markup() {
        let question = Some("<img src=x onerror=alert(1)>".to_owned());
        let hostile = PooledShown { question, ..shown(None) };
        let seen = projector(props(Some(hostile), Stage::Look)).await;
        assert!(seen.contains("&lt;img src=x") && !seen.contains("<img src=x"), "{seen}");
    }
}
