//! What both report codecs do first: the median of each number, and who observed what in the order of prices.

use super::ports::ParsedAttributedObservation;
use super::sort;
use num_bigint::BigInt;

/// A report names its observers in 32 bytes, one each.
pub const OBSERVERS_MAX: usize = 32;

/// Why there is nothing to report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AggregateError {
    /// No observations.
    #[error("cannot build report from empty attributed observations")]
    Empty,
    /// More observations than a report has room for. (Go panics.)
    #[error("cannot build report from {0} attributed observations, at most 32 are allowed")]
    TooMany(usize),
    /// An observation lacks a number. (Go panics.)
    #[error("cannot build report from an attributed observation without {0}")]
    Missing(&'static str),
}

/// Medians, and the prices in ascending order.
#[derive(Clone, Debug)]
pub struct Aggregate<'a> {
    /// Median of the timestamps.
    pub timestamp: u32,
    /// Median of the fee coin's prices.
    pub juels_per_fee_coin: &'a BigInt,
    /// Median of the gas prices, if those were asked for.
    pub gas_price_subunits: Option<&'a BigInt>,
    /// Who observed each of `values`; zero beyond them.
    pub observers: [u8; OBSERVERS_MAX],
    /// The prices.
    pub values: Vec<&'a BigInt>,
}

struct Row<'a> {
    timestamp: u32,
    juels: &'a BigInt,
    gas: Option<&'a BigInt>,
    value: &'a BigInt,
    observer: u8,
}

/// Aggregates 1 to 32 observations in any order. The list is sorted once per number, prices last, and always the
/// same list: so equal prices stand as the sorts before left them, which is what Go does and hence what is signed.
pub fn aggregate(
    observations: &[ParsedAttributedObservation],
    with_gas_price: bool,
) -> Result<Aggregate<'_>, AggregateError> {
    match observations.len() {
        0 => return Err(AggregateError::Empty),
        1..=OBSERVERS_MAX => {}
        n => return Err(AggregateError::TooMany(n)),
    }
    let mut rows = Vec::with_capacity(observations.len());
    for it in observations {
        let gas = it.gas_price_subunits.as_ref();
        if with_gas_price && gas.is_none() {
            return Err(AggregateError::Missing("gasPriceSubunits"));
        }
        rows.push(Row {
            timestamp: it.timestamp,
            juels: it.juels_per_fee_coin.as_ref().ok_or(AggregateError::Missing("juelsPerFeeCoin"))?,
            gas,
            value: it.value.as_ref().ok_or(AggregateError::Missing("value"))?,
            observer: it.observer,
        });
    }
    // The upper one of two middle elements.
    let middle = rows.len() / 2;
    sort::sort_by(&mut rows, |a, b| a.timestamp < b.timestamp);
    let timestamp = rows[middle].timestamp;
    sort::sort_by(&mut rows, |a, b| a.juels < b.juels);
    let juels_per_fee_coin = rows[middle].juels;
    let gas_price_subunits = if with_gas_price {
        sort::sort_by(&mut rows, |a, b| a.gas < b.gas);
        rows[middle].gas
    } else {
        None
    };
    sort::sort_by(&mut rows, |a, b| a.value < b.value);

    let mut observers = [0; OBSERVERS_MAX];
    for (slot, row) in observers.iter_mut().zip(&rows) {
        *slot = row.observer;
    }
    let values = rows.iter().map(|row| row.value).collect();
    Ok(Aggregate { timestamp, juels_per_fee_coin, gas_price_subunits, observers, values })
}
