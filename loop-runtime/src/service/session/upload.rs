//! The stream among a call's arguments, on its way out.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use tonic::Status;

use super::outgoing::Items;
use crate::error::Error;
use crate::sync::{Mutex, locked};
use crate::transport::Outbound;

/// The producer's items. An attempt that was refused before it took the first one leaves them for the next attempt.
#[derive(Clone)]
pub(crate) struct Upload(Arc<Shared>);

struct Shared {
    /// `None` from the first item on: they exist once.
    items: Mutex<Option<Items>>,
    /// What the producer ended with, if that was an error.
    error: OnceLock<Error>,
}

impl Upload {
    pub(super) fn new(items: Items) -> Self {
        Self(Arc::new(Shared { items: Mutex::new(Some(items)), error: OnceLock::new() }))
    }

    /// Whether nothing was taken from the producer yet.
    pub(crate) fn is_untouched(&self) -> bool {
        locked(&self.0.items).is_some()
    }

    /// The producer's own error: it cancelled the call, which fails with it.
    pub(crate) fn error(&self) -> Option<Error> {
        self.0.error.get().cloned()
    }

    /// The messages of one attempt: `first`, if there is one, and then the items.
    pub(crate) fn messages(&self, first: Option<Bytes>) -> Outbound {
        Box::pin(Messages { first, upload: self.clone(), items: None })
    }
}

struct Messages {
    first: Option<Bytes>,
    upload: Upload,
    items: Option<Items>,
}

impl Stream for Messages {
    type Item = Result<Bytes, Box<Status>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        if self.items.is_none() {
            let items = locked(&self.upload.0.items).take();
            self.items = items;
        }
        let Some(items) = &mut self.items else { return Poll::Ready(None) };
        Poll::Ready(match ready!(items.as_mut().poll_next(cx)) {
            Some(Ok(item)) => Some(Ok(item)),
            Some(Err(error)) => {
                // Stored before the call is cancelled, so that whoever sees the end of the call finds it.
                let _ = self.upload.0.error.set(error);
                Some(Err(Box::new(Status::cancelled("the stream among the arguments ended with an error"))))
            }
            None => None,
        })
    }
}
