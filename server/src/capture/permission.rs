//! The permission to capture (capabilities(7), CAP_NET_RAW), which is given up as soon as it has been used.

use caps::errors::CapsError;
use caps::{CapSet, Capability};

/// Gives CAP_NET_RAW up. A thread has its capabilities from the one that starts it: there must be no other yet.
///
/// # Errors
/// What the system says.
pub(super) fn give_up() -> Result<(), CapsError> {
    // What is permitted must not be less than what is effective. Ambient ones go with the inheritable ones.
    for set in [CapSet::Effective, CapSet::Permitted, CapSet::Inheritable] {
        caps::drop(None, set, Capability::CAP_NET_RAW)?;
    }
    Ok(())
}
