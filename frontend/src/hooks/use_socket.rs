//! The WebSocket to the server: the only file that knows the browser's.
//!
//! Messages are decoded as they come and handed on once per frame, so that a burst of thousands is
//! drawn a few times and not thousands of times. When the connection goes, it is tried again with
//! growing pauses; nothing is ever sent again.

use std::cell::RefCell;
use std::rc::Rc;

use futures_channel::mpsc;
use futures_util::future::{AbortHandle, Abortable, select};
use futures_util::{SinkExt, StreamExt, pin_mut};
use gloo_net::websocket::events::CloseEvent;
use gloo_net::websocket::futures::WebSocket;
use gloo_net::websocket::{Message, WebSocketError};
use gloo_render::{AnimationFrame, request_animation_frame};
use gloo_timers::callback::Timeout;
use gloo_timers::future::TimeoutFuture;
use streamgram_protocol::{ClientMessage, SUBPROTOCOL, ServerMessage};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use crate::notice::Notice;
use crate::page::Action;

/// Messages of the page that wait for the socket; a person does not type that fast.
const WAITING_MESSAGES: usize = 64;
/// Pause before the first new attempt; every further one doubles it.
const FIRST_PAUSE_MS: u32 = 500;
/// The longest pause.
const LONGEST_PAUSE_MS: u32 = 8_000;
/// When a hidden tab, which gets no frames, takes its messages in.
const HIDDEN_TAB_MS: u32 = 250;

type Outgoing = Rc<RefCell<Option<mpsc::Sender<ClientMessage>>>>;

/// The sending end.
#[derive(Clone)]
pub(crate) struct UseSocketHandle {
    outgoing: Outgoing,
}

impl UseSocketHandle {
    /// Sends a message; false if there is no connection to send it over.
    pub(crate) fn send(&self, message: ClientMessage) -> bool {
        let mut outgoing = self.outgoing.borrow_mut();
        outgoing.as_mut().is_some_and(|outgoing| outgoing.try_send(message).is_ok())
    }
}

/// Keeps a connection to the server this page came from, and tells what happens to it.
#[hook]
pub(crate) fn use_socket(on_action: Callback<Action>) -> UseSocketHandle {
    let outgoing = use_mut_ref(|| None::<mpsc::Sender<ClientMessage>>);
    let handle = UseSocketHandle { outgoing: Rc::clone(&outgoing) };
    use_effect_with((), move |()| {
        let (abort, registration) = AbortHandle::new_pair();
        let keeping = Abortable::new(keep_connected(outgoing, on_action), registration);
        spawn_local(async move {
            // Aborted when the page goes; nobody is left to tell.
            let _aborted = keeping.await;
        });
        move || abort.abort()
    });
    handle
}

async fn keep_connected(outgoing: Outgoing, on_action: Callback<Action>) {
    let mut attempt = 0;
    loop {
        if serve(&outgoing, &on_action).await {
            attempt = 0;
        }
        outgoing.borrow_mut().take();
        let retry_ms = pause_ms(attempt, js_sys::Math::random());
        attempt += 1;
        on_action.emit(Action::Lost { at_ms: now_ms(), retry_ms });
        TimeoutFuture::new(retry_ms).await;
        on_action.emit(Action::Retried { at_ms: now_ms() });
    }
}

/// Opens the WebSocket. A development build, which `trunk serve` makes, offers no subprotocol: trunk's
/// proxy accepts none, and a browser hangs up on a server that accepts none of those it offered.
fn open(url: &str) -> Option<WebSocket> {
    let socket = if cfg!(debug_assertions) {
        WebSocket::open(url)
    } else {
        WebSocket::open_with_protocol(url, SUBPROTOCOL)
    };
    socket.ok()
}

/// Serves one connection to its end; whether anything came over it.
async fn serve(outgoing: &Outgoing, on_action: &Callback<Action>) -> bool {
    let Some(url) = url() else { return false };
    let Some(socket) = open(&url) else { return false };
    let (mut sink, mut frames) = socket.split();
    let (sender, mut messages) = mpsc::channel::<ClientMessage>(WAITING_MESSAGES);
    outgoing.borrow_mut().replace(sender);
    let batch = Batch::new(on_action.clone());
    let mut came = false;
    let notice = |notice| on_action.emit(Action::Noticed(Some(notice)));
    let reading = async {
        loop {
            match frames.next().await {
                Some(Ok(Message::Text(text))) => {
                    came = true;
                    match ServerMessage::decode(&text) {
                        Ok(message) => batch.push(message),
                        Err(error) => notice(Notice::NotUnderstood(error.to_string())),
                    }
                }
                Some(Err(WebSocketError::ConnectionClose(CloseEvent { reason, .. })))
                    if !reason.is_empty() =>
                {
                    notice(Notice::Ended(reason));
                }
                Some(Err(WebSocketError::ConnectionError)) => {}
                _ => break,
            }
        }
    };
    let writing = async {
        while let Some(message) = messages.next().await {
            if sink.send(Message::Text(message.encode())).await.is_err() {
                break;
            }
        }
    };
    {
        pin_mut!(reading, writing);
        select(reading, writing).await;
    }
    batch.flush();
    came
}

/// Messages on their way to the page, handed over together.
#[derive(Clone)]
struct Batch {
    waiting: Rc<RefCell<Waiting>>,
    on_action: Callback<Action>,
}

#[derive(Default)]
struct Waiting {
    messages: Vec<ServerMessage>,
    // Kept until one of them has fired: dropping them cancels them.
    alarms: Option<(AnimationFrame, Timeout)>,
}

impl Batch {
    fn new(on_action: Callback<Action>) -> Self {
        Self { waiting: Rc::default(), on_action }
    }

    fn push(&self, message: ServerMessage) {
        let mut waiting = self.waiting.borrow_mut();
        waiting.messages.push(message);
        if waiting.alarms.is_none() {
            let (frame, timer) = (self.clone(), self.clone());
            waiting.alarms = Some((
                request_animation_frame(move |_| frame.flush()),
                Timeout::new(HIDDEN_TAB_MS, move || timer.flush()),
            ));
        }
    }

    fn flush(&self) {
        let Waiting { messages, alarms } = self.waiting.take();
        if !messages.is_empty() {
            self.on_action.emit(Action::Received(messages));
        }
        if let Some((frame, timer)) = alarms {
            timer.cancel();
            drop(frame);
        }
    }
}

/// `ws://` or `wss://`, as the page came.
fn url() -> Option<String> {
    let location = web_sys::window()?.location();
    let scheme = if location.protocol().ok()? == "https:" { "wss" } else { "ws" };
    Some(format!("{scheme}://{}/ws", location.host().ok()?))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "milliseconds since 1970 fit"
)]
fn now_ms() -> u64 {
    js_sys::Date::now() as u64
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
    fn pauses_double_up_to_a_cap_and_are_spread() {
        assert_eq!([0, 1, 2, 9].map(|attempt| pause_ms(attempt, 1.0)), [500, 1_000, 2_000, 8_000]);
        assert_eq!(pause_ms(0, 0.0), 250);
        assert_eq!(pause_ms(u32::MAX, 1.0), LONGEST_PAUSE_MS);
    }
}
