//! The state of the whole page, and the facts that change it. Pure: no clock, no browser.

use std::rc::Rc;

use streamgram_protocol::{
    Capture, Captured, Data, Event, FaultyServer, Hello, LegId, Limits, Protocol, RawObservation,
    Scenario, Send, ServerMessage, Target,
};
use yew::Reducible;

use super::lane::{Books, Lane};
use super::log::Log;
use super::note::Note;
use super::notice::Notice;
use super::raw_clients::RawClients;
use super::room::{Room, RoomAct};
use super::run::Conditions;
use super::runs::Runs;

/// The WebSocket to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    Connecting,
    Connected,
    /// Gone; the next attempt comes after that many milliseconds.
    Lost {
        retry_ms: u32,
    },
}

/// Whether the server is there for the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absence {
    None,
    /// It cannot be reached.
    Away,
    /// It can be reached again, and no leg was opened since.
    Back,
}

/// The state of the page. Copies are cheap: what is large is shared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Page {
    pub(crate) link: Link,
    pub(crate) absence: Absence,
    pub(crate) hello: Option<Rc<Hello>>,
    pub(crate) tcp: Rc<Lane>,
    pub(crate) udp: Rc<Lane>,
    pub(crate) raw: Rc<RawClients>,
    pub(crate) log: Rc<Log>,
    pub(crate) runs: Rc<Runs>,
    pub(crate) notice: Option<Notice>,
    pub(crate) room: Rc<Room>,
    /// Since when the server has been out of reach, and when it was last tried again; both in Unix
    /// milliseconds of the browser, whose clock need not be the server's.
    lost: Option<(u64, u64)>,
}

/// What happened.
#[derive(Debug)]
pub(crate) enum Action {
    /// Messages of the session, in order.
    Received(Vec<ServerMessage>),
    /// The WebSocket is gone.
    Lost { at_ms: u64, retry_ms: u32 },
    /// The next attempt has begun.
    Retried { at_ms: u64 },
    /// The page asks for a leg.
    Opening(Protocol),
    /// The page asks for a run: a send, or several at once, which go over the same legs.
    Sending(Rc<Vec<Rc<Send>>>, Conditions),
    /// Something is to be said at the prompt, or no longer.
    Noticed(Option<Notice>),
    /// The transcript was cleared.
    Cleared,
    /// The page does something about its room.
    Room(RoomAct),
}

impl Page {
    pub(crate) fn new() -> Self {
        Self {
            link: Link::Connecting,
            absence: Absence::None,
            hello: None,
            tcp: Rc::new(Lane::new(Protocol::Tcp)),
            udp: Rc::new(Lane::new(Protocol::Udp)),
            raw: Rc::default(),
            log: Rc::default(),
            runs: Rc::default(),
            notice: None,
            room: Rc::default(),
            lost: None,
        }
    }

    /// A page that is to enter a room, or is in none.
    pub(crate) fn of_room(room: Room) -> Self {
        Self { room: Rc::new(room), ..Self::new() }
    }

    pub(crate) fn lane(&self, protocol: Protocol) -> &Rc<Lane> {
        match protocol {
            Protocol::Tcp => &self.tcp,
            Protocol::Udp => &self.udp,
        }
    }

    /// What was sent last, a send or several that went out at once; before any, the sample.
    pub(crate) fn last_sends(&self) -> Rc<Vec<Rc<Send>>> {
        let sample = || Rc::new(vec![Rc::new(sample())]);
        self.runs.latest().map_or_else(sample, |run| Rc::clone(&run.sends))
    }

    /// The server's limits; until it has said hello, those that servers have by default.
    pub(crate) fn limits(&self) -> Limits {
        self.hello.as_ref().map_or_else(Limits::default, |hello| hello.limits)
    }

    /// The servers whose replies go wrong on purpose.
    pub(crate) fn faults(&self) -> &[FaultyServer] {
        self.hello.as_ref().map_or(&[], |hello| &hello.faults)
    }

    /// Whether the server captures packets, if it has said so.
    pub(crate) fn capture(&self) -> Option<Capture> {
        self.hello.as_ref().map(|hello| hello.capture)
    }

    pub(crate) fn captures(&self) -> bool {
        self.capture() == Some(Capture::On)
    }

    fn lane_mut(&mut self, protocol: Protocol) -> &mut Lane {
        self.lane_and_books(protocol).0
    }

