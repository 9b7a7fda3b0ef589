//! A connection to an object: what a call is sent over.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tracing::Instrument;

use super::lease::{Expiry, Lease};
use super::lendable::Export;
use super::lending;
use super::object::Object;
use super::session::Session;
use crate::broker::Destination;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::service::base::{Life, from_status, settle};
use crate::sync::Mutex;
use crate::transport::{Connection, Failure, Stream};

/// Usable until it is retired or has ended; never again after that.
///
/// It is *retired* when its connection takes no new calls, because the peer is winding it down, or when its session takes
/// none, because another one takes its place. Calls under way are answered then. It has *ended* when its connection, its
/// object or its session has.
pub(crate) struct Link {
    number: u64,
    connection: Connection,
    destination: Option<Destination>,
    object: Arc<Object>,
    session: Arc<Session>,
    since: Instant,
    ended: Arc<Life>,
    calls: TaskTracker,
    /// A call of the handle's user was answered over it.
    answered: AtomicBool,
    /// Optional components that are there: see [`Link::probe`].
    pub(super) offers: Mutex<Vec<&'static str>>,
}

/// What an attempt over one link came to, if not to a reply.
pub(crate) enum Attempt {
    /// It can be sent over no link: the caller's own limits forbid it. It did not run.
    Impossible(Error),
    /// It certainly did not run: another attempt is as good as the first.
    NotRun(Error),
    /// It was handed over, and there is no answer.
    MayHaveRun(Error),
    /// It ran, and its reply cannot be read.
    Unreadable(Error),
    /// The far side answered with an error, or the caller's deadline passed after it was sent.
    Answered(Error),
}

impl Attempt {
    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::Impossible(error)
            | Self::NotRun(error)
            | Self::MayHaveRun(error)
            | Self::Unreadable(error)
            | Self::Answered(error) => error,
        }
    }
}

/// A call that is under way, for those who wait until none is.
pub(crate) struct InFlight {
    _of_link: TaskTrackerToken,
    _of_session: TaskTrackerToken,
}

impl Link {
    fn new(
        connection: Connection,
        destination: Option<Destination>,
        object: Arc<Object>,
        session: Arc<Session>,
    ) -> Arc<Self> {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        let ended = object.ended().child();
        Arc::new(Self {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            connection,
            destination,
            object,
            session,
            since: Instant::now(),
            ended,
            calls: TaskTracker::new(),
            answered: AtomicBool::new(false),
            offers: Mutex::default(),
        })
    }

    /// Connects to the number that the peer of `session` announced.
    ///
    /// # Errors
    ///
    /// No announcement came in time, the peer refused the connection, or the session has ended.
    pub(crate) async fn dial(session: &Arc<Session>, id: u32, object: Arc<Object>) -> Result<Arc<Self>> {
        let (stream, to) = tokio::select! {
            dialled = session.broker().dial(id) => dialled.map_err(|why| Error::lost(false, why.to_string()).with_source(why))?,
            () = session.ended().cancelled() => return Err(Error::lost(false, "the session has ended")),
        };
        Self::open(session, stream, Some(to), object).await
    }

    /// Connects to the same object once more.
    ///
    /// # Errors
    ///
    /// Refused: what was served there is gone. Or it was never dialled under a number of the broker.
    pub(crate) async fn redial(&self) -> Result<Arc<Self>> {
        let to = self.destination.as_ref().ok_or_else(|| Error::lost(false, "it has no address of its own"))?;
        let dialled = self.session.broker().redial(to).await;
        let stream = dialled.map_err(|why| Error::lost(false, why.to_string()).with_source(why))?;
        Self::open(&self.session, stream, Some(to.clone()), self.object.clone()).await
    }

    /// Makes a link of a stream that is connected.
    ///
    /// # Errors
    ///
    /// The stream has ended.
    pub(crate) async fn open(
        session: &Arc<Session>,
        stream: Stream,
        to: Option<Destination>,
        object: Arc<Object>,
    ) -> Result<Arc<Self>> {
        let opened = Connection::open_beside(stream, session.calling(), session.family().signs()).await;
        let (connection, driver) = opened.map_err(|why| Error::lost(false, why.to_string()).with_source(why))?;
        Ok(Self::adopt(session, connection, driver, to, object))
    }

