//! What came of a send: verdict, boundary strip, ladder.

pub(crate) mod boundary_strip;
pub(crate) mod export;
pub(crate) mod ladder;
pub(crate) mod ladder_card;
pub(crate) mod pointed;
pub(crate) mod strip;
pub(crate) mod verdict;
pub(crate) mod verdict_card;
