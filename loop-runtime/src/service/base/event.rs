//! The events of handles, for observers.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::Error;

/// Names a handle made by a constructor: unique in this process, the same through all restarts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct HandleId {
    /// Ascending, from 1.
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
    /// Its connection or its object was lost; the keeper recovers it.
    Lost {
        /// Which handle.
        handle: HandleId,
        /// The generation of the plugin in which it was lost.
        generation: u64,
    },
    /// It is usable, for the first time or again.
    Made {
        /// Which handle.
        handle: HandleId,
        /// The generation of the plugin in which it lives.
        generation: u64,
        /// The object in the peer; another number is another object.
        object: u64,
        /// How many times the constructor ran for it since the last success.
        run: u32,
        /// The object had survived: only its connection was dialled again.
        redialled: bool,
        /// Time since the run began.
        took: Duration,
    },
    /// A run of its constructor failed.
    Failed {
        /// Which handle.
        handle: HandleId,
        /// Why.
        error: Error,
        /// It is not retried under this parent object.
        permanent: bool,
        /// How many consecutive runs failed.
        run: u32,
        /// When the next run begins.
        retry_at: Option<Instant>,
    },
    /// It was closed, explicitly or because the last user dropped it.
    Closed {
        /// Which handle.
        handle: HandleId,
        /// The peer answered the release call.
        told: bool,
    },
    /// A stream of it goes on after a loss: its method, marked `#[rpc(resubscribe)]`, was called again.
    Resubscribed {
        /// Which handle.
        handle: HandleId,
        /// The path of the method.
        method: &'static str,
        /// How often this stream was subscribed to again.
        count: u64,
    },
    /// A constructor call ended without a reply in a live process: an unused object may stay there until the process
    /// ends.
    DuplicatePossible {
        /// Which handle.
        handle: HandleId,
        /// The generation of the plugin.
        generation: u64,
        /// How many there may be so far.
        count: u64,
    },
}

/// Receives the events of the handles of one peer.
pub(crate) type Observer = Arc<dyn Fn(HandleEvent) + Send + Sync>;
