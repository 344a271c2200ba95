//! The page's part in a room: who it is there, how the room stands, and why it is in none. Pure.

mod answers;
mod steps;

use streamgram_protocol::room::{
    Entered, Join, LeftCause, Outcome, Own, RoomCode, RoomEvent, RoomRequest, RoomState, Stage,
    Step,
};
use streamgram_protocol::{Code, Problem};

pub(crate) use self::answers::{Answer, Answers};
pub(crate) use self::steps::{SeenStep, Steps};

/// The page's part in a room, through lost connections.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Room {
    pub(crate) standing: Standing,
    /// The steps of its class; they stay when the room has ended.
    pub(crate) steps: Steps,
    /// Whose steps these are.
    code: Option<RoomCode>,
    /// How often the store could not say whether the room is there.
    pub(crate) delayed: u32,
}

/// Whether the page is in a room.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Standing {
    /// In none, and why not any more, or not at all.
    Out(Option<Why>),
    /// It is to open one.
    Opening,
    /// It is to enter one.
    Entering(Join),
    In(Box<Member>),
}

impl Default for Standing {
    fn default() -> Self {
        Self::Out(None)
    }
}

/// Why the page is in no room.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Why {
    Left(LeftCause),
    /// A link to a room names none.
    BadLink,
    /// The server refused, with the words it had for that. What was to be entered, if that was it.
    Refused {
        code: Code,
        detail: String,
        join: Option<Join>,
    },
}

/// Who the page is in its room, and how that stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    /// What brings it back.
    pub(crate) join: Join,
    pub(crate) teaches: bool,
    /// This session is in the room.
    pub(crate) is_here: bool,
    /// The newest that was told, also by a session before.
    pub(crate) state: Option<RoomState>,
    /// What it answered at the present step.
    pub(crate) answers: Answers,
    /// What the server did not do last, in its words.
    pub(crate) refused: Option<(Code, String)>,
    /// This session was told how the room stands.
    is_told: bool,
    /// What the server knew of its votes when it entered.
    own: Own,
}

/// What the page itself does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RoomAct {
    Open,
    Enter(Join),
    /// A link that was opened leads to no room.
    MetBadLink,
    /// It goes, or no longer wants to know why it is in none.
    Leave,
    /// It asks for something else: what was refused before is done with.
    Ask,
    Vote {
        choice: u8,
        now_ms: u64,
    },
    /// A run at this step is over.
    Ran {
        step: String,
        outcome: Outcome,
        now_ms: u64,
    },
}

impl Room {
    /// A page that is to enter a room from the start.
    pub(crate) fn entering(join: Option<Join>) -> Self {
        Self { standing: join.map(Standing::Entering).unwrap_or_default(), ..Self::default() }
    }

    pub(crate) fn member(&self) -> Option<&Member> {
        if let Standing::In(member) = &self.standing { Some(member) } else { None }
    }

    fn member_mut(&mut self) -> Option<&mut Member> {
        if let Standing::In(member) = &mut self.standing { Some(member) } else { None }
    }

    /// What has to be asked for once there is a connection.
    pub(crate) fn asks(&self) -> Option<RoomRequest> {
        match &self.standing {
            Standing::Opening => Some(RoomRequest::Open {}),
            Standing::Entering(join) => Some(RoomRequest::Join(join.clone())),
            Standing::In(member) if !member.is_here => Some(RoomRequest::Join(member.join.clone())),
            Standing::In(_) | Standing::Out(_) => None,
        }
    }

    /// What brings the page back after a reload.
    pub(crate) fn join(&self) -> Option<&Join> {
        match &self.standing {
            Standing::Entering(join) => Some(join),
            Standing::In(member) => Some(&member.join),
            Standing::Out(Some(Why::Refused {
                code: Code::RoomFull | Code::OverLimit,
                join,
                ..
            })) => join.as_ref(),
            Standing::Opening | Standing::Out(_) => None,
        }
    }

