//! Bytes that both sides name.

pub(crate) const DIGEST: [u8; 32] = counting(1);
pub(crate) const HASH: [u8; 32] = counting(101);
pub(crate) const UUID: [u8; 16] = counting(201);

/// The text of a refusal: the wire escapes all of it.
pub(crate) const REFUSAL: &str = "no: 100% ärger,\n\ttwo lines";

const fn counting<const N: usize>(from: u8) -> [u8; N] {
    let mut bytes = [0; N];
    let mut at = 0;
    while at < N {
        bytes[at] = from + at as u8;
        at += 1;
    }
    bytes
}
