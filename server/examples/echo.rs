//! A WebSocket server that sends back what it gets, over the same adapter as the real one: what the
//! conformance test talks to. Limits are lifted, but for the largest message.

use std::io::{Write, stdout};
use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::Router;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::routing::get;
use clap::Parser;
use futures_util::{SinkExt, StreamExt};
use streamgram::config::{Cli, Command, WebSocketLimits};
use streamgram::guard::refusals::Refusals;
use streamgram::operate::meters::Surface;
use streamgram::web::http::connection::Received;
use streamgram::web::http::listener;
use streamgram::web::ws::socket::{Frame, Socket, SocketLimits, limited};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What the largest cases send.
const MESSAGE_BYTES: usize = 16 << 20;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Command::Serve(config) = Cli::parse().command() else { anyhow::bail!("it only serves") };
    let listener = TcpListener::bind(config.http).await?;
    writeln!(stdout(), "{}", listener.local_addr()?)?;
    let refusals = Arc::new(Refusals::default());
    let router = Router::new().route(
        "/",
        get({
            let refusals = Arc::clone(&refusals);
            |upgrade| echo(upgrade, refusals)
        }),
    );
    let never = CancellationToken::new();
    Ok(listener::serve(Surface::Http, listener, router, config.http_limits, refusals, never)
        .await?)
}

async fn echo(upgrade: WebSocketUpgrade, refusals: Arc<Refusals>) -> axum::response::Response {
    let unlimited = u32::MAX;
    let flags = WebSocketLimits {
        messages_per_s: unlimited,
        message_bytes_per_s: unlimited,
        ..WebSocketLimits::default()
    };
    let limits =
        SocketLimits { message_bytes: MESSAGE_BYTES, unread_bytes: 2 * MESSAGE_BYTES, flags };
    limited(upgrade, &limits).on_upgrade(|socket| async {
        // Without its count of bytes the socket waits for ever for the end of a message.
        let received = Received::default();
        let mut socket =
            Socket::new(socket, Ipv4Addr::LOCALHOST.into(), limits, received, refusals);
        while let Some(frame) = socket.next().await {
            let message = match frame {
                Frame::Text(text) => Message::Text(text),
                Frame::Binary(bytes) => Message::Binary(bytes),
            };
            if socket.send(message).await.is_err() {
                break;
            }
        }
        socket.close(None).await;
    })
}
