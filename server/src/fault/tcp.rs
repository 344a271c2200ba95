//! A TCP timestamp server whose replies go wrong on purpose. Limits and what is observed are those of the ordinary one.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use socket2::Socket;
use streamgram_protocol::fault::{Accept, Cut, Deed, TcpRecipe};
use streamgram_protocol::{Cause, READ_BYTES, STAMP_LEN};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::plan::{Step, TcpPlan};
use crate::config::TcpLimits;
use crate::guard::accept::{Entrance, Place, Visitor};
use crate::guard::admission::Admission;
use crate::guard::refusals::Refusal;
use crate::observe::{Caller, cause_of};
use crate::operate::meters::Surface;
use crate::timestamp::Shared;
use crate::timestamp::clock::Ctime;
use crate::timestamp::tcp::{LINGER, until_fin};

/// How long replies wait for others that they are to be merged with. A client that waits for its reply before it sends
/// more would wait for ever.
const MERGE_PATIENCE: Duration = Duration::from_millis(200);
/// Bytes that a connection takes without reading them: the least that a system allows, so that its window closes soon.
pub const STALLED_BYTES: usize = 1;

/// What takes connections at an address.
#[derive(Debug)]
pub enum Door {
    /// It is open.
    Open(TcpListener),
    /// The address is taken, and nobody listens there.
    Closed(Socket),
}

/// Answers clients as the recipe says until `stop`; returns when the last connection has ended.
///
/// # Errors
/// The listener has ended; connections have not.
pub async fn serve(
    (place, door): (usize, Door),
    recipe: TcpRecipe,
    shared: Shared,
    limits: TcpLimits,
    stop: CancellationToken,
) -> io::Result<()> {
    let listener = match door {
        Door::Open(listener) => listener,
        Door::Closed(_taken) => {
            stop.cancelled().await;
            return Ok(());
        }
    };
    let admission = Admission::new(limits.tcp_connections, limits.tcp_connections_per_address);
    let refusals = Arc::clone(&shared.refusals);
    let entrance = Entrance::new(Surface::Tcp, listener, admission, refusals, stop.clone());
    let recipe = Arc::new(recipe);
    let mut connections = 0..;
    while let Some((stream, peer)) = entrance.accept().await? {
        let number = connections.next().unwrap_or(u64::MAX);
        let local = stream.local_addr().map_or(Ipv4Addr::UNSPECIFIED.into(), |local| local.ip());
        let caller = shared.observer.caller(peer, local).of_fault(place);
        let visitor = if let Caller::Leg(_) = caller { Visitor::Leg } else { Visitor::Client };
        match entrance.admit(peer, visitor) {
            Ok(place) => {
                let recipe = Arc::clone(&recipe);
                let client = Client { stream, peer, caller, recipe, number, _place: place };
                entrance.serve(client.serve(shared.clone(), limits, stop.clone()));
            }
            Err(refusal) => caller.refused(refusal),
        }
    }
    entrance.close().await;
    Ok(())
}

struct Client {
    stream: TcpStream,
    peer: SocketAddr,
    caller: Caller,
    recipe: Arc<TcpRecipe>,
    number: u64,
    _place: Place,
}

/// How a connection ends, if it does not break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// By the client's FIN.
    Fin,
    /// By FIN, as the recipe wants it.
    Cut,
    /// By RST, as the recipe wants it.
    Rst,
    /// By a limit.
    Limit(Refusal),
    /// With the server.
    Stopped,
}

impl Client {
    async fn serve(mut self, shared: Shared, limits: TcpLimits, stop: CancellationToken) {
        if let Err(error) = self.stream.set_nodelay(true) {
            debug!(peer = %self.peer, %error, "TCP_NODELAY could not be set");
        }
        self.caller.accepted();
        let lifetime = Duration::from_secs(limits.tcp_lifetime_s.into());
        let ended = tokio::select! {
            () = stop.cancelled() => Ok(End::Stopped),
            () = sleep(lifetime) => Ok(End::Limit(Refusal::TcpLifetime)),
            ended = self.answer(&shared, &limits) => ended,
        };
        let Self { mut stream, peer, caller, .. } = self;
        caller.closed(match &ended {
            Ok(End::Fin) => Cause::PeerClosed,
            Ok(End::Rst) => Cause::Reset,
            Ok(End::Limit(_)) => Cause::Limit,
            Ok(End::Cut | End::Stopped) => Cause::Closed,
            Err(error) => cause_of(error),
        });
        match &ended {
            Ok(End::Rst | End::Limit(Refusal::TcpUnread)) => reset(&stream),
            Ok(End::Fin | End::Cut | End::Limit(_) | End::Stopped) => {
                // If the connection has broken meanwhile, there is nothing to end.
                let _ended = stream.shutdown().await;
                let _fin = timeout(LINGER, until_fin(&mut stream)).await;
            }
            Err(error) => debug!(%peer, %error, "a TCP connection ended"),
        }
        if let Ok(End::Limit(refusal)) = ended {
            shared.refusals.count(refusal, Instant::now(), format_args!("TCP client {peer}"));
        }
    }

