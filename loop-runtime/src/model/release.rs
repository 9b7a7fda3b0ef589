//! The end of a handle: mirrors `service/handle/keeper/release.rs`.

use std::sync::Arc;

use super::conn::Ask;
use super::handle::Handle;
use super::keeper::Keeper;
use super::ledger::ledger;
use super::link::Link;
use super::sim::{self, hop, timeout};
use crate::service::{HandleEvent, HandleState};

impl Keeper {
    pub(super) async fn release(&mut self) {
        let handle = &self.handle;
        let adopted = handle.adopted.borrow_mut().take();
        if let Some(adopted) = &adopted {
            discard(handle, &adopted.link).await;
        }
        let timeouts = &handle.peer_context.timeouts;
        if handle.closed.is_cancelled() {
            handle.children.close();
            let _ = timeout(timeouts.close_timeout, handle.children.wait()).await;
        }
        hop().await;
        let mut told = false;
        let last = &self.last;
        if !last.object.has_ended() {
            told = self.release_object(last).await;
            last.end();
            let _ = timeout(timeouts.disconnect_timeout, last.conn.ended.cancelled()).await;
            last.object.give_back(timeouts.disconnect_timeout).await;
            last.object.end();
        }
        handle.uninstall();
        if handle.closed.is_cancelled() {
            handle.publish(HandleState::Closed);
        }
        handle.told.set(told);
        handle.peer_context.emit(HandleEvent::Closed { handle: self.id(), told });
        ledger(|it| it.done(handle.number));
        handle.done.cancel();
        let adopted = handle.adopted.borrow_mut().take();
        if let Some(adopted) = adopted {
            discard(handle, &adopted.link).await;
        }
    }

    async fn release_object(&self, last: &Arc<Link>) -> bool {
        let handle = &self.handle;
        if !last.has_ended() {
            let _ = timeout(handle.peer_context.timeouts.drain_timeout, last.drained()).await;
        }
        hop().await;
        if last.is_usable() {
            return tell(handle, last).await;
        }
        match timeout(handle.peer_context.timeouts.redial_timeout, last.redial()).await {
            Some(Some(link)) => tell(handle, &link).await,
            _ => {
                ledger(|it| it.excuse(handle.number, last.session.number));
                false
            }
        }
    }
}

/// Sends the release call; returns whether it was answered.
pub(super) async fn tell(handle: &Handle, link: &Arc<Link>) -> bool {
    let deadline = Some(sim::now() + handle.peer_context.timeouts.release_timeout);
    let told = link.last_call(Ask::Release, deadline).await.is_ok();
    if !told {
        ledger(|it| it.excuse(handle.number, link.session.number));
    }
    told
}

/// Releases an object of a session that takes no new calls, once those in flight are answered and the objects that they made
/// have ended: their own keepers release them.
pub(super) async fn leave(handle: &Handle, link: &Arc<Link>) {
    let drained = async {
        link.drained().await;
        link.object.real.childless().await;
    };
    let _ = timeout(handle.peer_context.timeouts.drain_timeout, drained).await;
    discard(handle, link).await;
}

/// Releases an object that nobody uses.
pub(super) async fn discard(handle: &Handle, link: &Arc<Link>) {
    tell(handle, link).await;
    link.end();
    link.object.give_back(handle.peer_context.timeouts.disconnect_timeout).await;
    link.object.end();
}
