//! Somebody who comes to the server again and again while a load lasts.

use std::any::Any;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use streamgram_tests::Server;
use tokio::task::{Id, JoinSet};
use tokio::time::{sleep, timeout_at};

use crate::tally::Tally;

/// Between two visits, and between two questions of one: a person takes longer.
pub(crate) const PAUSE: Duration = Duration::from_millis(100);
/// Between two attacks: what is to be seen is what they leave behind, and not how many a second the
/// machine can bear.
const REST: Duration = Duration::from_millis(300);

/// One kind of visitors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// How many there are at the same time.
    pub(crate) at_once: usize,
    /// Comes once. What is not as it must be is a panic.
    pub(crate) visit: fn(Visit) -> BoxFuture<'static, ()>,
}

/// What a visitor needs to know.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    pub(crate) http: SocketAddr,
    pub(crate) tcp: SocketAddr,
    pub(crate) udp: SocketAddr,
    /// Differs from visit to visit, so that they need not all be the same.
    pub(crate) number: usize,
    pub(crate) tally: Tally,
}

/// Everybody who is there during one load.
#[derive(Debug)]
pub(crate) struct Crowd {
    everybody: JoinSet<()>,
    names: Vec<(Id, &'static str)>,
    visit: Visit,
    until: Instant,
}

impl Crowd {
    pub(crate) fn of(server: &Server, tally: &Tally, until: Instant) -> Self {
        let Server { http, tcp, udp, .. } = *server;
        let visit = Visit { http, tcp, udp, number: 0, tally: tally.clone() };
        Self { everybody: JoinSet::new(), names: Vec::new(), visit, until }
    }

    /// Adds well-behaved visitors: in the end they bring to its end what they have begun.
    pub(crate) fn clients(&mut self, kinds: &[Kind]) {
        let until = self.until;
        self.add(kinds, |Kind { visit, .. }, mut next| async move {
            while Instant::now() < until {
                visit(next.clone()).await;
                next.number += 1;
                sleep(PAUSE).await;
            }
        });
    }

    /// Adds attackers: in the end they drop everything, whatever state it is in.
    pub(crate) fn attackers(&mut self, kinds: &[Kind]) {
        let until = self.until;
        self.add(kinds, |Kind { visit, name, .. }, mut next| async move {
            let attacks = async {
                loop {
                    next.tally.attacked(name);
                    visit(next.clone()).await;
                    next.number += 1;
                    sleep(REST).await;
                }
            };
            let _over: Result<(), _> = timeout_at(until.into(), attacks).await;
        });
    }

    fn add<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        kinds: &[Kind],
        come: impl Fn(Kind, Visit) -> F,
    ) {
        for kind in kinds {
            for number in 0..kind.at_once {
                let coming = come(*kind, Visit { number, ..self.visit.clone() });
                self.names.push((self.everybody.spawn(coming).id(), kind.name));
            }
        }
    }

    /// Waits until all have gone.
    ///
    /// # Errors
    /// What the first of them said who met something wrong.
    pub(crate) async fn gone(mut self) -> Result<(), String> {
        while let Some(gone) = self.everybody.join_next().await {
            let Err(error) = gone else { continue };
            let who = self.names.iter().find(|(id, _)| *id == error.id());
            let who = who.map_or("somebody", |(_, name)| name);
            let panic = error.try_into_panic().map_err(|error| error.to_string())?;
            return Err(format!("{who}: {}", said(&*panic)));
        }
        Ok(())
    }
}

/// What somebody said who met something wrong.
pub(crate) fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic")
}
