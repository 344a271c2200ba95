//! What goes over the session's legs, and which legs: they are opened anew for another path.

use std::rc::Rc;

use streamgram_protocol::{ClientMessage, Close, How, Path, Protocol, Send, SetLink};
use yew::prelude::*;

use crate::lab::link_card::Wish;
use crate::lab::route::Route;
use crate::session::notice::Notice;
use crate::session::page::{Action, Page};
use crate::session::run::Conditions;
use crate::session::use_socket::UseSocketHandle;

/// Does what a person wants of the link. A new path, or a preset, opens both legs anew; knobs turn
/// under way.
pub(super) fn go_over(
    page: &UseReducerHandle<Page>,
    socket: &UseSocketHandle,
    route: &UseStateHandle<Route>,
    wish: Wish,
) {
    let whole = matches!(wish, Wish::Preset(_) | Wish::Scenario(_) | Wish::Way(_));
    let next = match wish {
        Wish::Path(path) => Route { path, ..(**route).clone() },
        Wish::Link(link) => Route { link: Rc::new(link), ..(**route).clone() },
        Wish::Preset(preset) => Route { servers: route.servers.clone(), ..Route::from(&*preset) },
        Wish::Scenario(scenario) | Wish::Way(scenario) => route.taking(&scenario),
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
            open_anew(page, socket, &next, protocol);
        } else if lane.is_open() && lane.path == Path::Emulated {
            let link = Box::new((*next.link).clone());
            socket.send(&ClientMessage::Link(SetLink { protocol, link }));
        }
    }
    route.set(next);
}

/// Opens a leg in place of the one that is there.
pub(super) fn open_anew(
    page: &UseReducerHandle<Page>,
    socket: &UseSocketHandle,
    route: &Route,
    protocol: Protocol,
) {
    if page.lane(protocol).is_there() {
        socket.send(&ClientMessage::Close(Close { protocol, how: How::Close }));
    }
    page.dispatch(Action::Opening(protocol));
    socket.send(&route.open(protocol, page.captures(), page.faults()));
}

/// Sends what may be sent, all at once; else the page says why not.
pub(super) fn go_out(
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
