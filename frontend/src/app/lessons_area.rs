//! The lessons beside what came of the chosen one.

use std::rc::Rc;

use streamgram_protocol::Scenario;
use yew::prelude::*;

use super::workbench::{Shown, Workbench};
use crate::i18n::language::use_language;
use crate::lessons::ballot::Ballot;
use crate::lessons::lessons_card::{LessonsCard, Mark, mark_line};
use crate::lessons::use_lessons::Lessons;
use crate::session::page::Page;

#[derive(Properties, PartialEq)]
pub(crate) struct LessonsAreaProps {
    pub(crate) page: Rc<Page>,
    /// Minutes east of UTC.
    pub(crate) zone: i32,
    /// What stands behind the `#` of the page's address.
    pub(crate) fragment: AttrValue,
    pub(crate) lessons: Lessons,
    pub(crate) on_load: Callback<()>,
    /// What the class votes on at the lesson in sight.
    pub(crate) ballot: Option<Ballot>,
    pub(crate) on_run: Callback<Rc<Scenario>>,
    /// The lesson's own run, by its number, is over.
    pub(crate) on_ran: Callback<u32>,
    pub(crate) on_show: Callback<Shown>,
    pub(crate) on_clear: Callback<()>,
}

/// The area.
#[component]
pub(crate) fn LessonsArea(props: &LessonsAreaProps) -> Html {
    let LessonsAreaProps { page, zone, fragment, lessons, on_load, ballot, .. } = props;
    let LessonsAreaProps { on_run, on_ran, on_show, on_clear, .. } = props;
    let language = use_language();
    // A lesson shows what was run since it was chosen.
    let before = *use_memo(fragment.clone(), |_| page.runs.latest().map_or(0, |run| run.number));
    let mark = use_state_eq(|| None::<Mark>);
    let is_run = page.runs.latest().is_some_and(|run| run.number > before);
    let nothing = (!is_run).then(|| {
        html! {
            <section class="result card" aria-label={language.result()}>
                <p class="result-invitation">{ language.lesson_result_comes() }</p>
            </section>
        }
    });
    html! {
        <div class="workbench">
            <aside class="side" aria-label={language.lessons()}>
                <LessonsCard page={Rc::clone(page)} fragment={fragment.clone()} lessons={lessons.clone()} {on_load}
                    ballot={ballot.clone()} {on_run} on_mark={mark.setter()} {on_ran} />
            </aside>
            <Workbench page={Rc::clone(page)} {zone} shown={Shown::Latest} {on_show} {on_clear} {nothing}>
                { (*mark).as_ref().filter(|_| is_run).map(|mark| mark_line(language, mark)) }
            </Workbench>
        </div>
    }
}
