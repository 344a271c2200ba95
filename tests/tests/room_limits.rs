//! The limits of rooms: each is reached, named to whoever reaches it, and felt by nobody else.

use std::time::{Duration, Instant};

use streamgram_protocol::room::{Join, Place, ROOM_FRAGMENT_BYTES, RoomCode, RoomRequest, Stage};
use streamgram_protocol::{Code, Event, Problem};
use streamgram_tests::{Browser, Class, Door, Member, PATIENCE, Page, Server, lesson};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

/// The test's own clients are a proxy's.
const PROXY: &str = "--trusted-proxy=127.0.0.0/8";

fn door(server: &Server, from: &'static str) -> Door {
    Door { at: server.http, from: Some(from) }
}

/// What a member was refused last.
async fn refusal(member: &Member) -> Problem {
    member.until(|page| !page.problems.is_empty()).await;
    member.look(|page| page.problems.last().cloned()).expect("one was waited for")
}

/// Somebody who opens a room or joins one gets nothing but this, with these words.
async fn is_kept_out(member: &Member, code: Code, words: &str) {
    let problem = refusal(member).await;
    assert_eq!((problem.code, problem.message.as_deref()), (code, Some("room")), "{problem:?}");
    assert!(problem.detail.contains(words), "{problem:?}");
    assert!(member.look(|page| page.entered.is_none()));
}

fn join(code: RoomCode) -> RoomRequest {
    RoomRequest::Join(Join { code, member: None, key: None })
}

/// The class still goes on, and everybody is told.
async fn goes_on(class: &Class) {
    class.lead(2).await;
    class.stage(Stage::Predict).await;
    for member in &class.members {
        member.vote(1);
    }
    class.is_counted().await;
    class.stage(Stage::Reveal).await;
    let votes = u32::try_from(class.members.len()).expect("few enough");
    let is_told = |page: &Page| {
        page.state.as_ref().and_then(|state| state.pooled.as_ref()).map(|all| all.before.clone())
            == Some(vec![0, votes])
    };
    for member in class.all() {
        member.until(is_told).await;
    }
}

#[tokio::test]
async fn one_room_above_the_limit_is_refused_until_another_ends() {
    let server = Server::start_with(&["--rooms=2"]);
    let first = Class::open(server.http, 1).await;
    let second = Class::open(server.http, 0).await;
    let third = Member::open(server.http);
    is_kept_out(&third, Code::RoomFull, "2").await;
    second.teacher.ask(RoomRequest::End {});
    second.teacher.until(|page| page.left.is_some()).await;
    third.ask(RoomRequest::Open {});
    third.is_in().await;
    goes_on(&first).await;
}

#[tokio::test]
async fn a_server_without_rooms_opens_none() {
    let server = Server::start_with(&["--rooms=0"]);
    is_kept_out(&Member::open(server.http), Code::NoRoom, "no rooms").await;
}

#[tokio::test]
async fn an_address_opens_only_so_many_rooms_and_another_one_opens_its_own() {
    let server = Server::start_with(&[PROXY, "--rooms-per-address=1"]);
    let class = Class::open(door(&server, "192.0.2.1"), 1).await;
    is_kept_out(&Member::open(door(&server, "192.0.2.1")), Code::RoomFull, "1").await;
    let other = Class::open(door(&server, "192.0.2.2"), 1).await;
    // An IPv6 network has as many addresses as it likes.
    let six = Class::open(door(&server, "2001:db8::1"), 0).await;
    is_kept_out(&Member::open(door(&server, "2001:db8::2")), Code::RoomFull, "1").await;
    drop(six);
    goes_on(&class).await;
    goes_on(&other).await;
}

#[tokio::test]
async fn one_member_above_the_limit_gets_in_when_another_has_left() {
    let server = Server::start_with(&["--room-members=2"]);
    let mut class = Class::open(server.http, 2).await;
    let late = Member::join(server.http, class.code());
    is_kept_out(&late, Code::RoomFull, "2").await;
    // Who teaches is no member.
    let key = class.teacher.look(|page| page.key.clone());
    let also = Member::join_as(server.http, class.code(), None, key);
    also.is_in().await;
    goes_on(&class).await;

    let left = class.members.remove(0);
    left.ask(RoomRequest::Leave {});
    left.until(|page| page.left.is_some()).await;
    late.ask(join(class.code()));
    late.is_in().await;
    class.members.push(late);
    left.is_refused(join(class.code()), Code::RoomFull).await;
    goes_on(&class).await;
}

