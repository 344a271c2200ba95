//! Systems without capabilities.

use std::convert::Infallible;

/// There is nothing to give up.
pub(super) fn give_up() -> Result<(), Infallible> {
    Ok(())
}
