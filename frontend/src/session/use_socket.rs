//! The WebSocket to the server: the only file that knows the browser's.
//!
//! Messages are decoded as they come and handed on once per frame, so that a burst of thousands is
//! drawn a few times and not thousands of times. When the connection goes, it is tried again with
//! growing pauses; nothing is ever sent again. A device that was asleep can wake up with a connection that is gone
//! without a word: then it is asked for a sign of life, and replaced if none comes.
//!
//! Ours and not gloo-net's: that would put an unbounded queue and tasks of its own between the browser's
//! events and the batch of a frame.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_events::{EventListener, EventListenerOptions};
use gloo_render::{AnimationFrame, request_animation_frame};
use gloo_timers::callback::Timeout;
use streamgram_protocol::{ClientMessage, Ping, SUBPROTOCOL, ServerMessage};
use wasm_bindgen::JsCast;
use web_sys::{CloseEvent, MessageEvent, PageTransitionEvent, WebSocket};
use yew::prelude::*;

use super::notice::Notice;
use super::page::Action;
use crate::browser::address::own_address;
use crate::browser::clock::now_ms;

/// Pause before the first new attempt; every further one doubles it.
const FIRST_PAUSE_MS: u32 = 500;
/// The longest pause.
const LONGEST_PAUSE_MS: u32 = 8_000;
/// Messages that one frame takes in at least, if there are more. The rest, up to half of what waits, is
/// left to the next: a task takes no longer when many came at once.
const FRAME_MESSAGES: usize = 100;
/// How long a sign of life may take after the device woke up, or its network came back.
const SIGN_OF_LIFE_MS: u32 = 5_000;
/// When a hidden tab, which gets no frames, takes its messages in.
const HIDDEN_TAB_MS: u32 = 250;

/// The sending end.
#[derive(Clone)]
pub(crate) struct UseSocketHandle(Rc<Connection>);

impl UseSocketHandle {
    /// Sends a message; false if there is no connection to send it over.
    pub(crate) fn send(&self, message: &ClientMessage) -> bool {
        self.0.send(message)
    }
}

/// Keeps a connection to the server this page came from, and tells what happens to it.
#[hook]
pub(crate) fn use_socket(on_action: Callback<Action>) -> UseSocketHandle {
    let connection = use_memo((), |()| Connection { on_action, ..Connection::default() });
    use_effect_with((), {
        let connection = Rc::clone(&connection);
        move |()| {
            connection.open();
            let waking = connection.listen_for_waking();
            move || {
                drop(waking);
                drop(connection.proof.take());
                drop(connection.attempt.take());
                drop(connection.waiting.take());
            }
        }
    });
    UseSocketHandle(connection)
}

/// The connection, through all attempts at it.
#[derive(Default)]
struct Connection {
    on_action: Callback<Action>,
    waiting: RefCell<Waiting>,
    /// Attempts over which nothing came, since one over which something did.
    failures: Cell<u32>,
    /// Ends the connection, unless something comes before.
    proof: RefCell<Option<Timeout>>,
    // What these and `waiting` hold calls back to the connection: they are emptied when the page goes.
    attempt: RefCell<Attempt>,
}

/// Messages on their way to the page, handed over together.
#[derive(Default)]
struct Waiting {
    messages: Vec<ServerMessage>,
    // Kept until one of them has fired: dropping them cancels them.
    alarms: Option<(AnimationFrame, Timeout)>,
}

#[derive(Default)]
enum Attempt {
    #[default]
    None,
    Running(Running),
    /// Dropped, it comes to nothing.
    Pausing {
        _end: Timeout,
    },
}

/// An open socket; dropped, it is closed.
struct Running {
    socket: WebSocket,
    _listeners: [EventListener; 3],
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails only for a code and a reason that are none.
        let _closed = self.socket.close();
    }
}

impl Connection {
    fn open(self: &Rc<Self>) {
        let Some(socket) = socket() else { return self.pause() };
        let [receiving, closing, failing] = [(); 3].map(|()| Rc::clone(self));
        let _listeners = [
            EventListener::new(&socket, "message", move |event| receiving.received(event)),
            EventListener::new(&socket, "close", move |event| {
                closing.ended(event.unchecked_ref::<CloseEvent>().reason());
            }),
            // A close should follow, but not every browser sends one.
            EventListener::new(&socket, "error", move |_| failing.ended(String::new())),
        ];
        self.attempt.replace(Attempt::Running(Running { socket, _listeners }));
    }

    fn send(&self, message: &ClientMessage) -> bool {
        match &*self.attempt.borrow() {
            Attempt::Running(Running { socket, .. }) if socket.ready_state() == WebSocket::OPEN => {
                socket.send_with_str(&message.encode()).is_ok()
            }
            _ => false,
        }
    }

    /// What a browser says when the device was asleep, the page put aside, or the network gone.
    fn listen_for_waking(self: &Rc<Self>) -> Option<[EventListener; 3]> {
        let window = web_sys::window()?;
        let document = window.document()?;
        Some(["visibilitychange", "pageshow", "online"].map(|name| {
            let (connection, document) = (Rc::clone(self), document.clone());
            // On their way down: what happens to the document need not come back up.
            let options = EventListenerOptions::run_in_capture_phase();
            EventListener::new_with_options(&window, name, options, move |event| {
                let is_load =
                    name == "pageshow" && !event.unchecked_ref::<PageTransitionEvent>().persisted();
                if !is_load && !document.hidden() {
                    connection.woken();
                }
            })
        }))
    }