    fn lane_and_books(&mut self, protocol: Protocol) -> (&mut Lane, Books<'_>) {
        let lane = match protocol {
            Protocol::Tcp => &mut self.tcp,
            Protocol::Udp => &mut self.udp,
        };
        let (log, runs) = (Rc::make_mut(&mut self.log), Rc::make_mut(&mut self.runs));
        (Rc::make_mut(lane), Books { log, runs })
    }

    fn note(&mut self, protocol: Protocol, at_us: u64, note: Note) {
        let (lane, mut books) = self.lane_and_books(protocol);
        lane.note(&mut books, at_us, note);
    }

    fn apply(&mut self, message: ServerMessage) {
        let wall_us = self.hello.as_ref().map_or(0, |hello| hello.wall_ms * 1_000);
        let at_us = wall_us + message.at_us;
        match message.event {
            Event::Hello(hello) => self.greeted(hello),
            Event::Error(problem) if problem.message.as_deref() == Some("watch") => {
                Rc::make_mut(&mut self.raw).refused = Some(problem.detail);
            }
            Event::Error(problem) if problem.message.as_deref() == Some("room") => {
                Rc::make_mut(&mut self.room).refused(problem);
            }
            Event::Room(event) => Rc::make_mut(&mut self.room).apply(event),
            Event::Error(problem) => match problem.protocol {
                Some(protocol) => {
                    let (lane, books) = self.lane_and_books(protocol);
                    problem.id.into_iter().for_each(|id| lane.not_sent(books.runs, id));
                    self.note(protocol, at_us, Note::Error { detail: problem.detail });
                }
                None => self.notice = Some(Notice::Objection(problem.detail)),
            },
            Event::Missed { count } => self.notice = Some(Notice::Missed(count)),
            Event::CaptureMissed { count } => {
                for protocol in Protocol::BOTH {
                    let (lane, books) = self.lane_and_books(protocol);
                    lane.packets_unclaimed(books.runs, count);
                }
                Rc::make_mut(&mut self.raw).packets_unclaimed(count);
            }
            Event::Raw(mut raw) => {
                if let RawObservation::Packet(packet) = &mut raw.observation {
                    date(packet, wall_us);
                }
                Rc::make_mut(&mut self.raw).apply(at_us, raw);
            }
            Event::RawMissed { count } => Rc::make_mut(&mut self.raw).missed += count,
            event => {
                let Some(LegId { protocol, number }) = message.leg else { return };
                let (lane, mut books) = self.lane_and_books(protocol);
                match event {
                    Event::Packet(mut packet) => {
                        // Like the rows, so that what two sessions told stands in one order.
                        let times = [&mut packet.arrives_us, &mut packet.copy_arrives_us];
                        times.into_iter().flatten().for_each(|time| *time += wall_us);
                        lane.packet(books.runs, number, at_us, packet);
                    }
                    Event::Captured(mut packet) => {
                        date(&mut packet, wall_us);
                        lane.captured(books.runs, number, at_us, *packet);
                    }
                    event => lane.apply(&mut books, at_us, number, &event),
                }
            }
        }
    }

    fn greeted(&mut self, hello: Hello) {
        self.link = Link::Connected;
        self.absence = if self.hello.is_some() { Absence::Back } else { Absence::None };
        if let Some((since, tried)) = self.lost.take() {
            let away_us = tried.saturating_sub(since).saturating_mul(1_000);
            for protocol in Protocol::BOTH {
                self.note(protocol, hello.wall_ms * 1_000, Note::Gap { away_us });
            }
        }
        Rc::make_mut(&mut self.raw).session_began(&hello.faults);
        self.hello = Some(Rc::new(hello));
    }

    fn lost(&mut self, at_ms: u64, retry_ms: u32) {
        if self.link == Link::Connected {
            self.lost = Some((at_ms, at_ms));
            for protocol in Protocol::BOTH {
                let (lane, mut books) = self.lane_and_books(protocol);
                lane.session_ended(&mut books, at_ms * 1_000);
            }
            Rc::make_mut(&mut self.runs).session_ended();
            Rc::make_mut(&mut self.raw).session_ended();
            Rc::make_mut(&mut self.room).session_ended();
        }
        self.link = Link::Lost { retry_ms };
        self.absence = Absence::Away;
    }
}

