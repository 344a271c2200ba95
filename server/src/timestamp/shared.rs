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
    /// Is told what they saw.
    pub observer: Arc<Observer>,
    /// Is told what they refused.
    pub refusals: Arc<Refusals>,
}
