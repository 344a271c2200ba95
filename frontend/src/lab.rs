//! The path that legs go over: the emulated link and its knobs.

pub(crate) mod knobs;
pub(crate) mod link_card;
pub(crate) mod route;
