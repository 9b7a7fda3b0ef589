//! Prices on the wire: 24 bytes, big-endian two's complement, as Solidity's `int192`.

use num_bigint::{BigInt, Sign};

/// Length of an encoded value in bytes.
pub const LENGTH: usize = 24;

/// Why a value could not be encoded or decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// There is no value.
    #[error("i is nil")]
    Missing,
    /// The value is below `-2^191` or above `2^191 - 1`.
    #[error("i doesn't fit into a 24-byte two's complement")]
    Range,
    /// The bytes are not exactly [`LENGTH`] long.
    #[error("expected b to have length 24, but got length {0}")]
    Length(usize),
}

/// Encodes a value in `-2^191 ..= 2^191 - 1`.
pub fn encode(value: &BigInt) -> Result<[u8; LENGTH], ValueError> {
    let bytes = value.to_signed_bytes_be();
    if bytes.len() > LENGTH {
        return Err(ValueError::Range);
    }
    Ok(sign_extended(value, &bytes))
}

/// Encodes a value that may be missing, which is an error of its own.
pub fn encode_present(value: Option<&BigInt>) -> Result<[u8; LENGTH], ValueError> {
    encode(value.ok_or(ValueError::Missing)?)
}

/// Decodes exactly [`LENGTH`] bytes.
pub fn decode(bytes: &[u8]) -> Result<BigInt, ValueError> {
    if bytes.len() == LENGTH { Ok(BigInt::from_signed_bytes_be(bytes)) } else { Err(ValueError::Length(bytes.len())) }
}

/// The value as one 32-byte word of the EVM's ABI, reduced modulo 2^256 as Go's encoder does.
pub fn to_word(value: &BigInt) -> [u8; 32] {
    let bytes = value.to_signed_bytes_be();
    sign_extended(value, &bytes[bytes.len().saturating_sub(32)..])
}

/// `bytes` at the end of `N` bytes, preceded by the sign of `value`.
fn sign_extended<const N: usize>(value: &BigInt, bytes: &[u8]) -> [u8; N] {
    let fill = if value.sign() == Sign::Minus { 0xff } else { 0 };
    let mut out = [fill; N];
    out[N - bytes.len()..].copy_from_slice(bytes);
    out
}
