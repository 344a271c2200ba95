//! A model of a class: who teaches, and members whose pages fold what they are told into what a test asserts on.

mod flooder;
mod life;
mod member;
mod page;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use streamgram_protocol::room::{Given, Place, Pooled, RoomCode, RoomRequest, Stage, bin};

pub use self::flooder::{Flood, Flooder};
pub use self::member::{Door, Member};
pub use self::page::{Answer, Field, Page, Reached, What};

/// Members that join at the same time: the listener's queue holds more.
const AT_ONCE: usize = 64;

/// A room, who teaches it, and its members.
#[derive(Debug)]
pub struct Class {
    /// Who opened it.
    pub teacher: Member,
    /// The others.
    pub members: Vec<Member>,
}

impl Class {
    /// Opens a room, and lets members join.
    ///
    /// # Panics
    /// One does not get in.
    pub async fn open(door: impl Into<Door>, members: usize) -> Self {
        let door = door.into();
        let teacher = Member::open(door);
        teacher.is_in().await;
        let mut class = Self { teacher, members: Vec::new() };
        class.grow(door, members).await;
        class
    }

    /// Lets members join until there are so many.
    ///
    /// # Panics
    /// One does not get in.
    pub async fn grow(&mut self, door: impl Into<Door>, members: usize) {
        let (door, code) = (door.into(), self.code());
        while self.members.len() < members {
            let more = AT_ONCE.min(members - self.members.len());
            let joining: Vec<_> = (0..more).map(|_| Member::join(door, code)).collect();
            for member in &joining {
                member.is_in().await;
            }
            self.members.extend(joining);
        }
    }

    /// The room's code.
    #[must_use]
    pub fn code(&self) -> RoomCode {
        self.teacher.code()
    }

    /// Leads to a lesson whose question has so many choices, and waits until all that are awake are told; which step that is, and
    /// when it was asked for.
    ///
    /// # Panics
    /// One is not told.
    pub async fn lead(&self, choices: u8) -> (u32, Instant) {
        let number = self.teacher.look(Page::number).unwrap_or(0) + 1;
        let asked = Instant::now();
        self.teacher.ask(RoomRequest::Lead(lesson(choices)));
        self.reaches(number, Stage::Look).await;
        (number, asked)
    }

    /// Goes on to a stage, and waits until all that are awake are told; when it was asked for.
    ///
    /// # Panics
    /// One is not told.
    pub async fn stage(&self, stage: Stage) -> Instant {
        let number = self.teacher.look(Page::number).expect("the class is somewhere");
        let asked = Instant::now();
        self.teacher.ask(RoomRequest::Stage(stage));
        self.reaches(number, stage).await;
        asked
    }

    async fn reaches(&self, number: u32, stage: Stage) {
        let stands = |page: &Page| page.number() == Some(number) && page.stage() == Some(stage);
        for member in self.all().filter(|member| !member.look(|page| page.is_asleep)) {
            member.until(stands).await;
        }
    }

    /// Leads somewhere and asks for predictions, again and again: how long after each of so many announcements each
    /// member was told, sorted.
    ///
    /// # Panics
    /// One is not told.
    pub async fn announce(&self, times: usize) -> Vec<Duration> {
        let mut took = Vec::new();
        for _ in 0..times.div_ceil(2) {
            let (number, led) = self.lead(2).await;
            let asked = self.stage(Stage::Predict).await;
            for (stage, since) in [(Stage::Look, led), (Stage::Predict, asked)] {
                let told = |page: &Page| {
                    let mut reached = page.reached.iter();
                    reached.find(|it| (it.number, it.stage) == (number, stage)).map(|it| it.at)
                };
                let told = self.members.iter().filter_map(|member| member.look(told));
                took.extend(told.map(|at| at.saturating_duration_since(since)));
            }
        }
        took.sort();
        took
    }

    /// Who teaches, and all members.
    pub fn all(&self) -> impl Iterator<Item = &Member> {
        std::iter::once(&self.teacher).chain(&self.members)
    }

    /// Waits until all that was answered is counted.
    ///
    /// # Panics
    /// Something is not.
    pub async fn is_counted(&self) {
        for member in &self.members {
            member.is_counted().await;
        }
    }

    /// What the members themselves know to be counted, added up.
    #[must_use]
    pub fn own(&self, choices: u8) -> (Given, Pooled) {
        let mut given = Given::default();
        let none = || vec![0; usize::from(choices)];
        let mut pooled = Pooled { before: none(), after: none(), outcomes: BTreeMap::new() };
        for answer in self.members.iter().flat_map(|member| member.look(Page::kept)) {
            let (votes, count) = match answer.0 {
                Field::Before => (&mut pooled.before, &mut given.before),
                Field::After => (&mut pooled.after, &mut given.after),
                Field::Ran => (&mut Vec::new(), &mut given.ran),
            };
            *count += 1;
            match answer.1.what {
                What::Choice(choice) => votes[usize::from(choice)] += 1,
                What::Outcome(outcome) => {
                    for (measure, value) in outcome {
                        let distribution = pooled.outcomes.entry(measure).or_default();
                        *distribution.entry(bin(value)).or_default() += 1;
                    }
                }
            }
        }
        (given, pooled)
    }
}

/// A lesson whose question has so many choices.
#[must_use]
pub fn lesson(choices: u8) -> Place {
    Place::Lesson { id: "boundaries".into(), choices }
}
