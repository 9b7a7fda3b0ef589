//! From values to bytes in one pass, without copying borrowed values first.

use bytes::Bytes;

use super::schema::{FieldType, Schema};
use super::{FieldSpec, WireError};

/// How deep messages may nest, the outermost not counted; the usual limit of protobuf implementations. The reader refuses
/// what is deeper, and so does the writer: no peer is sent what it cannot read.
pub(super) const DEPTH: u32 = 100;

/// A body being written.
///
/// Writing a field can fail for one reason only: messages nest deeper than a receiver accepts. So writing itself
/// returns no `Result`. A message that is too deep is skipped, what follows is of no use, and the end
/// ([`encode`](super::encode), or the call whose argument it was) fails with the path to it. That keeps the traits free
/// of a `Result` for every field, and the stack bounded however deep the value is.
pub struct Writer {
    bytes: Vec<u8>,
    /// How much deeper messages may nest; 0 after a failure, which thereby ends the writing soon.
    left: u32,
    failure: Option<Box<Failure>>,
}

/// What was too deep.
#[derive(Default)]
struct Failure {
    /// The numbers of the fields on the path there, from the inside out.
    trail: Vec<u32>,
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
    /// A message was nested too deep; [`WireError::path`] is its path.
    pub fn finish(self) -> Result<Bytes, WireError> {
        match self.failure {
            None => Ok(self.bytes.into()),
            Some(failure) => Err(failure.error.unwrap_or_else(WireError::too_deep)),
        }
    }

    /// The bytes of a body without messages.
    pub(crate) fn into_bytes(self) -> Bytes {
        self.bytes.into()
    }

    /// Whether something was nested too deep.
    pub(super) fn failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Turns the numbers on the path to what was too deep into names. `root` is the type of the whole body, or that of
    /// its field `spec`.
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
            failure.error = Some(names.iter().rev().fold(WireError::too_deep(), WireError::within));
        }
    }

    /// Records only the first failure.
    #[cold]
    fn fail_first(&mut self, n: u32) {
        if !self.failed() {
            self.fail(n);
        }
    }

    #[cold]
    fn fail(&mut self, n: u32) {
        self.left = 0;
        self.failure.get_or_insert_default().trail.push(n);
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
pub(super) fn put_varint(mut value: u64, out: &mut Writer) {
    while value >= 0x80 {
        out.bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.bytes.push(value as u8);
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
        return out.fail_first(n);
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
