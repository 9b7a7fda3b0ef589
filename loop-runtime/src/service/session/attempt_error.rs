//! One attempt of a call over one link, and its outcome.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;
use tracing::Instrument;

use super::lease::{Expiry, Lease};
use super::lendable::Export;
use super::lending;
use super::link::Link;
use super::object::Object;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::service::base::{from_status, settle};
use crate::transport::{Asked, Exchange, Failure};

/// gRPC's health check, with the service that every go-plugin plugin answers for.
const HEALTH_CHECK: &str = "/grpc.health.v1.Health/Check";
const OF_PLUGIN: &[u8] = b"\x0a\x06plugin";

/// The outcome of an attempt over one link that brought no reply.
pub(crate) enum AttemptError {
    /// It cannot be sent over any link: the caller's own limits forbid it. It did not run.
    Impossible(Error),
    /// It certainly did not run: a retry is safe.
    NotRun(Error),
    /// It was sent, and no reply came.
    MayHaveRun(Error),
    /// It ran, and its reply cannot be read.
    Unreadable(Error),
    /// The peer answered with an error status, or the caller's deadline passed after it was sent.
    Answered(Error),
}

impl AttemptError {
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

impl Link {
    /// Lends `exports` to `object`, for a call over this link.
    ///
    /// # Errors
    ///
    /// As [`lending::lend`]; deadline exceeded, because a peer that does not read receives no announcements.
    pub(crate) async fn lend(
        &self,
        exports: &[(u32, Export)],
        object: &Object,
        expiry: Option<Expiry>,
        context: &Context,
    ) -> Result<(Vec<Lease>, Vec<(u32, u32)>), AttemptError> {
        if exports.is_empty() {
            return Ok(Default::default());
        }
        tokio::select! {
            biased;
            lent = lending::lend(self.session(), exports, object, expiry) => lent.map_err(|error| match error.loss() {
                Some(_) => AttemptError::NotRun(error),
                None => AttemptError::Impossible(error),
            }),
            () = self.ended().cancelled() => Err(AttemptError::NotRun(self.gone(false))),
            () = context.expired() => {
                Err(AttemptError::Impossible(Error::deadline_before(self.session().name(), &"while a service was lent")))
            }
        }
    }

    /// One attempt over this link, in a span `call`. Dropping the future cancels the call at the peer too.
    pub(crate) async fn unary(
        &self,
        path: &str,
        headers: HeaderMap,
        context: &Context,
        body: Bytes,
    ) -> Result<Bytes, AttemptError> {
        // Counted before the check: whoever retires the link after it waits for this call too.
        let _in_flight = self.in_flight();
        if !self.is_usable() {
            return Err(AttemptError::NotRun(self.gone(false)));
        }
        self.last_call(path, headers, context, body).await
    }

    /// The same over a link that may be retired: for release calls.
    pub(crate) async fn last_call(
        &self,
        path: &str,
        headers: HeaderMap,
        context: &Context,
        body: Bytes,
    ) -> Result<Bytes, AttemptError> {
        let span = tracing::debug_span!("call", peer = self.session().name(), path);
        self.send(path, headers, context, body).instrument(span).await
    }

