//! Streamgram: real TCP and UDP timestamp servers, and a bridge from the browser to them.
//!
//! - [`timestamp`]: the two servers; they know nothing of the rest.
//! - [`observe`]: what they saw, for whoever may see it.
//! - [`bridge`]: a session per browser, with a leg to each server, over a [`path`].
//! - [`web`]: the page, the API, and the WebSocket that carries a session.
//! - [`client`]: the terminal clients; [`sweep`]: the lab's sweep in a terminal.
//! - [`config`]: every flag; [`logs`]: the log.
//! - [`accept`], [`admission`], [`rate`]: how connections come in, how many, how fast.
//! - [`refusals`]: what was not served, and why.
//!
//! Arrows point one way: `web → bridge → path`, `timestamp → observe`. The page shares only the crate
//! `streamgram-protocol` with all this.

pub mod accept;
pub mod activation;
pub mod admission;
pub mod bridge;
mod capacity;
pub mod client;
pub mod config;
pub mod logs;
pub mod meters;
pub mod observe;
pub mod path;
pub mod rate;
pub mod refusals;
mod server;
pub mod sweep;
pub mod timestamp;
pub mod web;

pub use server::{BindError, Server};
