//! The playground: the areas of the page, and what stands in sight of all of them.

use std::rc::Rc;

use streamgram_protocol::Scenario;
use streamgram_protocol::scenario::View;
use yew::prelude::*;

use super::area::{Area, areas};
use super::composer::composer;
use super::header::header;
use super::lessons_area::LessonsArea;
use super::preferences::Preferences;
use super::use_offer::{UseOfferHandle, use_offer};
use super::use_play::{UsePlayHandle, use_play};
use super::wall::wall;
use super::workbench::{Shown, Workbench};
use crate::browser::use_fragment::go_to;
use crate::clients::clients_badge::clients_badge;
use crate::clients::clients_list::clients_list;
use crate::i18n::language::{Language, use_language};
use crate::lab::link_card::Wish;
use crate::lessons::use_lessons::{Lessons, use_lessons};
use crate::plots::plots_card::PlotsCard;
use crate::plots::sweep_card::SweepCard;
use crate::prompt::notice_line::notice_line;
use crate::result::runs_list::runs_list;
use crate::room::class_card::ClassCard;
use crate::room::room_bar::{Seen, room_bar};
use crate::room::teach_card::TeachCard;
use crate::room::use_follow::{Way, use_follow};
use crate::room::use_room::{before_reload, use_room};
use crate::session::absence_card::absence_card;
use crate::session::page::{Action, Page};
use crate::session::sockets_card::sockets_card;
use crate::session::use_socket::use_socket;
use crate::share::offer_card::{Answer, offer_card, waiting_card};
use crate::share::share_dialog::ShareDialog;

#[derive(Properties, PartialEq)]
pub(crate) struct PlaygroundProps {
    /// What stands behind the `#` of the page's address.
    pub(crate) fragment: AttrValue,
    /// Its scenario was answered.
    pub(crate) on_answered: Callback<()>,
    pub(crate) on_language: Callback<Language>,
}

