//! What of the browser the page uses, one hook each.

pub(crate) mod use_awaited;
pub(crate) mod use_choice;
pub(crate) mod use_fragment;
pub(crate) mod use_history;
pub(crate) mod use_lessons;
pub(crate) mod use_matches;
pub(crate) mod use_repetition;
pub(crate) mod use_slowed;
pub(crate) mod use_socket;
pub(crate) mod use_state;
pub(crate) mod use_sweep;
pub(crate) mod use_view;
