//! One call on the calling side: send the request, and decode the reply.

use super::incoming::Incoming;
use super::reply::{Outcome, Reply, Whole, WholeOutcome};
use crate::error::{Error, LoopError, Result};
use crate::service::base::Method;
use crate::service::handle::{Received, Remote};
use crate::service::session::Outgoing;

impl Remote {
    /// Calls `method`.
    pub async fn call<R: Outcome>(&self, method: &'static Method, out: Outgoing) -> R {
        let received = self.exchange(method, out, R::Ok::service()).await;
        R::join(received.and_then(|received| self.read(received, method)).map_err(R::Err::from_error))
    }

    /// Calls `method`, whose message is itself the reply.
    pub async fn call_whole<R: WholeOutcome>(&self, method: &'static Method, out: Outgoing) -> R {
        let received = self.exchange(method, out, None).await;
        let whole = received.and_then(|received| self.read::<Whole<R::Ok>>(received, method));
        R::join(whole.map(|whole| whole.0).map_err(R::Err::from_error))
    }

    fn read<T: Reply>(&self, received: Received, method: &'static Method) -> Result<T> {
        let reply = T::take(method.reply, &mut Incoming::reply(received));
        reply.map_err(|why| Error::unreadable_reply(&self.handle().peer_context.name, method.path, why))
    }
}
