//! The right to one emulated path.

use tokio::sync::OwnedSemaphorePermit;

use crate::operate::meters::Present;

/// The right to one emulated path, of all that the server may have.
#[derive(Debug)]
pub struct Permit {
    _permit: OwnedSemaphorePermit,
    _present: Present,
}

impl From<OwnedSemaphorePermit> for Permit {
    fn from(permit: OwnedSemaphorePermit) -> Self {
        Self { _permit: permit, _present: Present::lab() }
    }
}
