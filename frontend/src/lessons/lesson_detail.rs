//! One lesson: the question, what may come of it, what did, and why.

use streamgram_protocol::lesson::{Count, Figures, Text};
use streamgram_protocol::{Lesson, Limits, Protocol, Scenario};
use yew::prelude::*;

use super::ballot::Ballot;
use super::progress::Progress;
use crate::i18n::figures::count;
use crate::i18n::language::Language;

/// What a person wants of a lesson.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum LessonRequest {
    /// To expect this choice.
    Predict(usize),
    /// To run it.
    Run,
    /// To run another scenario.
    Try(String),
}

/// How the run of a lesson stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Standing {
    NotRun,
    Running,
    /// What was observed of it.
    Over(Box<Figures>),
}

/// A lesson.
pub(crate) fn lesson_detail(
    language: Language,
    lesson: &Lesson,
    (progress, ballot): (Option<&Progress>, Option<&Ballot>),
    standing: &Standing,
    on_ask: &Callback<LessonRequest>,
) -> Html {
    html! {
        <section class="lesson" aria-labelledby="lesson-title" data-lesson={lesson.id.clone()}>
            <h2 id="lesson-title">{ text(language, &lesson.title).to_owned() }</h2>
            { question(language, lesson, (progress, ballot), on_ask) }
            <div role="status">
                { match standing {
                    Standing::NotRun => html! {},
                    Standing::Running => html! { <p>{ language.lesson_running() }</p> },
                    Standing::Over(seen) => outcome(language, lesson, seen, progress),
                } }
            </div>
            if progress.is_some_and(|it| it.outcome.is_some()) {
                { explanation(language, lesson, on_ask) }
            }
        </section>
    }
}

/// A lesson's text in the page's language.
pub(crate) fn text(language: Language, text: &Text) -> &str {
    match language {
        Language::En => &text.en,
        Language::Zh => &text.zh,
    }
}

fn question(
    language: Language,
    lesson: &Lesson,
    (progress, ballot): (Option<&Progress>, Option<&Ballot>),
    on_ask: &Callback<LessonRequest>,
) -> Html {
    let predicted = progress.map(|it| it.predicted);
    let chosen = ballot.map_or(predicted, |ballot| ballot.vote);
    let hint = if progress.is_none() { language.lesson_predict() } else { place(language, lesson) };
    html! {
        <>
            <fieldset>
                <legend>{ text(language, &lesson.question).to_owned() }</legend>
                for (at, choice) in lesson.choices.iter().enumerate() {
                    <label class="lesson-choice">
                        <input type="radio" name="prediction" onchange={on_ask.reform(move |_| LessonRequest::Predict(at))}
                            checked={chosen == Some(at)} />
                        <span>{ text(language, &choice.text).to_owned() }</span>
                    </label>
                }
            </fieldset>
            <p>
                <button type="button" class="primary" disabled={progress.is_none()}
                    onclick={on_ask.reform(|_| LessonRequest::Run)}>{ language.lesson_run() }</button>
                { " " }<small class="hint">{ hint }</small>
            </p>
        </>
    }
}

/// Why it is so, and what else to try: shown once a run has shown something, not before.
fn explanation(language: Language, lesson: &Lesson, on_ask: &Callback<LessonRequest>) -> Html {
    html! {
        <>
            <h3>{ language.lesson_look() }</h3>
            <p>{ text(language, &lesson.look).to_owned() }</p>
            <h3>{ language.lesson_why() }</h3>
            <p class="lesson-why">
                for why in &lesson.why {
                    { text(language, why).to_owned() }{ language.between_sentences() }
                }
                <a href={lesson.rfc.url.clone()} target="_blank" rel="noreferrer">{ &lesson.rfc.name }</a>
            </p>
            <h3>{ language.lesson_change() }</h3>
            <ul class="lesson-changes">
                for change in &lesson.changes {
                    <li>
                        { text(language, &change.text).to_owned() }{ " " }
                        <button type="button" onclick={
                            let run = change.run.clone();
                            on_ask.reform(move |_| LessonRequest::Try(run.clone()))
                        }>{ language.lesson_try() }</button>
                    </li>
                }
            </ul>
        </>
    }
}

/// Where it runs: loopback cannot show everything.
fn place(language: Language, lesson: &Lesson) -> &'static str {
    let (scenario, _) = Scenario::decode(&lesson.run, &Limits::default());
    if scenario.is_some_and(|scenario| scenario.link.is_some()) {
        language.lesson_in_lab()
    } else {
        language.lesson_direct()
    }
}

/// What came of it, beside what was predicted, and the figures that say so.
fn outcome(
    language: Language,
    lesson: &Lesson,
    seen: &Figures,
    progress: Option<&Progress>,
) -> Html {
    let shown = lesson.outcome(seen);
    let mut used: Vec<(Protocol, Count)> = Vec::new();
    for figure in lesson.choices.iter().flat_map(|it| &it.when).flat_map(|it| it.figures()) {
        if !used.contains(&figure) {
            used.push(figure);
        }
    }
    let right = shown.map(|shown| progress.is_some_and(|it| it.predicted == shown));
    html! {
        <>
            <p class="lesson-outcome" data-right={right.map(|right| right.to_string())}>
                { match shown.and_then(|at| lesson.choices.get(at)) {
                    Some(choice) => language.lesson_outcome(text(language, &choice.text)),
                    None => language.lesson_no_outcome().to_owned(),
                } }
                { language.between_sentences() }
                { right.map(|right| if right { language.lesson_as_predicted() } else { language.lesson_not_as_predicted() }) }
            </p>
            <dl class="lesson-figures">
                for (protocol, of) in used {
                    <div>
                        <dt>{ protocol.name() }{ " " }{ called(language, of) }</dt>
                        <dd translate="no">{ seen.get(protocol, of).map_or("–".into(), count) }</dd>
                    </div>
                }
            </dl>
        </>
    }
}

fn called(language: Language, of: Count) -> &'static str {
    match of {
        Count::Lines => language.count_lines(),
        Count::Answered => language.count_answered(),
        Count::OutOfOrder => language.count_out_of_order(),
        Count::Bytes => language.count_bytes(),
        Count::Reads => language.count_reads(),
        Count::ReadBytes => language.count_read_bytes(),
        Count::OpeningPackets => language.count_opening_packets(),
        Count::DataPackets => language.count_data_packets(),
        Count::Packets => language.count_packets(),
        Count::WireBytes => language.count_wire_bytes(),
        Count::LostPackets => language.count_lost_packets(),
        Count::SentAgain => language.count_sent_again(),
    }
}
