//! What an operator sees of a running server: its log and its meters.

pub mod logs;
pub mod meters;
