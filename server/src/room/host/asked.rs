//! What members and teachers ask of a room.

use streamgram_protocol::room::{Entered, Stage};

use super::{Host, News};
use crate::room::ballots::{Ballot, Ballots, Collected};
use crate::room::membership::{Gift, Present, Request, Wish};
use crate::room::record::Change;
use crate::room::{Refused, secret};

/// How many times as many as the members that may be here at once may give something at a step, because some leave and
/// others come; and how many sessions they may have, because a connection that is gone can be here for a while.
const PER_PLACE: usize = 2;
/// Sessions that may teach at a time: a laptop, a projector, a telephone, and those that were theirs a moment ago.
const TEACHERS: usize = 16;

impl Host {
    pub(super) fn answer(&mut self, request: Request) {
        // Who asked may have gone meanwhile.
        match request {
            Request::Enter { member, key, reply } => {
                let _gone = reply.send(self.enter(member, key.as_deref()));
            }
            Request::Give { member, given, reply } => {
                let _gone = reply.send(self.give(member, given));
            }
            Request::Teach { wish, reply } => {
                let _gone = reply.send(self.teach(wish));
            }
        }
    }

    fn enter(
        &mut self,
        member: Option<String>,
        key: Option<&str>,
    ) -> Result<(Entered, Present), Refused> {
        if self.copy.now().ended {
            return Err(Refused::NoRoom(self.code));
        }
        let teaches = key.is_some_and(|key| self.copy.now().may_teach(&secret::fingerprint(key)));
        if key.is_some() && !teaches {
            return Err(Refused::WrongKey(self.code));
        }
        let member = member.map_or_else(secret::digits, Ok)?;
        self.check_places(&member, teaches)?;
        let mut ballot = Ballot::default();
        for collected in self.others.values().chain([&self.own]) {
            if self.copy.now().step.as_ref().is_some_and(|step| step.id == collected.step) {
                collected.ballots.get(&member).cloned().into_iter().for_each(|it| ballot.merge(it));
            }
        }
        let own = ballot.own();
        let present = Present::new(self.here.clone(), (!teaches).then(|| member.clone()));
        Ok((Entered { code: self.code, member, teaches, key: None, own }, present))
    }

    /// Whether there is a place for one more session.
    fn check_places(&self, member: &str, teaches: bool) -> Result<(), Refused> {
        let (here, limit) = (self.here.borrow(), self.limits.room_members as usize);
        if teaches {
            return if here.teachers() < TEACHERS {
                Ok(())
            } else {
                Err(Refused::Teachers(TEACHERS))
            };
        }
        if here.members() >= limit && !here.has(member) {
            return Err(Refused::Members(limit));
        }
        let sessions = limit * PER_PLACE;
        if here.sessions() >= sessions { Err(Refused::Sessions(sessions)) } else { Ok(()) }
    }

    /// Takes what a member gives: its number.
    fn give(&mut self, member: String, given: Gift) -> Result<u64, Refused> {
        let step = self.copy.now().step.as_ref().ok_or(Refused::Nowhere)?;
        let named = match &given {
            Gift::Vote(vote) => &vote.step,
            Gift::Ran(ran) => &ran.step,
        };
        if *named != step.id {
            return Err(Refused::GoneOn(named.clone()));
        }
        let ballot = match given {
            Gift::Vote(vote) => {
                let choices = step.place.choices();
                if choices == 0 {
                    return Err(Refused::NoQuestion);
                }
                if vote.choice >= choices {
                    return Err(Refused::Choice { choice: vote.choice, choices });
                }
                match (vote.stage, step.stage) {
                    (Stage::Predict, Stage::Predict) => Ballot::before(vote.choice, vote.edit),
                    (Stage::Again, Stage::Again) => Ballot::after(vote.choice, vote.edit),
                    (of, now) => return Err(Refused::NotAsked { of, now }),
                }
            }
            Gift::Ran(ran) => Ballot::ran(ran.outcome, ran.edit),
        };
        if self.own.step != step.id {
            self.own = Collected { step: step.id.clone(), ballots: Ballots::new() };
        }
        let limit = self.limits.room_members as usize * PER_PLACE;
        let ballots = &mut self.own.ballots;
        if ballots.len() >= limit && !ballots.contains_key(&member) {
            return Err(Refused::Ballots(limit));
        }
        ballots.entry(member).or_default().merge(ballot);
        self.given += 1;
        self.is_new(News::Some);
        Ok(self.given)
    }

    fn teach(&mut self, wish: Wish) -> Result<(), Refused> {
        let change = match wish {
            Wish::Lead(place) => Change::Lead { id: secret::digits()?, place },
            Wish::Stage(stage) => self.copy.now().staging(stage)?,
            Wish::End => Change::End,
        };
        self.copy.change(change)?;
        self.is_new(News::AtOnce);
        Ok(())
    }
}
