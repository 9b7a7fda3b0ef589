//! One call on the serving side: decode, connect to what was lent, run, encode.

use std::sync::Arc;

use super::incoming::Incoming;
use super::reply::{Outcome, Reply, Whole, WholeOutcome};
use crate::error::{Error, LoopError, Result};
use crate::service::base::{BoxFuture, Method, from_status};
use crate::service::serve::{Answer, Call, Replied};
use crate::service::session::{self, Outgoing};

impl Call {
    /// Decodes the arguments with `args`, borrowed and owned ones, runs `run` on `this` with them and encodes its
    /// result.
    ///
    /// Function pointers, not closures with futures of their own: those would be new types for every method, each to be
    /// checked and compiled, and would hold the arguments a second time.
    ///
    /// Dropping the returned future cancels the implementation at its next await.
    pub fn serve<S, L, O, R>(
        self,
        method: &'static Method,
        this: Arc<S>,
        args: fn(&mut Incoming) -> Result<(L, O)>,
        run: for<'a> fn(&'a S, &'a L, O) -> BoxFuture<'a, R>,
    ) -> Option<Answer>
    where
        S: Send + Sync + ?Sized + 'static,
        L: Send + Sync + 'static,
        O: Send + 'static,
        R: Outcome + Send + 'static,
    {
        Some(Box::pin(self.answer(method, this, args, run, |outcome: R| outcome.split().map_err(R::Err::into_error))))
    }

    /// [`Call::serve`] for a method whose message is itself the reply.
    pub fn serve_whole<S, L, O, R>(
        self,
        method: &'static Method,
        this: Arc<S>,
        args: fn(&mut Incoming) -> Result<(L, O)>,
        run: for<'a> fn(&'a S, &'a L, O) -> BoxFuture<'a, R>,
    ) -> Option<Answer>
    where
        S: Send + Sync + ?Sized + 'static,
        L: Send + Sync + 'static,
        O: Send + 'static,
        R: WholeOutcome + Send + 'static,
    {
        let reply = |outcome: R| outcome.split().map(Whole).map_err(R::Err::into_error);
        Some(Box::pin(self.answer(method, this, args, run, reply)))
    }

    async fn answer<S, L, O, R, P>(
        self,
        method: &'static Method,
        this: Arc<S>,
        args: fn(&mut Incoming) -> Result<(L, O)>,
        run: for<'a> fn(&'a S, &'a L, O) -> BoxFuture<'a, R>,
        reply: fn(R) -> Result<P>,
    ) -> Result<Replied>
    where
        S: Send + Sync + ?Sized + 'static,
        L: Send + Sync + 'static,
        O: Send + 'static,
        R: 'static,
        P: Reply,
    {
        let (body, requests) = match self.requests {
            // The other arguments are in the first message.
            Some(mut requests) if method.first => {
                let first = requests.next().await;
                let first = first.ok_or_else(|| Error::internal("the body of the call holds no message"))?;
                (first.map_err(|status| from_status(&status, true))?, Some(requests))
            }
            requests => (self.body, requests),
        };
        let mut incoming = Incoming::request(body, self.session.clone(), requests);
        let (lent, owned) = args(&mut incoming)?;
        incoming.settle().await?;
        drop(incoming);
        let handle = self.key.filter(|_| P::CARRIES);
        if let Some(handle) = &handle {
            // The peer has lost the object of this handle, and what that object still holds may conflict.
            session::displace(&self.session, handle).await;
        }
        let outcome = run(&this, &lent, owned).await;
        drop((lent, this));
        let value = reply(outcome)?;
        let key = match handle {
            None if method.singleton => {
                // A peer that names no handle may still use its first object: a refusal does not affect it. But two
                // never run at once, so the older one ends before the newer one is started.
                session::displace(&self.session, method.path).await;
                Some(method.path.to_owned())
            }
            handle => handle,
        };
        let mut out = Outgoing::new();
        value.put(method.reply, &mut out);
        match out.take_items() {
            Some(items) => Ok(Replied::Stream(items)),
            None => session::hand_out(&self.session, out, key).await.map(Replied::Message),
        }
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
