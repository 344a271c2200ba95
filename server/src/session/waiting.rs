//! What a session waits for, each a future that can lose a `select!` without losing anything.

use std::future::{pending, poll_fn};
use std::task::ready;

use futures_util::future::select_all;
use futures_util::{Sink, SinkExt};
use streamgram_protocol::ServerMessage;

use super::leg::ended::EndedLeg;
use super::outbox::Outbox;

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

/// Waits until one of the legs that have ended has something to do.
pub(crate) async fn any_ready(ended: &mut [EndedLeg], room: bool) {
    if ended.is_empty() {
        return pending().await;
    }
    select_all(ended.iter_mut().map(|leg| Box::pin(leg.ready(room)))).await;
}
