//! Commands for a terminal: the article's clients, and the lab's sweep.

pub mod client;
mod event;
mod input;
pub(crate) mod screen;
pub mod sweep;
