//! APIs of the browser that no crate wraps.

pub(crate) mod address;
pub(crate) mod clipboard;
pub(crate) mod clock;
pub(crate) mod composing;
pub(crate) mod download;
pub(crate) mod keyboard;
pub(crate) mod png;
pub(crate) mod sight;
pub(crate) mod storage;
pub(crate) mod use_choice;
pub(crate) mod use_fragment;