/// Everything below the choice of a language.
#[component]
pub(crate) fn Playground(props: &PlaygroundProps) -> Html {
    let PlaygroundProps { fragment, on_answered, on_language } = props;
    let language = use_language();
    let page = use_reducer(|| Page::of_room(before_reload()));
    let socket = use_socket({
        let page = page.dispatcher();
        Callback::from(move |action| page.dispatch(action))
    });
    let zone = *use_memo((), |()| zone_minutes());
    // Who goes from one area to another keeps the focus where it is.
    let new = use_mut_ref(|| true);
    let is_new = *new.borrow();
    use_effect_with((), move |()| *new.borrow_mut() = false);
    let play = use_play(&page, &socket);
    let UseOfferHandle { offered, waiting, view, on_view, take_up } =
        use_offer(&page, &play, fragment);
    let answer = {
        let (take_up, on_answered) = (take_up.clone(), on_answered.clone());
        Callback::from(move |answer| {
            take_up.emit(answer);
            on_answered.emit(());
        })
    };
    let on_lesson = take_up.reform(move |scenario: Rc<Scenario>| {
        Answer::Run(Rc::new(Scenario { view, ..Rc::unwrap_or_clone(scenario) }))
    });
    let area = Area::of(fragment);
    let on_room = use_room(&page, &socket, fragment, on_answered);
    let on_way = {
        let (take_up, wish) = (take_up.clone(), play.wish.clone());
        Callback::from(move |way| {
            match way {
                Way::Scenario(scenario) => take_up.emit(Answer::FillIn(scenario)),
                Way::Path(scenario) => wish.emit(Wish::Way(scenario)),
            }
            if area != Area::Play {
                go_to(Area::Play.word());
            }
        })
    };
    let now = Rc::new((*page).clone());
    let follow = use_follow(&now, fragment, area == Area::Play, &on_room, &on_way);
    let (lessons, on_load) = use_lessons();
    use_effect_with(page.room.member().is_some() && lessons == Lessons::None, {
        let on_load = on_load.clone();
        move |wanted| {
            if *wanted {
                on_load.emit(());
            }
        }
    });
    let projects = use_state_eq(|| false);
    let shared = use_state(|| None::<Rc<Scenario>>);
    let on_share = {
        let (shared, play, limits) = (shared.clone(), play.clone(), page.limits());
        move |_| shared.set(Some(Rc::new(Scenario { view, ..play.scenario(&limits) })))
    };
    let on_clear = use_callback((), {
        let page = page.dispatcher();
        move |(), ()| page.dispatch(Action::Cleared)
    });
    let on_show = Callback::from(play.shown.setter());
    let on_badge = {
        let latest = page.raw.latest().map(|client| client.key);
        let on_client = on_show.reform(Shown::Client);
        Callback::from(move |()| {
            latest.into_iter().for_each(|key| on_client.emit(key));
            // Neither a lesson nor a plot has a place for one.
            if area != Area::Play {
                go_to(Area::Play.word());
            }
        })
    };

    let on_leave = Callback::from(projects.setter()).reform(|()| false);
    let wall = projects.then(|| wall(language, (&page, zone), &lessons, &on_room, &on_leave));
    let tools = html! {
        <>
            { clients_badge(language, &page.raw, on_badge) }
            <button type="button" class="share-open" onclick={on_share}>{ language.share() }</button>
            <Preferences {on_language} />
        </>
    };
    let seen = Seen { is_there: follow.is_there, teaches: area == Area::Teach };
    let prompt = || composer(language, &page, &play, (is_new, &on_clear));
    let notice = || notice_line(language, page.notice.as_ref(), &play.open);
    html! {
        <>
            { header(language, &page, areas(language, area), tools) }
            { room_bar(language, &page.room, &lessons, (seen, &follow.on_go), &on_room) }
            if !(area == Area::Teach && page.room.member().is_some_and(|it| it.teaches)) {
                <ClassCard room={Rc::clone(&page.room)} lessons={lessons.clone()} is_there={follow.is_there} />
            }
            <main class="main" data-view={area.word()}>
                { absence_card(language, page.absence, play.open.clone()) }
                if view == View::Large {
                    <button type="button" class="large-leave" onclick={on_view.reform(|_| View::Full)}>
                        { language.large_leave() }
                    </button>
                }
                if waiting {
                    { waiting_card(language, &answer) }
                } else if let Some(offer) = &*offered {
                    { offer_card(language, offer, &answer, on_language) }
                }
                { match area {
                    Area::Play => html! {
                        <>
                            { prompt() }
                            { notice() }
                            <div class="workbench">
                                { side(language, (&now, &play), zone, &on_show) }
                                <Workbench page={Rc::clone(&now)} {zone} shown={*play.shown} {on_show} {on_clear} />
                            </div>
                        </>
                    },
                    Area::Lessons => html! {
                        <>
                            { notice() }
                            <LessonsArea page={Rc::clone(&now)} {zone} fragment={fragment.clone()} {lessons} {on_load}
                                ballot={follow.ballot} on_run={on_lesson} on_ran={follow.on_ran} {on_show} {on_clear} />
                        </>
                    },
                    Area::Plots => html! { <>{ prompt() }{ notice() }</> },
                    Area::Teach => html! {
                        <TeachCard room={Rc::clone(&page.room)} {lessons} scenario={Rc::new(play.scenario(&page.limits()))}
                            lan={page.hello.as_ref().and_then(|hello| hello.lan.clone())} on_ask={on_room}
                            on_project={Callback::from(projects.setter()).reform(|()| true)} />
                    },
                } }
                // A repetition goes on while another area is in sight.
                <PlotsCard page={Rc::clone(&now)} on_again={play.on_again.clone()} on_ask={play.ask.clone()}
                    shown={area == Area::Plots} />
                if area == Area::Plots { <SweepCard /> }
            </main>
            { wall.flatten() }
            if let Some(scenario) = &*shared {
                <ShareDialog scenario={Rc::clone(scenario)} {on_view}
                    lan={page.hello.as_ref().and_then(|hello| hello.lan.clone())}
                    on_close={move |()| shared.set(None)} />
            }
        </>
    }
}

/// What stands beside the result: sockets, runs, external clients.
fn side(
    language: Language,
    (page, play): (&Rc<Page>, &UsePlayHandle),
    zone: i32,
    on_show: &Callback<Shown>,
) -> Html {
    let shown = *play.shown;
    let client = if let Shown::Client(key) = shown { Some(key) } else { None };
    let numbers = shown.runs(page).map(|run| run.map(|run| run.number));
    let on_compare = {
        let page = Rc::clone(page);
        on_show.reform(move |with| shown.comparing(&page, with))
    };
    html! {
        <aside class="side" aria-label={language.side()}>
            { sockets_card(language, page, &play.route.servers, &play.ask) }
            { runs_list(language, &page.runs, numbers, &on_show.reform(Shown::Run), &on_compare) }
            { clients_list(language, &page.raw, page.hello.as_deref(), zone, client, &on_show.reform(Shown::Client)) }
        </aside>
    }
}

/// How many minutes east of UTC this browser is.
#[expect(clippy::cast_possible_truncation, reason = "a day has 1,440 minutes")]
fn zone_minutes() -> i32 {
    -(js_sys::Date::new_0().get_timezone_offset() as i32)
}
