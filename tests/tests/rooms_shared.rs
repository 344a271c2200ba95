//! Rooms of two servers that share them through NATS, behind a balancer: whichever of them is lost for a while, nothing
//! that was counted is lost or counted twice, and all come to the same state again.
// nginx and nats-server are Debian's.
#![cfg(target_os = "linux")]
#![expect(clippy::print_stdout, reason = "how soon it heals is stated")]

use std::path::Path;
use std::time::{Duration, Instant};

use streamgram_protocol::Code;
use streamgram_protocol::room::{RoomRequest, RoomState, Stage, StoreState};
use streamgram_tests::{
    Balancer, Class, Door, Member, Nats, PATIENCE, Page, Relay, Server, lesson,
};
use tokio::time::interval;

const FOLDER: &str = env!("CARGO_TARGET_TMPDIR");
const CHOICES: u8 = 3;
/// All members are proxied, and from one address.
const FLAGS: [&str; 2] = ["--trusted-proxy=127.0.0.0/8", "--rooms-per-address=100"];
/// Between two rounds of votes.
const TICK: Duration = Duration::from_millis(100);
/// Every so many rounds a member votes.
const EVERY: usize = 5;
/// How long one server is without NATS, or both.
const OUTAGE: Duration = Duration::from_secs(3);
/// Within which all are in the same state afterwards.
const HEALED: Duration = Duration::from_secs(5);

fn below() -> &'static Path {
    Path::new(FOLDER)
}

/// A server that shares its rooms through this NATS.
fn sharing(nats: &str, more: &[&str]) -> Server {
    let nats = format!("--nats={nats}");
    Server::start_with(&[&FLAGS, more, &[nats.as_str()]].concat())
}

/// The same, where another one was.
fn sharing_at(http: &str, nats: &str) -> Server {
    let nats = format!("--nats={nats}");
    Server::start_on([http, "127.0.0.1:0", "127.0.0.1:0"], &[FLAGS[0], FLAGS[1], &nats])
}

async fn is(member: &Member, store: StoreState) {
    member.until(|page| page.state.as_ref().is_some_and(|state| state.store == store)).await;
}

/// A room that is in the store, so that members may come to whichever server.
async fn shared(door: impl Into<Door>, members: usize) -> Class {
    let door = door.into();
    let mut class = Class::open(door, 0).await;
    is(&class.teacher, StoreState::Shared).await;
    class.grow(door, members).await;
    class
}

/// Leads every class on, asks for predictions, and waits until all are told.
async fn ask_all(classes: &[Class]) {
    let number = |class: &Class| class.teacher.look(Page::number).unwrap_or(0) + 1;
    let numbers: Vec<_> = classes.iter().map(number).collect();
    classes.iter().for_each(ask);
    for (class, number) in classes.iter().zip(numbers) {
        let is_asked =
            |page: &Page| page.number() == Some(number) && page.stage() == Some(Stage::Predict);
        for member in class.all() {
            member.until(is_asked).await;
        }
    }
}

fn ask(class: &Class) {
    class.teacher.ask(RoomRequest::Lead(lesson(CHOICES)));
    class.teacher.ask(RoomRequest::Stage(Stage::Predict));
}

/// Everybody votes, and changes the vote, until `over` is; each member ends at a time of its own, which may be before,
/// within or after what happens meanwhile. In every other class the teacher leads on in the middle of it.
async fn vote_until(classes: &[Class], mut over: std::pin::Pin<&mut impl Future<Output = ()>>) {
    let mut ticks = interval(TICK);
    let members = || classes.iter().flat_map(|class| &class.members);
    for tick in 0_usize.. {
        tokio::select! {
            () = &mut over => return,
            _now = ticks.tick() => {}
        }
        for (place, member) in members().enumerate() {
            // Up to five seconds, in an order that has nothing to do with classes or servers.
            let last = place * 31 % 50;
            let votes = (tick + place).is_multiple_of(EVERY) && (tick <= last || place % 4 == 0);
            if votes && member.look(Page::stage) == Some(Stage::Predict) {
                let choice = (place / 7 + tick / EVERY) % usize::from(CHOICES);
                member.vote(u8::try_from(choice).expect("few choices"));
            }
        }
        if tick == 20 {
            classes.iter().step_by(2).for_each(ask);
        }
    }
}

