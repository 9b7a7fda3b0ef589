//! Refuses values that are not the expected ones.

use std::fmt::Debug;

use loop_runtime::{Error, Result};

/// Refuses what is not as expected, as Go's helper does: with code `Unknown`, naming both.
pub(crate) fn same<T: PartialEq + Debug + ?Sized>(what: &str, expected: &T, got: &T) -> Result<()> {
    if got == expected {
        return Ok(());
    }
    Err(Error::unknown(format!("expected {what} {expected:?} but got {got:?}")))
}
