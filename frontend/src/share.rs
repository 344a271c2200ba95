//! The page as a link, and back.

pub(crate) mod address;
pub(crate) mod offer_card;
pub(crate) mod scenario;
pub(crate) mod share_dialog;
