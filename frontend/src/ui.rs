//! Widgets without a meaning of their own.

pub(crate) mod bytes;
pub(crate) mod clipboard;
pub(crate) mod dialog;
pub(crate) mod select;
pub(crate) mod toggle_group;
pub(crate) mod use_details;
