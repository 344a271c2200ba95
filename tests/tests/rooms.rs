//! A room: who opens it teaches, members are counted without names, and what they vote and see is pooled.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use streamgram_protocol::Code;
use streamgram_protocol::room::{
    Distribution, Given, Join, KEY_DIGITS, LeftCause, MEMBER_DIGITS, Measure, Outcome, Own, Place,
    Pooled, Ran, RoomRequest, RoomState, Stage, StoreState, Vote,
};
use streamgram_tests::{Class, Field, Member, Page, Server, lesson};

/// How many are here, as a member is told.
fn here(page: &Page) -> Option<u32> {
    Some(page.state.as_ref()?.here)
}

fn given(page: &Page) -> Option<Given> {
    Some(page.state.as_ref()?.given)
}

fn pooled(page: &Page) -> Option<&Pooled> {
    page.state.as_ref()?.pooled.as_ref()
}

fn state(member: &Member) -> RoomState {
    member.look(|page| page.state.clone()).expect("it is in")
}

/// Waits until all see that so many are here.
async fn all_see(class: &Class, members: u32) {
    for member in class.all() {
        member.until(|page| here(page) == Some(members)).await;
    }
}

/// Waits until all see that so much was given.
async fn all_are_told(class: &Class, before: u32, after: u32, ran: u32) {
    let all = Given { before, after, ran };
    for member in class.all() {
        member.until(|page| given(page) == Some(all)).await;
    }
}

/// Waits until what all see is what the members themselves know, and returns that.
async fn all_see_what_was_counted(class: &Class, choices: u8) -> Pooled {
    class.is_counted().await;
    let (all, own) = class.own(choices);
    for member in class.all() {
        member.until(|page| given(page) == Some(all) && pooled(page) == Some(&own)).await;
    }
    own
}

/// A vote of what is expected.
fn vote(step: &str, choice: u8, edit: u64) -> RoomRequest {
    let (step, stage) = (step.into(), Stage::Predict);
    RoomRequest::Vote(Vote { step, stage, choice, edit })
}

fn join(code: streamgram_protocol::room::RoomCode, key: Option<&str>) -> RoomRequest {
    RoomRequest::Join(Join { code, member: None, key: key.map(Into::into) })
}

/// A class at the stage of a new step.
async fn at_stage(at: SocketAddr, members: usize, choices: u8, stage: Stage) -> Class {
    let class = Class::open(at, members).await;
    class.lead(choices).await;
    class.stage(stage).await;
    class
}

#[tokio::test]
async fn who_opens_a_room_teaches_it_and_alone_is_told_its_key() {
    let server = Server::start();
    let class = Class::open(server.http, 1).await;
    let entered = class.teacher.look(|page| page.entered.clone()).unwrap();
    let is_hex = |text: &str, digits| {
        text.len() == digits && text.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
    };
    assert!(entered.teaches);
    assert!(is_hex(&entered.member, MEMBER_DIGITS), "{entered:?}");
    assert!(is_hex(entered.key.as_deref().unwrap(), KEY_DIGITS), "{entered:?}");

    let member = class.members[0].look(|page| page.entered.clone()).unwrap();
    assert!(!member.teaches && member.key.is_none(), "{member:?}");
    assert_eq!((member.code, &member.own), (entered.code, &Own::default()));
    assert!(is_hex(&member.member, MEMBER_DIGITS) && member.member != entered.member, "{member:?}");
    all_see(&class, 1).await;
    let RoomState { here: 1, step: None, given, pooled: None, store: StoreState::Local } =
        state(&class.members[0])
    else {
        panic!("{:?}", state(&class.members[0]))
    };
    assert_eq!(given, Given::default());
}

#[tokio::test]
async fn members_are_counted_while_they_are_here_and_who_teaches_is_not() {
    let server = Server::start();
    let mut class = Class::open(server.http, 3).await;
    all_see(&class, 3).await;
    class.members[0].ask(RoomRequest::Leave {});
    class.members[0].until(|page| page.left == Some(LeftCause::Left)).await;
    let left = class.members.remove(0);
    all_see(&class, 2).await;
    // A phone that sleeps loses its connection.
    class.members[0].sleep();
    class.members[1].until(|page| here(page) == Some(1)).await;
    class.members[0].wake();
    all_see(&class, 2).await;
    left.ask(join(class.code(), None));
    left.is_in().await;
    all_see(&class, 3).await;
    // Who teaches may go; the room stays.
    class.teacher.sleep();
    class.grow(server.http, 3).await;
    class.members[2].until(|page| here(page) == Some(4)).await;
}

