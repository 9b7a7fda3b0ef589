//! A connection to an object: what a call is sent over.

use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tracing::Instrument;

use super::export::Export;
use super::lease::{Expiry, Lease};
use super::life::Life;
use super::object::Object;
use super::session::Session;
use super::status::from_status;
use super::tree::{Names, UNKNOWN_METHOD, UNKNOWN_SERVICE};
use crate::broker::Destination;
use crate::context::Context;
use crate::error::{Code, Error, ErrorKind, Result};
use crate::sync::locked;
use crate::transport::{Connection, Failure};

/// From what one task knows of a connection to what another does.
const INSTANT: Duration = Duration::from_millis(50);

/// Usable until its connection, its object or its session has ended; never again after that.
pub(crate) struct Link {
    number: u64,
    connection: Connection,
    destination: Option<Destination>,
    object: Arc<Object>,
    session: Arc<Session>,
    ended: Arc<Life>,
    calls: TaskTracker,
    offers: Mutex<Vec<&'static str>>,
}

/// Why an attempt over one link gave no answer.
pub(crate) enum Attempt {
    /// It was certainly not sent.
    NotSent(Error),
    /// It was handed to the transport, then the link ended.
    Lost(Error),
    /// The far side answered with an error.
    Refused(Error),
}

impl Link {
    pub(crate) fn new(
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
            ended,
            calls: TaskTracker::new(),
            offers: Mutex::default(),
        })
    }

    /// Unique in this process: a repeat needs a link with another number.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// What was dialled; nothing if it cannot be dialled again.
    pub(crate) fn destination(&self) -> Option<&Destination> {
        self.destination.as_ref()
    }

    pub(crate) fn object(&self) -> &Arc<Object> {
        &self.object
    }

    pub(crate) fn session(&self) -> &Arc<Session> {
        &self.session
    }

    pub(crate) fn is_usable(&self) -> bool {
        !self.ended.is_over() && !self.connection.is_dead()
    }

    pub(crate) fn ended(&self) -> &CancellationToken {
        self.ended.told()
    }

    /// Drops the connection; the object may live on.
    pub(crate) fn end(&self) {
        self.ended.end();
    }

    /// Counts a call in flight until the token is dropped.
    pub(crate) fn in_flight(&self) -> TaskTrackerToken {
        self.calls.token()
    }

    /// Waits until no call is in flight.
    pub(crate) async fn drained(&self) {
        self.calls.close();
        self.calls.wait().await;
    }

    /// Whether the far side has the optional component `name`.
    pub(crate) fn offers(&self, name: &str) -> bool {
        locked(&self.offers).contains(&name)
    }

    /// Asks which of the optional components are there, all at the same time. What is known of other names stays.
    ///
    /// # Errors
    ///
    /// The link ended meanwhile, or there was no answer before `deadline`: a peer may be frozen.
    pub(crate) async fn probe(self: &Arc<Self>, names: &Names, deadline: Option<Instant>) -> Result<()> {
        let context = Context { deadline, ..Context::default() };
        let mut probes = tokio::task::JoinSet::new();
        for name in names.optionals() {
            let (link, harmless) = (self.clone(), names.harmless(name));
            let (name, context) = (*name, context.clone());
            probes.spawn(async move { Ok::<_, Error>(link.has(name, harmless, &context).await?.then_some(name)) });
        }
        let mut offers = Vec::new();
        while let Some(probed) = probes.join_next().await {
            offers.extend(probed.map_err(|why| Error::internal(why.to_string()))??);
        }
        let mut known = locked(&self.offers);
        known.retain(|name| !names.optionals().contains(name));
        known.extend(offers);
        Ok(())
    }

    /// Whether the service `name` is there: calls a method that cannot exist, and nothing happens. grpc-go and this
    /// runtime say which of the two they do not know. Others have one text for both: they are asked as Go's hosts ask,
    /// by an empty request to `harmless`, which is idempotent.
    async fn has(&self, name: &str, harmless: Option<&str>, context: &Context) -> Result<bool> {
        let Some(refused) = self.refusal(&format!("/{name}/__Probe"), context).await? else { return Ok(true) };
        let text = refused.message();
        if refused.code() != Code::Unimplemented || text.starts_with(UNKNOWN_METHOD) {
            return Ok(true);
        }
        match harmless {
            Some(path) if !text.starts_with(UNKNOWN_SERVICE) => {
                let refused = self.refusal(path, context).await?;
                Ok(refused.is_none_or(|refused| refused.code() != Code::Unimplemented))
            }
            _ => Ok(false),
        }
    }

    /// The error with which the far side answers an empty request, if it does.
    async fn refusal(&self, path: &str, context: &Context) -> Result<Option<Error>> {
        match self.unary(path, HeaderMap::new(), context, Bytes::new()).await {
            Ok(_) => Ok(None),
            Err(Attempt::Refused(error)) if matches!(error.kind(), ErrorKind::Deadline { .. }) => Err(error),
            Err(Attempt::Refused(error)) => Ok(Some(error)),
            Err(Attempt::NotSent(error) | Attempt::Lost(error)) => Err(error),
        }
    }

    /// Lends `exports` to `object`, for a call over this link.
    ///
    /// # Errors
    ///
    /// As [`Session::lend`]; the deadline passed, because a peer that does not read takes in no announcements.
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
            lent = self.session.lend(exports, object, expiry) => lent.map_err(Attempt::NotSent),
            () = self.ended().cancelled() => {
                Err(Attempt::NotSent(Error::lost(false, format!("{}: the connection is gone", self.session.name()))))
            }
            () = expired => {
                let text = format!("{}: the caller's deadline passed while a service was lent", self.session.name());
                Err(Attempt::NotSent(Error::deadline(false, text)))
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
        let span = tracing::debug_span!("call", peer = self.session.name(), path);
        self.send(path, headers, context, body).instrument(span).await
    }

    async fn send(&self, path: &str, headers: HeaderMap, context: &Context, body: Bytes) -> Result<Bytes, Attempt> {
        let gone = || format!("{}: the connection is gone", self.session.name());
        if self.ended.is_over() {
            return Err(Attempt::NotSent(Error::lost(false, gone())));
        }
        let mut all = context.metadata.clone();
        all.extend(headers);
        let timeout = match context.deadline {
            None => None,
            Some(at) => match at.checked_duration_since(Instant::now()) {
                Some(left) if !left.is_zero() => Some(left),
                _ => {
                    return Err(Attempt::NotSent(Error::deadline(
                        false,
                        "the deadline passed before the call was sent",
                    )));
                }
            },
        };
        let _in_flight = self.in_flight();
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
        let is_over = || context.deadline.is_some_and(|at| at <= Instant::now());
        match outcome {
            None => Err(Attempt::Lost(Error::lost(true, gone()))),
            Some(Ok(reply)) => {
                // What answers behind a number of the broker may be anybody: a proxy in Go passes on the headers of who is
                // behind it, too.
                self.session.saw_peer(self.destination.is_none() && reply.is_ours());
                self.session.family().alive();
                Ok(reply.body)
            }
            // A peer's clock may be the first to notice. grpc-go then resets the call: without an answer, or with that of a
            // handler which returns what it is told, that its context was cancelled.
            Some(Err(Failure::Answered(status))) if status.code() == tonic::Code::Cancelled && is_over() => {
                self.session.family().alive();
                Err(passed(path))
            }
            Some(Err(Failure::Lost(_))) if is_over() => Err(passed(path)),
            Some(Err(Failure::Answered(status))) => {
                self.session.family().alive();
                let error = from_status(&status, self.session.peer_is_ours());
                Err(Attempt::Refused(error.answered_by(self.session.name(), path)))
            }
            Some(Err(Failure::NotSent(why))) => {
                self.settle_end().await;
                Err(Attempt::NotSent(Error::lost(false, gone()).with_source(why)))
            }
            Some(Err(Failure::Lost(why))) => {
                self.settle_end().await;
                Err(Attempt::Lost(Error::lost(true, gone()).with_source(why)))
            }
        }
    }

    /// The outcome of a call over this link; `None` if the link has ended and the call has no outcome.
    ///
    /// A peer that hangs up right after its answer, as Go's servers do that stop gracefully, ends the link while the answer
    /// is on its way from one task to another: it has a moment to arrive.
    ///
    /// Pinned by whoever makes it: given as it is, there would be room for it here three times.
    pub(crate) async fn outcome<T>(&self, mut call: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        tokio::select! {
            biased;
            outcome = call.as_mut() => Some(outcome),
            () = self.ended().cancelled() => tokio::time::timeout(INSTANT, call).await.ok(),
        }
    }

    /// After a call was lost: ends the link if the connection is gone. A call learns of that an instant before the
    /// connection does; a peer that broke off one call only keeps its connection.
    pub(crate) async fn settle_end(&self) {
        if !self.connection.is_dead() {
            let _ = tokio::time::timeout(INSTANT, self.connection.ended().cancelled()).await;
        }
        if self.connection.is_dead() {
            self.end();
        }
    }
}

/// Of a call that was sent.
fn passed(path: &str) -> Attempt {
    Attempt::Refused(Error::deadline(true, format!("{path}: the caller's deadline passed")))
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
