//! The worker of the sweep: the only file that knows it. `static/sweep.js` says what goes in and out.

use std::cell::RefCell;
use std::rc::Rc;

use gloo_events::EventListener;
use serde::{Serialize, Serializer};
use streamgram_lab::sweep::Kind;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MessageEvent, Worker};
use yew::prelude::*;

use super::sweep::{Action, Message, State, Sweep};

/// What a sweep is asked for; the settings are as they were typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Request {
    #[serde(serialize_with = "kind_name")]
    pub(crate) kind: Kind,
    pub(crate) rtt: String,
    pub(crate) mss: String,
    pub(crate) seed: String,
}

fn kind_name<S: Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.name())
}

#[wasm_bindgen]
extern "C" {
    // Left by the script that starts the page: its policy allows a worker no other way.
    #[wasm_bindgen(catch, js_name = sweepWorker)]
    fn sweep_worker() -> Result<Worker, JsValue>;
}

/// A worker that is there; dropped, it ends, whatever it does.
struct Hired {
    worker: Worker,
    _listeners: [EventListener; 2],
}

impl Drop for Hired {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

/// The sweep, what starts one, and what cancels it.
#[hook]
pub(crate) fn use_sweep() -> (UseReducerHandle<Sweep>, Callback<Request>, Callback<()>) {
    let sweep = use_reducer(|| Sweep::new(Kind::Goodput, State::None));
    // Left there after a sweep: the next one works while the server is away.
    let hired = use_mut_ref(|| None::<Hired>);
    let start = {
        let (dispatcher, hired) = (sweep.dispatcher(), Rc::clone(&hired));
        let has_failed = sweep.state == State::Failed(None);
        Callback::from(move |request: Request| {
            if has_failed {
                drop(hired.take());
            }
            dispatcher.dispatch(Action::Started(request.kind));
            if post(&hired, &dispatcher, &request).is_err() {
                dispatcher.dispatch(Action::Ended(State::Failed(None)));
            }
        })
    };
    let cancel = {
        let dispatcher = sweep.dispatcher();
        Callback::from(move |()| {
            drop(hired.take());
            dispatcher.dispatch(Action::Ended(State::Cancelled));
        })
    };
    (sweep, start, cancel)
}

fn post(
    hired: &RefCell<Option<Hired>>,
    dispatcher: &UseReducerDispatcher<Sweep>,
    request: &Request,
) -> Result<(), JsValue> {
    let mut hired = hired.borrow_mut();
    if hired.is_none() {
        *hired = Some(hire(dispatcher)?);
    }
    let message = serde_wasm_bindgen::to_value(request)?;
    hired.as_ref().map_or(Ok(()), |hired| hired.worker.post_message(&message))
}

fn hire(dispatcher: &UseReducerDispatcher<Sweep>) -> Result<Hired, JsValue> {
    let worker = sweep_worker()?;
    let (telling, failing) = (dispatcher.clone(), dispatcher.clone());
    let _listeners = [
        EventListener::new(&worker, "message", move |event| {
            let data = event.unchecked_ref::<MessageEvent>().data();
            let message = serde_wasm_bindgen::from_value::<Message>(data);
            telling.dispatch(message.map_or(Action::Ended(State::Failed(None)), Action::Received));
        }),
        EventListener::new(&worker, "error", move |_| {
            failing.dispatch(Action::Ended(State::Failed(None)));
        }),
    ];
    Ok(Hired { worker, _listeners })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_goes_in_and_out_is_named_as_in_the_worker() {
        let [rtt, mss, seed] = ["20", "1460", "1"].map(str::to_owned);
        let request = Request { kind: Kind::Goodput, rtt, mss, seed };
        let sent = json!({"kind": "goodput", "rtt": "20", "mss": "1460", "seed": "1"});
        assert_eq!(serde_json::to_value(request).unwrap(), sent);
        let (header, message) = (String::from("loss"), String::from("rtt is 0"));
        for (said, expected) in [
            (json!({"begun": {"header": "loss", "runs": 9}}), Message::Begun { header, runs: 9 }),
            (json!({"progress": {"done": 3}}), Message::Progress { done: 3 }),
            (json!({"row": {"line": "0,1"}}), Message::Row { line: "0,1".into() }),
            (json!({"end": {"csv": "loss\n0,1\n"}}), Message::End {}),
            (json!({"error": {"message": "rtt is 0"}}), Message::Error { message }),
        ] {
            assert_eq!(serde_json::from_value::<Message>(said).unwrap(), expected);
        }
    }
}
