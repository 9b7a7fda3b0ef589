//! The three states of a connection, seen from the side that calls.
//!
//! *Usable*, *retired* (it takes no new calls, answers those under way, then ends), *ended*; never back. A peer that takes
//! no new calls is alive, and so is what it is asked already: only the end loses calls.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio_util::sync::CancellationToken;

use super::frames::GoAway;

/// The highest number that a stream can have.
const ALL: u32 = u32::MAX >> 1;

/// Written by whoever reads from the peer and by whoever calls; its changes are events.
#[derive(Debug)]
pub(super) struct State {
    ended: CancellationToken,
    /// A child of `ended`: what has ended takes no calls either.
    retired: CancellationToken,
    cut: CancellationToken,
    /// The peer says that it did not look at streams above this one, and will not.
    seen: AtomicU32,
}

impl State {
    pub(super) fn new() -> Self {
        let ended = CancellationToken::new();
        let retired = ended.child_token();
        Self { ended, retired, cut: CancellationToken::new(), seen: AtomicU32::new(ALL) }
    }

    pub(super) fn is_usable(&self) -> bool {
        !self.retired.is_cancelled()
    }

    /// Cancelled once no new calls are taken: at retirement, and at the end at the latest.
    pub(super) fn retired(&self) -> &CancellationToken {
        &self.retired
    }

    /// Cancelled when the socket is closed.
    pub(super) fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    /// Cancelled when the connection is to end at once.
    pub(super) fn cut(&self) -> &CancellationToken {
        &self.cut
    }

    pub(super) fn retire(&self) {
        self.retired.cancel();
    }

    pub(super) fn close(&self) {
        self.retired.cancel();
        self.cut.cancel();
    }

    /// The peer takes no new calls. It may say so twice: first without a limit, then with the last one that it looked at.
    pub(super) fn going_away(&self, said: GoAway) {
        self.seen.fetch_min(said.last, Ordering::Relaxed);
        self.retired.cancel();
    }

    /// Whether the peer has said with which call it ends, as one does that ends in order.
    pub(super) fn went_away(&self) -> bool {
        self.seen.load(Ordering::Relaxed) < ALL
    }

    /// Whether the peer has said that it did not look at this stream, and will not.
    pub(super) fn is_unseen(&self, stream: u32) -> bool {
        stream > self.seen.load(Ordering::Relaxed)
    }
}
