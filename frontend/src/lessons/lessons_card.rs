//! The lessons: predict what happens, make it happen, compare. Which lesson is shown stands in the page's
//! address.

use std::rc::Rc;

use streamgram_protocol::lesson::Figures;
use streamgram_protocol::scenario::MAX_QUOTE_CHARS;
use streamgram_protocol::{Lesson, Scenario, printable};
use yew::prelude::*;

use super::lesson_detail::{LessonRequest, Standing, lesson_detail, text};
use super::observed::figures;
use super::progress::{self, Progress};
use super::use_lessons::{Lessons, use_lessons};
use crate::i18n::language::{Language, use_language};
use crate::session::page::{Absence, Page};

/// What stands in front of a lesson's id in the page's address, behind the `#`.
pub(crate) const LINK: &str = "lesson=";

/// A lesson that was started.
#[derive(Debug, Clone, PartialEq)]
struct Run {
    lesson: String,
    stage: Stage,
    /// What was observed of it, once all has come or is given up.
    seen: Option<Figures>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Its send has not gone out; the latest one before it, if there was any.
    Due(Option<u64>),
    /// Its send.
    Out(u64),
    /// The server went away before all had come.
    Cut,
}

#[derive(Properties, PartialEq)]
pub(crate) struct LessonsCardProps {
    pub(crate) page: Rc<Page>,
    /// What stands behind the `#` of the page's address.
    pub(crate) fragment: AttrValue,
    pub(crate) on_run: Callback<Rc<Scenario>>,
}

/// The lessons, closed at first.
#[component]
pub(crate) fn LessonsCard(LessonsCardProps { page, fragment, on_run }: &LessonsCardProps) -> Html {
    let language = use_language();
    let (lessons, load) = use_lessons();
    let open = use_state(|| false);
    let progress = use_state(progress::read);
    let run = use_state(|| None::<Run>);
    use_effect_with(fragment.strip_prefix(LINK).is_some(), {
        let open = open.setter();
        move |linked| {
            if *linked {
                open.set(true);
            }
        }
    });
    use_effect_with(*open && lessons == Lessons::None, {
        let load = load.clone();
        move |wanted| {
            if *wanted {
                load.emit(());
            }
        }
    });
    let next = run.as_ref().and_then(|run| run.next(page));
    use_effect_with(next, {
        let (run, progress, lessons) = (run.setter(), progress.setter(), lessons.clone());
        move |next| {
            if let Some(next) = next {
                if let Some(stored) = store_outcome(&lessons, next) {
                    progress.set(stored);
                }
                run.set(Some(next.clone()));
            }
        }
    });
    let toggle = {
        let open = open.clone();
        move |event: MouseEvent| {
            // The state opens it, not the browser: a link does too.
            event.prevent_default();
            open.set(!*open);
        }
    };
    let ask = |lesson: &Lesson| {
        let (run, progress, on_run) = (run.setter(), progress.setter(), on_run.clone());
        let (id, own, limits, stage) =
            (lesson.id.clone(), lesson.run.clone(), page.limits(), Stage::Due(page.latest_send()));
        Callback::from(move |ask| {
            let lesson = id.clone();
            let (started, scenario) = match ask {
                LessonRequest::Predict(predicted) => {
                    progress.set(progress::store(Progress { lesson, predicted, outcome: None }));
                    return run.set(None);
                }
                LessonRequest::Run => (Some(Run { lesson, stage, seen: None }), own.clone()),
                LessonRequest::Try(scenario) => (None, scenario),
            };
            run.set(started);
            if let (Some(scenario), _) = Scenario::decode(&scenario, &limits) {
                on_run.emit(Rc::new(scenario));
            }
        })
    };
    html! {
        <details class="lessons card" open={*open}>
            <summary onclick={toggle}>
                <h2>{ language.lessons() }</h2>{ " " }<span class="lessons-hint">{ language.lessons_hint() }</span>
            </summary>
            if *open {
                { match &lessons {
                    Lessons::None | Lessons::Loading => html! { <p role="status">{ language.lessons_loading() }</p> },
                    Lessons::Failed => html! {
                        <p role="alert">{ language.lessons_failed() }{ " " }
                            <button type="button" onclick={load.reform(|_| ())}>{ language.lessons_again() }</button>
                        </p>
                    },
                    Lessons::Loaded(lessons) => {
                        let id = fragment.strip_prefix(LINK);
                        let chosen = lessons.iter().find(|lesson| id == Some(&lesson.id));
                        html! {
                            <>
                                { list(language, lessons, chosen, &progress) }
                                if let Some(chosen) = chosen {
                                    { lesson_detail(language, chosen, progress_of(&progress, chosen),
                                        &standing(run.as_ref(), chosen), &ask(chosen)) }
                                } else if let Some(id) = id {
                                    <p class="lessons-unknown" role="status">{ language.lessons_unknown(&quoted(id)) }</p>
                                }
                                if !progress.is_empty() {
                                    <button type="button" class="lessons-forget" onclick={
                                        let (progress, run) = (progress.clone(), run.clone());
                                        move |_| { progress.set(progress::forget()); run.set(None); }
                                    }>{ language.lessons_forget() }</button>
                                }
                            </>
                        }
                    }
                } }
            }
        </details>
    }
}