    async fn send(
        &self,
        path: &str,
        headers: HeaderMap,
        context: &Context,
        body: Bytes,
    ) -> Result<Bytes, AttemptError> {
        if self.has_ended() {
            return Err(AttemptError::NotRun(self.gone(false)));
        }
        let mut all = context.metadata.clone();
        all.extend(headers);
        let timeout = self.left(path, context)?;
        let call = pin!(self.connection().unary(path, all, timeout, body));
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
                // Behind a broker id may be anybody: a proxy in Go forwards the headers of the server behind it, too.
                self.session().saw_peer(!self.has_address() && reply.is_ours());
                self.session().peer_context().alive();
                Ok(reply.body)
            }
            Some(Err(failure)) => Err(self.failed(path, failure, context.deadline).await),
            None => Err(AttemptError::MayHaveRun(self.gone(true))),
        }
    }

    /// Begins a streaming call over this link, whose caller counts as in flight. Towards a peer of this runtime it waits for
    /// the response headers, so that a refusal is an error of this attempt.
    pub(crate) async fn begin(&self, path: &str, context: &Context, asked: Asked) -> Result<Exchange, AttemptError> {
        if !self.is_usable() {
            return Err(AttemptError::NotRun(self.gone(false)));
        }
        self.learn_peer(context).await;
        let timeout = self.left(path, context)?;
        let mut exchange = match self.connection().exchange(path, context.metadata.clone(), timeout, asked) {
            Ok(exchange) => exchange,
            Err(failure) => return Err(self.failed(path, failure, context.deadline).await),
        };
        if !self.session().peer_is_ours() {
            return Ok(exchange);
        }
        let head = {
            let head = pin!(poll_fn(|cx| exchange.poll_head(cx)));
            tokio::select! {
                biased;
                head = self.outcome(head) => head,
                () = context.expired() => return Err(passed(path)),
            }
        };
        match head {
            Some(Ok(())) => {
                self.session().peer_context().alive();
                Ok(exchange)
            }
            Some(Err(failure)) => Err(self.failed(path, failure, context.deadline).await),
            None => Err(AttemptError::MayHaveRun(self.gone(true))),
        }
    }

    /// Finds out whether the peer is this runtime, by a health check, before the first call for which that matters. On a main
    /// connection only: behind a broker id may be anybody.
    async fn learn_peer(&self, context: &Context) {
        if self.has_address() {
            return;
        }
        let context = Context { deadline: context.deadline, ..Context::default() };
        let ask = async {
            // An error is of no interest: without a reply, the peer is not known to be ours.
            let _ = self.last_call(HEALTH_CHECK, HeaderMap::new(), &context, Bytes::from_static(OF_PLUGIN)).await;
        };
        self.session().learn_peer(ask).await;
    }

    /// The time left until the deadline of a call.
    fn left(&self, path: &str, context: &Context) -> Result<Option<Duration>, AttemptError> {
        let Some(at) = context.deadline else { return Ok(None) };
        match at.checked_duration_since(Instant::now()) {
            Some(left) if !left.is_zero() => Ok(Some(left)),
            _ => Err(AttemptError::Impossible(Error::deadline_before(self.session().name(), &path))),
        }
    }

    /// What a failure of the transport means for the call of `path`: the one place where that is decided, for our own
    /// calls and for forwarded ones.
    pub(crate) async fn failed(&self, path: &str, failure: Failure, deadline: Option<Instant>) -> AttemptError {
        if failure.is_from_peer() {
            self.session().peer_context().alive();
        }
        let is_over = deadline.is_some_and(|at| at <= Instant::now());
        match failure {
            Failure::Impossible(why) => {
                AttemptError::Impossible(Error::cannot_be_sent(self.session().name(), path, why))
            }
            // The deadline may expire at the peer first. grpc-go then resets the call: without a status, or with that
            // of a handler which returns the error of its context, cancelled.
            Failure::Answered(status) if status.code() == tonic::Code::Cancelled && is_over => passed(path),
            Failure::MayHaveRun(_) if is_over => passed(path),
            Failure::Answered(status) => {
                let error = from_status(&status, self.session().peer_is_ours());
                AttemptError::Answered(error.answered_by(self.session().name(), path))
            }
            Failure::NotRun(why) => AttemptError::NotRun(self.gone(false).with_source(why)),
            Failure::MayHaveRun(why) => {
                self.settle_end().await;
                AttemptError::MayHaveRun(self.gone(true).with_source(why))
            }
        }
    }

    fn gone(&self, may_have_run: bool) -> Error {
        Error::disconnected(self.session().name(), may_have_run)
    }

    /// The outcome of a call over this link; `None` if the link has ended and the call has no outcome.
    ///
    /// A peer that disconnects right after its reply, as Go's servers do in a graceful stop, ends the link while the
    /// reply is on its way from one task to another: it has a moment to arrive.
    ///
    /// Pinned by the caller: passed by value, this future would reserve space for it three times.
    pub(crate) async fn outcome<T>(&self, mut call: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        tokio::select! {
            biased;
            outcome = call.as_mut() => Some(outcome),
            () = self.ended().cancelled() => tokio::time::timeout(settle::LINK, call).await.ok(),
        }
    }

    /// After a call was lost: ends the link if the connection has ended. A call sees that an instant before the
    /// connection does; a peer that reset one call only keeps its connection.
    async fn settle_end(&self) {
        let ended = self.connection().ended();
        if ended.is_cancelled() || tokio::time::timeout(settle::LINK, ended.cancelled()).await.is_ok() {
            self.end();
        }
    }
}

/// The deadline of a call that was sent has passed.
fn passed(path: &str) -> AttemptError {
    AttemptError::Answered(Error::deadline_after(path))
}

#[cfg(test)]
#[path = "attempt_error_tests.rs"]
mod tests;