/// Within five seconds all members of all classes see the same, and after the reveal it is what they know themselves.
async fn heals(classes: &[Class], since: Instant) {
    let mut voted = 0;
    for class in classes {
        is_where_its_teacher_is(class, since).await;
        let step = state(&class.teacher).and_then(|state| state.step);
        let (given, own) = class.own(CHOICES);
        let here = u32::try_from(class.members.len()).expect("few enough");
        let expected = (here, given, step);
        let is_whole =
            |state: &RoomState| (state.here, state.given, state.step.clone()) == expected;
        for member in class.all() {
            let is_whole = |page: &Page| page.state.as_ref().is_some_and(is_whole);
            let is_told = member.shows_within(rest(since), is_whole).await;
            assert!(is_told, "{expected:#?} is not what it is told: {:#?}", state(member));
        }
        // A vote that is changed does not change how many there are.
        let pooled = |page: &Page| page.state.as_ref().and_then(|state| state.pooled.clone());
        let is_told = |page: &Page| pooled(page).as_ref() == Some(&own);
        let is_told = class.teacher.shows_within(rest(since), is_told).await;
        assert!(is_told, "{own:#?} is not what is told: {:#?}", state(&class.teacher));
        voted += given.before;
    }
    println!("all in the same state after {:?}", since.elapsed());
    assert!(voted > 0, "nobody voted");
    for class in classes {
        class.teacher.ask(RoomRequest::Stage(Stage::Reveal));
    }
    for class in classes {
        let (given, own) = class.own(CHOICES);
        for member in class.all() {
            let is_whole =
                |state: &RoomState| state.given == given && state.pooled.as_ref() == Some(&own);
            let is_whole = |page: &Page| page.state.as_ref().is_some_and(is_whole);
            let is_told = member.shows_within(PATIENCE, is_whole).await;
            assert!(is_told, "{own:#?} is not what it is told: {:#?}", state(member));
            member.look(|page| {
                assert!(page.problems.iter().all(is_late), "{:#?}", page.problems);
                assert!(!page.went_back, "{page:#?}");
            });
        }
    }
}

fn rest(since: Instant) -> Duration {
    HEALED.saturating_sub(since.elapsed())
}

fn state(member: &Member) -> Option<RoomState> {
    member.look(|page| page.state.clone())
}

/// Waits until all are where the teacher is, and all that they answered there is counted. A member may be told of it
/// before the teacher.
async fn is_where_its_teacher_is(class: &Class, since: Instant) {
    class.teacher.until_within(rest(since), |page| page.is_in).await;
    for member in &class.members {
        loop {
            let step = state(&class.teacher).and_then(|state| state.step);
            let id = step.as_ref().map(|step| step.id.as_str());
            let is_there = |page: &Page| page.is_in && page.step() == id && page.waiting.is_empty();
            if member.shows_within(TICK, is_there).await {
                break;
            }
            assert!(
                !rest(since).is_zero(),
                "{step:#?} is not where this is: {}",
                member.look(|page| format!("{page:?}"))
            );
        }
    }
}

/// Who answers while the class goes on may be told that it has.
fn is_late(problem: &streamgram_protocol::Problem) -> bool {
    matches!(problem.code, Code::NotAsked | Code::StoreAway)
}

/// How many connections each member has had.
fn connections(classes: &[Class]) -> Vec<u32> {
    let members = classes.iter().flat_map(|class| &class.members);
    members.map(|member| member.look(|page| page.connections)).collect()
}

/// Kills the server at which all are, and says when. Where a teacher led to while it was cut off is lost with it, and no
/// page believes it any longer.
async fn are_lost_with(server: Server, classes: &[Class]) -> Instant {
    let teachers = || classes.iter().map(|class| &class.teacher);
    let before: Vec<_> = teachers().map(|it| it.look(|page| page.connections)).collect();
    let killed = Instant::now();
    drop(server);
    for (teacher, before) in teachers().zip(before) {
        teacher.until(|page| page.connections > before).await;
    }
    killed
}