#[tokio::test]
async fn a_member_that_is_here_twice_takes_one_place_and_not_without_end() {
    let server = Server::start_with(&["--room-members=2"]);
    let class = Class::open(server.http, 2).await;
    let tab = || Member::join_as(server.http, class.code(), Some(class.members[0].number()), None);
    // Twice as many sessions as places.
    let tabs = [tab(), tab()];
    for member in &tabs {
        member.is_in().await;
    }
    let more = tab();
    let problem = refusal(&more).await;
    assert_eq!(problem.code, Code::RoomFull, "{problem:?}");
    assert!(problem.detail.contains("limit is 4"), "{problem:?}");
    tabs[0].ask(RoomRequest::Leave {});
    tabs[0].until(|page| page.left.is_some()).await;
    let again = tab();
    again.is_in().await;
    goes_on(&class).await;
}

#[tokio::test]
async fn more_may_vote_than_are_here_at_once_but_not_without_end() {
    let server = Server::start_with(&["--room-members=1"]);
    let class = Class::open(server.http, 0).await;
    class.lead(2).await;
    class.stage(Stage::Predict).await;
    let came = async || {
        let member = Member::join(server.http, class.code());
        member.until(|page| page.stage() == Some(Stage::Predict)).await;
        member.vote(1);
        member
    };
    for _ in 0..2 {
        let member = came().await;
        member.is_counted().await;
        member.ask(RoomRequest::Leave {});
        member.until(|page| page.left.is_some()).await;
    }
    let problem = refusal(&came().await).await;
    assert_eq!(problem.code, Code::RoomFull, "{problem:?}");
    assert!(problem.detail.contains("limit is 2"), "{problem:?}");
    // The next step has room again.
    class.lead(2).await;
    class.stage(Stage::Predict).await;
    came().await.is_counted().await;
}

#[tokio::test]
async fn a_key_that_has_become_public_lets_only_so_many_teach() {
    let server = Server::start();
    let class = Class::open(server.http, 1).await;
    let key = class.teacher.look(|page| page.key.clone());
    let teaching = || Member::join_as(server.http, class.code(), None, key.clone());
    let others: Vec<_> = (0..15).map(|_| teaching()).collect();
    for teacher in &others {
        teacher.is_in().await;
    }
    let more = teaching();
    is_kept_out(&more, Code::RoomFull, "limit is 16").await;
    goes_on(&class).await;
}

#[tokio::test]
async fn a_member_that_asks_too_fast_is_refused_alone() {
    let server = Server::start_with(&["--room-messages-per-s=5", "--messages-per-s=1000"]);
    let mut class = Class::open(server.http, 3).await;
    class.lead(2).await;
    class.stage(Stage::Predict).await;
    let fast = class.members.pop().unwrap();
    for choice in [0, 1].repeat(50) {
        fast.vote(choice);
    }
    let began = Instant::now();
    let problem = refusal(&fast).await;
    let named = (problem.code, problem.message.as_deref());
    assert_eq!(named, (Code::OverLimit, Some("room")), "{problem:?}");
    assert!(problem.detail.contains("limit") && problem.detail.contains('5'), "{problem:?}");
    // Ten seconds' worth at once, of which joining was one. Of the others every second one: it waits each time that it
    // is refused, and then the next is free.
    fast.until(|page| page.problems.len() >= 20).await;
    assert!(began.elapsed() >= Duration::from_millis(19 * 200), "{:?}", began.elapsed());
    fast.look(|page| assert!(page.problems.len() <= 26 && page.connections == 1, "{page:#?}"));
    goes_on(&class).await;
}

