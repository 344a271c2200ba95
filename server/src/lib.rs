//! Streamgram: real TCP and UDP timestamp servers, and a bridge from the browser to them.
//!
//! [`TestServer`] is for tests of other programs. Everything else is what the binary is made of, and may change
//! with any version:
//!
//! - [`serve`]: binds all sockets, runs the servers, stops them.
//! - [`timestamp`]: the two timestamp servers; they know nothing of the rest.
//! - [`observe`]: what the timestamp servers saw, and who may see it.
//! - [`capture`]: the kernel's packets of the two servers' ports.
//! - [`session`]: a task for each browser, with a leg to each server, over a [`path`].
//! - [`room`]: a class together, in this process or through a store that servers share.
//! - [`web`]: the page, the API, and the WebSocket that carries a session.
//! - [`guard`]: accepts connections, limits them, counts what it refuses.
//! - [`operate`]: the log and the meters.
//! - [`terminal`]: the terminal clients, and the lab's sweep.
//! - [`script`]: scenarios without a browser, and checks of clients.
//! - [`config`]: every flag.
//!
//! Dependencies point one way: `web → session → path`, `session → room`, `session → capture → observe`, and `timestamp → observe`. With
//! the page the server shares only the crate `streamgram-protocol`.

pub mod capture;
pub mod config;
mod dating;
pub mod fault;
pub mod guard;
pub mod observe;
pub mod operate;
pub mod path;
pub mod room;
pub mod script;
pub mod serve;
pub mod session;
pub mod terminal;
mod test_server;
pub mod timestamp;
mod udp_error;
pub mod web;

pub use serve::{BindError, Server};
pub use test_server::{StartError, TestServer, TestServerBuilder};

/// What the package's README shows runs.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
