//! The page, and the addresses at which others can open it.

pub(crate) mod assets;
pub(crate) mod lan;
pub(crate) mod qr;
pub(crate) mod shown;
