//! An outgoing body, and the services that travel with it.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_core::Stream;

use super::lendable::Export;
use super::upload::Upload;
use crate::error::Result;
use crate::wire::{FieldSpec, LoopMessage, Message, WireError, Writer, put, put_whole};

/// Arguments or results being encoded. Data are written at once; services are kept beside them, because every attempt
/// allocates new ids for them.
#[derive(Default)]
pub struct Outgoing {
    body: Writer,
    exports: Vec<(u32, Export)>,
    items: Option<Items>,
}

/// The encoded items of a stream, until its end or its first error.
pub(crate) type Items = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

impl Outgoing {
    /// An empty body.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds data as the field `spec`.
    pub(crate) fn data<T: LoopMessage + ?Sized>(&mut self, value: &T, spec: &FieldSpec) {
        put(value, spec, &mut self.body);
    }

    /// Adds the fields of `message`, which is the whole body.
    pub(crate) fn whole<M: Message>(&mut self, message: &M) {
        put_whole(message, &mut self.body);
    }

    pub(crate) fn export(&mut self, number: u32, export: Export) {
        self.exports.push((number, export));
    }

    /// Adds the items of a stream; there is at most one.
    pub(crate) fn stream(&mut self, items: Items) {
        self.items = Some(items);
    }

    /// The items of the stream that was added.
    pub(crate) fn take_items(&mut self) -> Option<Items> {
        self.items.take()
    }

    /// # Errors
    ///
    /// Data that cannot be written: nested too deep for a receiver.
    pub(crate) fn into_parts(self) -> Result<(Bytes, Vec<(u32, Export)>), WireError> {
        Ok((self.body.finish()?, self.exports))
    }
}

/// Header by which a peer of this runtime names the handle that calls a constructor.
pub(crate) const RECIPE: &str = "loop-recipe";

/// A request, encoded once; each attempt allocates new ids for what it lends.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) body: Bytes,
    pub(crate) exports: Arc<[(u32, Export)]>,
    /// The stream among its arguments.
    pub(crate) upload: Option<Upload>,
}

impl Request {
    /// # Errors
    ///
    /// The arguments cannot be written: the caller's fault, and nothing was sent.
    pub(crate) fn new(mut out: Outgoing) -> Result<Self> {
        let upload = out.take_items().map(Upload::new);
        let (body, exports) = out.into_parts()?;
        Ok(Self { body, exports: exports.into(), upload })
    }
}

/// `body` with the ids of lent services behind its data: protobuf fields may come in any order.
pub(crate) fn with_ids(body: &Bytes, ids: &[(u32, u32)]) -> Bytes {
    if ids.is_empty() {
        return body.clone();
    }
    let mut out = Writer::with_capacity(body.len() + 12 * ids.len());
    out.put_slice(body);
    for (number, id) in ids {
        id.put_always(*number, &mut out);
    }
    out.into_bytes()
}
