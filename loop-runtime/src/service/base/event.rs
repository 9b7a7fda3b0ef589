//! What happens to handles, for those who watch.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::Error;

/// Names a handle made by a constructor: unique in this process, the same through all restarts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct HandleId {
    /// Rising, from 1.
    pub number: u64,
    /// The full name of its service.
    pub service: &'static str,
}

/// `acme.kv.v1.Kv #3`.
impl fmt::Display for HandleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} #{}", self.service, self.number)
    }
}

/// A change in the life of a handle.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum HandleEvent {
    /// Its connection or its object is gone; the keeper brings it back.
    Lost {
        /// Which handle.
        handle: HandleId,
        /// The generation of the plugin in which it was lost.
        generation: u64,
    },
    /// It can be used, for the first time or again.
    Made {
        /// Which handle.
        handle: HandleId,
        /// The generation of the plugin in which it lives.
        generation: u64,
        /// The object on the far side; another number is another object.
        object: u64,
        /// How many times the constructor ran for it since the last success.
        run: u32,
        /// The object had lived on: only its connection was dialled again.
        redialled: bool,
        /// Time from the beginning of the run.
        took: Duration,
    },
    /// A run of its constructor failed.
    Failed {
        /// Which handle.
        handle: HandleId,
        /// Why.
        error: Error,
        /// It is not tried again under this parent object.
        permanent: bool,
        /// How many runs failed in a row.
        run: u32,
        /// When the next run begins.
        retry_at: Option<Instant>,
    },
    /// It was closed, by hand or because the last user dropped it.
    Closed {
        /// Which handle.
        handle: HandleId,
        /// The far side was told and answered.
        told: bool,
    },
    /// A constructor call ended without an answer in a process that lives: an object that nobody uses may be left
    /// there until the process ends.
    DuplicatePossible {
        /// Which handle.
        handle: HandleId,
        /// The generation of the plugin.
        generation: u64,
        /// How many there may be by now.
        count: u64,
    },
}

/// Receives the events of a family of handles.
pub(crate) type Observer = Arc<dyn Fn(HandleEvent) + Send + Sync>;
