//! Streamgram: real TCP and UDP timestamp servers, and a bridge from the browser to them.
//!
//! - [`serve`]: binds all sockets, runs the servers, stops them.
//! - [`timestamp`]: the two timestamp servers; they know nothing of the rest.
//! - [`observe`]: what the timestamp servers saw, and who may see it.
//! - [`session`]: a task for each browser, with a leg to each server, over a [`path`].
//! - [`web`]: the page, the API, and the WebSocket that carries a session.
//! - [`guard`]: accepts connections, limits them, counts what it refuses.
//! - [`operate`]: the log and the meters.
//! - [`terminal`]: the terminal clients, and the lab's sweep.
//! - [`config`]: every flag.
//!
//! Dependencies point one way: `web → session → path`, and `timestamp → observe`. With the page the server
//! shares only the crate `streamgram-protocol`.

pub mod config;
pub mod guard;
pub mod observe;
pub mod operate;
pub mod path;
pub mod serve;
pub mod session;
pub mod terminal;
pub mod timestamp;
mod udp_error;
pub mod web;

pub use serve::{BindError, Server};
