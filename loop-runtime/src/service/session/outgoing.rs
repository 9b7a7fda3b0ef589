//! A body on its way out, and the services that travel with it.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::lendable::Export;
use crate::wire::LoopMessage;

/// Arguments or results while they are encoded. Data are written at once; services are kept beside them, because
/// their numbers are made anew for every attempt.
#[derive(Default)]
pub struct Outgoing {
    body: BytesMut,
    exports: Vec<(u32, Export)>,
}

impl Outgoing {
    /// An empty body.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn body(&mut self) -> &mut BytesMut {
        &mut self.body
    }

    pub(crate) fn export(&mut self, number: u32, export: Export) {
        self.exports.push((number, export));
    }

    pub(crate) fn into_parts(self) -> (Bytes, Vec<(u32, Export)>) {
        (self.body.freeze(), self.exports)
    }
}

/// Header by which a peer of ours names the handle that asks for an object.
pub(crate) const RECIPE: &str = "loop-recipe";

/// A request, encoded once; the numbers of what it lends are made anew for each attempt.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) body: Bytes,
    pub(crate) exports: Arc<[(u32, Export)]>,
}

impl From<Outgoing> for Request {
    fn from(out: Outgoing) -> Self {
        let (body, exports) = out.into_parts();
        Self { body, exports: exports.into() }
    }
}

/// `body` with the ids of lent services behind its data: protobuf fields may come in any order.
pub(crate) fn with_ids(body: &Bytes, ids: &[(u32, u32)]) -> Bytes {
    if ids.is_empty() {
        return body.clone();
    }
    let mut out = BytesMut::with_capacity(body.len() + 12 * ids.len());
    out.extend_from_slice(body);
    for (number, id) in ids {
        id.put_always(*number, &mut out);
    }
    out.freeze()
}