#[tokio::test]
async fn votes_before_and_after_are_pooled_for_members_once_they_are_revealed() {
    let server = Server::start();
    let class = at_stage(server.http, 4, 3, Stage::Predict).await;
    for (member, choice) in class.members.iter().zip([0, 1, 1, 1]) {
        member.vote(choice);
    }
    all_are_told(&class, 4, 0, 0).await;
    // A vote that is changed is still one.
    class.members[3].vote(2);
    let is_told = |page: &Page| pooled(page).is_some_and(|all| all.before == [1, 2, 1]);
    class.teacher.until(is_told).await;
    class.stage(Stage::Again).await;
    for member in &class.members[1..] {
        member.vote(2);
    }
    all_are_told(&class, 4, 3, 0).await;
    for member in &class.members {
        assert_eq!(member.look(|page| pooled(page).cloned()), None);
    }
    class.stage(Stage::Reveal).await;
    let all = all_see_what_was_counted(&class, 3).await;
    assert_eq!((all.before, all.after), (vec![1, 2, 1], vec![0, 0, 3]));
    assert_eq!(state(&class.members[0]), state(&class.teacher));

    // The next step begins anew.
    let (number, _) = class.lead(2).await;
    assert_eq!(number, 2);
    all_are_told(&class, 0, 0, 0).await;
    for member in &class.members {
        assert_eq!(member.look(|page| pooled(page).cloned()), None);
    }
    class.stage(Stage::Predict).await;
    class.members[0].vote(1);
    class.is_counted().await;
    class.stage(Stage::Reveal).await;
    assert_eq!(all_see_what_was_counted(&class, 2).await.before, [0, 1]);
}

#[tokio::test]
async fn outcomes_of_runs_become_distributions_at_every_stage() {
    let server = Server::start();
    let class = Class::open(server.http, 4).await;
    class.lead(2).await;
    let ran = |reads, ms| Outcome::from([(Measure::TcpReads, reads), (Measure::UdpLastMs, ms)]);
    class.members[0].ran(ran(3, 1_000));
    class.is_counted().await;
    class.stage(Stage::Predict).await;
    class.members[1].ran(ran(3, 1_003));
    class.members[2].ran(Outcome::from([(Measure::TcpReads, 20)]));
    class.is_counted().await;
    // The own value that is told again replaces the one before.
    class.members[2].ran(Outcome::from([(Measure::TcpReads, 4)]));
    class.is_counted().await;
    class.stage(Stage::Reveal).await;
    class.members[3].ran(Outcome::new());
    let all = all_see_what_was_counted(&class, 2).await;
    let expected: BTreeMap<_, _> = [
        (Measure::TcpReads, Distribution::from([(3, 2), (4, 1)])),
        (Measure::UdpLastMs, Distribution::from([(992, 2)])),
    ]
    .into();
    assert_eq!(all.outcomes, expected);
}

#[tokio::test]
async fn every_member_is_told_where_the_class_is_led() {
    let server = Server::start();
    let mut class = Class::open(server.http, 2).await;
    let places = [
        lesson(8),
        Place::Scenario("v1&text=hello".into()),
        Place::Path("v1&tcp.path=emulated".into()),
    ];
    let mut ids = Vec::new();
    for (place, number) in places.into_iter().zip(1..) {
        class.teacher.ask(RoomRequest::Lead(place.clone()));
        for member in class.all() {
            member.until(|page| page.number() == Some(number)).await;
            let step = state(member).step.unwrap();
            assert_eq!((step.place, step.stage), (place.clone(), Stage::Look));
        }
        ids.push(state(&class.teacher).step.unwrap().id);
    }
    // Who comes late is told where the class is.
    class.grow(server.http, 3).await;
    assert_eq!(state(&class.members[2]).step, state(&class.teacher).step);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3, "a step's id is its own");
}

