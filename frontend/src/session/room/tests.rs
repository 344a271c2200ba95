use streamgram_protocol::room::{Given, Place, Pooled, StoreState};

use super::*;

fn code() -> RoomCode {
    "K7M4Q2XAB".parse().unwrap()
}

fn join() -> Join {
    Join { code: code(), member: None, key: None }
}

fn entered() -> Entered {
    let (member, own) = ("00000000deadbeef".into(), Own::default());
    Entered { code: code(), member, teaches: false, key: None, own }
}

fn state(step: Option<(&str, Stage)>, pooled: Option<Pooled>) -> RoomEvent {
    let place = Place::Lesson { id: "order".into(), choices: 3 };
    let step = step.map(|(id, stage)| Step { number: 1, id: id.into(), place, stage });
    let (given, store) = (Given::default(), StoreState::Local);
    RoomEvent::State(Box::new(RoomState { here: 3, step, given, pooled, store }))
}

fn problem(code: Code) -> Problem {
    let (detail, message) = ("no".to_owned(), Some("room".to_owned()));
    Problem { code, detail, message, field: None, id: None, protocol: None }
}

/// A room that the page is in, at a step.
fn at_step(stage: Stage) -> Room {
    let mut room = Room::entering(Some(join()));
    room.apply(RoomEvent::Entered(entered()));
    room.apply(state(Some(("a", stage)), None));
    room
}

fn vote(room: &mut Room, choice: u8, now_ms: u64) {
    room.act(RoomAct::Vote { choice, now_ms });
}

fn uncounted(room: &Room) -> usize {
    room.member().unwrap().answers.uncounted().len()
}

#[test]
fn a_lost_connection_keeps_the_room_and_the_page_enters_it_again_as_who_it_was() {
    let mut room = at_step(Stage::Predict);
    assert_eq!(room.asks(), None);
    room.session_ended();
    let member = Some("00000000deadbeef".to_owned());
    let back = Join { member, ..join() };
    assert_eq!(room.asks(), Some(RoomRequest::Join(back.clone())));
    assert_eq!(room.join(), Some(&back));
    assert!(room.member().unwrap().step().is_some());
    room.apply(RoomEvent::Entered(entered()));
    assert_eq!(room.asks(), None);
}

#[test]
fn what_was_voted_while_the_server_was_away_goes_out_once_it_is_known_where_the_class_is() {
    let mut room = at_step(Stage::Predict);
    vote(&mut room, 1, 10);
    room.apply(RoomEvent::Counted { step: "a".into(), edit: 10 });
    room.session_ended();
    vote(&mut room, 2, 20);
    assert_eq!(uncounted(&room), 0);
    room.apply(RoomEvent::Entered(Entered {
        own: Own { before: Some(1), after: None },
        ..entered()
    }));
    assert_eq!(uncounted(&room), 0);
    room.apply(state(Some(("a", Stage::Predict)), None));
    assert_eq!(uncounted(&room), 1);
    assert_eq!(room.member().unwrap().answers.own().before, Some(2));
    room.apply(RoomEvent::Counted { step: "a".into(), edit: 20 });
    assert_eq!(uncounted(&room), 0);
}

#[test]
fn what_was_answered_elsewhere_is_not_sent_where_the_class_is_now() {
    let mut room = at_step(Stage::Predict);
    room.session_ended();
    vote(&mut room, 2, 20);
    room.apply(RoomEvent::Entered(entered()));
    room.apply(state(Some(("b", Stage::Predict)), None));
    assert_eq!((uncounted(&room), room.member().unwrap().answers.own()), (0, Own::default()));
    room.act(RoomAct::Ran { step: "a".into(), outcome: Outcome::default(), now_ms: 30 });
    assert_eq!(uncounted(&room), 0);
}