    /// Answers until the plan, the client or a limit ends it.
    async fn answer(&mut self, shared: &Shared, limits: &TcpLimits) -> io::Result<End> {
        let Self { stream, caller, recipe, number, .. } = self;
        match recipe.accept {
            Accept::Reset => {
                caller.fault(Deed::Reset { offset: 0 });
                return Ok(End::Rst);
            }
            Accept::Silent => {
                caller.fault(Deed::Silent {});
                until_fin(&mut *stream).await;
                return Ok(End::Fin);
            }
            Accept::Serve | Accept::Refuse => {}
        }
        let seconds = |limit: u32| Duration::from_secs(limit.into());
        let (idle, write) = (seconds(limits.tcp_idle_s), seconds(limits.tcp_write_s));
        let mut plan = TcpPlan::of(recipe, *number);
        let mut replies = Replies { stream, caller, patience: write, made: 0, written: 0 };
        let (mut reads, mut offset, mut buffer) = (0, 0_u64, [0; READ_BYTES]);
        loop {
            let room = plan.stalls_after().map_or(u64::MAX, |bytes| bytes.saturating_sub(offset));
            if room == 0 {
                replies.caller.fault(Deed::Stalled { offset });
                // Nothing is read any more, so nobody knows when the client goes.
                sleep(idle).await;
                return Ok(End::Limit(Refusal::TcpIdle));
            }
            let room = usize::try_from(room).unwrap_or(READ_BYTES).min(READ_BYTES);
            let steps = tokio::select! {
                read = replies.stream.read(&mut buffer[..room]) => {
                    let bytes = read?;
                    if bytes == 0 {
                        let end = replies.carry_out(plan.flush()).await?;
                        return Ok(end.unwrap_or(End::Fin));
                    }
                    replies.caller.read(reads, offset, &buffer[..bytes]);
                    let ctime = shared.clock.ctime_of(recipe.stamp, plan.off_s());
                    let reply = replies.make(&plan, ctime, &mut buffer[..bytes]);
                    replies.caller.replied(reads, offset, &reply);
                    (reads, offset) = (reads + 1, offset + bytes as u64);
                    plan.reply(&reply)
                }
                () = sleep(MERGE_PATIENCE), if plan.holds() => plan.flush(),
                () = sleep(idle) => return Ok(End::Limit(Refusal::TcpIdle)),
            };
            if let Some(end) = replies.carry_out(steps).await? {
                return Ok(end);
            }
        }
    }
}

/// The replies to one client, and what is told of them.
struct Replies<'a> {
    stream: &'a mut TcpStream,
    caller: &'a Caller,
    /// How long the client may read nothing.
    patience: Duration,
    /// Bytes of replies that were made.
    made: u64,
    /// Bytes of replies that were written.
    written: u64,
}

impl Replies<'_> {
    /// The reply to a read, with what the plan does to its bytes.
    fn make(&mut self, plan: &TcpPlan<'_>, ctime: Ctime, echo: &mut [u8]) -> Vec<u8> {
        let offset = self.made;
        if plan.misdates() {
            self.caller.fault(Deed::Misdated { offset, seconds: plan.off_s() });
        }
        if let Some((at, was)) = plan.alter(echo) {
            let offset = offset + (STAMP_LEN + at) as u64;
            self.caller.fault(Deed::Altered { offset, was, is: echo[at] });
        }
        let reply = [b"[", &ctime[..], b"] ", echo].concat();
        self.made += reply.len() as u64;
        reply
    }

    /// Does what a plan says; how the connection ends, if it ends with that.
    ///
    /// # Errors
    /// The connection has broken.
    async fn carry_out(&mut self, steps: Vec<Step>) -> io::Result<Option<End>> {
        for step in steps {
            let offset = self.written;
            match step {
                Step::Wait(pause) => sleep(pause).await,
                Step::Delay(delay) => {
                    let ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
                    self.caller.fault(Deed::Delayed { offset, ms });
                    sleep(delay).await;
                }
                Step::Write(bytes) => {
                    match timeout(self.patience, self.stream.write_all(&bytes)).await {
                        Ok(written) => written?,
                        Err(_elapsed) => return Ok(Some(End::Limit(Refusal::TcpUnread))),
                    }
                    self.written += bytes.len() as u64;
                    self.caller.fault(Deed::Wrote { offset, bytes: bytes.len() });
                }
                Step::Cut(Cut::Fin) => {
                    self.caller.fault(Deed::Ended { offset });
                    return Ok(Some(End::Cut));
                }
                Step::Cut(Cut::Rst) => {
                    self.caller.fault(Deed::Reset { offset });
                    return Ok(Some(End::Rst));
                }
                Step::Cut(Cut::HalfClose) => {
                    self.caller.fault(Deed::HalfClosed { offset });
                    self.stream.shutdown().await?;
                }
            }
        }
        Ok(None)
    }
}

/// Makes the end of a connection an RST.
fn reset(stream: &TcpStream) {
    if let Err(error) = stream.set_zero_linger() {
        debug!(%error, "a connection is closed instead of reset");
    }
}