#[tokio::test]
async fn a_member_who_comes_back_is_the_same_and_is_told_its_votes() {
    let server = Server::start();
    let mut class = at_stage(server.http, 2, 3, Stage::Predict).await;
    let number = class.members[0].number();
    class.members[0].vote(2);
    class.is_counted().await;
    class.members[0].sleep();
    class.members[1].until(|page| here(page) == Some(1)).await;
    class.stage(Stage::Again).await;
    class.members[0].wake();
    class.members[0].until(|page| page.connections == 2 && page.is_in).await;
    class.members[0].until(|page| page.stage() == Some(Stage::Again)).await;
    let own = |member: &Member| member.look(|page| page.entered.clone().unwrap().own);
    assert_eq!(own(&class.members[0]), Own { before: Some(2), after: None });
    assert_eq!(class.members[0].number(), number);
    class.members[0].vote(0);
    class.is_counted().await;

    // A page that was loaded anew knows its number and nothing else.
    class.members[0].sleep();
    class.members[1].until(|page| here(page) == Some(1)).await;
    let page = Member::join_as(server.http, class.code(), Some(number.clone()), None);
    page.is_in().await;
    assert_eq!(own(&page), Own { before: Some(2), after: Some(0) });
    page.vote(1);
    page.is_counted().await;
    class.members[1].until(|page| here(page) == Some(2)).await;
    let all = Given { before: 1, after: 1, ran: 0 };
    class.teacher.until(|page| given(page) == Some(all)).await;
    class.teacher.until(|page| pooled(page).is_some_and(|all| all.after == [0, 1, 0])).await;
    class.members[0] = page;

    // So does a second tab: one person all the same.
    let tab = Member::join_as(server.http, class.code(), Some(number), None);
    tab.is_in().await;
    class.grow(server.http, 3).await;
    all_see(&class, 3).await;
}

#[tokio::test]
async fn whoever_has_the_key_teaches_and_nobody_else() {
    let server = Server::start();
    let mut class = Class::open(server.http, 2).await;
    let key = class.teacher.look(|page| page.key.clone()).unwrap();
    for request in
        [RoomRequest::Lead(lesson(2)), RoomRequest::Stage(Stage::Reveal), RoomRequest::End {}]
    {
        class.members[0].is_refused(request, Code::NotTeacher).await;
    }
    let wrong = if key.starts_with('0') { "1" } else { "0" }.repeat(KEY_DIGITS);
    class.members[0].is_refused(join(class.code(), Some(&wrong)), Code::NotTeacher).await;

    // The teacher's laptop is gone, and the link with the key is opened on another machine.
    class.teacher.sleep();
    let again = Member::join_as(server.http, class.code(), None, Some(key));
    again.is_in().await;
    assert!(again.look(|page| page.entered.as_ref().unwrap().teaches));
    let gone = std::mem::replace(&mut class.teacher, again);
    class.lead(2).await;
    class.stage(Stage::Predict).await;
    class.members[0].vote(1);
    class.is_counted().await;
    // Both may teach at a time.
    gone.wake();
    gone.until(|page| page.stage() == Some(Stage::Predict)).await;
    gone.ask(RoomRequest::Stage(Stage::Reveal));
    assert_eq!(all_see_what_was_counted(&class, 2).await.before, [0, 1]);
    all_see(&class, 2).await;
}

#[tokio::test]
async fn two_rooms_do_not_see_each_other() {
    let server = Server::start();
    let one = at_stage(server.http, 2, 2, Stage::Predict).await;
    let other = at_stage(server.http, 3, 4, Stage::Predict).await;
    assert_ne!(one.code(), other.code());
    one.members[0].vote(1);
    one.is_counted().await;
    other.members[0].vote(3);
    other.is_counted().await;
    // A vote that names the other room's step counts nowhere.
    let theirs = other.teacher.look(|page| page.step().map(str::to_owned)).unwrap();
    one.members[1].is_refused(vote(&theirs, 0, 1), Code::NotAsked).await;
    one.stage(Stage::Reveal).await;
    assert_eq!(all_see_what_was_counted(&one, 2).await.before, [0, 1]);
    all_see(&one, 2).await;
    all_see(&other, 3).await;
    assert_eq!(other.teacher.look(Page::stage), Some(Stage::Predict));

    // Who joins the other one leaves the first.
    one.members[1].ask(join(other.code(), None));
    one.members[0].until(|page| here(page) == Some(1)).await;
    all_see(&other, 4).await;
    assert_eq!(one.members[1].code(), other.code());
}

