//! A connection to an object, and the outcome of calls over it: mirrors `service/session/link.rs`.

use std::cell::Cell;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::conn::{Ask, Conn, Failure, Reply};
use super::far::FarObject;
use super::lease::{Export, Lease};
use super::ledger;
use super::session::{Obj, Session};
use super::sim::{self, hop, sleep_until_some, timeout};
use crate::error::{Code, Error};
use crate::service::machines::EndTree;
use crate::service::machines::lease::Expiry;
use crate::service::settle;

pub(super) struct Link {
    pub(super) conn: Rc<Conn>,
    /// Whether it can be redialled.
    pub(super) has_address: bool,
    pub(super) object: Rc<Obj>,
    pub(super) session: Rc<Session>,
    since: Instant,
    pub(super) ended: Arc<EndTree>,
    calls: TaskTracker,
    answered: Cell<bool>,
}

/// The outcome of an attempt over one link that brought no reply.
pub(super) enum AttemptError {
    Impossible(Error),
    NotRun(Error),
    MayHaveRun(Error),
    Answered(Error),
}

impl AttemptError {
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Impossible(error) | Self::NotRun(error) | Self::MayHaveRun(error) | Self::Answered(error) => error,
        }
    }
}

pub(super) struct InFlight {
    _of_link: TaskTrackerToken,
    _of_session: TaskTrackerToken,
}

/// A connection of which a link is about to be made: its socket closes if that is cancelled.
struct Unlinked(Option<Rc<Conn>>);

impl Unlinked {
    fn linked(mut self) -> Option<Rc<Conn>> {
        self.0.take()
    }
}

impl Drop for Unlinked {
    fn drop(&mut self) {
        if let Some(conn) = self.0.take() {
            conn.hang_up();
        }
    }
}

impl Link {
    pub(super) async fn dial(session: &Rc<Session>, far: &Rc<FarObject>, object: Rc<Obj>) -> Option<Arc<Self>> {
        // Its id cannot be announced.
        if session.process.broker_lost.is_cancelled() {
            return None;
        }
        let conn = tokio::select! {
            biased;
            conn = far.dial() => conn?,
            () = session.ended.told().cancelled() => return None,
        };
        let conn = Unlinked(Some(conn));
        hop().await;
        Some(Self::adopt(session, conn.linked()?, true, object))
    }

    pub(super) async fn redial(&self) -> Option<Arc<Self>> {
        if !self.has_address {
            return None;
        }
        let conn = Unlinked(Some(self.conn.object.dial().await?));
        hop().await;
        Some(Self::adopt(&self.session, conn.linked()?, true, self.object.clone()))
    }

    #[allow(clippy::arc_with_non_send_sync, reason = "the place of a link is made for one")]
    pub(super) fn adopt(session: &Rc<Session>, conn: Rc<Conn>, has_address: bool, object: Rc<Obj>) -> Arc<Self> {
        let link = Arc::new(Self {
            ended: object.real.ended().child(),
            conn,
            has_address,
            object,
            session: session.clone(),
            since: sim::now(),
            calls: TaskTracker::new(),
            answered: Cell::new(false),
        });
        let watched = link.clone();
        session.spawn(async move {
            tokio::select! {
                biased;
                () = watched.conn.ended.cancelled() => {}
                () = watched.ended.told().cancelled() => watched.conn.hang_up(),
            }
            watched.end();
        });
        link
    }

    pub(super) fn age(&self) -> Duration {
        sim::now() - self.since
    }

    pub(super) fn is_usable(&self) -> bool {
        !self.ended.is_over() && !self.session.retired.is_over() && self.conn.is_usable()
    }