impl Reducible for Page {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let mut page = Rc::unwrap_or_clone(self);
        match action {
            Action::Received(messages) => {
                messages.into_iter().for_each(|message| page.apply(message))
            }
            Action::Lost { at_ms, retry_ms } => page.lost(at_ms, retry_ms),
            Action::Retried { at_ms } => {
                page.link = Link::Connecting;
                page.lost = page.lost.map(|(since, _)| (since, at_ms));
            }
            Action::Opening(protocol) => {
                // Why a session ended stays: its legs are opened anew before anybody could read that.
                page.notice = page.notice.filter(|notice| notice.opens() != Some(protocol));
                page.absence = Absence::None;
                page.lane_mut(protocol).opening();
            }
            Action::Sending(sends, conditions) => {
                page.notice = None;
                let to = sends.first().map_or(&[][..], |send| send.to.protocols());
                let legs = to.iter().filter_map(|it| page.lane_mut(*it).sending(&sends));
                let legs: Vec<_> = legs.collect();
                let conditions = Conditions { capture: page.capture(), ..conditions };
                let run = Rc::make_mut(&mut page.runs).begin(sends, conditions, legs);
                for protocol in to {
                    let leg = page.lane(*protocol).leg;
                    Rc::make_mut(&mut page.log).belong(*protocol, leg, run);
                }
            }
            Action::Noticed(notice) => page.notice = notice,
            Action::Cleared => Rc::make_mut(&mut page.log).clear(),
            Action::Room(act) => Rc::make_mut(&mut page.room).act(act),
        }
        Rc::new(page)
    }
}

/// Gives a captured packet the wall's time.
fn date(packet: &mut Captured, wall_us: u64) {
    let times = [&mut packet.left_us, &mut packet.came_us];
    times.into_iter().flatten().for_each(|time| *time += wall_us);
}

/// What Enter would send on a new page.
fn sample() -> Send {
    Send::new(0, Target::Both, Data::Text(Scenario::default().text))
}

#[cfg(test)]
pub(crate) mod tests {
    use streamgram_protocol::{Code, End, Feed, Path, Problem};

    use super::*;
    use crate::i18n::language::Language;
    use crate::session::lane::LegState;
    use crate::session::leg_run::LegRun;
    use crate::session::leg_run::tests::{ANSWERED, sent};
    use crate::session::row::Content;
    use crate::session::trace::tests::segment;

    pub(crate) fn hello(wall_ms: u64) -> ServerMessage {
        let hello = Hello { wall_ms, ..hello_of_a_server() };
        ServerMessage { at_us: 0, leg: None, event: Event::Hello(hello) }
    }

    pub(crate) fn hello_of_a_server() -> Hello {
        let (tcp, udp) = ("127.0.0.1:25677".into(), "127.0.0.1:23135".into());
        let (version, feed) = ("0".into(), Feed::Own);
        let limits = Limits::default();
        Hello {
            version,
            wall_ms: 0,
            tcp,
            udp,
            feed,
            capture: Capture::On,
            faults: Vec::new(),
            lan: None,
            limits,
        }
    }

    /// A page with so many runs.
    pub(crate) fn with_runs(runs: usize) -> Page {
        with_legs((0..runs).map(|_| sent(Protocol::Tcp, &[(5, ANSWERED)])))
    }

    /// A page with a run for each of these.
    pub(crate) fn with_legs(legs: impl IntoIterator<Item = LegRun>) -> Page {
        let mut page = Page::new();
        for leg in legs {
            let runs = Rc::make_mut(&mut page.runs);
            runs.begin(Rc::default(), Conditions::default(), [leg]);
        }
        page
    }

    /// The page asks for a line over both.
    fn sending(id: u64) -> Action {
        let send = Rc::new(Send { id, ..sample() });
        Action::Sending(Rc::new(vec![send]), Conditions::default())
    }

    fn after(actions: impl IntoIterator<Item = Action>) -> Rc<Page> {
        actions.into_iter().fold(Rc::new(Page::new()), |page, action| page.reduce(action))
    }

    fn error(detail: &str, message: Option<&str>, protocol: Option<Protocol>) -> Action {
        let (code, detail, message) = (Code::NotOpen, detail.into(), message.map(str::to_owned));
        let event =
            Event::Error(Problem { code, detail, message, field: None, id: None, protocol });
        Action::Received(vec![ServerMessage { at_us: 0, leg: None, event }])
    }