#[tokio::test]
async fn only_what_is_asked_now_can_be_answered() {
    let server = Server::start();
    let class = Class::open(server.http, 2).await;
    let member = &class.members[0];
    let stranger = Member::join(server.http, class.code());
    stranger.is_in().await;
    stranger.ask(RoomRequest::Leave {});
    stranger.until(|page| page.left.is_some()).await;
    for request in [vote("9f02ab41", 0, 1), RoomRequest::Leave {}, RoomRequest::End {}] {
        stranger.is_refused(request, Code::NotAsked).await;
    }
    // The class is nowhere yet.
    member.is_refused(vote("9f02ab41", 0, 1), Code::NotAsked).await;
    class.teacher.is_refused(RoomRequest::Stage(Stage::Predict), Code::NotAsked).await;

    class.lead(2).await;
    let step = member.look(|page| page.step().map(str::to_owned)).unwrap();
    member.is_refused(vote(&step, 0, 1), Code::NotAsked).await;
    class.stage(Stage::Predict).await;
    member.is_refused(vote(&step, 2, 1), Code::OverLimit).await;
    member.is_refused(vote("", 0, 1), Code::NotAsked).await;
    // What was expected is not what is thought afterwards, however late it comes.
    class.stage(Stage::Again).await;
    member.is_refused(vote(&step, 0, 1), Code::NotAsked).await;
    class.stage(Stage::Reveal).await;
    member.is_refused(vote(&step, 0, 1), Code::NotAsked).await;
    class.lead(2).await;
    class.stage(Stage::Predict).await;
    let ran = RoomRequest::Ran(Ran { step: step.clone(), outcome: Outcome::new(), edit: 1 });
    for late in [vote(&step, 0, 1), ran] {
        member.is_refused(late, Code::NotAsked).await;
    }
    assert_eq!(state(&class.teacher).given, Given::default());

    // A share link has no question.
    class.teacher.ask(RoomRequest::Lead(Place::Scenario("v1".into())));
    member.until(|page| page.number() == Some(3)).await;
    class.teacher.until(|page| page.number() == Some(3)).await;
    class.teacher.is_refused(RoomRequest::Stage(Stage::Predict), Code::NotAsked).await;
    let step = member.look(|page| page.step().map(str::to_owned)).unwrap();
    member.is_refused(vote(&step, 0, 1), Code::NotAsked).await;
}

#[tokio::test]
async fn the_newest_edit_counts_however_often_and_late_another_comes() {
    let server = Server::start();
    let class = at_stage(server.http, 1, 3, Stage::Predict).await;
    let member = &class.members[0];
    let step = member.look(|page| page.step().map(str::to_owned)).unwrap();
    let is =
        |votes: [u32; 3]| move |page: &Page| pooled(page).is_some_and(|all| all.before == votes);
    member.ask(vote(&step, 1, 10));
    class.teacher.until(is([0, 1, 0])).await;
    for (choice, edit) in [(0, 9), (1, 10), (0, 1)] {
        member.ask(vote(&step, choice, edit));
    }
    // What comes after them shows that they have come.
    member.ran(Outcome::new());
    class.is_counted().await;
    class.teacher.until(|page| given(page).is_some_and(|all| all.ran == 1)).await;
    class.teacher.until(is([0, 1, 0])).await;
    member.ask(vote(&step, 2, 11));
    class.teacher.until(is([0, 0, 1])).await;
    assert_eq!(state(&class.teacher).given, Given { before: 1, after: 0, ran: 1 });
    assert!(member.look(|page| page.problems.is_empty()));
    assert!(
        member.look(|page| !page.kept().contains_key(&Field::Before)),
        "it was asked past the page"
    );
}

#[tokio::test]
async fn a_room_that_its_teacher_ends_is_over_for_everybody() {
    let server = Server::start();
    let class = Class::open(server.http, 2).await;
    let key = class.teacher.look(|page| page.key.clone());
    class.teacher.ask(RoomRequest::End {});
    for member in class.all() {
        member.until(|page| page.left == Some(LeftCause::Ended)).await;
    }
    let member = &class.members[0];
    member.is_refused(join(class.code(), None), Code::NoRoom).await;
    class.teacher.is_refused(join(class.code(), key.as_deref()), Code::NoRoom).await;
    // The session can open another one.
    member.ask(RoomRequest::Open {});
    member.until(|page| page.is_in && page.entered.as_ref().is_some_and(|it| it.teaches)).await;
    assert_ne!(member.code(), class.code());
}

#[cfg(unix)]
#[tokio::test]
async fn a_server_that_stops_throws_nobody_out() {
    let server = Server::start();
    let class = Class::open(server.http, 20).await;
    let _stopped = server.stop();
    for member in class.all() {
        member.until(|page| !page.is_in).await;
        member.look(|page| assert_eq!(page.left, None));
    }
}
