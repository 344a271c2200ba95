//! A server, its socket and a leg's socket as a model: whatever is lost, what is called certain is true.

use std::collections::HashSet;

use proptest::prelude::*;

use super::super::datagram_match::DatagramMatch;
use super::*;

const PATIENCE: Duration = Duration::from_secs(2);
/// Between two steps of the model.
const TICK: Duration = Duration::from_micros(10);
/// What the server takes for a datagram.
const SERVICE: Duration = Duration::from_micros(200);
/// Datagrams that the server's socket has room for.
const ROOM: usize = 8;
/// Replies that the leg's socket has room for.
const ROOM_FOR_REPLIES: usize = REPLIES_WITH_ROOM + 20;

/// What can happen.
#[derive(Debug, Clone)]
enum Step {
    /// The leg sends lines, all the same or each of its own.
    Send { lines: usize, same: bool },
    /// The server takes datagrams. Every so many, counted from 1, the system does not take its reply, or
    /// the leg misses its observation; 0 is never.
    Serve { datagrams: usize, unsent: usize, missed: usize },
    /// The leg reads replies, and what the server told.
    Read(usize),
    /// Time passes.
    Wait(Duration),
}

struct World {
    now: Instant,
    order: ReplyOrder,
    matching: DatagramMatch,
    lines: u32,
    server: VecDeque<(Line, u64)>,
    taken: u64,
    replies: u64,
    drained: Option<Instant>,
    /// What it has told, and whether that is missed if more is told.
    told: VecDeque<(Instant, Datagram, bool)>,
    socket: VecDeque<Line>,
    /// Which line each reply answered, by the reply's number.
    truth: Vec<Line>,
    /// The replies that an answer has named.
    named: HashSet<u64>,
    replied: HashSet<Line>,
    /// Every answer and every silence, and whether it was certain.
    answers: Vec<(Line, bool)>,
    silences: Vec<(Line, bool)>,
}

impl World {
    fn new() -> Self {
        Self {
            now: Instant::now(),
            order: ReplyOrder::new(PATIENCE, true),
            matching: DatagramMatch::new(PATIENCE),
            lines: 0,
            server: VecDeque::new(),
            taken: 0,
            replies: 0,
            drained: None,
            told: VecDeque::new(),
            socket: VecDeque::new(),
            truth: Vec::new(),
            named: HashSet::new(),
            replied: HashSet::new(),
            answers: Vec::new(),
            silences: Vec::new(),
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Send { lines, same } => (0..lines).for_each(|_| self.send(same)),
            Step::Serve { datagrams, unsent, missed } => self.serve(datagrams, unsent, missed),
            Step::Read(replies) => self.read(replies),
            Step::Wait(time) => self.now += time,
        }
    }

    fn send(&mut self, same: bool) {
        self.lines += 1;
        let line = Line { send: 1, number: self.lines };
        let digest = if same { 0 } else { self.lines.into() };
        let sent = self.now;
        self.now += TICK;
        if self.server.len() < ROOM {
            self.server.push_back((line, digest));
        }
        self.matching.sent(line, sent);
        self.order.sent(Some(line), digest, [sent, self.now]);
    }

    fn serve(&mut self, datagrams: usize, unsent: usize, missed: usize) {
        for at in 1..=datagrams {
            let Some((line, digest)) = self.server.pop_front() else {
                self.drained = Some(self.now);
                return;
            };
            self.now += SERVICE;
            let is_each = |every: usize| every > 0 && at.is_multiple_of(every);
            let (number, replies, drained) = (self.taken, self.replies, self.drained);
            self.taken += 1;
            let seen = Datagram { number, bytes: 1, digest, replies, drained };
            self.told.push_back((self.now, seen, is_each(missed)));
            if is_each(unsent) {
                continue;
            }
            self.replies += 1;
            if self.socket.len() < ROOM_FOR_REPLIES {
                self.socket.push_back(line);
            }
        }
    }

    fn read(&mut self, replies: usize) {
        for _ in 0..replies {
            self.now += TICK;
            let now = self.now;
            let reply = self.socket.pop_front();
            while let Some((at, seen, missed)) = self.told.pop_front() {
                if missed && !self.told.is_empty() {
                    continue;
                }
                self.order.observed(at, &seen).iter().for_each(|owner| self.answered(owner));
            }
            let Some(line) = reply else {
                self.order.emptied(now);
                return self.give_up();
            };
            let reply = Reply { number: self.truth.len() as u64, at: now };
            self.truth.push(line);
            self.replied.insert(line);
            if let Some(owner) = self.order.replied(reply) {
                self.answered(&owner);
            }
        }
    }

    fn answered(&mut self, owner: &Owner) {
        if let Some(answer) = self.matching.replied(owner) {
            let truth = self.truth[usize::try_from(answer.reply).unwrap()];
            assert!(!answer.certain || answer.line == truth, "{answer:?} is {truth:?}");
            assert!(self.named.insert(answer.reply), "the reply of {answer:?} has answered a line");
            self.answers.push((answer.line, answer.certain));
        }
    }

    fn give_up(&mut self) {
        let owners = self.order.give_up(self.now);
        owners.iter().for_each(|owner| self.answered(owner));
        for silence in self.matching.give_up(self.now) {
            let is_false = silence.certain && self.replied.contains(&silence.line);
            assert!(!is_false, "{silence:?}");
            self.silences.push((silence.line, silence.certain));
        }
    }

    /// Nothing is under way any more, for as long as a reply may take.
    fn settle(&mut self) {
        self.serve(usize::MAX, 0, 0);
        self.read(usize::MAX);
        self.now += PATIENCE;
        self.read(1);
    }

