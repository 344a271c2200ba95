//! A member's page: it comes back by itself when its connection is lost, and sends again what was not counted.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use streamgram_protocol::Code;
use streamgram_protocol::room::{Outcome, RoomCode, RoomRequest};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::life::{Command, Life};
use super::page::{Page, What};
use crate::PATIENCE;

/// Where a page finds its server, and from which address a trusted proxy says it comes.
#[derive(Debug, Clone, Copy)]
pub struct Door {
    /// A server, or what stands in front of several.
    pub at: SocketAddr,
    /// What `X-Forwarded-For` says.
    pub from: Option<&'static str>,
}

impl From<SocketAddr> for Door {
    fn from(at: SocketAddr) -> Self {
        Self { at, from: None }
    }
}

/// A member of a room, or who teaches it.
#[derive(Debug)]
pub struct Member {
    commands: mpsc::UnboundedSender<Command>,
    page: Arc<watch::Sender<Page>>,
    life: JoinHandle<()>,
}

impl Member {
    /// Opens a room, and teaches it.
    #[must_use]
    pub fn open(door: impl Into<Door>) -> Self {
        Self::begin(door.into(), None, Page::default())
    }

    /// Joins a room by its code.
    #[must_use]
    pub fn join(door: impl Into<Door>, code: RoomCode) -> Self {
        Self::begin(door.into(), Some(code), Page::default())
    }

    /// Joins by a teacher's link, or under a number that it had before.
    #[must_use]
    pub fn join_as(
        door: impl Into<Door>,
        code: RoomCode,
        member: Option<String>,
        key: Option<String>,
    ) -> Self {
        Self::begin(door.into(), Some(code), Page::of(code, member, key))
    }

    fn begin(door: Door, code: Option<RoomCode>, page: Page) -> Self {
        let (commands, asked) = mpsc::unbounded_channel();
        let page = Arc::new(watch::Sender::new(page));
        let life = Life::new(door, code, asked, Arc::clone(&page));
        Self { commands, page, life: tokio::spawn(life.live()) }
    }

    /// Looks at its page.
    pub fn look<T>(&self, at: impl FnOnce(&Page) -> T) -> T {
        at(&self.page.borrow())
    }

    /// Waits until its page shows something.
    ///
    /// # Panics
    /// It does not.
    pub async fn until(&self, shows: impl FnMut(&Page) -> bool) {
        self.until_within(PATIENCE, shows).await;
    }

    /// Waits until its page shows something, for so long at most.
    ///
    /// # Panics
    /// It does not.
    pub async fn until_within(&self, patience: Duration, shows: impl FnMut(&Page) -> bool) {
        assert!(
            self.shows_within(patience, shows).await,
            "it still shows {:#?}",
            *self.page.borrow()
        );
    }

    /// Whether its page shows something within this time.
    pub async fn shows_within(&self, patience: Duration, shows: impl FnMut(&Page) -> bool) -> bool {
        timeout(patience, self.page.subscribe().wait_for(shows)).await.is_ok()
    }

    /// Waits until it is in its room and knows how that stands.
    ///
    /// # Panics
    /// It does not get in.
    pub async fn is_in(&self) {
        self.until(|page| page.is_in).await;
    }

    /// The room's code.
    ///
    /// # Panics
    /// It was never in a room.
    #[must_use]
    pub fn code(&self) -> RoomCode {
        self.look(|page| page.entered.as_ref().expect("it is in").code)
    }

    /// Its number in the room.
    ///
    /// # Panics
    /// It was never in a room.
    #[must_use]
    pub fn number(&self) -> String {
        self.look(|page| page.entered.as_ref().expect("it is in").member.clone())
    }

    /// Asks something of the room.
    pub fn ask(&self, request: RoomRequest) {
        self.command(Command::Ask(request));
    }

    /// Asks what is refused, and waits for that.
    ///
    /// # Panics
    /// It is not refused, or with another code.
    pub async fn is_refused(&self, request: RoomRequest, code: Code) {
        let before = self.look(|page| page.problems.len());
        self.ask(request);
        self.until(|page| page.problems.len() > before).await;
        self.look(|page| {
            let problem = &page.problems[before];
            let message = problem.message.as_deref();
            assert_eq!((problem.code, message), (code, Some("room")), "{problem:?}");
            assert!(!problem.detail.is_empty(), "{problem:?}");
        });
    }

    /// Votes at the present step; what is not counted is sent again after a reconnect.
    pub fn vote(&self, choice: u8) {
        self.answer(What::Choice(choice));
    }

    /// Tells what came of its run.
    pub fn ran(&self, outcome: Outcome) {
        self.answer(What::Outcome(outcome));
    }

    fn answer(&self, what: What) {
        let mut answer = None;
        self.page.send_modify(|page| answer = page.answer(what));
        if let Some(answer) = answer {
            self.ask(answer.request());
        }
    }

    /// Waits until all that it has answered is counted.
    ///
    /// # Panics
    /// It is not.
    pub async fn is_counted(&self) {
        self.until(|page| page.is_in && page.waiting.is_empty()).await;
    }

    /// Goes to another server.
    pub fn go(&self, door: impl Into<Door>) {
        self.command(Command::Go(door.into()));
    }

    /// Loses its connection, as a phone that sleeps.
    pub fn sleep(&self) {
        self.page.send_modify(|page| page.is_asleep = true);
        self.command(Command::Sleep);
    }

    /// Comes back.
    pub fn wake(&self) {
        self.page.send_modify(|page| page.is_asleep = false);
        self.command(Command::Wake);
    }

    fn command(&self, command: Command) {
        // Who has gone for good is not asked anything.
        let _heard = self.commands.send(command);
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.life.abort();
    }
}
