//! What the far side sees of a service that the host lends: a door that it may knock at.

use std::cell::Cell;
use std::rc::Rc;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::ledger::Runs;
use super::sim::{hop, millis, sleep};

/// To whom something was lent.
pub(super) struct LeaseInfo {
    pub(super) plugin: usize,
    pub(super) generation: u64,
    /// The handle whose object it was lent to, and which lending of its that was; none for what a call lent.
    pub(super) lending: Option<(u64, u64)>,
}

pub(super) struct Door {
    pub(super) is_open: Cell<bool>,
    pub(super) arrivals: mpsc::UnboundedSender<Rc<LentConn>>,
}

/// A connection to a lent service. Whoever drops the far end hangs up.
pub(super) struct LentConn {
    /// The far side has hung up.
    pub(super) down: CancellationToken,
    /// The host has.
    pub(super) over: CancellationToken,
    pub(super) calls: mpsc::UnboundedSender<LentCall>,
    pub(super) arriving: Cell<Option<mpsc::UnboundedReceiver<LentCall>>>,
}

/// The far end.
pub(super) struct Borrower(Rc<LentConn>);

pub(super) struct LentCall {
    pub(super) runs: Runs,
    pub(super) answer: oneshot::Sender<Option<LentReply>>,
}

/// What a lent service answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LentReply {
    Done,
    /// A service behind it is lost.
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