    fn woken(self: &Rc<Self>) {
        if matches!(*self.attempt.borrow(), Attempt::Running(_)) {
            self.send(&ClientMessage::Ping(Ping {}));
            let connection = Rc::clone(self);
            let end = Timeout::new(SIGN_OF_LIFE_MS, move || {
                connection.ended(String::new());
                connection.retry();
            });
            self.proof.replace(Some(end));
        } else {
            self.retry();
        }
    }

    fn received(self: &Rc<Self>, event: &Event) {
        let data = event.unchecked_ref::<MessageEvent>().data();
        self.failures.set(0);
        drop(self.proof.take());
        for message in ServerMessage::decode_frame(&data.as_string().unwrap_or_default()) {
            match message {
                Ok(message) => {
                    let mut waiting = self.waiting.borrow_mut();
                    waiting.messages.push(message);
                    self.alarm(&mut waiting);
                }
                Err(error) => self.notice(Notice::NotUnderstood(error.to_string())),
            }
        }
    }

    /// A socket that could not be opened ends too.
    fn ended(self: &Rc<Self>, reason: String) {
        drop(self.proof.take());
        if !reason.is_empty() {
            self.notice(Notice::Ended(reason));
        }
        self.flush();
        self.pause();
    }

    fn pause(self: &Rc<Self>) {
        let failures = self.failures.replace(self.failures.get().saturating_add(1));
        let retry_ms = pause_ms(failures, js_sys::Math::random());
        let connection = Rc::clone(self);
        let end = Timeout::new(retry_ms, move || connection.retry());
        self.attempt.replace(Attempt::Pausing { _end: end });
        self.on_action.emit(Action::Lost { at_ms: now_ms(), retry_ms });
    }

    /// Tries again at once.
    fn retry(self: &Rc<Self>) {
        self.on_action.emit(Action::Retried { at_ms: now_ms() });
        self.open();
    }

    fn notice(&self, notice: Notice) {
        self.on_action.emit(Action::Noticed(Some(notice)));
    }

    fn alarm(self: &Rc<Self>, waiting: &mut Waiting) {
        if waiting.alarms.is_none() {
            let (frame, timer) = (Rc::clone(self), Rc::clone(self));
            waiting.alarms = Some((
                request_animation_frame(move |_| frame.hand_over()),
                Timeout::new(HIDDEN_TAB_MS, move || timer.hand_over()),
            ));
        }
    }

    /// Hands over what a frame takes.
    fn hand_over(self: &Rc<Self>) {
        let mut rest = {
            let messages = &mut self.waiting.borrow_mut().messages;
            messages.split_off(frame_takes(messages.len()))
        };
        self.flush();
        if !rest.is_empty() {
            let mut waiting = self.waiting.borrow_mut();
            rest.append(&mut waiting.messages);
            waiting.messages = rest;
            self.alarm(&mut waiting);
        }
    }

    /// Hands everything over.
    fn flush(&self) {
        let Waiting { messages, alarms } = self.waiting.take();
        if !messages.is_empty() {
            self.on_action.emit(Action::Received(messages));
        }
        drop(alarms);
    }
}

/// Opens the WebSocket. A development build, which `trunk serve` makes, offers no subprotocol: trunk's
/// proxy accepts none, and a browser hangs up on a server that accepts none of those it offered.
fn socket() -> Option<WebSocket> {
    let url = url()?;
    let socket = if cfg!(debug_assertions) {
        WebSocket::new(&url)
    } else {
        WebSocket::new_with_str(&url, SUBPROTOCOL)
    };
    socket.ok()
}

/// How many of so many messages a frame takes in.
fn frame_takes(waiting: usize) -> usize {
    waiting.min(FRAME_MESSAGES.max(waiting / 2))
}

/// `ws://` or `wss://`, as the page came, beside it.
fn url() -> Option<String> {
    Some(format!("{}ws", own_address()?.replacen("http", "ws", 1)))
}

/// How long to wait before attempt number `attempt`; `random` in 0..1 spreads a class of 200 pages
/// that lost the same server.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a product of a short pause and a factor below 1"
)]
fn pause_ms(attempt: u32, random: f64) -> u32 {
    let pause = FIRST_PAUSE_MS.saturating_mul(1 << attempt.min(10)).min(LONGEST_PAUSE_MS);
    (f64::from(pause) * (0.5 + random / 2.0)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_takes_all_of_a_few_messages_and_half_of_many() {
        let many = 10 * FRAME_MESSAGES;
        assert_eq!([0, 1, FRAME_MESSAGES].map(frame_takes), [0, 1, FRAME_MESSAGES]);
        assert_eq!([FRAME_MESSAGES + 1, many].map(frame_takes), [FRAME_MESSAGES, many / 2]);
    }

    #[test]
    fn pauses_double_up_to_a_cap_and_are_spread() {
        assert_eq!([0, 1, 2, 9].map(|attempt| pause_ms(attempt, 1.0)), [500, 1_000, 2_000, 8_000]);
        assert_eq!(pause_ms(0, 0.0), 250);
        assert_eq!(pause_ms(u32::MAX, 1.0), LONGEST_PAUSE_MS);
    }
}
