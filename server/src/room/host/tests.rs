//! A host with nobody else: what it tells, when, and when it ends.

use std::sync::Arc;

use streamgram_protocol::room::{RoomEvent, Stage, Vote};
use tokio::task::JoinHandle;
use tokio::time::{advance, timeout};

use super::*;
use crate::room::Refused;
use crate::room::membership::{Door, Membership};
use crate::room::record::Record;
use crate::room::record::tests::lesson;
use crate::room::secret::fingerprint;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const HOUR: Duration = Duration::from_secs(3_600);

/// A room that lives for an hour.
fn open() -> (Door, JoinHandle<()>) {
    let record = Record::new(fingerprint(KEY), 0, HOUR);
    let (requests, asked) = mpsc::channel(8);
    let (teller, told) = watch::channel(Arc::new(Told::default()));
    let limits = RoomLimits { room_members: 2, ..RoomLimits::default() };
    let code = RoomCode::of([7; 9]);
    let ways = ((asked, teller), (Store::Local, None));
    let host = Host::new((code, limits), Copy::new(record, None), HOUR, ways.0, ways.1);
    (Door { requests, told }, tokio::spawn(host.run()))
}

async fn enter(door: &Door, key: Option<&str>) -> Result<Membership, Refused> {
    let entered = door.enter(None, key.map(str::to_owned)).await.expect("the room is there");
    entered.map(|(membership, _)| membership)
}

/// What it tells next.
async fn next(membership: &mut Membership) -> Vec<RoomEvent> {
    loop {
        let news = membership.news();
        if !news.is_empty() {
            return news;
        }
        membership.changed().await;
    }
}

/// The step of the room that it tells next.
async fn step_of(membership: &mut Membership) -> String {
    let state = next(membership).await;
    let [RoomEvent::State(state)] = state.as_slice() else { panic!("{state:?}") };
    state.step.as_ref().unwrap().id.clone()
}

/// Whether it tells something before this long.
async fn tells_within(membership: &mut Membership, wait: Duration) -> bool {
    timeout(wait, next(membership)).await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn a_room_ends_at_its_age_and_says_so() {
    let (door, host) = open();
    let mut member = enter(&door, None).await.unwrap();
    next(&mut member).await;
    advance(HOUR).await;
    let left = RoomEvent::Left { cause: LeftCause::Expired };
    while next(&mut member).await != std::slice::from_ref(&left) {}
    host.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_room_without_anybody_is_kept_for_a_while() {
    let (door, host) = open();
    drop(enter(&door, None).await.unwrap());
    advance(KEPT_EMPTY - Duration::from_secs(1)).await;
    let back = enter(&door, None).await.unwrap();
    advance(KEPT_EMPTY).await;
    drop(enter(&door, None).await.unwrap());
    drop(back);
    host.await.unwrap();
    assert!(door.enter(None, None).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn what_the_teacher_does_is_told_at_once_and_what_members_do_a_few_times_a_second() {
    let (door, _host) = open();
    let mut teacher = enter(&door, Some(KEY)).await.unwrap();
    let mut member = enter(&door, None).await.unwrap();
    while tells_within(&mut member, TELL_EVERY * 2).await {}
    teacher.lead(lesson()).await.unwrap();
    assert!(tells_within(&mut member, Duration::from_millis(1)).await);
    teacher.stage(Stage::Predict).await.unwrap();
    let step = step_of(&mut member).await;
    for edit in 0..20 {
        let vote =
            Vote { step: step.clone(), stage: Stage::Predict, choice: u8::from(edit > 9), edit };
        member.vote(vote).await.unwrap();
    }
    assert!(!tells_within(&mut member, TELL_EVERY / 2).await);
    assert!(tells_within(&mut member, TELL_EVERY).await);
}

#[tokio::test(start_paused = true)]
async fn what_the_teacher_does_does_not_wait_for_what_members_gave() {
    let (door, _host) = open();
    let mut teacher = enter(&door, Some(KEY)).await.unwrap();
    let mut member = enter(&door, None).await.unwrap();
    teacher.lead(lesson()).await.unwrap();
    teacher.stage(Stage::Predict).await.unwrap();
    let step = step_of(&mut teacher).await;
    member.vote(Vote { step, stage: Stage::Predict, choice: 0, edit: 0 }).await.unwrap();
    // More than may wait to be stored, before anything that members give is written again.
    for _ in 0..100 {
        teacher.lead(lesson()).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn one_member_too_many_is_refused_until_another_has_left() {
    let (door, _host) = open();
    let first = enter(&door, None).await.unwrap();
    let _second = enter(&door, None).await.unwrap();
    assert_eq!(enter(&door, None).await.unwrap_err(), Refused::Members(2));
    // Neither the teacher nor somebody who comes back before the old connection is gone.
    let _teacher = enter(&door, Some(KEY)).await.unwrap();
    let number = first.member.clone();
    let (again, _) = door.enter(Some(number), None).await.unwrap().unwrap();
    drop(first);
    assert_eq!(enter(&door, None).await.unwrap_err(), Refused::Members(2));
    drop(again);
    enter(&door, None).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_step_takes_twice_as_many_ballots_as_there_may_be_members() {
    let (door, _host) = open();
    let mut teacher = enter(&door, Some(KEY)).await.unwrap();
    teacher.lead(lesson()).await.unwrap();
    teacher.stage(Stage::Predict).await.unwrap();
    let step = step_of(&mut teacher).await;
    for given in 0..5 {
        let mut member = enter(&door, None).await.unwrap();
        let voted = member
            .vote(Vote { step: step.clone(), stage: Stage::Predict, choice: 0, edit: 1 })
            .await;
        assert_eq!(voted, if given < 4 { Ok(()) } else { Err(Refused::Ballots(4)) });
    }
}
