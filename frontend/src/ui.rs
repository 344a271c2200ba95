//! Widgets without a meaning of their own.

pub(crate) mod choice;
pub(crate) mod clipboard;
