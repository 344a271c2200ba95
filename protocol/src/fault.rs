//! Replies that go wrong on purpose: a recipe says how, and a seed makes it the same every time.
//!
//! As text a recipe is `split=1..5;delay=10..50;seed=7`: what a flag takes, and what a page shows to be copied.

mod choice;
mod deed;
mod named;
mod recipe;
mod span;
mod words;

pub use self::choice::{Accept, Cut, Stamp};
pub use self::deed::Deed;
pub use self::named::{NAMED, Named};
pub use self::recipe::{TcpRecipe, UdpRecipe};
pub use self::span::Span;
pub use self::words::WrongRecipe;
