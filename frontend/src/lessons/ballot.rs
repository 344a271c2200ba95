//! What a class votes on at a lesson: its question, with the list that predictions are chosen from.

use yew::prelude::*;

/// A vote that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ballot {
    /// It is the second one, after the run; what was expected before stays as it is.
    pub(crate) again: bool,
    /// The choice that was voted for, from 0.
    pub(crate) vote: Option<usize>,
    pub(crate) on_vote: Callback<usize>,
}