    /// The same line again and again, each after the one before; how many answers were certain.
    fn certain_of(&mut self, lines: usize) -> usize {
        let before = self.answers.len();
        for _ in 0..lines {
            self.step(&Step::Wait(Duration::from_secs(1)));
            self.read(1);
            self.send(true);
            self.serve(2, 0, 0);
            self.read(2);
        }
        self.answers[before..].iter().filter(|(_, certain)| *certain).count()
    }
}

fn step() -> impl Strategy<Value = Step> {
    let rarely = || prop_oneof![3 => Just(0_usize), 1 => 1_usize..9];
    prop_oneof![
        4 => (1_usize..20, any::<bool>()).prop_map(|(lines, same)| Step::Send { lines, same }),
        4 => (1_usize..20, rarely(), rarely())
            .prop_map(|(datagrams, unsent, missed)| Step::Serve { datagrams, unsent, missed }),
        3 => (1_usize..20).prop_map(Step::Read),
        1 => (0_u64..3_000).prop_map(|ms| Step::Wait(Duration::from_millis(ms))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_is_certain_is_true_whatever_is_lost(
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let mut world = World::new();
        steps.iter().for_each(|step| world.step(step));
        world.settle();
        // Two may be in doubt: only they show what was missed or lost last.
        prop_assert!(world.certain_of(6) >= 4, "{:?}", world.answers);
    }

    #[test]
    fn while_nothing_is_lost_all_is_certain(
        rounds in proptest::collection::vec((1_usize..=ROOM, any::<bool>(), 0_usize..9), 1..60),
    ) {
        let mut world = World::new();
        let mut lines = 0;
        for (count, same, pause) in rounds {
            world.step(&Step::Send { lines: count, same });
            world.step(&Step::Read(pause));
            world.step(&Step::Serve { datagrams: count + pause, unsent: 0, missed: 0 });
            world.step(&Step::Read(count));
            lines += count;
        }
        world.settle();
        prop_assert_eq!(world.answers.len(), lines);
        prop_assert!(world.answers.iter().all(|(_, certain)| *certain));
    }
}

#[test]
fn of_a_burst_that_overfills_the_server_exactly_the_lines_that_it_took_are_answered() {
    let mut world = World::new();
    world.step(&Step::Send { lines: ROOM + 3, same: false });
    world.step(&Step::Serve { datagrams: 3, unsent: 0, missed: 0 });
    world.step(&Step::Send { lines: 5, same: false });
    world.settle();
    let taken = (1..=8).chain(12..=14);
    let expected: Vec<_> = taken.map(|number| (Line { send: 1, number }, true)).collect();
    assert_eq!(world.answers, expected);
    let lost = (9..=11).chain(15..=16);
    let expected: Vec<_> = lost.map(|number| (Line { send: 1, number }, true)).collect();
    assert_eq!(world.silences, expected);
}

#[test]
fn of_equal_lines_that_overfill_the_server_none_is_certain_and_the_next_is() {
    let mut world = World::new();
    world.step(&Step::Send { lines: ROOM + 3, same: true });
    world.settle();
    assert_eq!((world.answers.len(), world.silences.len()), (ROOM, 3));
    assert!(world.answers.iter().chain(&world.silences).all(|(_, certain)| !certain));
    assert_eq!(world.certain_of(3), 3);
}

#[test]
fn equal_lines_are_certain_once_the_server_has_told_of_all() {
    let mut world = World::new();
    world.step(&Step::Send { lines: 3, same: true });
    world.step(&Step::Serve { datagrams: 2, unsent: 0, missed: 0 });
    world.step(&Step::Read(2));
    assert_eq!(world.answers, []);
    world.step(&Step::Serve { datagrams: 1, unsent: 0, missed: 0 });
    world.step(&Step::Read(1));
    let line = |number| (Line { send: 1, number }, true);
    assert_eq!(world.answers, [line(1), line(2), line(3)]);
}

#[test]
fn a_reply_that_was_held_up_belongs_to_its_own_line() {
    let mut world = World::new();
    world.step(&Step::Send { lines: 1, same: true });
    world.serve(1, 0, 0);
    let held_up = world.socket.pop_front().unwrap();
    world.now += Duration::from_millis(1_400);
    world.step(&Step::Send { lines: 1, same: true });
    world.read(1);
    world.socket.push_back(held_up);
    world.read(1);
    world.serve(1, 0, 0);
    world.read(1);
    let line = |number| (Line { send: 1, number }, true);
    assert_eq!(world.answers, [line(1), line(2)]);
}

#[test]
fn a_reply_that_the_system_did_not_take_leaves_its_line_alone_without_one() {
    let mut world = World::new();
    world.step(&Step::Send { lines: 3, same: true });
    world.serve(3, 2, 0);
    world.settle();
    let line = |number| (Line { send: 1, number }, true);
    assert_eq!((world.answers, world.silences), (vec![line(1), line(3)], vec![line(2)]));
}

#[test]
fn without_the_servers_account_an_answer_is_uncertain() {
    let mut world = World::new();
    world.step(&Step::Send { lines: 1, same: true });
    world.serve(1, 0, 0);
    world.told.clear();
    world.read(1);
    assert_eq!(world.answers, [(Line { send: 1, number: 1 }, false)]);
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut world = World::new();
    world.server = VecDeque::from(vec![(Line { send: 0, number: 0 }, 0); ROOM]);
    world.step(&Step::Send { lines: 5_000, same: true });
    world.now += PATIENCE;
    world.read(1);
    assert_eq!(world.order.sent.len(), REMEMBERED);
}
