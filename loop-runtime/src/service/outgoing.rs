//! A body on its way out, and the services that travel with it.

use bytes::{Bytes, BytesMut};

use super::export::Export;
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
