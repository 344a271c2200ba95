//! How much one leg may do before the session looks at everything else again.

/// Times that a leg looks for what has come.
pub(super) const STEPS_PER_TURN: usize = 64;
/// Lines that it sends.
pub(super) const LINES_PER_TURN: usize = 64;
