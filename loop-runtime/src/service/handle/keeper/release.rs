//! The end of a handle: its object is released, best effort.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::HeaderMap;
use tokio::time::timeout;

use super::Keeper;
use crate::context::Context;
use crate::error::Result;
use crate::service::base::HandleEvent;
use crate::service::handle::{Handle, HandleState};
use crate::service::session::{AttemptError, Link};

impl Keeper {
    /// Releases everything: children, calls in flight, the object, its connection, what was lent to it.
    pub(super) async fn release(&mut self) {
        let handle = &self.handle;
        // Kept to the end: the upgrade releases the parent's object once this one is released.
        let adopted = handle.take_adopted();
        if let Some(adopted) = &adopted {
            discard(handle, &adopted.link).await;
        }
        let timeouts = &handle.peer_context.timeouts;
        if handle.closed.is_cancelled() {
            handle.children.close();
            // A child that hangs does not block its parent: it ends with the object.
            let _ = timeout(timeouts.close_timeout, handle.children.wait()).await;
        }
        let mut told = false;
        let last = &self.last;
        if !last.object().has_ended() {
            if handle.is_owned() {
                told = self.release_object(last).await;
            }
            last.end();
            // Its driver ends with the link.
            let _ = timeout(timeouts.disconnect_timeout, last.connection().ended().cancelled()).await;
            last.object().give_back(timeouts.disconnect_timeout).await;
            last.object().end();
        }
        handle.uninstall();
        handle.forget_set_up();
        if handle.closed.is_cancelled() {
            handle.publish(HandleState::Closed);
        }
        if handle.is_owned() {
            handle.peer_context.emit(HandleEvent::Closed { handle: handle.id.clone(), told });
        }
        handle.done.cancel();
        // Prepared by an upgrade during the release. From here on, an upgrade sees that the handle is done.
        if let Some(adopted) = handle.take_adopted() {
            discard(handle, &adopted.link).await;
        }
    }

    /// Waits for calls in flight, then sends the release call; over a new connection if the last one has ended.
    async fn release_object(&self, last: &Arc<Link>) -> bool {
        let handle = &self.handle;
        if !last.has_ended() {
            // Calls that take longer end with the connection.
            let _ = timeout(handle.peer_context.timeouts.drain_timeout, last.drained()).await;
        }
        if last.is_usable() {
            return self.tell_last_word(last).await;
        }
        match timeout(handle.peer_context.timeouts.redial_timeout, last.redial()).await {
            Ok(Ok(link)) => self.tell_last_word(&link).await,
            _ => false,
        }
    }

    /// Sends the release call and keeps its reply for an explicit close.
    async fn tell_last_word(&self, link: &Arc<Link>) -> bool {
        let Some(answer) = tell(&self.handle, link).await else { return false };
        let told = matches!(answer, Ok(_) | Err(AttemptError::Answered(_)));
        let answer = answer.map_err(AttemptError::into_error);
        // Released once only: it cannot be set yet.
        let _ = self.handle.released.set(answer);
        told
    }
}

/// Calls the release method, if the service has one.
pub(super) async fn tell(handle: &Handle, link: &Arc<Link>) -> Option<Result<Bytes, AttemptError>> {
    let method = handle.release?;
    let context =
        Context { deadline: Some(Instant::now() + handle.peer_context.timeouts.release_timeout), ..Context::default() };
    Some(link.last_call(method.path, HeaderMap::new(), &context, Bytes::new()).await)
}

/// Releases an object of a session that takes no new calls, once those in flight are answered and the objects that they made
/// have ended: their own keepers release them.
pub(crate) async fn leave(handle: &Handle, link: &Arc<Link>) {
    let drained = async {
        link.drained().await;
        link.object().childless().await;
    };
    let _ = timeout(handle.peer_context.timeouts.drain_timeout, drained).await;
    discard(handle, link).await;
}

/// Releases an object that nobody uses.
pub(crate) async fn discard(handle: &Handle, link: &Arc<Link>) {
    tell(handle, link).await;
    link.end();
    link.object().give_back(handle.peer_context.timeouts.disconnect_timeout).await;
    link.object().end();
}
