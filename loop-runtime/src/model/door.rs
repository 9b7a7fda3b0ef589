//! A service that the host lends, as the peer sees it: a door that it may dial.

use std::cell::Cell;
use std::rc::Rc;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::ledger::Runs;
use super::sim::{hop, millis, sleep};

/// The borrower of a lease.
pub(super) struct LeaseInfo {
    pub(super) plugin: usize,
    pub(super) generation: u64,
    /// The handle whose object it was lent to, and the number of that lending; `None` for what a call lent.
    pub(super) lending: Option<(u64, u64)>,
}

pub(super) struct Door {
    pub(super) is_open: Cell<bool>,
    pub(super) arrivals: mpsc::UnboundedSender<Rc<LentConn>>,
}

/// A connection to a lent service. Dropping the peer's end disconnects.
pub(super) struct LentConn {
    /// The peer has disconnected.
    pub(super) down: CancellationToken,
    /// The host has disconnected.
    pub(super) over: CancellationToken,
    pub(super) calls: mpsc::UnboundedSender<LentCall>,
    pub(super) arriving: Cell<Option<mpsc::UnboundedReceiver<LentCall>>>,
}

/// The peer's end.
pub(super) struct Borrower(Rc<LentConn>);

pub(super) struct LentCall {
    pub(super) runs: Runs,
    pub(super) answer: oneshot::Sender<Option<LentReply>>,
}

/// The reply of a lent service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LentReply {
    Done,
    /// A service behind it was lost.
    Lost {
        may_have_run: bool,
    },
}

impl Door {
    pub(super) async fn dial(&self) -> Option<Borrower> {
        sleep(millis(0, 2)).await;
        if !self.is_open.get() {
            return None;
        }
        let (calls, arriving) = mpsc::unbounded_channel();
        let conn = Rc::new(LentConn {
            down: CancellationToken::new(),
            over: CancellationToken::new(),
            calls,
            arriving: Cell::new(Some(arriving)),
        });
        self.arrivals.send(conn.clone()).ok()?;
        Some(Borrower(conn))
    }
}

impl Borrower {
    pub(super) fn is_up(&self) -> bool {
        !self.0.over.is_cancelled()
    }

    /// Calls the service; `None` if it was lost.
    pub(super) async fn ask(&self, runs: Runs) -> Option<LentReply> {
        hop().await;
        let (answer, answered) = oneshot::channel();
        self.0.calls.send(LentCall { runs, answer }).ok()?;
        tokio::select! {
            biased;
            answer = answered => answer.ok().flatten(),
            () = self.0.over.cancelled() => None,
        }
    }
}

impl Drop for Borrower {
    fn drop(&mut self) {
        self.0.down.cancel();
    }
}
