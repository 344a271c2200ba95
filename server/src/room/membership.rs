//! A session in a room: what it asks, and what it is told. Dropped, it has left.

use std::collections::{HashMap, VecDeque};
use std::future::pending;
use std::mem;
use std::sync::Arc;

use streamgram_protocol::room::{Entered, Place, Ran, RoomEvent, RoomState, Stage, Vote};
use tokio::sync::{mpsc, oneshot, watch};

use super::Refused;
use super::told::Told;
use crate::operate::meters;

/// What is not kept yet, of which a member is told. More at once are told together.
const UNCOUNTED: usize = 16;

/// Who is here: sessions of each member, and sessions that teach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Here {
    members: HashMap<String, usize>,
    teachers: usize,
}

/// One who is here, until this is dropped.
#[derive(Debug)]
pub(super) struct Present {
    here: watch::Sender<Here>,
    /// Which member; none, if it teaches.
    member: Option<String>,
    _metered: meters::Present,
}

impl Present {
    pub(super) fn new(here: watch::Sender<Here>, member: Option<String>) -> Self {
        here.send_modify(|here| match &member {
            Some(member) => *here.members.entry(member.clone()).or_default() += 1,
            None => here.teachers += 1,
        });
        Self { here, member, _metered: meters::Present::room_member() }
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.here.send_modify(|here| match &self.member {
            Some(member) => here.leave(member),
            None => here.teachers -= 1,
        });
    }
}

impl Here {
    /// Members, each once. Who comes back before its old connection is known to be gone is here twice for a while.
    pub(super) fn members(&self) -> usize {
        self.members.len()
    }

    pub(super) fn teachers(&self) -> usize {
        self.teachers
    }

    pub(super) fn has(&self, member: &str) -> bool {
        self.members.contains_key(member)
    }

    /// Sessions of members.
    pub(super) fn sessions(&self) -> usize {
        self.members.values().sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.teachers == 0
    }

    fn leave(&mut self, member: &str) {
        if let Some(sessions) = self.members.get_mut(member) {
            *sessions -= 1;
            if *sessions == 0 {
                self.members.remove(member);
            }
        }
    }
}

/// What is asked of a host, and where it answers.
#[derive(Debug)]
pub(super) enum Request {
    /// To enter: as the member of this number, with this key.
    Enter {
        member: Option<String>,
        key: Option<String>,
        reply: oneshot::Sender<Result<(Entered, Present), Refused>>,
    },
    /// To take a member's ballot; answered with its number.
    Give { member: String, given: Gift, reply: oneshot::Sender<Result<u64, Refused>> },
    /// The teacher's.
    Teach { wish: Wish, reply: oneshot::Sender<Result<(), Refused>> },
}

/// What a member gives.
#[derive(Debug)]
pub(super) enum Gift {
    Vote(Vote),
    Ran(Ran),
}

/// What a teacher wants.
#[derive(Debug)]
pub(super) enum Wish {
    Lead(Place),
    Stage(Stage),
    End,
}

/// A room, as others reach its host.
#[derive(Debug, Clone)]
pub(super) struct Door {
    pub(super) requests: mpsc::Sender<Request>,
    pub(super) told: watch::Receiver<Arc<Told>>,
}

impl Door {
    /// Asks, and waits for the answer; none, if there is no room any more.
    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(request(reply)).await.ok()?;
        answer.await.ok()
    }

    /// Enters; none, if there is no room any more.
    pub(super) async fn enter(
        &self,
        member: Option<String>,
        key: Option<String>,
    ) -> Option<Result<(Membership, Entered), Refused>> {
        let entered = self.ask(|reply| Request::Enter { member, key, reply }).await?;
        Some(
            entered.map(|(entered, present)| {
                (Membership::new(self.clone(), &entered, present), entered)
            }),
        )
    }
}

/// A session in a room.
#[derive(Debug)]
pub struct Membership {
    door: Door,
    pub(super) member: String,
    teaches: bool,
    /// What is not kept yet: the host's number, step and edit.
    uncounted: VecDeque<(u64, String, u64)>,
    /// Something may have changed since the last news.
    is_news: bool,
    /// What those said.
    last: Option<RoomState>,
    _present: Present,
}

impl Membership {
    fn new(door: Door, entered: &Entered, present: Present) -> Self {
        let Entered { member, teaches, .. } = entered;
        let (member, teaches) = (member.clone(), *teaches);
        // It is told how the room stands.
        let (uncounted, is_news, last) = (VecDeque::new(), true, None);
        Self { door, member, teaches, uncounted, is_news, last, _present: present }
    }

    /// Whether it teaches.
    #[must_use]
    pub fn teaches(&self) -> bool {
        self.teaches
    }

    /// Votes.
    ///
    /// # Errors
    /// Nothing is asked, or not that.
    pub async fn vote(&mut self, vote: Vote) -> Result<(), Refused> {
        let of = (vote.step.clone(), vote.edit);
        self.give(Gift::Vote(vote), of).await
    }

