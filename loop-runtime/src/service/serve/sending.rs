//! The stream that an implementation has returned, on its way to the caller.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use bytes::Bytes;
use futures_core::Stream;
use tokio_util::sync::WaitForCancellationFutureOwned;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tonic::Status;
use tracing::Span;

use super::mounted::{answered, panicked};
use crate::context::Context;
use crate::error::Error;
use crate::service::session::{Items, Session};

/// How many items may be taken in a row before it is looked whether this side closes.
const LOOK_EVERY: u8 = 32;

/// Polls the items in the context and the span of their call. A panic is their last one, and so is the end of the service.
pub(super) struct Sending {
    /// `None` after their end.
    items: Option<Items>,
    context: Context,
    span: Span,
    path: String,
    session: Arc<Session>,
    /// Ends it, unless a stream is among the arguments too: then it is a call under way, with its grace.
    closing: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    taken: u8,
    _under_way: Option<TaskTrackerToken>,
}

impl Sending {
    pub(super) fn new(
        items: Items,
        context: Context,
        span: Span,
        path: String,
        session: &Arc<Session>,
        under_way: Option<TaskTrackerToken>,
    ) -> Self {
        let closing = under_way.is_none().then(|| Box::pin(session.closing().clone().cancelled_owned()));
        let (items, session) = (Some(items), session.clone());
        Self { items, context, span, path, session, closing, taken: 0, _under_way: under_way }
    }

    fn is_closing(&mut self, cx: &mut Task<'_>) -> bool {
        self.closing.as_mut().is_some_and(|closing| closing.as_mut().poll(cx).is_ready())
    }

    fn fail(&mut self, error: Error) -> Poll<Option<Result<Bytes, Box<Status>>>> {
        self.items = None;
        Poll::Ready(Some(Err(Box::new(answered(error)))))
    }

    /// A loss, so that a stream which can be subscribed to again goes on in the next process.
    fn closed(&mut self) -> Poll<Option<Result<Bytes, Box<Status>>>> {
        let text = format!("{} is closing: the stream of {} ends", self.session.peer_context().local, self.path);
        self.fail(Error::lost(true, text))
    }
}

impl Stream for Sending {
    type Item = Result<Bytes, Box<Status>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<Option<Self::Item>> {
        self.taken = (self.taken + 1) % LOOK_EVERY;
        if self.taken == 0 && self.is_closing(cx) {
            return self.closed();
        }
        let this = &mut *self;
        let Some(items) = &mut this.items else { return Poll::Ready(None) };
        let poll = AssertUnwindSafe(|| {
            let _span = this.span.enter();
            this.context.enter(|| items.as_mut().poll_next(cx))
        });
        match std::panic::catch_unwind(poll) {
            Ok(Poll::Ready(Some(Ok(item)))) => Poll::Ready(Some(Ok(item))),
            Ok(Poll::Ready(Some(Err(error)))) => self.fail(error),
            Ok(Poll::Ready(None)) => {
                self.items = None;
                Poll::Ready(None)
            }
            Ok(Poll::Pending) if self.is_closing(cx) => self.closed(),
            Ok(Poll::Pending) => Poll::Pending,
            Err(panic) => {
                let error = panicked(&self.session.peer_context().local, &self.path, &*panic);
                self.fail(error)
            }
        }
    }
}
