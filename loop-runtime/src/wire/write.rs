//! From values to bytes in one pass, without copying borrowed values first.

use bytes::Bytes;

use super::error::TOO_DEEP;
use super::schema::{FieldType, Schema};
use super::{FieldSpec, WireError};

/// How deep messages may nest, the outermost not counted; the usual limit of protobuf implementations. The reader refuses
/// what is deeper, and so does the writer: no peer is sent what it cannot read.
pub(super) const DEPTH: u32 = 100;

/// A body being written.
///
/// Little can go wrong while a field is written: that messages nest deeper than a receiver takes, and that a path is no
/// string. So the writing itself has no result. What cannot be written is left out, whatever follows is of no use, and the
/// end ([`encode`](super::encode), or the call whose argument it was) fails with the path to it. That keeps the traits free
/// of a result for every field, and the stack bounded however deep the value is.
pub struct Writer {
    bytes: Vec<u8>,
    /// How much deeper messages may nest; 0 after a failure, which thereby ends the writing soon.
    left: u32,
    failure: Option<Box<Failure>>,
}

/// What could not be written.
struct Failure {
    /// The numbers of the fields on the path there, from the inside out.
    trail: Vec<u32>,
    /// Why, as the path is not known yet.
    why: &'static str,
    error: Option<WireError>,
}

impl Default for Writer {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl Writer {
    /// An empty body with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity), left: DEPTH, failure: None }
    }

    /// The bytes.
    ///
    /// # Errors
    ///
    /// Something could not be written; [`WireError::path`] says where.
    pub fn finish(self) -> Result<Bytes, WireError> {
        match self.failure {
            None => Ok(self.bytes.into()),
            Some(failure) => Err(failure.error.unwrap_or_else(|| WireError::unwritten(failure.why))),
        }
    }

    /// The bytes of a body without messages.
    pub(crate) fn into_bytes(self) -> Bytes {
        self.bytes.into()
    }

    /// Whether something could not be written.
    pub(super) fn failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Turns the numbers that lead to what could not be written into names. `root` is the type of the whole body, or that of the
    /// field `spec` of it.
    #[cold]
    pub(super) fn explain(&mut self, spec: Option<&FieldSpec>, root: fn(&mut Schema) -> FieldType) {
        let Some(failure) = &mut self.failure else { return };
        if failure.error.is_none() {
            let mut schema = Schema::new();
            let root = root(&mut schema);
            // The very first number is that of `spec` itself.
            let numbers = failure.trail.iter().rev().copied().skip(usize::from(spec.is_some()));
            let names = spec.map(|spec| spec.name).into_iter().chain(schema.names(&root, numbers));
            let names: Vec<_> = names.collect();
            failure.error = Some(names.iter().rev().fold(WireError::unwritten(failure.why), WireError::within));
        }
    }

    /// Says that field `n` cannot be written, and why. Nothing is told of what comes after the first.
    #[cold]
    pub(super) fn refuse(&mut self, n: u32, why: &'static str) {
        if !self.failed() {
            self.left = 0;
            self.failure = Some(Box::new(Failure { trail: vec![n], why, error: None }));
        }
    }

    /// Adds the field `n` around what could not be written.
    #[cold]
    fn fail(&mut self, n: u32) {
        self.left = 0;
        if let Some(failure) = &mut self.failure {
            failure.trail.push(n);
        }
    }

    #[inline]
    pub(crate) fn put_slice(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    #[inline]
    pub(super) fn reserve(&mut self, more: usize) {
        self.bytes.reserve(more);
    }
}

/// The low three bits of a tag.
#[derive(Clone, Copy)]
pub(super) enum WireType {
    Varint = 0,
    Fixed64 = 1,
    Delimited = 2,
    Fixed32 = 5,
}

/// How many bytes `value` takes as a varint: 1 to 10.
pub(super) fn varint_size(value: u64) -> usize {
    // One byte for each started group of seven bits.
    ((64 - (value | 1).leading_zeros()) as usize).div_ceil(7)
}

#[inline]
pub(super) fn put_varint(value: u64, out: &mut Writer) {
    push_varint(value, &mut out.bytes);
}

#[inline]
pub(super) fn push_varint(mut value: u64, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

#[inline]
pub(super) fn put_key(n: u32, wire_type: WireType, out: &mut Writer) {
    put_varint(u64::from(n << 3 | wire_type as u32), out);
}

/// A field of known content.
#[inline]
pub(super) fn put_delimited(n: u32, content: &[u8], out: &mut Writer) {
    put_key(n, WireType::Delimited, out);
    put_varint(content.len() as u64, out);
    // Room for the enclosing lengths as well: otherwise the shift in `nested` would reallocate the buffer, too.
    out.reserve(content.len() + 16);
    out.put_slice(content);
}

/// A field whose content `write` puts after its length, unless that is nested too deep.
///
/// One byte is reserved for the length, enough below 128 bytes; longer content is shifted once. Compared to a measuring
/// pass first, this runs the user's accessors once and costs a move within the cache.
#[inline]
pub fn nested(n: u32, out: &mut Writer, write: impl FnOnce(&mut Writer)) {
    let left = out.left;
    if left == 0 {
        return out.refuse(n, TOO_DEEP);
    }
    out.left = left - 1;
    put_key(n, WireType::Delimited, out);
    let start = out.bytes.len();
    out.bytes.push(0);
    write(out);
    if out.failed() {
        return out.fail(n);
    }
    out.left = left;
    let length = out.bytes.len() - start - 1;
    if length < 0x80 {
        out.bytes[start] = length as u8;
    } else {
        widen(start, length, &mut out.bytes);
    }
}

/// Makes room at `start` for a length of more than one byte.
fn widen(start: usize, length: usize, bytes: &mut Vec<u8>) {
    let extra = varint_size(length as u64) - 1;
    bytes.resize(bytes.len() + extra, 0);
    bytes.copy_within(start + 1..start + 1 + length, start + 1 + extra);
    let mut rest = length;
    for byte in &mut bytes[start..start + extra] {
        *byte = rest as u8 | 0x80;
        rest >>= 7;
    }
    bytes[start + extra] = rest as u8;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_varints() {
        for value in (0..64).flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit, (1 << bit) + 1]).chain([u64::MAX]) {
            let mut out = Writer::default();
            put_varint(value, &mut out);
            assert_eq!(out.bytes.len(), varint_size(value), "{value}");
        }
    }

    #[test]
    fn lengths_are_patched_at_every_width() {
        for length in [0, 1, 127, 128, 129, 16_383, 16_384, 2_097_151, 2_097_152] {
            let content: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let (mut patched, mut known) = (Writer::default(), Writer::default());
            nested(3, &mut patched, |out| out.put_slice(&content));
            put_delimited(3, &content, &mut known);
            assert!(patched.bytes == known.bytes, "{length}");
        }
    }
}