    /// Tells what came of a run.
    ///
    /// # Errors
    /// The class is not at that step.
    pub async fn ran(&mut self, ran: Ran) -> Result<(), Refused> {
        let of = (ran.step.clone(), ran.edit);
        self.give(Gift::Ran(ran), of).await
    }

    /// Leads the class somewhere.
    ///
    /// # Errors
    /// It does not teach.
    pub async fn lead(&mut self, place: Place) -> Result<(), Refused> {
        self.teach(Wish::Lead(place)).await
    }

    /// Says what is asked now.
    ///
    /// # Errors
    /// It does not teach, or there is nothing to ask about.
    pub async fn stage(&mut self, stage: Stage) -> Result<(), Refused> {
        self.teach(Wish::Stage(stage)).await
    }

    /// Ends the room.
    ///
    /// # Errors
    /// It does not teach.
    pub async fn end(&mut self) -> Result<(), Refused> {
        self.teach(Wish::End).await
    }

    /// Waits until there is something to tell. Cancel-safe.
    pub async fn changed(&mut self) {
        if self.door.told.changed().await.is_err() {
            // The host has gone without a word: the server is stopping, and this session with it. The member comes back
            // through another server, so it must not be told that it has left.
            pending().await
        }
        self.is_news = true;
    }

    /// What there is to tell. After [`RoomEvent::Left`] there is nothing more.
    pub fn news(&mut self) -> Vec<RoomEvent> {
        if !mem::take(&mut self.is_news) {
            return Vec::new();
        }
        let told = Arc::clone(&self.door.told.borrow_and_update());
        if let Some(cause) = told.over {
            return vec![RoomEvent::Left { cause }];
        }
        let state = told.state(self.teaches);
        let mut news = Vec::new();
        if self.last.as_ref() != Some(&state) {
            news.push(RoomEvent::State(Box::new(state.clone())));
            self.last = Some(state);
        }
        // Where the class has gone on, what was given before is of no account, kept or not.
        let at = told.step.as_ref().map(|step| &step.id);
        self.uncounted.retain(|(_, step, _)| Some(step) == at);
        let mut counted = None;
        while let Some(first) = self.uncounted.pop_front_if(|(number, ..)| *number <= told.kept) {
            counted = Some(first);
        }
        news.extend(counted.map(|(_, step, edit)| RoomEvent::Counted { step, edit }));
        news
    }

    async fn give(&mut self, given: Gift, (step, edit): (String, u64)) -> Result<(), Refused> {
        let member = self.member.clone();
        let number = self.door.ask(|reply| Request::Give { member, given, reply }).await;
        let number = number.ok_or(Refused::NotInRoom)??;
        // What is kept later includes what was given before it.
        if self.uncounted.len() >= UNCOUNTED {
            self.uncounted.pop_back();
        }
        self.uncounted.push_back((number, step, edit));
        Ok(())
    }

    async fn teach(&mut self, wish: Wish) -> Result<(), Refused> {
        if !self.teaches {
            return Err(Refused::NotTeacher);
        }
        let taught = self.door.ask(|reply| Request::Teach { wish, reply }).await;
        taught.ok_or(Refused::NotInRoom)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::record::tests::{lead, room};

    /// A member that gave something at step `a`, the first of its host's.
    fn waiting() -> (Membership, watch::Sender<Arc<Told>>) {
        let (teller, told) = watch::channel(Arc::new(Told::default()));
        let door = Door { requests: mpsc::channel(1).0, told };
        let code = streamgram_protocol::room::RoomCode::of([7; 9]);
        let (member, own) = ("m".to_owned(), Default::default());
        let entered = Entered { code, member, teaches: false, key: None, own };
        let mut membership =
            Membership::new(door, &entered, Present::new(Default::default(), None));
        membership.uncounted.push_back((1, "a".into(), 9));
        (membership, teller)
    }

    /// That everything is kept, at a step.
    fn kept(step: &str) -> Arc<Told> {
        let mut record = room();
        record.change(&lead(step));
        Arc::new(Told { step: record.step, kept: 7, ..Told::default() })
    }

    fn counts(news: &[RoomEvent]) -> bool {
        news.iter().any(|event| matches!(event, RoomEvent::Counted { edit: 9, .. }))
    }

    #[tokio::test]
    async fn what_is_kept_is_counted_and_not_what_was_given_at_a_step_before() {
        let (mut member, teller) = waiting();
        teller.send_replace(kept("a"));
        member.changed().await;
        assert!(counts(&member.news()));
        let (mut member, teller) = waiting();
        teller.send_replace(kept("b"));
        member.changed().await;
        assert!(!counts(&member.news()));
    }
    #[tokio::test(start_paused = true)]
    async fn a_server_that_stops_throws_nobody_out() {
        let (mut member, teller) = waiting();
        member.news();
        drop(teller);
        let changed =
            tokio::time::timeout(std::time::Duration::from_secs(1), member.changed()).await;
        assert!(changed.is_err() && member.news().is_empty());
    }
}
