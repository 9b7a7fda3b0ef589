//! Calls over a handle: how often each is sent, and over which links.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::HeaderMap;
use tokio_util::sync::CancellationToken;

use super::Handle;
use crate::context::Context;
use crate::error::{Code, Error, Result};
use crate::service::lease::Expiry;
use crate::service::link::{Attempt, Link};
use crate::service::method::Method;
use crate::service::outgoing::with_ids;
use crate::service::recipe::{Recipe, Request};
use crate::sync::locked;

/// How many times an idempotent call, or a first constructor call, is carried out at most: a request that kills
/// plugins must not kill them for ever.
const EXECUTIONS: u32 = 3;

impl Handle {
    /// Calls `method`, over as many links as its class allows. Dropping the future cancels the call on the far side.
    ///
    /// # Errors
    ///
    /// The far side's answer; or a loss, which says whether the method may have run.
    pub(crate) async fn call(self: &Arc<Self>, method: &'static Method, request: &Request) -> Result<Bytes> {
        let context = Context::current();
        let mut executions = 0;
        let mut last = 0;
        loop {
            let link = self.next_link(&context, last).await.map_err(|error| error.handed_over(executions > 0))?;
            last = link.number();
            match self.attempt(&link, method, request, &context).await {
                Ok(reply) => return Ok(reply),
                Err(Attempt::Refused(error)) => return Err(error),
                Err(Attempt::NotSent(error)) if error.loss().is_none() => return Err(error.handed_over(executions > 0)),
                // A link that lives on broke off this call only: waiting for another one is of no use.
                Err(Attempt::NotSent(error)) if link.is_usable() => return Err(error.handed_over(executions > 0)),
                Err(Attempt::NotSent(_)) => {}
                Err(Attempt::Lost(error)) => {
                    executions += 1;
                    let repeatable = (method.idempotent || method.replay) && !link.is_usable();
                    if !repeatable || executions >= EXECUTIONS {
                        return Err(lost(&link, method, error, &context).await);
                    }
                }
            }
        }
    }

    pub(super) async fn next_link(self: &Arc<Self>, context: &Context, last: u64) -> Result<Arc<Link>> {
        if self.closed.is_cancelled() {
            return Err(self.closed_error());
        }
        match self.usable().filter(|link| link.number() != last) {
            Some(link) => Ok(link),
            None => self.ensure(self.patience(context), last).await,
        }
    }

    /// One attempt. What it lends lives on after a success: with the object for a set-up call, else until the peer
    /// hangs up. After a failure it is let go at once.
    async fn attempt(
        &self,
        link: &Arc<Link>,
        method: &'static Method,
        request: &Request,
        context: &Context,
    ) -> Result<Bytes, Attempt> {
        let expiry = (!method.replay).then_some(Expiry::ORDINARY_CALL);
        let (leases, ids) = link.lend(&request.exports, link.object(), expiry, context).await?;
        let body = with_ids(&request.body, &ids);
        let reply = link.unary(method.path, HeaderMap::new(), context, body).await?;
        link.object().keep(leases);
        if method.replay {
            let mut setup = locked(&self.setup);
            match setup.iter_mut().find(|(known, _)| known.path == method.path) {
                Some((_, known)) => *known = request.clone(),
                None => setup.push((method, request.clone())),
            }
            drop(setup);
            // The next object may have been set up before this was kept: then it is told by another attempt.
            if !link.is_usable() {
                let text = format!("{}: the connection is gone", link.session().name());
                return Err(Attempt::Lost(Error::lost(true, text)));
            }
        }
        Ok(reply)
    }

    /// Lets go of what the set-up calls lent: a service that leads back to this handle would keep it for ever.
    pub(crate) fn forget_set_up(&self) {
        let setup = std::mem::take(&mut *locked(&self.setup));
        drop(setup);
    }

    /// Repeats the set-up calls on a new object, in the order of first use.
    ///
    /// # Errors
    ///
    /// The first that was refused or lost.
    pub(crate) async fn set_up(&self, link: &Arc<Link>, context: &Context) -> Result<(), Attempt> {
        let setup = locked(&self.setup).clone();
        for (method, request) in setup {
            let (leases, ids) = link.lend(&request.exports, link.object(), None, context).await?;
            link.unary(method.path, HeaderMap::new(), context, with_ids(&request.body, &ids)).await?;
            link.object().keep(leases);
        }
        Ok(())
    }

    /// The user's own constructor call: answered errors are told at once, losses are repeated. Once `abandoned`, what
    /// was not sent is not sent any more.
    ///
    /// # Errors
    ///
    /// As [`Handle::call`].
    pub(crate) async fn construct(
        self: &Arc<Self>,
        recipe: Recipe,
        abandoned: &CancellationToken,
    ) -> Result<(Bytes, Option<Arc<Self>>)> {
        // Closing waits for it: what it makes is closed before its parent is.
        let _child = self.children.token();
        let context = Context::current();
        let mut executions = 0;
        let mut last = 0;
        loop {
            let link = tokio::select! {
                biased;
                () = abandoned.cancelled() => return Err(Error::new(Code::Cancelled, "the caller went away")),
                link = self.next_link(&context, last) => link.map_err(|error| error.handed_over(executions > 0))?,
            };
            match recipe.attempt(&link, &context).await {
                Ok(made) => {
                    let handle = made.link.map(|link| Self::made(recipe, link));
                    return Ok((made.reply, handle));
                }
                Err(Attempt::Refused(error)) => return Err(error),
                Err(Attempt::NotSent(error)) if error.loss().is_none() => return Err(error.handed_over(executions > 0)),
                Err(Attempt::NotSent(error)) => {
                    if link.is_usable() {
                        return Err(error.handed_over(executions > 0));
                    }
                    last = link.number();
                }
                // The object's own connection may be what was lost: the parent's link is as good as before.
                Err(Attempt::Lost(error)) => {
                    executions += 1;
                    if executions >= EXECUTIONS {
                        return Err(lost(&link, recipe.method, error, &context).await);
                    }
                    if !link.is_usable() {
                        last = link.number();
                    }
                }
            }
        }
    }

    /// Closes the handle by hand: children first, then the release call, then what was lent.
    ///
    /// # Errors
    ///
    /// The release method's answer; closed, if it was closed before.
    pub(crate) async fn close(&self) -> Result<Bytes> {
        if self.closed.is_cancelled() {
            return Err(self.closed_error());
        }
        self.closed.cancel();
        let bound = Instant::now() + self.family.timing.close;
        let bound = Context::current().deadline.map_or(bound, |deadline| deadline.min(bound));
        let bound = tokio::time::timeout_at(bound.into(), self.done.cancelled()).await;
        match self.released.get() {
            Some(answer) => answer.clone(),
            None if bound.is_err() => Err(Error::deadline(true, format!("{}: still closing", self.id.service))),
            // The object was gone already: nothing to tell.
            None => Ok(Bytes::new()),
        }
    }
}

/// The loss of a call that was sent, with what is known of the peer's end.
async fn lost(link: &Link, method: &Method, error: Error, context: &Context) -> Error {
    let name = link.session().name();
    let epitaph = link.session().epitaph();
    let epitaph = match context.deadline {
        Some(at) => tokio::time::timeout_at(at.into(), epitaph).await.unwrap_or_default(),
        None => epitaph.await,
    };
    let how = epitaph.as_deref().unwrap_or("the connection was lost");
    let text = format!("{name}: lost during {}, which may have run: {how}", method.path);
    let lost = Error::lost(true, text);
    match std::error::Error::source(&error) {
        Some(_) => lost.with_source(error),
        None => lost,
    }
}
