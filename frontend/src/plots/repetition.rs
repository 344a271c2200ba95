//! A burst that is repeated: one run after the other, each once the one before is settled, and how many
//! reads of the server each of them took.

use std::rc::Rc;

use streamgram_protocol::{Protocol, Send};
use yew::prelude::*;

use crate::prompt::draft::allowed;
use crate::session::notice::Notice;
use crate::session::page::Page;

/// Runs of a repetition; it ends with the last.
pub(crate) const RUNS: usize = 50;

/// A repetition, under way or over.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Repetition {
    pub(crate) send: Rc<Send>,
    /// Reads of TCP's server and datagrams of UDP's, for each run that is settled.
    pub(crate) reads: Vec<[Option<u64>; 2]>,
    pub(crate) state: State,
}

/// How it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum State {
    /// A run is to go out.
    Due,
    /// The run with this id is to be settled.
    Running(u64),
    Done,
    Cancelled,
    /// Lines of a run were stopped or refused, or another send came between.
    Disturbed,
    /// Another run may not go out.
    Refused(Notice),
}

impl Repetition {
    pub(crate) fn of(send: Rc<Send>) -> Self {
        Self { send, reads: Vec::new(), state: State::Due }
    }

    pub(crate) fn is_running(&self) -> bool {
        matches!(self.state, State::Due | State::Running(_))
    }

    /// The same, ended or about to begin a run.
    pub(crate) fn with(&self, state: State) -> Self {
        Self { state, ..self.clone() }
    }

    /// What has become of it, if anything has.
    pub(crate) fn next(&self, page: &Page) -> Option<Self> {
        let State::Running(run) = self.state else { return None };
        if let Err(notice) = allowed(page, &self.send) {
            return Some(self.with(State::Refused(notice)));
        }
        // The page may not yet show what has just been asked for.
        let own = page.runs.of_send(run)?;
        if page.runs.latest().is_some_and(|latest| latest.number > own.number) {
            return Some(self.with(State::Disturbed));
        }
        if own.is_open() {
            return None;
        }
        if own.legs().any(|leg| (leg.lines.len() as u64) < leg.of.into()) {
            return Some(self.with(State::Disturbed));
        }
        let reads = [&own.tcp, &own.udp].map(|leg| {
            let leg = leg.as_ref().filter(|leg| leg.left_out == 0)?;
            Some(match leg.protocol {
                Protocol::Tcp => leg.own_reads().count() as u64,
                Protocol::Udp => leg.reads.len() as u64,
            })
        });
        let mut next = self.with(State::Due);
        next.reads.push(reads);
        if next.reads.len() == RUNS {
            next.state = State::Done;
        }
        Some(next)
    }
}

/// Sends the same again with a new id, which comes back.
pub(crate) type OnAgain = Callback<Rc<Send>, Result<u64, Notice>>;

/// The latest repetition, and how to begin another or end this one.
#[hook]
pub(crate) fn use_repetition(
    page: &Rc<Page>,
    on_again: OnAgain,
) -> UseStateHandle<Option<Repetition>> {
    let repetition = use_state_eq(|| None::<Repetition>);
    use_effect({
        let (repetition, page) = (repetition.clone(), Rc::clone(page));
        move || {
            let Some(current) = repetition.as_ref().filter(|it| it.is_running()) else { return };
            let next = current.next(&page).unwrap_or_else(|| current.clone());
            repetition.set(Some(match next.state {
                State::Due => {
                    let gone_out = on_again.emit(Rc::clone(&next.send));
                    next.with(gone_out.map_or_else(State::Refused, State::Running))
                }
                _ => next,
            }));
        }
    });
    repetition
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::{Data, Event, LegId, Path, ServerMessage, Target};

    use super::*;
    use crate::session::page::Action;
    use crate::session::page::tests::hello;
    use crate::session::run::Conditions;

    const LEG: LegId = LegId { protocol: Protocol::Udp, number: 1 };

    fn received(page: Rc<Page>, events: Vec<Event>) -> Rc<Page> {
        let message = |event| ServerMessage { at_us: 0, leg: Some(LEG), event };
        page.reduce(Action::Received(events.into_iter().map(message).collect()))
    }

    fn opened() -> Rc<Page> {
        let page = Rc::new(Page::new()).reduce(Action::Received(vec![hello(0)]));
        let (local, peer) = (String::new(), String::new());
        let (path, handshake_us) = (Path::Direct, None);
        received(page, vec![Event::Opened { path, local, peer, handshake_us, nodelay: None }])
    }

    fn send(id: u64) -> Rc<Send> {
        let data = Data::Text("x".into());
        Rc::new(Send { count: 2, ..Send::new(id, Target::Udp, data) })
    }

    fn asked(page: Rc<Page>, id: u64) -> Rc<Page> {
        page.reduce(Action::Sending(Rc::new(vec![send(id)]), Conditions::default()))
    }

    fn line(id: u64, line: u32) -> Vec<Event> {
        vec![
            Event::Sent { id, line, offset: 0, bytes: 1, done_us: 0 },
            Event::ServerDatagram { number: 0, bytes: 1, kept: 1 },
            Event::Answered { id, line, reply: 0, rtt_us: 1, late: false, certain: true },
        ]
    }

    fn finished(id: u64, lines: u32) -> Event {
        Event::Finished { id, lines, of: 2 }
    }

    fn running(run: u64) -> Repetition {
        Repetition::of(send(0)).with(State::Running(run))
    }

    #[test]
    fn a_run_is_counted_once_it_is_settled() {
        let page = received(asked(opened(), 7), line(7, 1));
        assert_eq!(running(7).next(&page), None);
        let page = received(page, [line(7, 2), vec![finished(7, 2)]].concat());
        let next = running(7).next(&page).unwrap();
        assert_eq!((next.state, next.reads), (State::Due, vec![[None, Some(2)]]));
        // The page does not know of the next run yet.
        assert_eq!(running(8).next(&page), None);
    }

    #[test]
    fn the_last_run_ends_it() {
        let page =
            received(asked(opened(), 7), [line(7, 1), line(7, 2), vec![finished(7, 2)]].concat());
        let almost = Repetition { reads: vec![[None; 2]; RUNS - 1], ..running(7) };
        let next = almost.next(&page).unwrap();
        assert_eq!((next.state.clone(), next.reads.len()), (State::Done, RUNS));
        assert_eq!(next.next(&page), None);
    }

    #[test]
    fn another_send_or_one_that_was_stopped_ends_it() {
        let page = asked(asked(opened(), 7), 8);
        assert_eq!(running(7).next(&page).unwrap().state, State::Disturbed);
        let page = received(asked(opened(), 7), [line(7, 1), vec![finished(7, 1)]].concat());
        assert_eq!(running(7).next(&page).unwrap().state, State::Disturbed);
    }

    #[test]
    fn a_leg_or_a_session_that_goes_ends_it_and_is_named() {
        let page = asked(opened(), 7);
        let gone = Rc::clone(&page).reduce(Action::Lost { at_ms: 0, retry_ms: 1 });
        assert_eq!(running(7).next(&gone).unwrap().state, State::Refused(Notice::Away));
        let page = received(page, vec![Event::HalfClosed {}]);
        let closed = Notice::NotOpen { protocol: Protocol::Udp, can_open: false };
        assert_eq!(running(7).next(&page).unwrap().state, State::Refused(closed));
    }
}