#[tokio::test]
async fn a_teacher_that_asks_too_fast_is_refused_and_keeps_its_room() {
    let flags = ["--room-teacher-messages-per-s=5", "--room-messages-per-s=100"];
    let server = Server::start_with(&flags);
    let class = Class::open(server.http, 1).await;
    let other = Class::open(server.http, 1).await;
    for _ in 0..100 {
        class.teacher.ask(RoomRequest::Lead(lesson(2)));
    }
    let problem = refusal(&class.teacher).await;
    let named = (problem.code, problem.message.as_deref());
    assert_eq!(named, (Code::OverLimit, Some("room")), "{problem:?}");
    class.teacher.until(|page| page.problems.len() >= 20).await;
    class.members[0].until(|page| page.number().is_some_and(|number| number >= 49)).await;
    assert!(class.members[0].look(|page| page.is_in));
    goes_on(&other).await;
}

#[tokio::test]
async fn an_address_that_tries_codes_enters_no_room_for_a_while_and_others_do() {
    let server = Server::start_with(&[PROXY, "--room-tries-per-min=3"]);
    let mut class = Class::open(door(&server, "192.0.2.1"), 1).await;
    let guesser = Class::open(door(&server, "192.0.2.2"), 0).await.teacher;
    let wrong = |last: &str| {
        let code = class.code().symbols();
        let code = if code.ends_with(last) {
            format!("{}Z", &code[..8])
        } else {
            format!("{}{last}", &code[..8])
        };
        join(code.parse().expect("a code"))
    };
    for last in ["0", "1", "2"] {
        guesser.is_refused(wrong(last), Code::NoRoom).await;
    }
    guesser.is_refused(wrong("3"), Code::OverLimit).await;
    // What it is told does not depend on whether it was right.
    guesser.is_refused(join(class.code()), Code::OverLimit).await;
    let problem = refusal(&guesser).await;
    assert!(problem.detail.contains("limit") && problem.detail.contains('3'), "{problem:?}");
    let neighbour = Member::join(door(&server, "192.0.2.2"), class.code());
    is_kept_out(&neighbour, Code::OverLimit, "3").await;
    // Who is in stays, and who comes from elsewhere gets in.
    class.grow(door(&server, "192.0.2.1"), 2).await;
    class.grow(door(&server, "192.0.2.3"), 3).await;
    goes_on(&class).await;
}

#[tokio::test]
async fn a_wrong_key_is_a_try_too() {
    let server = Server::start_with(&[PROXY, "--room-tries-per-min=2"]);
    let class = Class::open(door(&server, "192.0.2.1"), 1).await;
    let guesser = Class::open(door(&server, "192.0.2.2"), 0).await.teacher;
    let with = |digit: &str| {
        RoomRequest::Join(Join { code: class.code(), member: None, key: Some(digit.repeat(32)) })
    };
    for digit in ["0", "1"] {
        guesser.is_refused(with(digit), Code::NotTeacher).await;
    }
    guesser.is_refused(with("2"), Code::OverLimit).await;
    goes_on(&class).await;
}

#[tokio::test]
async fn a_code_of_another_server_is_told_from_one_of_no_room() {
    let (here, there) = (Server::start(), Server::start());
    let (own, other) = (Class::open(here.http, 1).await, Class::open(there.http, 0).await);
    // Two servers have the same symbols once in a thousand times.
    let is_other = own.code().server() != other.code().server();
    let expected = if is_other { Code::RoomElsewhere } else { Code::NoRoom };
    is_kept_out(&Member::join(here.http, other.code()), expected, "").await;
    other.teacher.ask(RoomRequest::End {});
    other.teacher.until(|page| page.left.is_some()).await;
    is_kept_out(&Member::join(there.http, other.code()), Code::NoRoom, "").await;
    goes_on(&own).await;
}

