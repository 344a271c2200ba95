//! The page's room: entered once there is a connection, also after a reload or a lost one; and what is asked of it.

use gloo_timers::callback::{Interval, Timeout};
use streamgram_protocol::ClientMessage;
use streamgram_protocol::room::{Join, Place, RoomCode, RoomLink, RoomRequest, Stage};
use yew::prelude::*;

use super::outcome::outcome;
use super::place::TEACH;
use crate::browser::clock::now_ms;
use crate::browser::storage;
use crate::browser::use_fragment::{forget, go_to};
use crate::session::page::{Action, Link, Page};
use crate::session::room::{Room, RoomAct};
use crate::session::use_socket::UseSocketHandle;

/// Under which key the tab keeps who the page is in its room.
const KEY: &str = "room";
/// Pause before a room is asked for again that the store could not find; half of it is chance, so that a class does not
/// come at once.
const STORE_PAUSE_MS: u32 = 3_000;
/// How long what was sent may take to be counted before it is sent again.
const COUNTED_MS: u32 = 10_000;

/// What a person asks of the room.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RoomAsk {
    Open,
    /// Enter the room with this code.
    Enter(RoomCode),
    /// Leave, or no longer want to know why the page is in none.
    Leave,
    Vote(u8),
    /// What came of this run at the present step.
    Ran(u32),
    Lead(Place),
    Stage(Stage),
    End,
}

/// The room that this tab was in before a reload.
pub(crate) fn before_reload() -> Room {
    Room::entering(storage::read_in_tab(KEY))
}

/// What asks. `fragment` stands behind the `#` of the page's address; a link to a room is taken out of it at once, for
/// the address of who teaches is on a wall, and then it is answered.
#[hook]
pub(crate) fn use_room(
    page: &UseReducerHandle<Page>,
    socket: &UseSocketHandle,
    fragment: &AttrValue,
    on_answered: &Callback<()>,
) -> Callback<RoomAsk> {
    let act = {
        let page = page.dispatcher();
        move |act| page.dispatch(Action::Room(act))
    };
    use_effect_with(fragment.clone(), {
        let (act, known, on_answered) =
            (act.clone(), page.room.join().cloned(), on_answered.clone());
        move |fragment| {
            if RoomLink::is_meant(fragment) {
                forget();
                let link = RoomLink::decode(fragment);
                // Where one teaches, and where one can type another code.
                if link.as_ref().is_none_or(|link| link.key.is_some()) {
                    go_to(TEACH);
                } else {
                    on_answered.emit(());
                }
                act(link.map_or(RoomAct::MetBadLink, |link| RoomAct::Enter(join(link, known))));
            }
        }
    });
    use_effect_with(page.room.join().cloned(), |join| {
        if join.is_some() || storage::read_in_tab::<Join>(KEY).is_some() {
            storage::write_in_tab(KEY, join);
        }
    });
    use_entering(page, socket);
    use_answering(page, socket);
    let (page, socket) = (page.clone(), socket.clone());
    Callback::from(move |ask| {
        let request = match ask {
            RoomAsk::Open => return act(RoomAct::Open),
            RoomAsk::Enter(code) => {
                let link = RoomLink { code, key: None };
                return act(RoomAct::Enter(join(link, page.room.join().cloned())));
            }
            RoomAsk::Vote(choice) => return act(RoomAct::Vote { choice, now_ms: now_ms() }),
            RoomAsk::Ran(run) => return ran(&page, run).into_iter().for_each(&act),
            RoomAsk::Leave => RoomRequest::Leave {},
            RoomAsk::Lead(place) => RoomRequest::Lead(place),
            RoomAsk::Stage(stage) => RoomRequest::Stage(stage),
            RoomAsk::End => RoomRequest::End {},
        };
        let leaves = matches!(request, RoomRequest::Leave {});
        if page.room.member().is_some_and(|member| member.is_here) {
            socket.send(&ClientMessage::Room(request));
        }
        act(if leaves { RoomAct::Leave } else { RoomAct::Ask });
    })
}

/// Asks for the room whenever there is a connection and the session is not in it.
#[hook]
fn use_entering(page: &Page, socket: &UseSocketHandle) {
    let is_connected = page.link == Link::Connected;
    let asked = page.room.asks().filter(|_| is_connected).map(ClientMessage::Room);
    use_effect_with((asked, page.room.delayed), {
        let socket = socket.clone();
        move |(asked, delayed)| {
            let pause = match asked.clone() {
                Some(asked) if *delayed > 0 => Some(Timeout::new(store_pause_ms(), move || {
                    socket.send(&asked);
                })),
                Some(asked) => {
                    socket.send(&asked);
                    None
                }
                None => None,
            };
            move || drop(pause)
        }
    });
}

/// Sends what is answered until it is counted.
#[hook]
fn use_answering(page: &Page, socket: &UseSocketHandle) {
    let sent = use_mut_ref(Vec::<u64>::new);
    let uncounted = page.room.member().map(|member| member.answers.uncounted());
    use_effect_with(uncounted.unwrap_or_default(), {
        let socket = socket.clone();
        move |uncounted| {
            let uncounted = uncounted.clone();
            let edits = uncounted.iter().map(|(edit, _)| *edit).collect();
            let before = sent.replace(edits);
            let send = move |all: bool| {
                for (edit, request) in &uncounted {
                    if all || !before.contains(edit) {
                        socket.send(&ClientMessage::Room(request.clone()));
                    }
                }
            };
            send(false);
            let again =
                (!sent.borrow().is_empty()).then(|| Interval::new(COUNTED_MS, move || send(true)));
            move || drop(again)
        }
    });
}

/// Who asks for a link's room: who the page is there, if that is known.
fn join(RoomLink { code, key }: RoomLink, known: Option<Join>) -> Join {
    let known = known.filter(|known| known.code == code);
    let (member, known_key) = known.map_or((None, None), |known| (known.member, known.key));
    Join { code, member, key: key.or(known_key) }
}

/// What came of a run, for the present step.
fn ran(page: &Page, run: u32) -> Option<RoomAct> {
    let (run, member) = (page.runs.get(run)?, page.room.member()?);
    let (outcome, step) = (outcome(run), member.answers.step.clone());
    (!outcome.is_empty()).then(|| RoomAct::Ran { step, outcome, now_ms: now_ms() })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a product of a short pause and a factor from 0.5 to 1"
)]
fn store_pause_ms() -> u32 {
    (f64::from(STORE_PAUSE_MS) * (0.5 + js_sys::Math::random() / 2.0)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_the_room_that_the_page_was_in_brings_it_back_as_who_it_was() {
        let link = |code: &str, key: Option<&str>| RoomLink {
            code: code.parse().unwrap(),
            key: key.map(str::to_owned),
        };
        let known = || {
            let (member, key) = (Some("m".to_owned()), Some("k".to_owned()));
            Some(Join { code: "K7M4Q2XAB".parse().unwrap(), member, key })
        };
        let who = |link, known| {
            let Join { member, key, .. } = join(link, known);
            (member.unwrap_or_default(), key.unwrap_or_default())
        };
        let text = |member: &str, key: &str| (member.to_owned(), key.to_owned());
        assert_eq!(who(link("K7M4Q2XAB", None), known()), text("m", "k"));
        assert_eq!(who(link("K7M4Q2XAB", Some("l")), known()), text("m", "l"));
        assert_eq!(who(link("000000000", Some("l")), known()), text("", "l"));
        assert_eq!(who(link("000000000", None), None), text("", ""));
    }
}