    /// The page does something.
    pub(crate) fn act(&mut self, act: RoomAct) {
        match act {
            RoomAct::Open => self.standing = Standing::Opening,
            RoomAct::Enter(join) => self.standing = Standing::Entering(join),
            RoomAct::MetBadLink => self.standing = Standing::Out(Some(Why::BadLink)),
            RoomAct::Leave => {
                let was_in = self.member().is_some();
                let why = was_in.then_some(Why::Left(LeftCause::Left));
                self.standing = Standing::Out(why);
            }
            RoomAct::Ask => self.member_mut().into_iter().for_each(|member| member.refused = None),
            RoomAct::Vote { choice, now_ms } => {
                if let Some(member) = self.member_mut() {
                    member.refused = None;
                    member.answers.voted(member.stage(), choice, now_ms);
                }
            }
            RoomAct::Ran { step, outcome, now_ms } => {
                if let Some(member) = self.member_mut().filter(|member| member.answers.step == step)
                {
                    member.answers.ran(outcome, now_ms);
                }
            }
        }
        self.settle();
    }

    /// The server told something.
    pub(super) fn apply(&mut self, event: RoomEvent) {
        match event {
            RoomEvent::Entered(entered) => self.entered(entered),
            RoomEvent::State(state) => {
                if let Some(member) = self.member_mut() {
                    member.told(*state);
                }
            }
            RoomEvent::Counted { step, edit } => {
                if let Some(member) = self.member_mut().filter(|member| member.answers.step == step)
                {
                    member.answers.counted(edit);
                }
            }
            // Who is about to enter another one leaves this one for it.
            RoomEvent::Left { cause } => {
                if self.member().is_some() {
                    self.standing = Standing::Out(Some(Why::Left(cause)));
                }
            }
        }
        self.settle();
    }

    /// The server refused something that was asked of a room.
    pub(super) fn refused(&mut self, problem: Problem) {
        let Problem { code, detail, .. } = problem;
        if let Some(member) = self.member_mut().filter(|member| member.is_here) {
            member.refused = Some((code, detail));
            return;
        }
        match self.asks() {
            // It may be there all the same, and is asked for again.
            Some(RoomRequest::Join(_)) if code == Code::StoreAway => self.delayed += 1,
            Some(asked) => {
                let join = if let RoomRequest::Join(join) = asked { Some(join) } else { None };
                self.standing = Standing::Out(Some(Why::Refused { code, detail, join }));
            }
            None => {}
        }
    }

    /// The session is gone. The member is in its room all the same.
    pub(super) fn session_ended(&mut self) {
        match &mut self.standing {
            Standing::Opening => self.standing = Standing::default(),
            Standing::In(member) => {
                (member.is_here, member.is_told) = (false, false);
                member.answers.session_ended();
            }
            Standing::Entering(_) | Standing::Out(_) => {}
        }
    }

    fn entered(&mut self, Entered { code, member, teaches, key, own }: Entered) {
        self.delayed = 0;
        if self.code != Some(code) {
            self.steps = Steps::default();
            self.code = Some(code);
        }
        let before = self.member().filter(|member| member.join.code == code).cloned();
        let old_key = self.join().filter(|join| join.code == code && teaches);
        let key = key.or_else(|| old_key.and_then(|join| join.key.clone()));
        let join = Join { code, member: Some(member), key };
        let (state, answers) = before.map(|it| (it.state, it.answers)).unwrap_or_default();
        let (is_here, is_told, refused) = (true, false, None);
        let member = Member { join, teaches, is_here, state, answers, refused, is_told, own };
        self.standing = Standing::In(Box::new(member));
    }

    /// What follows from what has changed: answers go out, and the step is written down.
    fn settle(&mut self) {
        let Standing::In(member) = &mut self.standing else { return };
        let Some(state) = member.state.as_ref().filter(|_| member.is_told) else { return };
        let Some(step) = &state.step else { return };
        member.answers.go_out(step.stage);
        self.steps.note(state, step, &member.answers);
    }
}

impl Member {
    /// Where the class is.
    pub(crate) fn step(&self) -> Option<&Step> {
        self.state.as_ref()?.step.as_ref()
    }

    /// What is asked of the class.
    pub(crate) fn stage(&self) -> Stage {
        self.step().map_or(Stage::Look, |step| step.stage)
    }

    fn told(&mut self, state: RoomState) {
        let id = state.step.as_ref().map_or("", |step| &step.id);
        if self.answers.step != id {
            self.answers = Answers::at(id);
        }
        if !self.is_told {
            self.answers.told(&std::mem::take(&mut self.own));
        }
        (self.state, self.is_told) = (Some(state), true);
    }
}

#[cfg(test)]
mod tests;
