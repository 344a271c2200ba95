//! Widgets without a meaning of their own.

pub(crate) mod choice;
