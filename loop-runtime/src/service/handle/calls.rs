//! Calls over a handle: the one loop over links, for every kind of call.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::HeaderMap;

use super::attempts::{Attempts, Class, Next, Outcome};
use super::handle::Handle;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::service::base::{Method, Names};
use crate::service::session::{AttemptError, Expiry, Link, Request, with_ids};
use crate::sync::locked;

/// What is tried over one link after another.
pub(crate) trait Attempting: Sync {
    /// What a successful attempt returns.
    type Reply: Send;

    /// One attempt. Dropping the future cancels it at the peer too.
    fn attempt(&self, link: &Arc<Link>) -> impl Future<Output = Result<Self::Reply, AttemptError>> + Send;

    /// Until when to wait for a link. Called only if there is none.
    fn until(&self) -> Instant;

    /// Resolves once nobody waits for the reply any more; polled while waiting for a link.
    fn abandoned(&self) -> impl Future<Output = Error> + Send {
        std::future::pending()
    }

    /// The error of an attempt that was sent and lost.
    fn lost(&self, link: &Link, error: Error) -> impl Future<Output = Error> + Send {
        let _ = link;
        std::future::ready(error)
    }
}

/// Tries `it` over as many links of `handle` as `class` allows.
///
/// # Errors
///
/// The peer's error status; or a loss, which says whether any of the attempts may have run.
pub(crate) async fn over_links<A: Attempting>(handle: &Arc<Handle>, class: Class, it: &A) -> Result<A::Reply> {
    let mut attempts = Attempts::new(class);
    let mut room_until = None;
    // The outcome of a later attempt does not undo an earlier one that may have run.
    let told = |error: Error, attempts: &Attempts| match attempts.may_have_run() {
        true => error.handed_over(true),
        false => error,
    };
    loop {
        let link = tokio::select! {
            biased;
            link = handle.next_link(|| it.until()) => link.map_err(|error| told(error, &attempts))?,
            error = it.abandoned() => return Err(told(error, &attempts)),
        };
        let (outcome, error) = match it.attempt(&link).await {
            Ok(reply) => return Ok(reply),
            Err(AttemptError::NotRun(error)) => (Outcome::NotRun, error),
            Err(AttemptError::MayHaveRun(error)) => (Outcome::MayHaveRun, error),
            Err(why) => (Outcome::Final, why.into_error()),
        };
        match attempts.after(outcome, link.is_usable()) {
            Next::Same { pause } => {
                // From the first refusal on, as long as it would wait for a link.
                let until = *room_until.get_or_insert_with(|| it.until());
                let at = Instant::now() + pause;
                if until < at {
                    return Err(told(error, &attempts));
                }
                if !pause.is_zero() {
                    tokio::time::sleep_until(at.into()).await;
                }
            }
            Next::Other => {}
            Next::Tell if outcome == Outcome::MayHaveRun => return Err(told(it.lost(&link, error).await, &attempts)),
            Next::Tell => return Err(told(error, &attempts)),
        }
    }
}

/// An ordinary call.
struct Ordinary<'a> {
    handle: &'a Handle,
    method: &'static Method,
    request: &'a Request,
    context: &'a Context,
}

impl Attempting for Ordinary<'_> {
    type Reply = Bytes;

    /// After a success, what it lends lives on: with the object for a set-up call, else until the peer disconnects.
    /// After a failure it is dropped at once.
    async fn attempt(&self, link: &Arc<Link>) -> Result<Bytes, AttemptError> {
        let Self { handle, method, request, context } = *self;
        let expiry = (!method.replay).then_some(Expiry::ORDINARY_CALL);
        let (leases, ids) = link.lend(&request.exports, link.object(), expiry, context).await?;
        let body = with_ids(&request.body, &ids);
        let answered = link.unary(method.path, HeaderMap::new(), context, body).await;
        if matches!(answered, Ok(_) | Err(AttemptError::Answered(_))) {
            link.note_answer();
        }
        let reply = answered?;
        link.object().keep(leases);
        if method.replay {
            handle.note_set_up(method, request);
            // The next object may have been set up before this was stored: then it needs another attempt.
            if !link.is_usable() {
                return Err(AttemptError::MayHaveRun(Error::disconnected(link.session().name(), true)));
            }
        }
        Ok(reply)
    }

    fn until(&self) -> Instant {
        self.handle.patience(self.context)
    }

    fn lost(&self, link: &Link, error: Error) -> impl Future<Output = Error> + Send {
        lost(link, self.method, error, self.context)
    }
}

