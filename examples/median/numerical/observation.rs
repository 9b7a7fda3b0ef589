//! What one oracle says in a round, as protobuf.

use super::go_proto::{self, Field, Malformed};
use super::ports::ParsedAttributedObservation;
use super::value::{self, ValueError};
use num_bigint::BigInt;

/// Longest observation that an honest oracle sends, in bytes.
pub const MAX_LENGTH: usize = 4 + 3 * value::LENGTH + 16;

/// Why an oracle's observation was dropped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObservationError {
    /// Not protobuf.
    #[error("attributed observation cannot be unmarshaled: {0}")]
    Malformed(#[from] Malformed),
    /// A number is not 24 bytes long.
    #[error("attributed observation with {field} that cannot be converted to big.Int: {source}")]
    Value {
        /// The field's name in the schema.
        field: &'static str,
        /// What is wrong with it.
        source: ValueError,
    },
}

/// The message, its numbers still encoded as in [`value`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation<'a> {
    /// Unix seconds at which it was made, modulo 2^32.
    pub timestamp: u32,
    /// The price.
    pub value: &'a [u8],
    /// Price of the coin that pays fees, in juels.
    pub juels_per_fee_coin: &'a [u8],
    /// Gas price in the chain's subunits; empty where the feed has none.
    pub gas_price_subunits: &'a [u8],
}

impl<'a> Observation<'a> {
    /// The canonical bytes: fields in order, defaults left out.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(MAX_LENGTH);
        go_proto::put_varint(&mut out, 1, u64::from(self.timestamp));
        go_proto::put_bytes(&mut out, 2, self.value);
        go_proto::put_bytes(&mut out, 3, self.juels_per_fee_coin);
        go_proto::put_bytes(&mut out, 4, self.gas_price_subunits);
        out
    }

    /// Whatever Go would take for an observation.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut it = Self::default();
        go_proto::fields(bytes, |number, field| match (number, field) {
            (1, Field::Varint(seconds)) => it.timestamp = seconds as u32,
            (2, Field::Bytes(bytes)) => it.value = bytes,
            (3, Field::Bytes(bytes)) => it.juels_per_fee_coin = bytes,
            (4, Field::Bytes(bytes)) => it.gas_price_subunits = bytes,
            _ => {}
        })?;
        Ok(it)
    }
}

/// Decodes the observation of oracle `observer`. A gas price that is left out is zero.
pub fn parse(observer: u8, bytes: &[u8]) -> Result<ParsedAttributedObservation, ObservationError> {
    let message = Observation::decode(bytes)?;
    let number = |field, bytes| value::decode(bytes).map_err(|source| ObservationError::Value { field, source });
    let gas_price_subunits = match message.gas_price_subunits {
        [] => BigInt::ZERO,
        bytes => number("gasPriceSubunits", bytes)?,
    };
    Ok(ParsedAttributedObservation {
        timestamp: message.timestamp,
        value: Some(number("value", message.value)?),
        juels_per_fee_coin: Some(number("juelsPerFeeCoin", message.juels_per_fee_coin)?),
        gas_price_subunits: Some(gas_price_subunits),
        observer,
    })
}
