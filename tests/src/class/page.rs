//! What a member's page knows of its room, folded from what it was told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use streamgram_protocol::room::{
    Entered, Join, LeftCause, Outcome, Ran, RoomCode, RoomEvent, RoomRequest, RoomState, Stage,
    StoreState, Vote,
};
use streamgram_protocol::{Event, Problem, ServerMessage};

/// The clock of all pages, by which a later change has the higher number.
static CLOCK: AtomicU64 = AtomicU64::new(1_796_040_000_000);

/// What a member answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A choice, from 0.
    Choice(u8),
    /// What came of a run.
    Outcome(Outcome),
}

/// What an answer is counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The vote before.
    Before,
    /// The vote after.
    After,
    /// The outcome of a run.
    Ran,
}

/// What a member has answered at a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The step's id.
    pub step: String,
    /// As what it counts.
    pub field: Field,
    /// When, by the clock of all pages.
    pub edit: u64,
    /// What.
    pub what: What,
}

/// How the class stood when a member was told so first.
#[derive(Debug, Clone, Copy)]
pub struct Reached {
    /// Which step.
    pub number: u32,
    /// What was asked.
    pub stage: Stage,
    /// When the frame was there.
    pub at: Instant,
}

/// What a member's page knows.
#[derive(Debug, Default)]
pub struct Page {
    /// Whether it has no connection and wants none.
    pub is_asleep: bool,
    /// How often it has had a connection.
    pub connections: u32,
    /// Whether it is in the room, and was told over this connection how that stands.
    pub is_in: bool,
    /// Who it is.
    pub entered: Option<Entered>,
    /// The room's key, if it has it.
    pub key: Option<String>,
    /// How the room stands.
    pub state: Option<RoomState>,
    /// Why it is in no room any more.
    pub left: Option<LeftCause>,
    /// What was refused, in order.
    pub problems: Vec<Problem>,
    /// Every stage of every step that it was told, in order.
    pub reached: Vec<Reached>,
    /// Who keeps the room, whenever that has changed, in order.
    pub stores: Vec<StoreState>,
    /// Answers that were counted, oldest first.
    counted: Vec<Answer>,
    /// Answers at the present step that are not counted yet, oldest first.
    pub waiting: Vec<Answer>,
    /// The last step that it was told over this connection, by its number.
    last: u32,
    /// Whether it was told of an older step than before over the same connection.
    pub went_back: bool,
    /// Whether those are still to be sent over this connection.
    owes: bool,
}

impl Answer {
    /// The message that gives it.
    #[must_use]
    pub fn request(&self) -> RoomRequest {
        let Self { step, field, edit, what } = self.clone();
        match what {
            What::Choice(choice) => {
                let stage = if field == Field::After { Stage::Again } else { Stage::Predict };
                RoomRequest::Vote(Vote { step, stage, choice, edit })
            }
            What::Outcome(outcome) => RoomRequest::Ran(Ran { step, outcome, edit }),
        }
    }
}

impl Page {
    /// The page of someone who has a link, or who was here before.
    #[must_use]
    pub fn of(code: RoomCode, member: Option<String>, key: Option<String>) -> Self {
        let entered = member.map(|member| Entered {
            code,
            member,
            teaches: key.is_some(),
            key: None,
            own: Default::default(),
        });
        Self { entered, key, ..Self::default() }
    }

    /// What the class is asked now.
    #[must_use]
    pub fn stage(&self) -> Option<Stage> {
        Some(self.state.as_ref()?.step.as_ref()?.stage)
    }

    /// The present step's number, from 1.
    #[must_use]
    pub fn number(&self) -> Option<u32> {
        Some(self.state.as_ref()?.step.as_ref()?.number)
    }

    /// The present step's id.
    #[must_use]
    pub fn step(&self) -> Option<&str> {
        Some(&self.state.as_ref()?.step.as_ref()?.id)
    }

