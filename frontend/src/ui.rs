//! Widgets without a meaning of their own.

pub(crate) mod select;
pub(crate) mod toggle_group;