/// Votes, beside what happens to the servers, and looks at the outcome.
async fn through(classes: &[Class], what: &str, happens: impl Future<Output = Instant>) {
    println!("{what}");
    ask_all(classes).await;
    let mut healed = None;
    {
        let happening = async { healed = Some(happens.await) };
        let happening = std::pin::pin!(happening);
        vote_until(classes, happening).await;
    }
    heals(classes, healed.expect("it has happened")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_counted_is_lost_or_counted_twice() {
    rlimit::increase_nofile_limit(16_384).expect("the limit of open files can be raised");
    let mut nats = Nats::start(below());
    let relay = Relay::to(nats.at).await;
    let direct = sharing(&nats.url(), &[]);
    let relayed = sharing(&format!("nats://{}", relay.at), &[]);
    let balancer = Balancer::of([direct.http, relayed.http], below());
    let at = direct.http;
    let mut classes = Vec::new();
    for _ in 0..50 {
        classes.push(shared(balancer.at, 20).await);
    }
    let pause = || tokio::time::sleep(OUTAGE);

    through(&classes, "NATS restarts", async {
        pause().await;
        nats.stop();
        nats.start_again();
        Instant::now()
    })
    .await;
    through(&classes, "NATS is down", async {
        nats.kill();
        pause().await;
        nats.start_again();
        Instant::now()
    })
    .await;
    through(&classes, "one server's way to NATS is stalled", async {
        relay.stalls();
        pause().await;
        relay.carries();
        Instant::now()
    })
    .await;
    through(&classes, "one server is cut off from NATS", async {
        relay.cuts();
        pause().await;
        relay.carries();
        Instant::now()
    })
    .await;
    assert_eq!(connections(&classes).iter().max(), Some(&1), "no member has lost its server");
    through(&classes, "one server is killed", async {
        pause().await;
        drop(direct);
        Instant::now()
    })
    .await;
    let moved = connections(&classes);
    let moved = moved.iter().filter(|times| **times > 1).count();
    assert!((300..700).contains(&moved), "{moved} of 1000 members were at the one that was killed");
    // All are at the one that is left. What comes to it while it is cut off is lost with it, so it is not counted. What
    // was asked before that is not: it is stored once somebody at the other is asked too.
    let again = sharing_at(&at.to_string(), &nats.url());
    for class in &mut classes {
        class.grow(again.http, 21).await;
    }
    through(&classes, "the other is cut off, and killed", async {
        relay.cuts();
        pause().await;
        are_lost_with(relayed, &classes).await
    })
    .await;
}

#[tokio::test]
async fn a_server_that_starts_without_nats_shares_its_rooms_once_it_is_there() {
    let mut nats = Nats::start(below());
    nats.stop();
    let [one, other] = [(); 2].map(|()| sharing(&nats.url(), &[]));
    let mut class = Class::open(one.http, 2).await;
    is(&class.teacher, StoreState::Cut).await;
    class.lead(CHOICES).await;
    class.stage(Stage::Predict).await;
    class.members[0].vote(1);
    let is_given = |page: &Page| page.state.as_ref().is_some_and(|state| state.given.before == 1);
    class.teacher.until(is_given).await;
    // However long it waits, it is not as safe as it was asked to be.
    let away = Member::join(other.http, class.code());
    away.until(|page| page.problems.iter().any(|it| it.code == Code::StoreAway)).await;
    drop(away);
    assert!(class.members[0].look(|page| page.kept().is_empty()));

    nats.start_again();
    for member in class.all() {
        is(member, StoreState::Shared).await;
    }
    class.is_counted().await;
    class.grow(other.http, 3).await;
    class.members[2].until(|page| is_given(page) && page.stage() == Some(Stage::Predict)).await;
    class.members[2].vote(2);
    class.is_counted().await;
    class.stage(Stage::Reveal).await;
    let (_, own) = class.own(CHOICES);
    assert_eq!(own.before, [0, 1, 1]);
    for member in class.all() {
        let pooled = |page: &Page| page.state.as_ref().and_then(|state| state.pooled.clone());
        member.until(|page| pooled(page).as_ref() == Some(&own)).await;
    }
}

#[tokio::test]
async fn a_bucket_that_is_lost_is_made_anew_from_what_the_servers_know() {
    let mut nats = Nats::start(below());
    let [one, other] = [(); 2].map(|()| sharing(&nats.url(), &[]));
    let mut classes = Vec::new();
    for teaches_at in [&one, &other, &one, &other] {
        let mut class = shared(teaches_at.http, 2).await;
        class.grow(one.http, 4).await;
        class.grow(other.http, 8).await;
        classes.push(class);
    }
    // A record that was changed often has a high revision, which the new bucket does not reach soon.
    for _ in 0..5 {
        ask_all(&classes).await;
    }
    for class in &classes {
        class.members.iter().for_each(|member| member.vote(1));
        class.is_counted().await;
    }
    nats.stop();
    nats.forget();
    nats.start_again();
    heals(&classes, Instant::now()).await;
    // Both go on to share what either does.
    ask_all(&classes).await;
    for class in &classes {
        class.members.iter().for_each(|member| member.vote(2));
    }
    heals(&classes, Instant::now()).await;
}

#[tokio::test]
async fn what_a_server_wrote_over_a_connection_that_it_gave_up_replaces_nothing_newer() {
    let nats = Nats::start(below());
    let relay = Relay::to(nats.at).await;
    let relayed = sharing(&format!("nats://{}", relay.at), &[]);
    let direct = sharing(&nats.url(), &[]);
    let mut class = shared(relayed.http, 0).await;
    class.grow(direct.http, 1).await;
    class.grow(relayed.http, 2).await;
    class.lead(CHOICES).await;
    class.stage(Stage::Predict).await;
    let member = &class.members[1];
    is(member, StoreState::Shared).await;

    relay.stalls_these();
    member.vote(0);
    is(member, StoreState::Cut).await;
    // Over its next connection it is counted, and so is what the member thinks then.
    is(member, StoreState::Shared).await;
    member.is_counted().await;
    member.vote(2);
    member.is_counted().await;
    // Now the first vote comes, as from a network that was slow. The reveal comes after it, to the other server too.
    relay.carries();
    relay.has_open(1, PATIENCE).await;
    heals(&[class], Instant::now()).await;
}

#[tokio::test]
async fn a_member_that_goes_to_the_other_server_is_still_one() {
    let nats = Nats::start(below());
    let [one, other] = [(); 2].map(|()| sharing(&nats.url(), &[]));
    let mut class = shared(one.http, 1).await;
    class.grow(other.http, 3).await;
    ask_all(std::slice::from_ref(&class)).await;
    let own = |member: &Member| member.look(|page| page.entered.clone().unwrap().own.before);
    let member = &class.members[0];
    for (server, choice) in [(&other, 1), (&one, 2), (&other, 0)] {
        member.vote(choice);
        member.is_counted().await;
        let connections = member.look(|page| page.connections);
        member.go(server.http);
        member.until(|page| page.connections > connections && page.is_in).await;
        assert_eq!(own(member), Some(choice), "what both know");
    }
    class.members[1].vote(1);
    class.is_counted().await;
    heals(&[class], Instant::now()).await;
}

#[tokio::test]
async fn servers_with_other_prefixes_share_nothing() {
    let nats = Nats::start(below());
    let here = sharing(&nats.url(), &["--nats-prefix=here"]);
    let there = sharing(&nats.url(), &["--nats-prefix=there"]);
    let class = shared(here.http, 0).await;
    drop(shared(there.http, 0).await);
    let lost = Member::join(there.http, class.code());
    lost.until(|page| !page.problems.is_empty()).await;
    assert_eq!(lost.look(|page| page.problems[0].code), Code::NoRoom);
}
