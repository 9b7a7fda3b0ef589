//! The three states of a connection, seen from the calling side.
//!
//! *Usable*, *retired* (it takes no new calls, answers those in flight, then ends), *ended*; never back. A peer that
//! takes no new calls is alive, and so are the calls in flight: only the end loses calls.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use tokio_util::sync::CancellationToken;

use super::frames::GoAway;

/// The highest stream id.
const ALL: u32 = u32::MAX >> 1;

/// Written by the reader of the connection and by callers; its changes are events.
#[derive(Debug)]
pub(super) struct State {
    ended: CancellationToken,
    /// A child of `ended`: an ended connection takes no calls either.
    retired: CancellationToken,
    cut: CancellationToken,
    /// The last stream id of the peer's GOAWAY: streams above it are not processed.
    seen: AtomicU32,
    /// The peer retired it. With no call in flight this side disconnects at once, before the peer's second GOAWAY.
    went_away: AtomicBool,
}

impl State {
    pub(super) fn new() -> Self {
        let ended = CancellationToken::new();
        let retired = ended.child_token();
        Self {
            ended,
            retired,
            cut: CancellationToken::new(),
            seen: AtomicU32::new(ALL),
            went_away: AtomicBool::new(false),
        }
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

    /// The peer takes no new calls. It may send two GOAWAYs: first without a limit, then with the last stream id.
    pub(super) fn going_away(&self, said: GoAway) {
        self.seen.fetch_min(said.last, Ordering::Relaxed);
        self.went_away.fetch_or(said.code == 0, Ordering::Relaxed);
        self.retired.cancel();
    }

    /// Whether the peer has sent a GOAWAY with `NO_ERROR`.
    pub(super) fn went_away(&self) -> bool {
        self.went_away.load(Ordering::Relaxed)
    }

    /// Whether the peer has reported this stream as unprocessed.
    pub(super) fn is_unseen(&self, stream: u32) -> bool {
        stream > self.seen.load(Ordering::Relaxed)
    }
}
