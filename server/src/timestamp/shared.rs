//! What the two servers have in common.

use std::sync::Arc;

use super::clock::Clock;
use crate::guard::refusals::Refusals;
use crate::observe::Observer;

/// What each of the two servers uses.
#[derive(Debug, Clone)]
pub struct Shared {
    /// Tells the time.
    pub clock: Arc<Clock>,
    /// To report what they see.
    pub observer: Arc<Observer>,
    /// To count what they refuse.
    pub refusals: Arc<Refusals>,
}