/// Which optional components of `names` the peer has.
struct Probing<'a> {
    handle: &'a Handle,
    names: &'a Names,
    until: Instant,
}

impl Attempting for Probing<'_> {
    type Reply = ();

    async fn attempt(&self, link: &Arc<Link>) -> Result<(), AttemptError> {
        match link.probe(self.names, Some(self.until)).await {
            Ok(()) => {
                self.handle.note_offers(link);
                Ok(())
            }
            Err(error) if link.is_usable() => Err(AttemptError::Answered(error)),
            Err(error) => Err(AttemptError::NotRun(error)),
        }
    }

    fn until(&self) -> Instant {
        self.until
    }
}

impl Handle {
    /// Calls `method`, over as many links as its class allows. Dropping the future cancels the call at the peer too.
    ///
    ///# Errors
    ///
    ///The peer's error status; or a loss, which says whether the method may have run.
    pub(crate) async fn call(self: &Arc<Self>, method: &'static Method, request: &Request) -> Result<Bytes> {
        let context = Context::current();
        let class = if method.idempotent || method.replay { Class::Repeatable } else { Class::Once };
        over_links(self, class, &Ordinary { handle: self, method, request, context: &context }).await
    }

    /// Probes, now and on every new link, for the optional components of `names` too. For root handles.
    ///
    /// # Errors
    ///
    /// As [`Handle::ensure`].
    pub(crate) async fn learn(self: &Arc<Self>, names: &Names) -> Result<()> {
        self.extend_names(names);
        let until = self.patience(&Context::current());
        over_links(self, Class::Repeatable, &Probing { handle: self, names, until }).await
    }

    fn note_set_up(&self, method: &'static Method, request: &Request) {
        let mut setup = locked(&self.setup);
        match setup.iter_mut().find(|(known, _)| known.path == method.path) {
            Some((_, known)) => *known = request.clone(),
            None => setup.push((method, request.clone())),
        }
    }

    /// Drops what the set-up calls lent: a service that refers to this handle would keep it alive for ever.
    pub(crate) fn forget_set_up(&self) {
        let setup = std::mem::take(&mut *locked(&self.setup));
        drop(setup);
    }

    /// Repeats the set-up calls on a new object, in the order of first use.
    ///
    /// # Errors
    ///
    /// That of the first call that was refused or lost.
    pub(crate) async fn set_up(&self, link: &Arc<Link>, context: &Context) -> Result<(), AttemptError> {
        let setup = locked(&self.setup).clone();
        for (method, request) in setup {
            let (leases, ids) = link.lend(&request.exports, link.object(), None, context).await?;
            link.unary(method.path, HeaderMap::new(), context, with_ids(&request.body, &ids)).await?;
            link.object().keep(leases);
        }
        Ok(())
    }

    /// Closes the handle explicitly: children first, then the release call, then what was lent.
    ///
    /// # Errors
    ///
    /// The release method's error; closed, if it was closed before.
    pub(crate) async fn close(&self) -> Result<Bytes> {
        if self.closed.is_cancelled() {
            return Err(self.closed_error());
        }
        self.closed.cancel();
        let bound = Instant::now() + self.peer_context.timeouts.close_timeout;
        let bound = Context::current().deadline.map_or(bound, |deadline| deadline.min(bound));
        let bound = tokio::time::timeout_at(bound.into(), self.done.cancelled()).await;
        match self.released.get() {
            Some(answer) => answer.clone(),
            None if bound.is_err() => Err(Error::deadline(true, format!("{}: still closing", self.title()))),
            // The object had ended already: no call to make.
            None => Ok(Bytes::new()),
        }
    }
}

/// The loss of a call that was sent, with what is known of the peer's end.
pub(super) async fn lost(link: &Link, method: &Method, error: Error, context: &Context) -> Error {
    let name = link.session().name();
    let end_reason = link.session().end_reason();
    let end_reason = match context.deadline {
        Some(at) => tokio::time::timeout_at(at.into(), end_reason).await.unwrap_or_default(),
        None => end_reason.await,
    };
    let lost = Error::call_lost(name, method.path, end_reason.as_deref());
    match std::error::Error::source(&error) {
        Some(_) => lost.with_source(error),
        None => lost,
    }
}

#[cfg(test)]
#[path = "calls_tests.rs"]
mod tests;
