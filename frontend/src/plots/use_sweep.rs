//! The worker of the sweep: the only file that knows it. `static/sweep.js` says what goes in and out.

use std::cell::RefCell;
use std::rc::Rc;

use gloo_events::EventListener;
use js_sys::{Function, Object, Reflect, global};
use streamgram_lab::sweep::Kind;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MessageEvent, Worker};
use yew::prelude::*;

use super::sweep::{Action, State, Sweep};

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

/// What a sweep is asked for: settings as names and texts.
pub(crate) type Asked = (Kind, Vec<(&'static str, String)>);

/// The sweep, what starts one, and what cancels it.
#[hook]
pub(crate) fn use_sweep() -> (UseReducerHandle<Sweep>, Callback<Asked>, Callback<()>) {
    let sweep = use_reducer(|| Sweep::new(Kind::Goodput, State::None));
    // Kept after a sweep: the next one works while the server is away.
    let hired = use_mut_ref(|| None::<Hired>);
    let start = {
        let (dispatcher, hired) = (sweep.dispatcher(), Rc::clone(&hired));
        let has_failed = sweep.state == State::Failed(None);
        Callback::from(move |asked: Asked| {
            if has_failed {
                drop(hired.take());
            }
            dispatcher.dispatch(Action::Started(asked.0));
            if ask(&hired, &dispatcher, asked).is_err() {
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

fn ask(
    hired: &Rc<RefCell<Option<Hired>>>,
    dispatcher: &UseReducerDispatcher<Sweep>,
    (kind, settings): Asked,
) -> Result<(), JsValue> {
    let message = Object::new();
    for (name, text) in settings.into_iter().chain([("kind", kind.name().to_owned())]) {
        Reflect::set(&message, &name.into(), &text.into())?;
    }
    let mut hired = hired.borrow_mut();
    if hired.is_none() {
        *hired = Some(hire(dispatcher)?);
    }
    hired.as_ref().map_or(Ok(()), |hired| hired.worker.post_message(&message))
}

/// Loads the worker, by what the page's start has left for that; Trusted Types allow no other way.
fn hire(dispatcher: &UseReducerDispatcher<Sweep>) -> Result<Hired, JsValue> {
    let start: Function = Reflect::get(&global(), &"sweepWorker".into())?.dyn_into()?;
    let worker: Worker = start.call0(&JsValue::NULL)?.dyn_into()?;
    let (telling, failing) = (dispatcher.clone(), dispatcher.clone());
    let _listeners = [
        EventListener::new(&worker, "message", move |event| {
            if let Some(action) = told(&event.unchecked_ref::<MessageEvent>().data()) {
                telling.dispatch(action);
            }
        }),
        EventListener::new(&worker, "error", move |_| {
            failing.dispatch(Action::Ended(State::Failed(None)));
        }),
    ];
    Ok(Hired { worker, _listeners })
}

fn told(message: &JsValue) -> Option<Action> {
    let field = |name: &str| Reflect::get(message, &name.into()).ok();
    let text = |name| field(name)?.as_string();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "runs are counted, in whole numbers"
    )]
    let count = |name| field(name)?.as_f64().map(|count| count as u64);
    Some(match text("type")?.as_str() {
        "begun" => Action::Begun { header: text("header")?, runs: count("runs")? },
        "progress" => Action::Progress { done: count("done")? },
        "row" => Action::Row { line: text("line")? },
        "end" => Action::Ended(State::Done),
        _ => Action::Ended(State::Failed(text("message"))),
    })
}
