//! What a session waits for, each a future that can lose a `select!` without losing anything.

use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::task::ready;
use std::time::Instant;

use futures_util::{Sink, SinkExt};
use streamgram_protocol::ServerMessage;
use tokio::time::sleep_until;

use super::leg::leaving::Leaving;
use super::leg::tcp::TcpLeg;
use super::leg::udp::UdpLeg;
use super::outbox::Outbox;
use super::raw_clients::RawClients;
use crate::observe::Sighting;

/// Hands events to the client in frames, as fast as it takes them; true when it has all of them, false
/// when it can take no more.
pub(crate) async fn tell(
    client: &mut (impl Sink<Vec<ServerMessage>> + Unpin),
    outbox: &mut Outbox,
    unflushed: &mut bool,
) -> bool {
    let told = poll_fn(|cx| {
        while !outbox.is_empty() {
            ready!(client.poll_ready_unpin(cx))?;
            client.start_send_unpin(outbox.take_frame())?;
            *unflushed = true;
        }
        client.poll_flush_unpin(cx)
    });
    let told = told.await.is_ok();
    *unflushed = false;
    told
}

pub(crate) async fn sighting(raw_clients: Option<&mut RawClients>) -> Option<Arc<Sighting>> {
    match raw_clients {
        Some(raw_clients) => raw_clients.next().await,
        None => pending().await,
    }
}

pub(crate) async fn tcp_ready(leg: Option<&mut TcpLeg>) {
    match leg {
        Some(leg) => leg.ready().await,
        None => pending().await,
    }
}

pub(crate) async fn leaving_ready(leaving: Option<&mut Leaving>) {
    match leaving {
        Some(leaving) => leaving.ready().await,
        None => pending().await,
    }
}

pub(crate) async fn udp_ready(leg: Option<&UdpLeg>, room: bool) {
    match leg {
        Some(leg) => leg.ready(room).await,
        None => pending().await,
    }
}

pub(crate) async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => pending().await,
    }
}
