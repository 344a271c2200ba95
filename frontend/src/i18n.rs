//! Words and numbers in the reader's language.

pub(crate) mod figures;
pub(crate) mod language;
