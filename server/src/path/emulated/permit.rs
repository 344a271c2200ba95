//! The permit for one emulated path.

use tokio::sync::OwnedSemaphorePermit;

use crate::operate::meters::Present;

/// Counts one emulated path of all that the server may have, until it is dropped.
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
