//! The lessons: predict what happens, make it happen, compare. Which lesson is shown stands in the page's
//! address.

use std::rc::Rc;

use streamgram_protocol::scenario::MAX_QUOTE_CHARS;
use streamgram_protocol::{Lesson, Scenario, printable};
use yew::prelude::*;

use super::ballot::Ballot;
use super::lesson_detail::{LessonRequest, lesson_detail, text};
use super::progress::{self, Progress};
use super::trial::{Stage, Trial, standing};
use super::use_lessons::Lessons;
use crate::i18n::language::{Language, use_language};
use crate::session::page::Page;

/// What stands in front of a lesson's id in the page's address, behind the `#`.
pub(crate) const LINK: &str = "lesson=";

/// What was predicted, to be marked in the result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mark {
    predicted: String,
    /// Whether it came so, once that is known.
    right: Option<bool>,
}

/// The prediction, above the result.
pub(crate) fn mark_line(language: Language, Mark { predicted, right }: &Mark) -> Html {
    let judged = right.map(|right| {
        if right { language.lesson_as_predicted() } else { language.lesson_not_as_predicted() }
    });
    html! {
        <p class="result-mark" data-right={right.map(|right| right.to_string())}>
            { language.lesson_predicted(predicted) }{ language.between_sentences() }{ judged }
        </p>
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct LessonsCardProps {
    pub(crate) page: Rc<Page>,
    /// What stands behind the `#` of the page's address.
    pub(crate) fragment: AttrValue,
    pub(crate) lessons: Lessons,
    pub(crate) on_load: Callback<()>,
    /// What the class votes on at this lesson.
    pub(crate) ballot: Option<Ballot>,
    pub(crate) on_run: Callback<Rc<Scenario>>,
    pub(crate) on_mark: Callback<Option<Mark>>,
    /// The lesson's own run, by its number, is over.
    pub(crate) on_ran: Callback<u32>,
}

/// The lessons.
#[component]
pub(crate) fn LessonsCard(props: &LessonsCardProps) -> Html {
    let LessonsCardProps { page, fragment, lessons, on_load, ballot, .. } = props;
    let LessonsCardProps { on_run, on_mark, on_ran, .. } = props;
    let language = use_language();
    let progress = use_state(progress::read);
    let trial = use_state(|| None::<Trial>);
    use_effect_with(*lessons == Lessons::None, {
        let on_load = on_load.clone();
        move |wanted| {
            if *wanted {
                on_load.emit(());
            }
        }
    });
    let next = trial.as_ref().and_then(|trial| trial.next(page));
    use_effect_with(next, {
        let (trial, progress, lessons) = (trial.setter(), progress.setter(), lessons.clone());
        let on_ran = on_ran.clone();
        move |next| {
            if let Some(next) = next {
                next.over().into_iter().for_each(|run| on_ran.emit(run));
                if let Some(stored) = store_outcome(&lessons, next) {
                    progress.set(stored);
                }
                trial.set(Some(next.clone()));
            }
        }
    });
    let id = fragment.strip_prefix(LINK);
    let all = lessons.all();
    let at = all.iter().position(|lesson| id == Some(&lesson.id));
    let mark = at.and_then(|at| mark(language, &all[at], &progress, (*trial).as_ref()));
    use_effect_with(mark, {
        let on_mark = on_mark.clone();
        move |mark| on_mark.emit(mark.clone())
    });
    let ask = |lesson: &Lesson| {
        let (trial, progress, on_run) = (trial.setter(), progress.setter(), on_run.clone());
        let latest = page.runs.latest().map_or(0, |run| run.number);
        let (id, own, limits, stage) =
            (lesson.id.clone(), lesson.run.clone(), page.limits(), Stage::Due(latest));
        let ballot = ballot.clone();
        Callback::from(move |ask| {
            let lesson = id.clone();
            let (started, scenario) = match ask {
                LessonRequest::Predict(predicted) => {
                    ballot.iter().for_each(|ballot| ballot.on_vote.emit(predicted));
                    // What was expected before the run stays so.
                    if ballot.as_ref().is_some_and(|ballot| ballot.again) {
                        return;
                    }
                    progress.set(progress::store(Progress { lesson, predicted, outcome: None }));
                    return trial.set(None);
                }
                LessonRequest::Run => (Some(Trial { lesson, stage, seen: None }), own.clone()),
                LessonRequest::Try(scenario) => (None, scenario),
            };
            trial.set(started);
            if let (Some(scenario), _) = Scenario::decode(&scenario, &limits) {
                on_run.emit(Rc::new(scenario));
            }
        })
    };
    html! {
        <section class="lessons card" aria-label={language.lessons()}>
            { match lessons {
                Lessons::None | Lessons::Loading => html! { <p role="status">{ language.lessons_loading() }</p> },
                Lessons::Failed => html! {
                    <p role="alert">{ language.lessons_failed() }{ " " }
                        <button type="button" onclick={on_load.reform(|_| ())}>{ language.lessons_again() }</button>
                    </p>
                },
                Lessons::Loaded(lessons) => html! {
                    <>
                        if at.is_none() { <p class="lessons-hint">{ language.lessons_hint() }</p> }
                        { list(language, lessons, at, &progress) }
                        if let Some(at) = at {
                            { lesson_detail(language, &lessons[at], (progress_of(&progress, &lessons[at]), ballot.as_ref()),
                                &standing((*trial).as_ref(), &lessons[at]), &ask(&lessons[at])) }
                            if let Some(next) = lessons.get(at + 1) {
                                <p class="lesson-next"><a href={format!("#{LINK}{}", next.id)}>
                                    { language.lesson_next(text(language, &next.title)) }</a></p>
                            }
                        } else if let Some(id) = id {
                            <p class="lessons-unknown" role="status">{ language.lessons_unknown(&quoted(id)) }</p>
                        }
                        if !progress.is_empty() {
                            <button type="button" class="lessons-forget" onclick={
                                let (progress, trial) = (progress.clone(), trial.clone());
                                move |_| { progress.set(progress::forget()); trial.set(None); }
                            }>{ language.lessons_forget() }</button>
                        }
                    </>
                },
            } }
        </section>
    }
}

/// What was predicted of a lesson, and whether its latest run came so.
fn mark(
    language: Language,
    lesson: &Lesson,
    progress: &[Progress],
    trial: Option<&Trial>,
) -> Option<Mark> {
    let choice = lesson.choices.get(progress_of(progress, lesson)?.predicted)?;
    let seen = trial.filter(|trial| trial.lesson == lesson.id)?.seen.as_ref();
    let right = seen
        .and_then(|seen| lesson.outcome(seen))
        .map(|outcome| lesson.choices[outcome] == *choice);
    Some(Mark { predicted: text(language, &choice.text).to_owned(), right })
}

/// Stores what came of a run, if it has shown anything.
fn store_outcome(lessons: &Lessons, run: &Trial) -> Option<Vec<Progress>> {
    let Lessons::Loaded(lessons) = lessons else { return None };
    let lesson = lessons.iter().find(|lesson| lesson.id == run.lesson)?;
    let outcome = lesson.outcome(run.seen.as_ref()?)?;
    let before = progress::read().into_iter().find(|it| it.lesson == run.lesson)?;
    Some(progress::store(Progress { outcome: Some(outcome), ..before }))
}

/// A link for each lesson, with how far it is.
fn list(
    language: Language,
    lessons: &[Lesson],
    chosen: Option<usize>,
    progress: &[Progress],
) -> Html {
    html! {
        <ol class="lessons-list">
            for (at, lesson) in lessons.iter().enumerate() {
                <li>
                    <a href={format!("#{LINK}{}", lesson.id)}
                        aria-current={(chosen == Some(at)).then_some("true")}>
                        { text(language, &lesson.title).to_owned() }
                    </a>
                    { match progress_of(progress, lesson).and_then(Progress::is_right) {
                        Some(true) => html! { <small class="good">{ " ✓ " }{ language.lesson_right() }</small> },
                        Some(false) => html! { <small class="warn">{ " ≠ " }{ language.lesson_wrong() }</small> },
                        None => html! {},
                    } }
                </li>
            }
        </ol>
    }
}

/// What a link asks for, as far as it is shown: anybody can write one.
fn quoted(id: &str) -> String {
    printable(id.chars().take(MAX_QUOTE_CHARS).collect::<String>().as_bytes())
}

fn progress_of<'p>(progress: &'p [Progress], lesson: &Lesson) -> Option<&'p Progress> {
    progress.iter().find(|it| it.lesson == lesson.id)
}