    pub(super) async fn unusable(&self) {
        tokio::select! {
            biased;
            () = self.ended().cancelled() => {}
            () = self.conn.retired.cancelled() => {}
            () = self.session.retired.told().cancelled() => {}
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.is_over() || self.conn.ended.is_cancelled()
    }

    pub(super) fn ended(&self) -> &CancellationToken {
        self.ended.told()
    }

    pub(super) fn end(&self) {
        self.ended.end();
    }

    pub(super) fn note_answer(&self) {
        self.answered.set(true);
    }

    pub(super) fn has_answered(&self) -> bool {
        self.answered.get()
    }

    pub(super) fn in_flight(&self) -> InFlight {
        InFlight { _of_link: self.calls.token(), _of_session: self.session.calls.token() }
    }

    pub(super) async fn drained(&self) {
        self.calls.close();
        self.calls.wait().await;
    }

    /// Lends `exports` to `object`.
    pub(super) async fn lend(
        &self,
        exports: &[Export],
        object: &Obj,
        expiry: Option<Expiry>,
        lending: Option<(u64, u64)>,
        deadline: Option<Instant>,
    ) -> Result<Vec<Lease>, AttemptError> {
        if exports.is_empty() {
            return Ok(Vec::new());
        }
        let lent = async {
            let mut leases = Vec::new();
            for export in exports {
                let lease =
                    Lease::open(&self.session, export.clone(), object.real.leases_cut(), expiry, lending).await?;
                leases.push(lease);
                hop().await;
            }
            Some(leases)
        };
        tokio::select! {
            biased;
            lent = lent => lent.ok_or_else(|| AttemptError::NotRun(self.gone(false))),
            () = self.ended().cancelled() => Err(AttemptError::NotRun(self.gone(false))),
            () = sleep_until_some(deadline) => Err(AttemptError::Impossible(Error::deadline(false, "passed while lending"))),
        }
    }

    /// Probes whether the object exists.
    pub(super) async fn probe(&self, until: Instant) -> bool {
        let asked = async { self.last_call(Ask::Probe, Some(until)).await.is_ok() };
        sim::timeout_at(until, asked).await == Some(true)
    }

    pub(super) async fn unary(&self, ask: Ask, deadline: Option<Instant>) -> Result<Reply, AttemptError> {
        let _in_flight = self.in_flight();
        if !self.is_usable() {
            return Err(AttemptError::NotRun(self.gone(false)));
        }
        ledger::ledger(|it| it.uses(&self.object.descent));
        self.last_call(ask, deadline).await
    }

    /// Over a link that may be retired.
    pub(super) async fn last_call(&self, ask: Ask, deadline: Option<Instant>) -> Result<Reply, AttemptError> {
        if self.ended.is_over() {
            return Err(AttemptError::NotRun(self.gone(false)));
        }
        if deadline.is_some_and(|at| at <= sim::now()) {
            return Err(AttemptError::Impossible(Error::deadline(false, "passed before the call was sent")));
        }
        let call = pin!(self.conn.ask(ask));
        let outcome = tokio::select! {
            biased;
            outcome = self.outcome(call) => outcome,
            () = sleep_until_some(deadline) => return Err(passed()),
        };
        let is_over = deadline.is_some_and(|at| at <= sim::now());
        match outcome {
            Some(Ok(Reply::Refused { permanent })) => {
                let code = if permanent { Code::InvalidArgument } else { Code::Unknown };
                Err(AttemptError::Answered(Error::new(code, "refused")))
            }
            Some(Ok(Reply::LostDownstream { may_have_run })) => {
                Err(AttemptError::Answered(Error::lost_downstream(may_have_run, "lost behind the peer")))
            }
            Some(Ok(reply)) => Ok(reply),
            Some(Err(Failure::MayHaveRun)) if is_over => Err(passed()),
            Some(Err(Failure::NotRun)) => Err(AttemptError::NotRun(self.gone(false))),
            Some(Err(Failure::MayHaveRun)) => {
                self.settle_end().await;
                Err(AttemptError::MayHaveRun(self.gone(true)))
            }
            None => Err(AttemptError::MayHaveRun(self.gone(true))),
        }
    }

    fn gone(&self, may_have_run: bool) -> Error {
        self.session.lost(may_have_run, "the connection is gone")
    }

    async fn outcome<T>(&self, mut call: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        tokio::select! {
            biased;
            outcome = call.as_mut() => Some(outcome),
            () = self.ended().cancelled() => timeout(settle::LINK, call).await,
        }
    }

    async fn settle_end(&self) {
        let ended = &self.conn.ended;
        if ended.is_cancelled() || timeout(settle::LINK, ended.cancelled()).await.is_some() {
            self.end();
        }
    }
}

fn passed() -> AttemptError {
    AttemptError::Answered(Error::deadline(true, "the caller's deadline passed"))
}
