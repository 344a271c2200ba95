//! How much one leg may do in a turn, before the session goes on to everything else.

/// How often it reads.
pub(super) const STEPS_PER_TURN: usize = 64;
/// How many lines it sends.
pub(super) const LINES_PER_TURN: usize = 64;
