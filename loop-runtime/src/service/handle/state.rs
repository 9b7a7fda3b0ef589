//! The state of a handle, as callers and keepers of children see it.

use std::sync::Arc;
use std::time::Instant;

use crate::error::Error;

/// The state of a handle.
#[derive(Clone)]
pub(crate) enum HandleState {
    /// No link, and nothing in progress.
    Vacant,
    /// A run, or a start of the process, is in progress.
    Making,
    /// Usable, unless it has ended meanwhile.
    Live,
    /// The last attempt failed.
    Failed(Arc<Failed>),
    /// Final.
    Closed,
}

/// Why there is no usable link at the moment.
pub(crate) struct Failed {
    pub(crate) error: Error,
    /// Returned to callers at once: waiting is of no use, or would take too long.
    pub(crate) at_once: bool,
    pub(crate) in_a_row: u32,
    pub(crate) retry_at: Option<Instant>,
    pub(crate) until: Forgotten,
}

/// When a failure is forgotten, so that callers wait again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forgotten {
    /// The object does not recover.
    Never,
    /// Under another parent object than `object`, or after another reset than number `reset`.
    Under { object: Option<u64>, reset: u64 },
}

/// How many consecutive refusals a caller tolerates.
const PATIENCE: u32 = 3;

impl Failed {
    /// The error for a caller for whom waiting from `now` until `until` is of no use. `object` is the parent's current
    /// one, `reset` the number of the last reset.
    pub(crate) fn give_up(&self, now: Instant, until: Instant, object: Option<u64>, reset: u64) -> Option<Error> {
        let stale = match self.until {
            Forgotten::Never => false,
            Forgotten::Under { object: of, reset: at } => {
                reset != at || matches!((object, of), (Some(now), Some(then)) if now != then)
            }
        };
        let late = self.retry_at.is_some_and(|at| at > until);
        // Where objects are made lazily, nobody has tried since: the next attempt is this caller's.
        let ahead = self.retry_at.is_none_or(|at| at > now);
        if stale || !(self.at_once || late || (ahead && self.in_a_row > PATIENCE)) {
            return None;
        }
        let error = self.error.clone();
        Some(match self.retry_at {
            Some(at) => error.retrying_at(at),
            None => error,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_caller_sits_through_some_failures_and_through_none_that_is_to_be_retried_now() {
        let now = Instant::now();
        let (later, until) = (now + Duration::from_secs(1), now + Duration::from_secs(10));
        let tells = |at_once, in_a_row, retry_at, object| {
            let until_forgotten = Forgotten::Under { object: Some(1), reset: 0 };
            let error = Error::unknown("refused");
            let failed = Failed { error, at_once, in_a_row, retry_at, until: until_forgotten };
            failed.give_up(now, until, object, 0).is_some()
        };
        assert!(!tells(false, 3, Some(later), Some(1)), "patience");
        assert!(tells(false, 4, Some(later), Some(1)), "no more of it");
        assert!(!tells(false, 4, Some(now), Some(1)), "the next attempt begins with this caller");
        assert!(tells(false, 1, Some(until + Duration::from_secs(1)), Some(1)), "too late for it");
        assert!(tells(true, 1, None, Some(1)) && !tells(true, 1, None, Some(2)), "for good, under this object");
    }
}
