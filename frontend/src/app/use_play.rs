//! What stands in the prompt and which path it goes over; and what a person can ask of the session with that.

use std::rc::Rc;

use streamgram_protocol::{ClientMessage, Feed, Limits, Protocol, Scenario, Send, Stop, Watch};
use yew::prelude::*;

use super::legs::{go_out, go_over, open_anew};
use super::workbench::Shown;
use crate::lab::link_card::Wish;
use crate::lab::route::Route;
use crate::prompt::draft::{Draft, allowed, empty_datagram};
use crate::prompt::suited::Suited;
use crate::session::notice::Notice;
use crate::session::page::{Absence, Action, Link, Page};
use crate::session::run::Conditions;
use crate::session::sockets_card::SocketRequest;
use crate::session::use_socket::UseSocketHandle;
use crate::share::scenario::scenario;

/// The prompt and the path, and what can be asked with them.
#[derive(Clone)]
pub(crate) struct UsePlayHandle {
    pub(crate) route: UseStateHandle<Route>,
    pub(crate) draft: UseStateHandle<Draft>,
    pub(crate) suited: UseStateHandle<Option<Suited>>,
    /// Which result is in sight.
    pub(crate) shown: UseStateHandle<Shown>,
    /// What a run would go over now.
    pub(crate) conditions: Conditions,
    /// Opens a leg.
    pub(crate) open: Callback<Protocol>,
    /// Sends a draft.
    pub(crate) submit: Callback<Draft, Result<(), Notice>>,
    /// Sends the same again, and says under which id.
    pub(crate) on_again: Callback<Rc<Send>, Result<u64, Notice>>,
    pub(crate) ask: Callback<SocketRequest>,
    pub(crate) wish: Callback<Wish>,
}

impl UsePlayHandle {
    /// What a link would carry of it.
    pub(crate) fn scenario(&self, limits: &Limits) -> Scenario {
        let Conditions { path, link, nodelay, .. } = &self.conditions;
        scenario(&self.draft, (*path, link, *nodelay), limits)
    }
}

/// The prompt and the path of this page.
#[hook]
pub(crate) fn use_play(page: &UseReducerHandle<Page>, socket: &UseSocketHandle) -> UsePlayHandle {
    let ids = use_mut_ref(|| 0_u64);
    let route = use_state(Route::default);
    let draft = use_state(Draft::default);
    let suited = use_state(|| None::<Suited>);
    let shown = use_state_eq(|| Shown::Latest);
    // As the leg stands now: its option can be switched under way.
    let nodelay = if page.tcp.is_there() { page.tcp.nodelay } else { route.nodelay };
    let conditions = route.conditions(nodelay);
    let open = use_open(page, socket, &route);

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
        let (page, open, socket, route) =
            (page.clone(), open.clone(), socket.clone(), route.clone());
        let (shown, conditions) = (shown.setter(), conditions.clone());
        Callback::from(move |ask: SocketRequest| match ask {
            SocketRequest::Open(protocol) => open.emit(protocol),
            SocketRequest::Serve(protocol, place) => {
                let server = place.and_then(|place| page.faults().get(place));
                let servers = route.servers.choosing(protocol, server);
                let next = Route { servers, ..(*route).clone() };
                if page.link == Link::Connected {
                    open_anew(&page, &socket, &next, protocol);
                }
                route.set(next);
            }
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
                Wish::Path(_) | Wish::Way(_) => suited.set(None),
                Wish::Link(_) | Wish::Unreadable(_) => {}
            }
            go_over(&page, &socket, &route, wish);
        })
    };
    UsePlayHandle { route, draft, suited, shown, conditions, open, submit, on_again, ask, wish }
}

/// What opens a leg; both are opened, and external clients watched, once the server says hello.
#[hook]
fn use_open(
    page: &UseReducerHandle<Page>,
    socket: &UseSocketHandle,
    route: &UseStateHandle<Route>,
) -> Callback<Protocol> {
    let captures = page.captures();
    let open = use_callback(((**route).clone(), captures, page.hello.clone()), {
        let (page, socket) = (page.dispatcher(), socket.clone());
        move |protocol: Protocol, (route, captures, hello)| {
            let faults = hello.as_ref().map_or(&[][..], |hello| &hello.faults);
            page.dispatch(if socket.send(&route.open(protocol, *captures, faults)) {
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
                socket.send(&ClientMessage::Watch(Watch { packets: captures, ..Watch::all(true) }));
            }
            // After the server was away, legs are opened by a person.
            if hello.is_some() && absence == Absence::None {
                Protocol::BOTH.into_iter().for_each(|protocol| open.emit(protocol));
            }
        }
    });
    open
}
