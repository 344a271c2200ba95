//! The playground: state, what a person can ask for, and the arrangement of the parts.

use std::rc::Rc;

use streamgram_protocol::scenario::View;
use streamgram_protocol::{
    ClientMessage, Close, Feed, How, Path, Protocol, Scenario, Send, SetLink, Stop, Watch,
};
use yew::prelude::*;

use super::header::header;
use super::preferences::Preferences;
use super::use_view::use_view;
use crate::browser::use_fragment::forget;
use crate::clients::raw_clients_card::RawClientsCard;
use crate::commands::commands_card::CommandsCard;
use crate::i18n::language::{Language, use_language};
use crate::lab::link_card::{LinkCard, Wish};
use crate::lab::route::Route;
use crate::lessons::lessons_card::{LINK, LessonsCard};
use crate::plots::plots_card::PlotsCard;
use crate::plots::sweep_card::SweepCard;
use crate::prompt::draft::{Draft, allowed, empty_datagram};
use crate::prompt::prompt_card::PromptCard;
use crate::prompt::use_awaited::{Awaited, use_awaited};
use crate::result::ladder_card::LadderCard;
use crate::result::verdict_card::verdict_card;
use crate::session::absence_card::absence_card;
use crate::session::notice::Notice;
use crate::session::page::{Absence, Action, Page};
use crate::session::use_socket::{UseSocketHandle, use_socket};
use crate::share::offer_card::{Answer, offer, offer_card, waiting_card};
use crate::share::scenario::scenario;
use crate::share::share_dialog::ShareDialog;
use crate::transcript::lane_card::LaneRequest;
use crate::transcript::transcript_pane::TranscriptPane;

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

    let route = use_state(Route::default);
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
        Callback::from(move |draft: Draft| go_out(&page, &socket, draft.check(&page, &next_id)))
    };
    let on_again = {
        let (page, socket, next_id) = (page.clone(), socket.clone(), next_id.clone());
        Callback::from(move |send: Rc<Send>| {
            let send = Send { id: next_id(), ..(*send).clone() };
            let id = send.id;
            allowed(&page, &send)?;
            go_out(&page, &socket, Ok(vec![send])).map(|()| id)
        })
    };
    let ask = {
        let (page, open, socket) = (page.clone(), open.clone(), socket.clone());
        Callback::from(move |ask: LaneRequest| match ask {
            LaneRequest::Open(protocol) => open.emit(protocol),
            LaneRequest::EmptyDatagram => {
                let send = empty_datagram(next_id());
                drop(go_out(&page, &socket, allowed(&page, &send).map(|()| vec![send])));
            }
            LaneRequest::Stop(id) => drop(socket.send(&ClientMessage::Stop(Stop { id }))),
            LaneRequest::Message(message) => drop(socket.send(&message)),
        })
    };
    let wish = {
        let (page, socket, route) = (page.clone(), socket.clone(), route.clone());
        Callback::from(move |wish| go_over(&page, &socket, &route, wish))
    };
    let (view, on_view) = use_view();
    let (waiting, on_await) = use_awaited(&page, submit.clone());
    let offered = use_memo((fragment.clone(), page.limits()), |(fragment, limits)| {
        // A lesson's link offers nothing that was not asked for.
        Some(fragment)
            .filter(|it| !it.starts_with(LINK))
            .and_then(|it| offer(it, limits))
            .map(Rc::new)
    });
    let take_up = {
        let (page, route) = (page.clone(), route.clone());
        let (wish, on_view) = (wish.clone(), on_view.clone());
        Callback::from(move |answer| {
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
    let shared = use_state(|| None::<Rc<Scenario>>);
    let share = {
        let (shared, route, limits) = (shared.clone(), route.clone(), page.limits());
        // As the leg stands now: its option can be switched under way.
        let nodelay = if page.tcp.is_there() { page.tcp.nodelay } else { route.nodelay };
        Callback::from(move |draft: Draft| {
            let scenario = scenario(&draft, (route.path, &route.link, nodelay), &limits);
            shared.set(Some(Rc::new(Scenario { view, ..scenario })));
        })
    };
    let on_clear = {
        let page = page.dispatcher();
        Callback::from(move |()| page.dispatch(Action::Cleared))
    };

    let now = Rc::new((*page).clone());
    html! {
        <>
            { header(language, &page, html! { <Preferences {on_language} /> }) }
            <main class="main">
                { absence_card(language, page.absence, open.clone()) }
                if view == View::Large {
                    <button type="button" class="large-leave" onclick={on_view.reform(|_| View::Full)}>
                        { language.large_leave() }
                    </button>
                }
                if waiting {
                    { waiting_card(language, &answer) }
                } else if let Some(offer) = &*offered {
                    { offer_card(language, offer, &answer) }
                }
                <LessonsCard page={Rc::clone(&now)} fragment={fragment.clone()} on_run={on_lesson} />
                <PromptCard limits={page.limits()} notice={page.notice.clone()}
                    suggestion={route.suggestion.clone()}
                    on_submit={submit} on_open={open} on_clear={on_clear.clone()} on_share={share} />
                <LinkCard path={route.path} link={Rc::clone(&route.link)} preset={route.preset} on_wish={wish} />
                { verdict_card(language, &page) }
                <TranscriptPane page={Rc::clone(&now)} {zone} on_ask={ask.clone()} {on_clear} />
                <div class="lanes">
                    <RawClientsCard raw={Rc::clone(&page.raw)} feed={page.hello.as_ref().map(|it| it.feed)}
                        {zone} />
                    if let Some(hello) = &page.hello {
                        <CommandsCard hello={Rc::clone(hello)} sends={Rc::clone(&page.last)} />
                    }
                </div>
                if route.path == Path::Emulated {
                    <LadderCard tcp={Rc::clone(&page.tcp)} udp={Rc::clone(&page.udp)}
                        congestion={route.congestion()} {zone} />
                }
                <PlotsCard page={Rc::clone(&now)} {on_again} on_ask={ask} />
                <SweepCard />
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
    sends: Result<Vec<Send>, Notice>,
) -> Result<(), Notice> {
    let sends = sends.inspect_err(|notice| page.dispatch(Action::Noticed(Some(notice.clone()))))?;
    page.dispatch(Action::Sending(sends.iter().cloned().map(Rc::new).collect()));
    let are_out = sends.into_iter().all(|send| socket.send(&ClientMessage::Send(send)));
    are_out.then_some(()).ok_or(Notice::Away)
}

/// How many minutes east of UTC this browser is.
#[expect(clippy::cast_possible_truncation, reason = "a day has 1,440 minutes")]
fn zone_minutes() -> i32 {
    -(js_sys::Date::new_0().get_timezone_offset() as i32)
}
