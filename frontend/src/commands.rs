//! Commands for a terminal that do, without the page, what was done last on it.

mod address;
mod command;
pub(crate) mod commands_card;
mod dialect;
mod literal;
mod tool;
