//! The page: state, what a person can ask for, and the arrangement of the parts.

use std::rc::Rc;

use streamgram_protocol::{ClientMessage, Open, Path, Protocol, Send, Stop};
use yew::prelude::*;

use crate::components::header::Header;
use crate::components::lane_card::{Ask, LaneCard};
use crate::components::prompt::Prompt;
use crate::components::verdict_card::VerdictCard;
use crate::draft::{Draft, allowed, empty_datagram};
use crate::hooks::use_socket::{UseSocketHandle, use_socket};
use crate::page::{Action, Notice, Page};

/// The root component.
#[component]
pub(crate) fn App() -> Html {
    let page = use_reducer(Page::new);
    let socket = use_socket({
        let page = page.dispatcher();
        Callback::from(move |action| page.dispatch(action))
    });
    let ids = use_mut_ref(|| 0_u64);
    let zone = *use_memo((), |()| zone_minutes());

    let open = use_callback((), {
        let (page, socket) = (page.dispatcher(), socket.clone());
        move |protocol: Protocol, ()| {
            page.dispatch(Action::Opening(protocol));
            page.dispatch(Action::Noticed(None));
            socket.send(ClientMessage::Open(Open {
                protocol,
                nodelay: None,
                path: Path::Direct,
                link: None,
            }));
        }
    });
    use_effect_with(page.hello.clone(), {
        let open = open.clone();
        move |hello| {
            if hello.is_some() {
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
        Callback::from(move |draft: Draft| go_out(&page, &socket, draft.check(&page, next_id())))
    };
    let ask = {
        let (page, open) = (page.clone(), open.clone());
        Callback::from(move |ask: Ask| match ask {
            Ask::Open(protocol) => open.emit(protocol),
            Ask::EmptyDatagram => {
                let send = empty_datagram(next_id());
                go_out(&page, &socket, allowed(&page, &send).map(|()| send));
            }
            Ask::Stop(id) => drop(socket.send(ClientMessage::Stop(Stop { id }))),
            Ask::Message(message) => drop(socket.send(message)),
        })
    };
    let clear = {
        let page = page.dispatcher();
        Callback::from(move |()| page.dispatch(Action::Cleared))
    };

    html! {
        <>
            <Header link={page.link} hello={page.hello.clone()} />
            <main class="main">
                <Prompt limits={page.limits()} notice={page.notice.clone()}
                    on_submit={submit} on_open={open} on_clear={clear} />
                <VerdictCard page={Rc::new((*page).clone())} />
                <div class="lanes">
                    for protocol in Protocol::BOTH {
                        <LaneCard key={protocol.name()} lane={Rc::clone(page.lane(protocol))}
                            {zone} on_ask={ask.clone()} />
                    }
                </div>
            </main>
        </>
    }
}

/// Sends what may be sent, else says why not; whether it went out.
fn go_out(
    page: &UseReducerHandle<Page>,
    socket: &UseSocketHandle,
    send: Result<Send, Notice>,
) -> bool {
    match send {
        Ok(send) => {
            page.dispatch(Action::Sending(Rc::new(send.clone())));
            socket.send(ClientMessage::Send(send))
        }
        Err(notice) => {
            page.dispatch(Action::Noticed(Some(notice)));
            false
        }
    }
}

/// How many minutes east of UTC this browser is.
#[expect(clippy::cast_possible_truncation, reason = "a day has 1,440 minutes")]
fn zone_minutes() -> i32 {
    -(js_sys::Date::new_0().get_timezone_offset() as i32)
}
