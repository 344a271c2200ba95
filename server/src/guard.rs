//! What stands in front of the work: how connections come in, how many, how fast, and what was refused.

pub mod accept;
pub mod admission;
pub mod rate;
pub mod refusals;