/// What is asked of a room is refused, and the session lives on.
async fn is_told(browser: &mut Browser, request: &str, code: Code, field: &str) {
    browser.say(&format!(r#"{{"room":{request}}}"#)).await;
    let told = browser.until(|event| matches!(event, Event::Error(_))).await;
    let Event::Error(problem) = told.event else { unreachable!("it was waited for") };
    assert_eq!((problem.code, problem.message.as_deref()), (code, Some("room")), "{problem:?}");
    assert!(problem.field.as_deref().unwrap_or_default().contains(field), "{problem:?}");
    assert!(problem.detail.chars().count() <= 400, "{problem:?}");
}

#[tokio::test]
async fn what_is_no_message_of_a_room_is_refused_and_harms_nobody() {
    let server = Server::start();
    let class = Class::open(server.http, 3).await;
    let mut hostile = Browser::connect(server.http).await;
    hostile.say(&format!(r#"{{"room":{{"join":{{"code":"{}"}}}}}}"#, class.code())).await;
    let (long, huge) = ("x".repeat(ROOM_FRAGMENT_BYTES + 1), "x".repeat(200_000));
    let code = "K7M4Q2XAB";
    for (request, field) in [
        (r#"{"rule":{}}"#.to_owned(), ""),
        (r#"{"stage":"panic"}"#.into(), ""),
        (r#"{"join":{"code":"*.>"}}"#.into(), "join.code"),
        (format!(r#"{{"join":{{"code":"{code}","name":"Ann"}}}}"#), "join.name"),
        (format!(r#"{{"join":{{"code":"{code}","member":"../passwd"}}}}"#), "join.member"),
        (format!(r#"{{"join":{{"code":"{code}","member":"ABCDEF0123456789"}}}}"#), "join.member"),
        (r#"{"vote":{"step":"a","stage":"predict","choice":-1,"edit":1}}"#.into(), "vote.choice"),
        (r#"{"ran":{"step":"a","outcome":{"secret":1},"edit":1}}"#.into(), ""),
        (r#"{"ran":{"step":"a","outcome":{"tcp_reads":4294967296},"edit":1}}"#.into(), ""),
    ] {
        is_told(&mut hostile, &request, Code::BadField, field).await;
    }
    for (request, field) in [
        (format!(r#"{{"lead":{{"scenario":"{long}"}}}}"#), "lead.scenario"),
        (format!(r#"{{"lead":{{"path":"{huge}"}}}}"#), "lead.path"),
        (format!(r#"{{"lead":{{"lesson":{{"id":"{long}","choices":2}}}}}}"#), "lead.lesson.id"),
        (r#"{"lead":{"lesson":{"id":"a","choices":9}}}"#.into(), "lead.lesson.choices"),
    ] {
        is_told(&mut hostile, &request, Code::OverLimit, field).await;
    }
    // A step that nobody ever had is not looked for long.
    let vote = format!(r#"{{"vote":{{"step":"{huge}","stage":"again","choice":0,"edit":1}}}}"#);
    is_told(&mut hostile, &vote, Code::NotAsked, "").await;
    goes_on(&class).await;

    hostile.say(&format!(r#"{{"room":{{"lead":{{"path":"{}"}}}}}}"#, "x".repeat(300_000))).await;
    assert_eq!(timeout(PATIENCE, hostile.closed()).await.expect("it ends").code, 1009);
    goes_on(&class).await;
}

#[tokio::test]
async fn a_member_that_reads_nothing_holds_nobody_up() {
    let flags = ["--ping-s=1", "--http-write-s=1", "--room-teacher-messages-per-s=1000"];
    let server = Server::start_with(&flags);
    let class = Class::open(server.http, 3).await;
    let mut deaf = Browser::connect(server.http).await;
    let join = format!(r#"{{"room":{{"join":{{"code":"{}"}}}}}}"#, class.code());
    deaf.frame(Message::text(join)).await;
    class.teacher.until(|page| page.state.as_ref().is_some_and(|state| state.here == 4)).await;
    // Two KiB to each member each time, which the deaf one's buffers do not hold for long.
    let place = || Place::Scenario("x".repeat(ROOM_FRAGMENT_BYTES));
    for number in 1..=300 {
        class.teacher.ask(RoomRequest::Lead(place()));
        for member in class.all() {
            member.until_within(Duration::from_secs(5), |page| page.number() == Some(number)).await;
        }
    }
    goes_on(&class).await;
    drop(deaf);
}