#[test]
fn a_page_that_was_reloaded_knows_its_votes_from_the_server() {
    let mut room = Room::entering(Some(join()));
    let own = Own { before: Some(1), after: None };
    room.apply(RoomEvent::Entered(Entered { own: own.clone(), ..entered() }));
    room.apply(state(Some(("a", Stage::Reveal)), None));
    assert_eq!(room.member().unwrap().answers.own(), own);
    assert_eq!(room.steps.seen[0].own, own);
}

#[test]
fn steps_stay_with_what_was_pooled_last_after_the_room_has_ended() {
    let pooled = Pooled { before: vec![1, 2, 0], ..Pooled::default() };
    let mut room = at_step(Stage::Predict);
    room.apply(state(Some(("a", Stage::Reveal)), Some(pooled.clone())));
    room.apply(state(Some(("a", Stage::Look)), None));
    room.apply(state(Some(("b", Stage::Look)), None));
    room.apply(RoomEvent::Left { cause: LeftCause::Ended });
    assert_eq!(room.standing, Standing::Out(Some(Why::Left(LeftCause::Ended))));
    let seen: Vec<_> = room
        .steps
        .seen
        .iter()
        .map(|seen| (seen.step.id.as_str(), seen.pooled.as_deref()))
        .collect();
    assert_eq!(seen, [("a", Some(&pooled)), ("b", None)]);
    // Those of another room are not mixed in.
    room.act(RoomAct::Open);
    let other = "000000000".parse().unwrap();
    room.apply(RoomEvent::Entered(Entered { code: other, ..entered() }));
    assert_eq!(room.steps, Steps::default());
}

#[test]
fn the_key_comes_from_the_server_or_from_the_link_and_stays() {
    let key = || Some("0".repeat(32));
    let teaches = || Entered { teaches: true, ..entered() };
    let mut opened = Room::default();
    opened.act(RoomAct::Open);
    assert_eq!(opened.asks(), Some(RoomRequest::Open {}));
    opened.apply(RoomEvent::Entered(Entered { key: key(), ..teaches() }));
    let mut linked = Room::entering(Some(Join { key: key(), ..join() }));
    linked.apply(RoomEvent::Entered(teaches()));
    for room in [&mut opened, &mut linked] {
        room.session_ended();
        room.apply(RoomEvent::Entered(teaches()));
        assert_eq!(room.join().unwrap().key, key());
    }
    // One that is none is not kept.
    let mut wrong = Room::entering(Some(Join { key: key(), ..join() }));
    wrong.apply(RoomEvent::Entered(entered()));
    assert_eq!(wrong.join().unwrap().key, None);
}

#[test]
fn a_refusal_says_why_and_only_a_store_that_is_away_is_waited_for() {
    let mut room = Room::entering(Some(join()));
    room.refused(problem(Code::StoreAway));
    assert_eq!((room.delayed, room.asks()), (1, Some(RoomRequest::Join(join()))));
    room.refused(problem(Code::NoRoom));
    let Standing::Out(Some(Why::Refused { code, join, .. })) = &room.standing else { panic!() };
    assert_eq!((*code, join.is_some(), room.join()), (Code::NoRoom, true, None));
    // One that is full may have a place later.
    let mut full = at_step(Stage::Look);
    full.session_ended();
    full.refused(problem(Code::RoomFull));
    assert!(full.join().is_some_and(|join| join.member.is_some()));
}

#[test]
fn what_a_member_may_not_do_does_not_put_it_out_of_its_room() {
    let mut room = at_step(Stage::Look);
    room.refused(problem(Code::NotTeacher));
    let refused = |room: &Room| room.member().unwrap().refused.clone();
    assert_eq!(refused(&room), Some((Code::NotTeacher, "no".into())));
    room.act(RoomAct::Ask);
    assert_eq!(refused(&room), None);
}

#[test]
fn leaving_one_room_for_another_is_no_end() {
    let mut room = at_step(Stage::Look);
    room.act(RoomAct::Enter(join()));
    room.apply(RoomEvent::Left { cause: LeftCause::Left });
    assert_eq!(room.standing, Standing::Entering(join()));
    room.act(RoomAct::Leave);
    assert_eq!(room.standing, Standing::Out(None));
}