    /// The newest answers at the present step that were counted.
    #[must_use]
    pub fn kept(&self) -> BTreeMap<Field, Answer> {
        let here = self.counted.iter().filter(|answer| Some(answer.step.as_str()) == self.step());
        here.map(|answer| (answer.field, answer.clone())).collect()
    }

    /// A connection begins: nothing was entered over it yet.
    pub(super) fn connected(&mut self) {
        self.connections += 1;
        (self.is_in, self.owes, self.last) = (false, true, 0);
    }

    /// What it asks for to get into this room, again or for the first time.
    pub(super) fn join(&self, code: RoomCode) -> RoomRequest {
        let member = self.entered.as_ref().map(|entered| entered.member.clone());
        RoomRequest::Join(Join { code, member, key: self.key.clone() })
    }

    /// Answers at the present step; nothing, if the class is nowhere.
    pub(super) fn answer(&mut self, what: What) -> Option<Answer> {
        let (step, stage) = (self.step()?.to_owned(), self.stage()?);
        let field = field_at(stage, &what);
        let edit = CLOCK.fetch_add(1, Ordering::Relaxed);
        let answer = Answer { step, field, edit, what };
        self.waiting.push(answer.clone());
        Some(answer)
    }

    /// Takes in what came, and returns what is to be sent on that.
    pub(super) fn told(&mut self, message: ServerMessage, at: Instant) -> Vec<Answer> {
        match message.event {
            Event::Room(RoomEvent::Entered(entered)) => self.enter(entered),
            Event::Room(RoomEvent::State(state)) => return self.stand(*state, at),
            Event::Room(RoomEvent::Counted { step, edit }) => self.count(&step, edit),
            Event::Room(RoomEvent::Left { cause }) => {
                (self.is_in, self.left) = (false, Some(cause));
            }
            Event::Error(problem) => self.problems.push(problem),
            _ => {}
        }
        Vec::new()
    }

    fn enter(&mut self, entered: Entered) {
        self.key = entered.key.clone().or(self.key.take());
        (self.left, self.entered) = (None, Some(entered));
    }

    fn stand(&mut self, state: RoomState, at: Instant) -> Vec<Answer> {
        if let Some(step) = &state.step {
            self.went_back |= step.number < self.last;
            self.last = step.number;
            self.waiting.retain(|answer| answer.step == step.id);
            let now = (step.number, step.stage);
            if self.reached.last().is_none_or(|last| (last.number, last.stage) != now) {
                self.reached.push(Reached { number: now.0, stage: now.1, at });
            }
        }
        if self.stores.last() != Some(&state.store) {
            self.stores.push(state.store);
        }
        (self.is_in, self.state) = (true, Some(state));
        if std::mem::take(&mut self.owes) { self.owed() } else { Vec::new() }
    }

    /// What nobody has counted is sent again, where it still means what it meant.
    fn owed(&mut self) -> Vec<Answer> {
        let stage = self.stage();
        let mut newest = BTreeMap::new();
        for answer in self.waiting.drain(..) {
            if stage.is_some_and(|stage| field_at(stage, &answer.what) == answer.field) {
                newest.insert(answer.field, answer);
            }
        }
        self.waiting.extend(newest.into_values());
        self.waiting.clone()
    }

    fn count(&mut self, step: &str, edit: u64) {
        let is_counted = |answer: &Answer| answer.step == step && answer.edit <= edit;
        let (counted, waiting) = self.waiting.drain(..).partition::<Vec<_>, _>(is_counted);
        self.waiting = waiting;
        self.counted.extend(counted);
    }
}

fn field_at(stage: Stage, what: &What) -> Field {
    match (what, stage) {
        (What::Outcome(_), _) => Field::Ran,
        (What::Choice(_), Stage::Again) => Field::After,
        (What::Choice(_), Stage::Look | Stage::Predict | Stage::Reveal) => Field::Before,
    }
}