    fn last_note(page: &Page) -> Note {
        match &page.log.rows().next_back().unwrap().content {
            Content::Note(note) => note.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_gap_says_how_long_it_was_and_that_nothing_was_resent() {
        let page = after([
            Action::Received(vec![hello(1_000)]),
            Action::Lost { at_ms: 5_000, retry_ms: 500 },
            Action::Lost { at_ms: 6_000, retry_ms: 900 },
            Action::Retried { at_ms: 8_200 },
            // The server's clock is an hour ahead; that is not part of the gap.
            Action::Received(vec![hello(3_608_200)]),
        ]);
        assert_eq!((page.link, page.absence), (Link::Connected, Absence::Back));
        let opened = Rc::clone(&page).reduce(Action::Opening(Protocol::Udp));
        assert_eq!(opened.absence, Absence::None);
        assert_eq!(last_note(&page), Note::Gap { away_us: 3_200_000 });
        assert!(last_note(&page).text(Language::En).contains("3.20 s; nothing was sent again"));
        assert_eq!(page.tcp.state, LegState::None);
    }

    #[test]
    fn a_first_attempt_that_fails_is_no_gap() {
        let page = after([
            Action::Lost { at_ms: 5_000, retry_ms: 500 },
            Action::Received(vec![hello(8_200)]),
        ]);
        assert_eq!(page.absence, Absence::None);
        assert_eq!(page.log.len(), 0);
    }

    #[test]
    fn a_leg_that_opens_takes_with_it_only_the_wish_for_it() {
        let closed = |protocol| Notice::NotOpen { protocol, can_open: true };
        let opened_after = |notice| {
            after([Action::Noticed(Some(notice)), Action::Opening(Protocol::Tcp)]).notice.clone()
        };
        assert_eq!(opened_after(closed(Protocol::Tcp)), None);
        for other in [Notice::Away, closed(Protocol::Udp)] {
            assert_eq!(opened_after(other.clone()), Some(other));
        }
    }

    #[test]
    fn packets_have_the_wall_s_time_and_those_of_the_next_session_are_taken_in() {
        let packet = |leg| {
            let packet = segment(End::Client, 0, 7, false).packet;
            let leg = Some(LegId { protocol: Protocol::Tcp, number: leg });
            ServerMessage { at_us: 7, leg, event: Event::Packet(packet) }
        };
        let leg = Some(LegId { protocol: Protocol::Tcp, number: 1 });
        let (local, peer, path) = (String::new(), String::new(), Path::Emulated);
        let event = Event::Opened { path, local, peer, handshake_us: None, nodelay: None };
        let opened = ServerMessage { at_us: 9, leg, event };
        let page = after([
            Action::Received(vec![hello(1_000), packet(3)]),
            Action::Lost { at_ms: 5_000, retry_ms: 500 },
            Action::Received(vec![hello(9_000), packet(1), opened]),
        ]);
        let page = page.reduce(sending(7));
        let sent = &page.runs.latest().unwrap().tcp.as_ref().unwrap().trace.packets[0];
        assert_eq!((sent.at_us, sent.packet.arrives_us), (9_000_007, Some(9_020_007)));
    }

    #[test]
    fn how_a_leg_was_opened_belongs_to_its_first_run_and_how_a_session_ended_to_the_latest() {
        let leg = Some(LegId { protocol: Protocol::Tcp, number: 1 });
        let (local, peer, path) = (String::new(), String::new(), Path::Direct);
        let event = Event::Opened { path, local, peer, handshake_us: None, nodelay: None };
        let opened = ServerMessage { at_us: 9, leg, event };
        let page = after([
            Action::Received(vec![hello(1_000), opened.clone()]),
            sending(1),
            sending(2),
            Action::Lost { at_ms: 5_000, retry_ms: 500 },
            // Legs of the next session have the same numbers.
            Action::Received(vec![hello(9_000), opened]),
            sending(3),
        ]);
        let rows = page.log.rows().filter(|row| row.protocol == Protocol::Tcp);
        // Opened; ended; the gap; opened.
        assert_eq!(rows.map(|row| row.run).collect::<Vec<_>>(), [1, 2, 2, 3]);
    }

    #[test]
    fn who_may_not_watch_is_told_beside_the_raw_clients() {
        let page = after([error("256 sessions watch", Some("watch"), None)]);
        assert_eq!(page.notice, None);
        assert_eq!(page.raw.refused.as_deref(), Some("256 sessions watch"));
    }

    #[test]
    fn an_error_stands_in_its_lane_or_at_the_prompt() {
        let detail = "TCP is not open".to_owned();
        let in_lane = after([error(&detail, None, Some(Protocol::Tcp))]);
        assert_eq!(last_note(&in_lane), Note::Error { detail: detail.clone() });
        let at_prompt = after([error(&detail, None, None)]);
        assert_eq!(at_prompt.notice, Some(Notice::Objection(detail)));
    }
}
