//! The report of EVM chains: `(uint32 timestamp, bytes32 observers, int192[] observations, int192 juelsPerFeeCoin)`
//! by the rules of the contract ABI.

use super::aggregate::{self, AggregateError};
use super::ports::{BoxFuture, ParsedAttributedObservation, PortError, ReportCodec};
use super::value;
use num_bigint::{BigInt, BigUint};

const WORD: usize = 32;
/// Words before the list: timestamp, observers, where the list begins, fee coin.
const HEAD: usize = 4;

/// Why a report could not be built or read. Reading is as strict and as lax as go-ethereum, and says the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvmCodecError {
    /// The observations make no report.
    #[error(transparent)]
    Aggregate(#[from] AggregateError),
    /// The report has no bytes.
    #[error("error during unpack: abi: attempting to unmarshal an empty string while arguments are expected")]
    Empty,
    /// The report ends too early.
    #[error("error during unpack: abi: cannot marshal in to go type: length insufficient {have} require {need}")]
    TooShort {
        /// Bytes in the report.
        have: usize,
        /// Bytes it must have.
        need: BigUint,
    },
    /// The timestamp has more than 32 bits.
    #[error("error during unpack: abi: improperly encoded uint32 value")]
    Timestamp,
    /// The list begins outside the report.
    #[error(
        "error during unpack: abi: cannot marshal in to go slice: \
         offset {end} would go over slice boundary (len={have})"
    )]
    Offset {
        /// Where the list's length would end.
        end: BigUint,
        /// Bytes in the report.
        have: usize,
    },
    /// The list's length is beyond all measure.
    #[error("error during unpack: abi: length larger than int64: {0}")]
    Length(BigUint),
    /// The list ends outside the report.
    #[error(
        "error during unpack: abi: cannot marshal into go array: \
         offset {have} would go over slice boundary (len={need})"
    )]
    List {
        /// Bytes after the list's length.
        have: usize,
        /// Bytes of its elements.
        need: usize,
    },
    /// A report of nothing.
    #[error("observations are empty")]
    NoMedian,
}

/// A report of 1 to 32 observations in any order.
pub fn build(observations: &[ParsedAttributedObservation]) -> Result<Vec<u8>, EvmCodecError> {
    let it = aggregate::aggregate(observations, false)?;
    let mut report = Vec::with_capacity(max_report_length(it.values.len()));
    report.extend(value::to_word(&it.timestamp.into()));
    report.extend(it.observers);
    report.extend(value::to_word(&(HEAD * WORD).into()));
    report.extend(value::to_word(it.juels_per_fee_coin));
    report.extend(value::to_word(&it.values.len().into()));
    for value in it.values {
        report.extend(value::to_word(value));
    }
    Ok(report)
}

/// The answer that the contract takes from a report: the upper median by position. Nothing is sorted again.
pub fn median(report: &[u8]) -> Result<BigInt, EvmCodecError> {
    let have = report.len();
    if have == 0 {
        return Err(EvmCodecError::Empty);
    }
    if word(report, 0)?[..WORD - 4].iter().any(|byte| *byte != 0) {
        return Err(EvmCodecError::Timestamp);
    }
    word(report, 1)?;
    let list = list(report, &BigUint::from_bytes_be(word(report, 2)?))?;
    word(report, 3)?;
    let (words, _) = list.as_chunks::<WORD>();
    match words.get(words.len() / 2) {
        Some(word) => Ok(BigInt::from_signed_bytes_be(word)),
        None => Err(EvmCodecError::NoMedian),
    }
}

/// Length of a report of `n` observations in bytes.
pub fn max_report_length(n: usize) -> usize {
    (HEAD + 1 + n).saturating_mul(WORD)
}

/// The word at `index` of the head.
fn word(report: &[u8], index: usize) -> Result<&[u8], EvmCodecError> {
    let end = (index + 1) * WORD;
    report.get(end - WORD..end).ok_or_else(|| EvmCodecError::TooShort { have: report.len(), need: end.into() })
}

/// The elements of the list whose length stands at `offset`. The offset may point anywhere in the report, even to
/// its beginning.
fn list<'a>(report: &'a [u8], offset: &BigUint) -> Result<&'a [u8], EvmCodecError> {
    let have = report.len();
    let end = offset + WORD;
    let start = match usize::try_from(&end) {
        Ok(start) if start <= have => start,
        _ => return Err(EvmCodecError::Offset { end, have }),
    };
    let length = BigUint::from_bytes_be(&report[start - WORD..start]);
    // Go first measures the list as if its elements were bytes, and only then as words.
    let need = end + &length;
    if need.bits() > 63 {
        return Err(EvmCodecError::Length(need));
    }
    let length = match usize::try_from(&length) {
        Ok(length) if start + length <= have => length,
        _ => return Err(EvmCodecError::TooShort { have, need }),
    };
    let (have, need) = (have - start, length * WORD);
    report.get(start..start + need).ok_or(EvmCodecError::List { have, need })
}

/// The codec as a relayer offers it.
#[derive(Clone, Copy, Debug)]
pub struct EvmReportCodec;

impl ReportCodec for EvmReportCodec {
    fn build_report<'a>(&'a self, observations: &'a [ParsedAttributedObservation]) -> BoxFuture<'a, Vec<u8>> {
        Box::pin(async { build(observations).map_err(PortError::new) })
    }

    fn median_from_report<'a>(&'a self, report: &'a [u8]) -> BoxFuture<'a, Option<BigInt>> {
        Box::pin(async { median(report).map(Some).map_err(PortError::new) })
    }

    fn max_report_length(&self, n: usize) -> BoxFuture<'_, usize> {
        Box::pin(async move { Ok(max_report_length(n)) })
    }
}
