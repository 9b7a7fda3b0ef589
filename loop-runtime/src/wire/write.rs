//! From values to bytes, one pass, no copy of what is borrowed.

use bytes::{BufMut, BytesMut};

/// The low three bits of a key.
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
pub(super) fn put_varint(mut value: u64, out: &mut BytesMut) {
    while value >= 0x80 {
        out.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

#[inline]
pub(super) fn put_key(n: u32, wire_type: WireType, out: &mut BytesMut) {
    put_varint(u64::from(n << 3 | wire_type as u32), out);
}

/// A field of known content.
#[inline]
pub(super) fn put_delimited(n: u32, content: &[u8], out: &mut BytesMut) {
    put_key(n, WireType::Delimited, out);
    put_varint(content.len() as u64, out);
    // Room for the lengths around it as well: the shift in `nested` would else move the buffer, too.
    out.reserve(content.len() + 16);
    out.put_slice(content);
}

/// A field whose content `write` puts behind its length.
///
/// One byte is kept for the length, which is right below 128 bytes; a longer content is shifted once. Against a pass
/// that only measures, this runs the user's accessors once and costs a move within the cache.
#[inline]
pub fn nested(n: u32, out: &mut BytesMut, write: impl FnOnce(&mut BytesMut)) {
    put_key(n, WireType::Delimited, out);
    let start = out.len();
    out.put_u8(0);
    write(out);
    let length = out.len() - start - 1;
    let extra = varint_size(length as u64) - 1;
    if extra > 0 {
        out.put_bytes(0, extra);
        out.copy_within(start + 1..start + 1 + length, start + 1 + extra);
    }
    let mut rest = length;
    for byte in &mut out[start..start + extra] {
        *byte = rest as u8 | 0x80;
        rest >>= 7;
    }
    out[start + extra] = rest as u8;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_varints() {
        for value in (0..64).flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit, (1 << bit) + 1]).chain([u64::MAX]) {
            let mut out = BytesMut::new();
            put_varint(value, &mut out);
            assert_eq!(out.len(), varint_size(value), "{value}");
        }
    }

    #[test]
    fn lengths_are_patched_at_every_width() {
        for length in [0, 1, 127, 128, 129, 16_383, 16_384, 2_097_151, 2_097_152] {
            let content: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let (mut patched, mut known) = (BytesMut::new(), BytesMut::new());
            nested(3, &mut patched, |out| out.put_slice(&content));
            put_delimited(3, &content, &mut known);
            assert!(patched == known, "{length}");
        }
    }
}