    /// Makes a link of a connection that exists.
    pub(crate) fn adopt(
        session: &Arc<Session>,
        connection: Connection,
        driver: impl Future<Output = ()> + Send + 'static,
        to: Option<Destination>,
        object: Arc<Object>,
    ) -> Arc<Self> {
        let link = Self::new(connection, to, object, session.clone());
        let watched = link.clone();
        // Boxed once: a task that chooses between futures has room for them where they are given and where they run.
        let mut driver = Box::pin(driver);
        session.tasks().spawn(async move {
            tokio::select! {
                () = &mut driver => {}
                () = watched.ended().cancelled() => watched.connection.close(),
            }
            watched.end();
        });
        link
    }

    /// Notes that the same optional components are there as over `other`, to the same object.
    pub(crate) fn offers_as(&self, other: &Self) {
        let offers = crate::sync::locked(&other.offers).clone();
        *crate::sync::locked(&self.offers) = offers;
    }

    /// Unique in this process: a repeat needs a link with another number.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Whether it can be dialled again.
    pub(crate) fn has_address(&self) -> bool {
        self.destination.is_some()
    }

    pub(crate) fn object(&self) -> &Arc<Object> {
        &self.object
    }

    pub(crate) fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// How long there has been this link.
    pub(crate) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    pub(crate) fn is_usable(&self) -> bool {
        !self.ended.is_over() && !self.session.retired().is_over() && self.connection.is_usable()
    }

