//! Streams among the arguments and in the result: items to messages, and back.

use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;

use super::incoming::Incoming;
use super::parameter::Parameter;
use super::reply::{Reply, WholeReply};
use crate::error::{Error, LoopError, Result};
use crate::service::base::from_status;
use crate::service::handle::{ServiceInfo, Subscription};
use crate::service::session::Outgoing;
use crate::streaming::Streaming;
use crate::transport::Requests;
use crate::wire::{FieldSpec, FieldType, LoopMessage, Message, Schema, WireError, contains, take};

/// What may come one by one in a [`Streaming`] result: a message, or a tuple of several.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the item of a stream",
    label = "not a message",
    note = "a `Streaming` carries messages, or tuples of them; a service or another stream cannot be an item"
)]
pub trait StreamItem: Reply {}

impl<T: LoopMessage<Owned = T> + Send + 'static> StreamItem for T {}

macro_rules! tuple_item {
    ($($part:ident),+) => {
        impl<$($part: LoopMessage<Owned = $part> + Send + 'static),+> StreamItem for ($($part,)+) {}
    };
}

tuple_item!(A, B);
tuple_item!(A, B, C);
tuple_item!(A, B, C, D);
tuple_item!(A, B, C, D, E);
tuple_item!(A, B, C, D, E, F);
tuple_item!(A, B, C, D, E, F, G);
tuple_item!(A, B, C, D, E, F, G, H);

impl<T: StreamItem, E: LoopError + Send + 'static> Reply for Streaming<T, E> {
    const CARRIES: bool = false;
    const STREAMS: bool = true;

    fn service() -> Option<(usize, ServiceInfo)> {
        None
    }

    fn put(self, specs: &'static [FieldSpec], out: &mut Outgoing) {
        out.stream(Box::pin(Encoded { stream: self, encode: move |item: T| encoded(|out| item.put(specs, out)) }));
    }

    fn take(specs: &'static [FieldSpec], from: &mut Incoming) -> Result<Self> {
        Ok(received(from.subscription()?, move |from| T::take(specs, from)))
    }

    fn fields(specs: &'static [FieldSpec], schema: &mut Schema) -> Vec<(FieldSpec, FieldType)> {
        E::describe(schema);
        T::fields(specs, schema)
    }
}

impl<M: Message + LoopMessage, E: LoopError + Send + 'static> WholeReply for Streaming<M, E> {
    const STREAMS: bool = true;

    fn put(self, out: &mut Outgoing) {
        out.stream(Box::pin(Encoded { stream: self, encode: |item: M| encoded(|out| out.whole(&item)) }));
    }

    fn take(from: &mut Incoming) -> Result<Self> {
        Ok(received(from.subscription()?, |from| from.whole()))
    }

    fn message(schema: &mut Schema) -> FieldType {
        E::describe(schema);
        <M as LoopMessage>::field_type(schema)
    }
}

/// A stream among the arguments. gRPC has no way to send a client's status, so a producer's error cancels the call: the
/// implementation sees [`Code::Cancelled`](crate::Code::Cancelled), and the caller's call fails with the producer's own error.
impl<T: LoopMessage<Owned = T> + Send + 'static> Parameter for Streaming<T> {
    type Owned = Self;
    const CARRIES: bool = false;
    const STREAMS: bool = true;

    /// Only reached for a reference, which the method's table refuses.
    fn put(&self, _: &FieldSpec, _: &mut Outgoing) {}

    fn give(self, spec: &FieldSpec, out: &mut Outgoing) {
        let spec = *spec;
        out.stream(Box::pin(Encoded {
            stream: self,
            encode: move |item: T| {
                let mut out = Outgoing::new();
                out.data(&item, &spec);
                Ok(out.into_parts()?.0)
            },
        }));
    }

    fn take(spec: &FieldSpec, from: &mut Incoming) -> Result<Self> {
        let (first, requests) = from.requests()?;
        // Clients that are written by hand may send the first item with the other arguments.
        let first = if contains(&first, spec.number)? { Some(item::<T>(&first, spec)?) } else { None };
        Ok(Self::new(Arrived { first, requests, spec: *spec }))
    }

    fn field_type(schema: &mut Schema) -> FieldType {
        <T as LoopMessage>::field_type(schema)
    }
}

/// The item in a message of its own.
fn item<T: LoopMessage>(message: &Bytes, spec: &FieldSpec) -> Result<T::Owned, WireError> {
    take(message, spec)
}

/// One item as a message of its own.
fn encoded(put: impl FnOnce(&mut Outgoing)) -> Result<Bytes> {
    let mut out = Outgoing::new();
    put(&mut out);
    Ok(out.into_parts().map_err(WireError::of_reply)?.0)
}

/// The items of a [`Streaming`], encoded by `encode`.
struct Encoded<T, E, F> {
    stream: Streaming<T, E>,
    encode: F,
}

impl<T, E, F> Stream for Encoded<T, E, F>
where
    E: LoopError,
    F: Fn(T) -> Result<Bytes> + Unpin,
{
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        Poll::Ready(match ready!(Pin::new(&mut self.stream).poll_next(cx)) {
            Some(Ok(item)) => Some((self.encode)(item)),
            Some(Err(error)) => Some(Err(error.into_error())),
            None => None,
        })
    }
}

fn received<T, E, D>(subscription: Subscription, decode: D) -> Streaming<T, E>
where
    T: 'static,
    E: LoopError + 'static,
    D: Fn(&mut Incoming) -> Result<T> + Send + Unpin + 'static,
{
    let count = subscription.resubscribed().clone();
    Streaming::counted(Decoded { subscription, decode, error: PhantomData }, count)
}

/// The items of a stream in a result, at the caller.
struct Decoded<D, E> {
    subscription: Subscription,
    decode: D,
    error: PhantomData<fn() -> E>,
}

impl<T, E, D> Stream for Decoded<D, E>
where
    E: LoopError,
    D: Fn(&mut Incoming) -> Result<T> + Unpin,
{
    type Item = Result<T, E>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(message) = ready!(self.subscription.poll_next(cx)) else { return Poll::Ready(None) };
        let item = message.and_then(|message| {
            (self.decode)(&mut Incoming::item(message)).map_err(|why| self.subscription.unreadable(why))
        });
        Poll::Ready(Some(item.map_err(E::from_error)))
    }
}

/// The items of a stream among the arguments, at the implementation.
struct Arrived<T> {
    first: Option<T>,
    requests: Requests,
    spec: FieldSpec,
}

// Nothing in it is pinned.
impl<T> Unpin for Arrived<T> {}

impl<T: LoopMessage<Owned = T>> Stream for Arrived<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        let this = &mut *self;
        if let Some(first) = this.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        Poll::Ready(match ready!(this.requests.poll_message(cx)) {
            Some(Ok(message)) => Some(item::<T>(&message, &this.spec).map_err(Error::from)),
            Some(Err(status)) => Some(Err(from_status(&status, true))),
            None => None,
        })
    }
}
