//! Commands for a terminal that do, without the page, what was done last on it. Each tool has a file that
//! writes its program. Replies are printed as they came, except by Python. No program has a `!` of its
//! own: a shell could take it for its history.

pub(crate) mod address;
mod c;
mod command;
pub(crate) mod commands_card;
mod literal;
mod nc;
mod node;
mod python;
mod rust;
mod script;