    /// Waits until it takes no new calls: it is retired, or has ended.
    pub(crate) async fn unusable(&self) {
        tokio::select! {
            () = self.ended().cancelled() => {}
            () = self.connection.retired().cancelled() => {}
            () = self.session.retired().told().cancelled() => {}
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.is_over() || self.connection.ended().is_cancelled()
    }

    pub(crate) fn ended(&self) -> &CancellationToken {
        self.ended.told()
    }

    /// Drops the connection; the object may live on.
    pub(crate) fn end(&self) {
        self.ended.end();
    }

    /// Notes that a call of a user was answered.
    pub(crate) fn note_answer(&self) {
        // Read before it is written: a line that all callers write costs each of them.
        if !self.answered.load(Ordering::Relaxed) {
            self.answered.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a call of a user was answered over it.
    pub(crate) fn has_answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }

    /// Counts a call in flight until the token is dropped.
    pub(crate) fn in_flight(&self) -> InFlight {
        InFlight { _of_link: self.calls.token(), _of_session: self.session.calls().token() }
    }

    /// Waits until no call is in flight.
    pub(crate) async fn drained(&self) {
        self.calls.close();
        self.calls.wait().await;
    }

    /// Lends `exports` to `object`, for a call over this link.
    ///
    /// # Errors
    ///
    /// As [`lending::lend`]; the deadline passed, because a peer that does not read takes in no announcements.
    pub(crate) async fn lend(
        &self,
        exports: &[(u32, Export)],
        object: &Object,
        expiry: Option<Expiry>,
        context: &Context,
    ) -> Result<(Vec<Lease>, Vec<(u32, u32)>), Attempt> {
        if exports.is_empty() {
            return Ok(Default::default());
        }
        let expired = async {
            match context.deadline {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            lent = lending::lend(&self.session, exports, object, expiry) => lent.map_err(|error| match error.loss() {
                Some(_) => Attempt::NotRun(error),
                None => Attempt::Impossible(error),
            }),
            () = self.ended().cancelled() => Err(Attempt::NotRun(self.gone(false))),
            () = expired => {
                Err(Attempt::Impossible(Error::deadline_before(self.session.name(), &"while a service was lent")))
            }
        }
    }

    /// One attempt over this link, in a span `call`. Dropping the future cancels the call on the far side.
    pub(crate) async fn unary(
        &self,
        path: &str,
        headers: HeaderMap,
        context: &Context,
        body: Bytes,
    ) -> Result<Bytes, Attempt> {
        // Counted before the look: whoever retires the link after it waits for this call too.
        let _in_flight = self.in_flight();
        if !self.is_usable() {
            return Err(Attempt::NotRun(self.gone(false)));
        }
        self.last_call(path, headers, context, body).await
    }

    /// The same over a link that may be retired: for the calls by which objects are released.
    pub(crate) async fn last_call(
        &self,
        path: &str,
        headers: HeaderMap,
        context: &Context,
        body: Bytes,
    ) -> Result<Bytes, Attempt> {
        let span = tracing::debug_span!("call", peer = self.session.name(), path);
        self.send(path, headers, context, body).instrument(span).await
    }

    async fn send(&self, path: &str, headers: HeaderMap, context: &Context, body: Bytes) -> Result<Bytes, Attempt> {
        if self.ended.is_over() {
            return Err(Attempt::NotRun(self.gone(false)));
        }
        let mut all = context.metadata.clone();
        all.extend(headers);
        let timeout = match context.deadline {
            None => None,
            Some(at) => match at.checked_duration_since(Instant::now()) {
                Some(left) if !left.is_zero() => Some(left),
                _ => {
                    return Err(Attempt::Impossible(Error::deadline_before(self.session.name(), &path)));
                }
            },
        };
        let call = pin!(self.connection.unary(path, all, timeout, body));
        let expired = async {
            match timeout {
                Some(left) => tokio::time::sleep(left).await,
                None => std::future::pending().await,
            }
        };
        let outcome = tokio::select! {
            biased;
            outcome = self.outcome(call) => outcome,
            () = expired => return Err(passed(path)),
        };
        match outcome {
            Some(Ok(reply)) => {
                // What answers behind a number of the broker may be anybody: a proxy in Go passes on the headers of who is
                // behind it, too.
                self.session.saw_peer(self.destination.is_none() && reply.is_ours());
                self.session.family().alive();
                Ok(reply.body)
            }
            Some(Err(failure)) => Err(self.failed(path, failure, context.deadline).await),
            None => Err(Attempt::MayHaveRun(self.gone(true))),
        }
    }

    /// What a failure of the transport means for the call of `path`: the one place where that is decided, for calls of our
    /// own and for those that are passed on.
    pub(crate) async fn failed(&self, path: &str, failure: Failure, deadline: Option<Instant>) -> Attempt {
        if failure.is_from_peer() {
            self.session.family().alive();
        }
        let is_over = deadline.is_some_and(|at| at <= Instant::now());
        match failure {
            Failure::Impossible(why) => Attempt::Impossible(Error::cannot_be_sent(self.session.name(), path, why)),
            // A peer's clock may be the first to notice. grpc-go then resets the call: without an answer, or with that of a
            // handler which returns what it is told, that its context was cancelled.
            Failure::Answered(status) if status.code() == tonic::Code::Cancelled && is_over => passed(path),
            Failure::MayHaveRun(_) if is_over => passed(path),
            Failure::Answered(status) => {
                let error = from_status(&status, self.session.peer_is_ours());
                Attempt::Answered(error.answered_by(self.session.name(), path))
            }
            Failure::NotRun(why) => Attempt::NotRun(self.gone(false).with_source(why)),
            Failure::MayHaveRun(why) => {
                self.settle_end().await;
                Attempt::MayHaveRun(self.gone(true).with_source(why))
            }
        }
    }

    fn gone(&self, may_have_run: bool) -> Error {
        Error::disconnected(self.session.name(), may_have_run)
    }

    /// The outcome of a call over this link; `None` if the link has ended and the call has no outcome.
    ///
    /// A peer that disconnects right after its answer, as Go's servers do that stop gracefully, ends the link while the
    /// answer is on its way from one task to another: it has a moment to arrive.
    ///
    /// Pinned by whoever makes it: given as it is, there would be room for it here three times.
    pub(crate) async fn outcome<T>(&self, mut call: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        tokio::select! {
            biased;
            outcome = call.as_mut() => Some(outcome),
            () = self.ended().cancelled() => tokio::time::timeout(settle::LINK, call).await.ok(),
        }
    }

    /// After a call was lost: ends the link if the connection is gone. A call learns of that an instant before the
    /// connection does; a peer that broke off one call only keeps its connection.
    async fn settle_end(&self) {
        let ended = self.connection.ended();
        if ended.is_cancelled() || tokio::time::timeout(settle::LINK, ended.cancelled()).await.is_ok() {
            self.end();
        }
    }
}

/// Of a call that was sent.
fn passed(path: &str) -> Attempt {
    Attempt::Answered(Error::deadline_after(path))
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
