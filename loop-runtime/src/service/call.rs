//! One call on the serving side: decode, connect to what was lent, run, encode.

use std::sync::Arc;

use bytes::Bytes;

use super::BoxFuture;
use super::incoming::Incoming;
use super::method::Method;
use super::outgoing::Outgoing;
use super::reply::{Outcome, Reply, Whole};
use super::session::Session;
use crate::error::{Error, LoopError, Result};
use crate::wire::{LoopMessage, Message};

/// The answer to a call: the encoded reply.
pub type Answer = BoxFuture<'static, Result<Bytes>>;

/// A call that was received and not yet decoded.
pub struct Call {
    pub(crate) body: Bytes,
    pub(crate) session: Arc<Session>,
    /// The key of the handle that asks, if a peer of ours constructs something.
    pub(crate) key: Option<String>,
}

impl Call {
    /// Decodes the arguments with `args`, runs `run` on them and encodes what it answers.
    ///
    /// Dropping the answer cancels the implementation at its next await.
    pub fn serve<A, F, R>(
        self,
        method: &'static Method,
        args: fn(&mut Incoming) -> Result<A>,
        run: impl FnOnce(A) -> F + Send + 'static,
    ) -> Option<Answer>
    where
        A: Send + 'static,
        F: Future<Output = R> + Send + 'static,
        R: Outcome + Send,
        R::Ok: Reply,
    {
        Some(Box::pin(self.answer(method, args, run, |value: R::Ok| value)))
    }

    /// [`Call::serve`] for a method whose message is itself the reply.
    pub fn serve_whole<A, F, R>(
        self,
        method: &'static Method,
        args: fn(&mut Incoming) -> Result<A>,
        run: impl FnOnce(A) -> F + Send + 'static,
    ) -> Option<Answer>
    where
        A: Send + 'static,
        F: Future<Output = R> + Send + 'static,
        R: Outcome + Send,
        R::Ok: Message + LoopMessage,
    {
        Some(Box::pin(self.answer(method, args, run, Whole)))
    }

    async fn answer<A, F, R, P>(
        self,
        method: &'static Method,
        args: fn(&mut Incoming) -> Result<A>,
        run: impl FnOnce(A) -> F + Send + 'static,
        reply: fn(R::Ok) -> P,
    ) -> Result<Bytes>
    where
        A: Send + 'static,
        F: Future<Output = R> + Send + 'static,
        R: Outcome + Send,
        P: Reply,
    {
        let mut incoming = Incoming::request(self.body, self.session.clone());
        let args = args(&mut incoming)?;
        incoming.settle().await?;
        drop(incoming);
        let key = match self.key {
            None if method.singleton => Some(method.path.to_owned()),
            key => key.filter(|_| P::CARRIES),
        };
        if let Some(key) = &key {
            self.session.displace(key).await;
        }
        let value = run(args).await.split().map_err(|error| -> Error { error.into_error() })?;
        let mut out = Outgoing::new();
        reply(value).put(method.reply, &mut out);
        self.session.hand_out(out, key).await
    }
}