impl Run {
    /// The run as it stands now, if anything has become known of it.
    fn next(&self, page: &Page) -> Option<Self> {
        let latest = page.latest_send();
        let stage = match self.stage {
            _ if page.absence == Absence::Away && self.seen.is_none() => Stage::Cut,
            Stage::Due(before) if latest > before => Stage::Out(latest?),
            stage => stage,
        };
        let seen = match stage {
            // Half of a run shows nothing.
            Stage::Cut => Some(Figures::default()),
            // What was sent after it is not the lesson's.
            Stage::Out(send) if latest == Some(send) && !is_open(page, send) => Some(figures(page)),
            Stage::Out(_) | Stage::Due(_) => self.seen.clone(),
        };
        let next = Self { stage, seen, ..self.clone() };
        (next != *self).then_some(next)
    }
}

fn is_open(page: &Page, send: u64) -> bool {
    page.last_sends().any(|it| it.id == send && it.is_open())
}

/// Stores what came of a run, if it has shown anything.
fn store_outcome(lessons: &Lessons, run: &Run) -> Option<Vec<Progress>> {
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
    chosen: Option<&Lesson>,
    progress: &[Progress],
) -> Html {
    html! {
        <ol class="lessons-list">
            for lesson in lessons {
                <li>
                    <a href={format!("#{LINK}{}", lesson.id)}
                        aria-current={(chosen == Some(lesson)).then_some("true")}>
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

/// How a lesson's run stands, if it is the one that was started.
fn standing(run: Option<&Run>, lesson: &Lesson) -> Standing {
    run.filter(|run| run.lesson == lesson.id).map_or(Standing::NotRun, |run| {
        run.seen.clone().map_or(Standing::Running, |seen| Standing::Over(Box::new(seen)))
    })
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::Protocol;
    use streamgram_protocol::lesson::Count;

    use super::*;
    use crate::session::leg_run::tests::{ANSWERED, merged};

    fn run(stage: Stage) -> Run {
        Run { lesson: "records".into(), stage, seen: None }
    }

    /// A page whose last send is number 9, answered as far as `lines`.
    fn answered(lines: u32) -> Page {
        let mut send = merged();
        for line in 1..=lines {
            send.set_status(line, ANSWERED);
        }
        let mut page = Page::new();
        Rc::make_mut(&mut page.tcp).last_send = Some(send);
        page
    }

    #[test]
    fn a_run_is_judged_once_its_own_send_is_over() {
        assert_eq!(run(Stage::Due(None)).next(&Page::new()), None);
        assert_eq!(run(Stage::Due(Some(9))).next(&answered(5)), None);
        let under_way = run(Stage::Due(Some(8))).next(&answered(4)).unwrap();
        assert_eq!(under_way, run(Stage::Out(9)));
        let over = under_way.next(&answered(5)).unwrap();
        assert_eq!(over.seen.as_ref().unwrap().get(Protocol::Tcp, Count::Answered), Some(5));
        assert_eq!(over.next(&answered(5)), None);
    }

    #[test]
    fn what_is_sent_afterwards_changes_nothing() {
        let over = Run { seen: Some(Figures::default()), ..run(Stage::Out(8)) };
        assert_eq!(over.next(&answered(5)), None);
    }

    #[test]
    fn half_a_run_shows_nothing_and_a_whole_one_stays() {
        let mut page = answered(5);
        let over = run(Stage::Out(9)).next(&page).unwrap();
        page.absence = Absence::Away;
        assert_eq!(over.next(&page), None);
        for stage in [Stage::Due(None), Stage::Out(9)] {
            let cut = run(stage).next(&page).unwrap();
            assert_eq!((cut.stage, &cut.seen), (Stage::Cut, &Some(Figures::default())));
            assert_eq!(cut.next(&page), None);
            page.absence = Absence::Back;
            assert_eq!(cut.next(&page), None);
            page.absence = Absence::Away;
        }
    }
}
