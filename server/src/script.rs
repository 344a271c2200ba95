//! Scenarios without a browser, and checks of clients: `streamgram run` and `streamgram expect`.
//!
//! Both start a server in this process, and use the sessions and the observations of the library.

pub mod expect;
mod figures;
mod link;
mod own_server;
mod play;
mod player;
pub mod run;
