//! The playground: state, what a person can ask for, and the arrangement of the parts.

use std::rc::Rc;

use streamgram_protocol::scenario::View;
use streamgram_protocol::{
    ClientMessage, Close, Feed, How, Path, Protocol, Scenario, Send, SetLink, Stop, Watch,
};
use yew::prelude::*;

use super::area::{Area, areas};
use super::header::header;
use super::preferences::Preferences;
use super::use_view::use_view;
use super::workbench::{Shown, Workbench};
use crate::browser::use_fragment::{forget, go_to};
use crate::clients::clients_badge::clients_badge;
use crate::clients::clients_list::clients_list;
use crate::i18n::language::{Language, use_language};
use crate::lab::link_card::{LinkCard, Wish};
use crate::lab::route::Route;
use crate::lessons::lessons_card::{LessonsCard, Mark, mark_line};
use crate::plots::plots_card::PlotsCard;
use crate::plots::sweep_card::SweepCard;
use crate::prompt::draft::{Draft, allowed, empty_datagram};
use crate::prompt::notice_line::notice_line;
use crate::prompt::prompt_card::PromptCard;
use crate::prompt::suited::{Suited, suited_line};
use crate::prompt::use_awaited::{Awaited, use_awaited};
use crate::result::runs_list::runs_list;
use crate::session::absence_card::absence_card;
use crate::session::notice::Notice;
use crate::session::page::{Absence, Action, Page};
use crate::session::run::Conditions;
use crate::session::sockets_card::{SocketRequest, sockets_card};
use crate::session::use_socket::{UseSocketHandle, use_socket};
use crate::share::offer_card::{Answer, offer, offer_card, waiting_card};
use crate::share::scenario::scenario;
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
    let page = use_reducer(Page::new);
    let socket = use_socket({
        let page = page.dispatcher();
        Callback::from(move |action| page.dispatch(action))
    });
    let ids = use_mut_ref(|| 0_u64);
    let zone = *use_memo((), |()| zone_minutes());

    // Who goes from one area to another keeps the focus where it is.
    let new = use_mut_ref(|| true);
    let is_new = *new.borrow();
    use_effect_with((), move |()| *new.borrow_mut() = false);
    let route = use_state(Route::default);
    let draft = use_state(Draft::default);
    let suited = use_state(|| None::<Suited>);
    let shown = use_state_eq(|| Shown::Latest);
    // As the leg stands now: its option can be switched under way.
    let nodelay = if page.tcp.is_there() { page.tcp.nodelay } else { route.nodelay };
    let conditions = route.conditions(nodelay);
    let open = use_callback((*route).clone(), {
        let (page, socket) = (page.dispatcher(), socket.clone());
        move |protocol: Protocol, route| {
            page.dispatch(if socket.send(&route.open(protocol)) {
                Action::Opening(protocol)
            } else {
                Action::Noticed(Some(Notice::Away))
            });
        }
    });
    use_effect_with(page.hello.clone(), {
        let (open, socket, absence) = (open.clone(), socket.clone(), page.absence);
        move |hello| {
            if hello.as_ref().is_some_and(|hello| hello.feed != Feed::Off) {
                socket.send(&ClientMessage::Watch(Watch { on: true }));
            }
            // After the server was away, legs are opened by a person.
            if hello.is_some() && absence == Absence::None {
                Protocol::BOTH.into_iter().for_each(|protocol| open.emit(protocol));
            }
        }
    });

    let next_id = move || {
        *ids.borrow_mut() += 1;
        *ids.borrow()
    };
    let submit = {
        let (page, socket, next_id) = (page.clone(), socket.clone(), next_id.clone());
        let (shown, conditions) = (shown.setter(), conditions.clone());
        Callback::from(move |draft: Draft| {
            go_out(&page, &socket, &conditions, draft.check(&page, &next_id))
                .inspect(|()| shown.set(Shown::Latest))
        })
    };
    let on_again = {
        let (page, socket, next_id) = (page.clone(), socket.clone(), next_id.clone());
        let conditions = conditions.clone();
        Callback::from(move |send: Rc<Send>| {
            let send = Send { id: next_id(), ..(*send).clone() };
            let id = send.id;
            allowed(&page, &send)?;
            go_out(&page, &socket, &conditions, Ok(vec![send])).map(|()| id)
        })
    };
    let ask = {
        let (page, open, socket) = (page.clone(), open.clone(), socket.clone());
        let (shown, conditions) = (shown.setter(), conditions.clone());
        Callback::from(move |ask: SocketRequest| match ask {
            SocketRequest::Open(protocol) => open.emit(protocol),
            SocketRequest::EmptyDatagram => {
                let send = empty_datagram(next_id());
                let sends = allowed(&page, &send).map(|()| vec![send]);
                shown.set(Shown::Latest);
                drop(go_out(&page, &socket, &conditions, sends));
            }
            SocketRequest::Stop(id) => drop(socket.send(&ClientMessage::Stop(Stop { id }))),
            SocketRequest::Message(message) => drop(socket.send(&message)),
        })
    };
    let wish = {
        let (page, socket, route) = (page.clone(), socket.clone(), route.clone());
        let (draft, suited) = (draft.clone(), suited.setter());
        Callback::from(move |wish: Wish| {
            match &wish {
                Wish::Preset(preset) => suited.set(Suited::of(preset, &draft)),
                Wish::Scenario(scenario) => {
                    draft.set(Draft::from(&**scenario));
                    suited.set(None);
                }
                Wish::Path(_) => suited.set(None),
                Wish::Link(_) | Wish::Unreadable(_) => {}
            }
            go_over(&page, &socket, &route, wish);
        })
    };
    let (view, on_view) = use_view();
    let (waiting, on_await) = use_awaited(&page, submit.clone());
    let offered = use_memo((fragment.clone(), page.limits()), |(fragment, limits)| {
        // A lesson's link offers nothing that was not asked for.
        let scenario = Some(fragment).filter(|it| !Area::is_named(it));
        scenario.and_then(|it| offer(it, limits)).map(Rc::new)
    });
    let take_up = {
        let (page, route, shown) = (page.clone(), route.clone(), shown.setter());
        let (wish, on_view) = (wish.clone(), on_view.clone());
        Callback::from(move |answer| {
            shown.set(Shown::Latest);
            on_await.emit(match &answer {
                Answer::Run(scenario) => {
                    let anew = route.taking(scenario).needs_legs(&page, &route, true);
                    Some(Awaited::of(scenario, &page, anew))
                }
                Answer::FillIn(_) | Answer::Dismiss => None,
            });
            match answer {
                Answer::Run(scenario) | Answer::FillIn(scenario) => {
                    on_view.emit(scenario.view);
                    wish.emit(Wish::Scenario(scenario));
                }
                Answer::Dismiss => forget(),
            }
        })
    };
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
    // A lesson shows what was run since it was chosen.
    let before = *use_memo(fragment.clone(), |_| page.runs.latest().map_or(0, |run| run.number));
    let mark = use_state_eq(|| None::<Mark>);
    let shared = use_state(|| None::<Rc<Scenario>>);
    let on_share = {
        let (shared, draft, limits) = (shared.clone(), draft.clone(), page.limits());
        let Conditions { path, link, nodelay } = conditions.clone();
        move |_| {
            let scenario = scenario(&draft, (path, &link, nodelay), &limits);
            shared.set(Some(Rc::new(Scenario { view, ..scenario })));
        }
    };
    let on_clear = use_callback((), {
        let page = page.dispatcher();
        move |(), ()| page.dispatch(Action::Cleared)
    });
    let on_show = Callback::from(shown.setter());
    let on_client = on_show.reform(Shown::Client);
    let on_badge = {
        let latest = page.raw.clients.back().map(|client| client.key);
        let on_client = on_client.clone();
        Callback::from(move |()| {
            latest.into_iter().for_each(|key| on_client.emit(key));
            // Neither a lesson nor a plot has a place for one.
            if area != Area::Play {
                go_to(Area::Play.word());
            }
        })
    };
    let on_compare = {
        let (page, shown) = (Rc::new((*page).clone()), shown.clone());
        Callback::from(move |with| shown.set(shown.comparing(&page, with)))
    };

    let now = Rc::new((*page).clone());
    let tools = html! {
        <>
            { clients_badge(language, &page.raw, on_badge) }
            <button type="button" class="share-open" onclick={on_share}>{ language.share() }</button>
            <Preferences {on_language} />
        </>
    };
    let composer = || {
        let on_take = {
            let (draft, suited) = (draft.setter(), suited.setter());
            Callback::from(move |(taken, next)| {
                draft.set(taken);
                suited.set(next);
            })
        };
        html! {
            <section class="composer card" aria-label={language.composer()}>
                <PromptCard limits={page.limits()} draft={(*draft).clone()} focus={is_new} on_change={draft.setter()}
                    on_submit={submit.clone()} on_clear={on_clear.clone()} />
                <LinkCard conditions={conditions.clone()} on_wish={wish.clone()} />
                if let Some(suited) = &*suited { { suited_line(language, suited, &draft, &on_take) } }
            </section>
        }
    };
    let side = || {
        let client = if let Shown::Client(key) = *shown { Some(key) } else { None };
        html! {
            <aside class="side" aria-label={language.side()}>
                { sockets_card(language, &page, &ask) }
                { runs_list(language, &page.runs, shown.runs(&page).map(|run| run.map(|run| run.number)), &on_show.reform(Shown::Run), &on_compare) }
                { clients_list(language, &page.raw, page.hello.as_deref(), zone, client, &on_client) }
            </aside>
        }
    };
    html! {
        <>
            { header(language, &page, areas(language, area), tools) }
            <main class="main" data-view={area.word()}>
                { absence_card(language, page.absence, open.clone()) }
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
                            { composer() }
                            { notice_line(language, page.notice.as_ref(), &open) }
                            <div class="workbench">
                                { side() }
                                <Workbench page={Rc::clone(&now)} {zone} shown={*shown} {on_show} {on_clear} />
                            </div>
                        </>
                    },
                    Area::Lessons => {
                        let is_run = page.runs.latest().is_some_and(|run| run.number > before);
                        let nothing = (!is_run).then(|| html! {
                            <section class="result card" aria-label={language.result()}>
                                <p class="result-invitation">{ language.lesson_result_comes() }</p>
                            </section>
                        });
                        html! {
                            <>
                                { notice_line(language, page.notice.as_ref(), &open) }
                                <div class="workbench">
                                    <aside class="side" aria-label={language.lessons()}>
                                        <LessonsCard page={Rc::clone(&now)} fragment={fragment.clone()}
                                            on_run={on_lesson} on_mark={mark.setter()} />
                                    </aside>
                                    <Workbench page={Rc::clone(&now)} {zone} shown={Shown::Latest} {on_show} {on_clear} {nothing}>
                                        { (*mark).as_ref().filter(|_| is_run).map(|mark| mark_line(language, mark)) }
                                    </Workbench>
                                </div>
                            </>
                        }
                    },
                    Area::Plots => html! {
                        <>
                            { composer() }
                            { notice_line(language, page.notice.as_ref(), &open) }
                        </>
                    },
                } }
                // A repetition goes on while another area is in sight.
                <PlotsCard page={Rc::clone(&now)} {on_again} on_ask={ask} shown={area == Area::Plots} />
                if area == Area::Plots { <SweepCard /> }
            </main>
            if let Some(scenario) = &*shared {
                <ShareDialog scenario={Rc::clone(scenario)} {on_view}
                    lan={page.hello.as_ref().and_then(|hello| hello.lan.clone())}
                    on_close={move |()| shared.set(None)} />
            }
        </>
    }
}

