//! Streamgram: real TCP and UDP timestamp servers, and a bridge from the browser to them.
//!
//! - [`serve`]: binds all of it, runs it, stops it.
//! - [`timestamp`]: the two servers; they know nothing of the rest.
//! - [`observe`]: what they saw, for whoever may see it.
//! - [`session`]: a task per browser, with a leg to each server, over a [`path`].
//! - [`web`]: the page, the API, and the WebSocket that carries a session.
//! - [`guard`]: how connections come in, how many, how fast, and what was refused.
//! - [`operate`]: the log and the meters.
//! - [`terminal`]: the clients and the lab's sweep on a command line.
//! - [`config`]: every flag.
//!
//! Arrows point one way: `web → session → path`, `timestamp → observe`. The page shares only the crate
//! `streamgram-protocol` with all this.

pub mod config;
pub mod guard;
pub mod observe;
pub mod operate;
pub mod path;
pub mod serve;
pub mod session;
pub mod terminal;
pub mod timestamp;
pub mod web;

pub use serve::{BindError, Server};
