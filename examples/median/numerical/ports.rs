//! What the median needs from outside: the contract, the codecs, the data sources and the clock.

use num_bigint::BigInt;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

/// The future that the methods of a port return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, PortError>> + Send + 'a>>;

/// A failure on the other side of a port.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PortError {
    /// What to tell the user.
    pub message: String,
    /// The reader found nothing at the place it was asked for.
    pub not_found: bool,
}

impl PortError {
    /// A failure with the text of `cause`.
    pub fn new(cause: impl fmt::Display) -> Self {
        Self { message: cause.to_string(), not_found: false }
    }
}

/// Identifies one configuration of one contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConfigDigest(pub [u8; 32]);

/// A round of a configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportTimestamp {
    /// The configuration.
    pub config_digest: ConfigDigest,
    /// Counts leaders, from 1.
    pub epoch: u32,
    /// Counts rounds of a leader, from 1.
    pub round: u8,
}

/// A point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    /// Seconds since 1970, negative before.
    pub seconds: i64,
    /// Nanoseconds since that second, below 10^9.
    pub nanos: u32,
}

impl Time {
    /// Go's zero time, the first second of year 1: what a contract without any transmission answers.
    pub const ZERO: Self = Self { seconds: -62_135_596_800, nanos: 0 };

    /// Nanoseconds since 1970.
    pub fn unix_nanos(self) -> i128 {
        i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanos)
    }
}

/// One oracle's observation, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedAttributedObservation {
    /// Unix seconds, modulo 2^32.
    pub timestamp: u32,
    /// The price.
    pub value: Option<BigInt>,
    /// Price of the coin that pays fees, in juels.
    pub juels_per_fee_coin: Option<BigInt>,
    /// Which oracle observed.
    pub observer: u8,
    /// Gas price in the chain's subunits.
    pub gas_price_subunits: Option<BigInt>,
}

/// The last report that reached the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransmissionDetails {
    /// The contract's current configuration.
    pub config_digest: ConfigDigest,
    /// Epoch of the last transmission, 0 before the first one.
    pub epoch: u32,
    /// Round of the last transmission.
    pub round: u8,
    /// The contract's answer.
    pub latest_answer: Option<BigInt>,
    /// When that answer was written.
    pub latest_timestamp: Time,
}

/// The last round that somebody asked the contract for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoundRequested {
    /// Configuration at the time of the request.
    pub config_digest: ConfigDigest,
    /// Epoch at the time of the request.
    pub epoch: u32,
    /// Round at the time of the request.
    pub round: u8,
}

/// Bounds of an acceptable answer, both inclusive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnchainConfig {
    /// Least acceptable answer.
    pub min: Option<BigInt>,
    /// Greatest acceptable answer.
    pub max: Option<BigInt>,
}

/// What a reporting plugin is made from.
#[derive(Clone, Debug)]
pub struct ReportingPluginConfig {
    /// Configuration under which the plugin runs.
    pub config_digest: ConfigDigest,
    /// Number of oracles.
    pub n: usize,
    /// How many of them may be faulty.
    pub f: u8,
    /// See [`super::onchain_config`].
    pub onchain_config: Vec<u8>,
    /// See [`super::offchain_config`].
    pub offchain_config: Vec<u8>,
}

/// What the oracle protocol has to know of a reporting plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportingPluginInfo {
    /// Shown in logs.
    pub name: String,
    /// No two rounds make the same report.
    pub unique_reports: bool,
    /// Longest query in bytes.
    pub max_query_length: usize,
    /// Longest observation in bytes.
    pub max_observation_length: usize,
    /// Longest report in bytes.
    pub max_report_length: usize,
}

/// The feed's contract.
pub trait MedianContract: Send + Sync {
    /// What the contract holds now.
    fn latest_transmission_details(&self) -> BoxFuture<'_, TransmissionDetails>;
    /// The last request for a round within `lookback` nanoseconds; all zero if there was none.
    fn latest_round_requested(&self, lookback: i64) -> BoxFuture<'_, RoundRequested>;
}

/// Makes the bytes that the contract understands.
pub trait ReportCodec: Send + Sync {
    /// A report of these observations, which are sorted by value.
    fn build_report<'a>(&'a self, observations: &'a [ParsedAttributedObservation]) -> BoxFuture<'a, Vec<u8>>;
    /// The answer that the contract will take from a report.
    fn median_from_report<'a>(&'a self, report: &'a [u8]) -> BoxFuture<'a, Option<BigInt>>;
    /// Longest report of `n` observations in bytes.
    fn max_report_length(&self, n: usize) -> BoxFuture<'_, usize>;
}

/// Reads the onchain config.
pub trait OnchainConfigCodec: Send + Sync {
    /// The bounds within `bytes`.
    fn decode<'a>(&'a self, bytes: &'a [u8]) -> BoxFuture<'a, OnchainConfig>;
}

/// Where a number comes from.
pub trait DataSource: Send + Sync {
    /// The number now, for the given round.
    fn observe(&self, timestamp: ReportTimestamp) -> BoxFuture<'_, Option<BigInt>>;
}

/// How final the state has to be that a reader answers from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confidence {
    /// The newest state, which may still be dropped by the chain.
    Unconfirmed,
}

/// What a reader writes of the contract's state; what it does not write stays absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContractState {
    /// Configuration digest.
    pub config_digest: ConfigDigest,
    /// Epoch.
    pub epoch: u32,
    /// Round.
    pub round: u8,
    /// Answer.
    pub latest_answer: Option<BigInt>,
    /// When the answer was written.
    pub latest_timestamp: Option<Time>,
}

/// Reads any contract by names.
pub trait ContractReader: Send + Sync {
    /// Reads what `identifier` names into `state`. A failed read may have written a part.
    fn get_latest_value<'a>(
        &'a self,
        identifier: &'a str,
        confidence: Confidence,
        state: &'a mut ContractState,
    ) -> BoxFuture<'a, ()>;
}

/// The report as a structure, for chains whose codec is configured rather than programmed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MedianReport {
    /// Median of the observations' timestamps.
    pub timestamp: u32,
    /// Who observed, in the order of `observations`; zero beyond them.
    pub observers: [u8; 32],
    /// Prices in ascending order.
    pub observations: Vec<BigInt>,
    /// Median of the fee coin's prices.
    pub juels_per_fee_coin: BigInt,
    /// Median of the gas prices.
    pub gas_price_subunit: BigInt,
}

/// A chain's configured codec.
pub trait Codec: Send + Sync {
    /// The bytes of `report`.
    fn encode<'a>(&'a self, report: &'a MedianReport, item_type: &'a str) -> BoxFuture<'a, Vec<u8>>;
    /// The observations within a report, in its order.
    fn decode<'a>(&'a self, report: &'a [u8], item_type: &'a str) -> BoxFuture<'a, Vec<BigInt>>;
    /// Longest report of `n` observations in bytes.
    fn max_decoding_size<'a>(&'a self, n: usize, item_type: &'a str) -> BoxFuture<'a, usize>;
}

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Time + Send + Sync>;