/// Does what a person wants of the link. A new path, or a preset, opens both legs anew; knobs turn
/// under way.
fn go_over(
    page: &UseReducerHandle<Page>,
    socket: &UseSocketHandle,
    route: &UseStateHandle<Route>,
    wish: Wish,
) {
    let whole = matches!(wish, Wish::Preset(_) | Wish::Scenario(_));
    let next = match wish {
        Wish::Path(path) => Route { path, ..(**route).clone() },
        Wish::Link(link) => Route { link: Rc::new(link), ..(**route).clone() },
        Wish::Preset(preset) => Route::from(&*preset),
        Wish::Scenario(scenario) => route.taking(&scenario),
        Wish::Unreadable(notice) => return page.dispatch(Action::Noticed(Some(notice))),
    };
    if let Err(wrong) = next.link.check() {
        return page.dispatch(Action::Noticed(Some(Notice::Link(wrong))));
    }
    page.dispatch(Action::Noticed(None));
    let anew = next.needs_legs(page, route, whole);
    for protocol in Protocol::BOTH {
        let lane = page.lane(protocol);
        if anew {
            if lane.is_there() {
                socket.send(&ClientMessage::Close(Close { protocol, how: How::Close }));
            }
            page.dispatch(Action::Opening(protocol));
            socket.send(&next.open(protocol));
        } else if lane.is_open() && lane.path == Path::Emulated {
            let link = Box::new((*next.link).clone());
            socket.send(&ClientMessage::Link(SetLink { protocol, link }));
        }
    }
    route.set(next);
}

/// Sends what may be sent, all at once; else the page says why not.
fn go_out(
    page: &UseReducerHandle<Page>,
    socket: &UseSocketHandle,
    conditions: &Conditions,
    sends: Result<Vec<Send>, Notice>,
) -> Result<(), Notice> {
    let sends = sends.inspect_err(|notice| page.dispatch(Action::Noticed(Some(notice.clone()))))?;
    let run: Vec<_> = sends.iter().cloned().map(Rc::new).collect();
    page.dispatch(Action::Sending(Rc::new(run), conditions.clone()));
    let are_out = sends.into_iter().all(|send| socket.send(&ClientMessage::Send(send)));
    are_out.then_some(()).ok_or(Notice::Away)
}

/// How many minutes east of UTC this browser is.
#[expect(clippy::cast_possible_truncation, reason = "a day has 1,440 minutes")]
fn zone_minutes() -> i32 {
    -(js_sys::Date::new_0().get_timezone_offset() as i32)
}
