//! The page, and under which addresses others can open it.

pub(crate) mod assets;
pub(crate) mod lan;
pub(crate) mod qr;
