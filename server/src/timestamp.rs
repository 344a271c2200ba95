//! The two timestamp servers, the real thing that everything else talks to.
//!
//! They know nothing of a bridge or a page: they answer whoever comes, and tell an
//! [`Observer`] what they saw.

pub mod clock;
pub mod tcp;
pub mod udp;

use std::sync::Arc;

use crate::guard::refusals::Refusals;
use crate::observe::Observer;
use crate::timestamp::clock::Clock;

/// What the two servers have in common.
#[derive(Debug, Clone)]
pub struct Shared {
    /// Tells the time.
    pub clock: Arc<Clock>,
    /// Is told what they saw.
    pub observer: Arc<Observer>,
    /// Is told what they refused.
    pub refusals: Arc<Refusals>,
}
