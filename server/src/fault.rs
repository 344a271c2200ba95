//! Timestamp servers whose replies go wrong on purpose, the same way every time.
//!
//! A [`plan`] says what becomes of each reply: a pure function of the recipe, the number of the connection and the
//! number of the read. [`tcp`] and [`udp`] carry it out.

pub mod plan;
pub mod tcp;
pub mod udp;
