//! What the server told, reduced to state; and the connection over which it tells.

pub(crate) mod absence_card;
pub(crate) mod carried;
pub(crate) mod deed;
mod flow;
pub(crate) mod lane;
pub(crate) mod leg_run;
pub(crate) mod log;
pub(crate) mod note;
pub(crate) mod notice;
pub(crate) mod page;
pub(crate) mod payload;
pub(crate) mod raw_clients;
pub(crate) mod room;
pub(crate) mod row;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod samples;
pub(crate) mod sent;
pub(crate) mod servers;
pub(crate) mod sockets_card;
pub(crate) mod trace;
pub(crate) mod use_slowed;
pub(crate) mod use_socket;
