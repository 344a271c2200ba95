//! Limits in front of the work: accepts connections, limits their number and rates, counts refusals.

pub mod accept;
pub mod admission;
pub mod ports;
pub mod rate;
pub mod refusals;
