//! The part of a feed's configuration that its contract knows too: the bounds of an acceptable answer.
//! 49 bytes: version 1, minimum, maximum.

use super::ports::OnchainConfig;
use super::value::{self, ValueError};
use num_bigint::BigInt;

const VERSION: u8 = 1;
const LENGTH: usize = 1 + 2 * value::LENGTH;

/// Why an onchain config could not be encoded or decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OnchainConfigError {
    /// Not 49 bytes.
    #[error("unexpected length of OnchainConfig, expected 49, got {0}")]
    Length(usize),
    /// A version other than 1.
    #[error("unexpected version of OnchainConfig, expected 1, got {0}")]
    Version(u8),
    /// No answer could ever be within the bounds.
    #[error("OnchainConfig min ({min}) should not be greater than max({max})")]
    Bounds {
        /// Lower bound.
        min: BigInt,
        /// Upper bound.
        max: BigInt,
    },
    /// A bound is missing or too large.
    #[error(transparent)]
    Value(#[from] ValueError),
}

/// Encodes the bounds. Their order is not checked here, only by [`decode`]; Go does the same.
pub fn encode(config: &OnchainConfig) -> Result<[u8; LENGTH], OnchainConfigError> {
    let mut out = [0; LENGTH];
    out[0] = VERSION;
    let (min, max) = out[1..].split_at_mut(value::LENGTH);
    min.copy_from_slice(&value::encode_present(config.min.as_ref())?);
    max.copy_from_slice(&value::encode_present(config.max.as_ref())?);
    Ok(out)
}

/// Decodes the bounds; both are present in what it answers.
pub fn decode(bytes: &[u8]) -> Result<OnchainConfig, OnchainConfigError> {
    let [version, bounds @ ..] = bytes else { return Err(OnchainConfigError::Length(0)) };
    if bytes.len() != LENGTH {
        return Err(OnchainConfigError::Length(bytes.len()));
    }
    if *version != VERSION {
        return Err(OnchainConfigError::Version(*version));
    }
    let (min, max) = bounds.split_at(value::LENGTH);
    let (min, max) = (value::decode(min)?, value::decode(max)?);
    if min > max {
        return Err(OnchainConfigError::Bounds { min, max });
    }
    Ok(OnchainConfig { min: Some(min), max: Some(max) })
}
