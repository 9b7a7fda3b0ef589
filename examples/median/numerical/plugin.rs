//! The median of one configuration: the entry points of OCR2, each of which another file fills in.

use super::accept::Accepted;
use super::deviation::DeviationError;
use super::factory::NumericalMedianFactory;
use super::offchain_config::OffchainConfig;
use super::ports::{ConfigDigest, PortError, ReportTimestamp, TransmissionDetails};
use num_bigint::BigInt;
use std::ops::RangeInclusive;
use tokio::sync::Mutex;

/// Why the median did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MedianError {
    /// The leader sent a query, though the median never has any.
    #[error("expected empty query")]
    Query,
    /// Data sources failed: one line each.
    #[error("error in Observation: {0}")]
    Observation(String),
    /// Too few usable observations for an answer that faulty oracles cannot set.
    #[error("only received {received} valid attributed observations, but need at least f+1 ({needed})")]
    TooFew {
        /// Observations that could be used.
        received: usize,
        /// Least number of observations.
        needed: usize,
    },
    /// The contract could not be read for a report: one line for each failed call.
    #[error("error during LatestTransmissionDetails/LatestRoundRequested: {0}")]
    Contract(String),
    /// The contract could not be read for an acceptance.
    #[error("error during LatestTransmissionDetails: {0}")]
    Details(PortError),
    /// The contract answered without an answer.
    #[error("nil latestAnswer was returned by LatestTransmissionDetails. This should never happen")]
    NoAnswer,
    /// The move could not be judged.
    #[error("error during deviationFunc: {0}")]
    Deviation(#[from] DeviationError),
    /// The report codec made a report that is longer than it said.
    #[error("report violates MaxReportLength limit set by ReportCodec ({length} vs {limit})")]
    TooLong {
        /// Length of the report in bytes.
        length: usize,
        /// Longest report in bytes, as the codec had said.
        limit: usize,
    },
    /// The report could not be read.
    #[error("error during MedianFromReport: {0}")]
    MedianFromReport(PortError),
    /// The codec read a report and found no median in it. (Go panics.)
    #[error("nil median was returned by MedianFromReport")]
    NoMedian,
    /// A port failed, with its own text.
    #[error(transparent)]
    Port(PortError),
}

/// One oracle's median under one configuration.
pub struct NumericalMedian {
    pub ports: NumericalMedianFactory,
    pub(super) config_digest: ConfigDigest,
    pub(super) f: u8,
    pub offchain: OffchainConfig,
    pub(super) bounds: RangeInclusive<BigInt>,
    pub(super) max_report_length: usize,
    /// Locked for a whole acceptance, so that two at a time decide one after the other.
    pub(super) accepted: Mutex<Accepted>,
}

impl NumericalMedian {
    /// What the leader asks the others: nothing, they know what to observe.
    pub fn query(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Whether this oracle should send an accepted report now: not when a newer one is on the chain already.
    pub async fn should_transmit(&self, timestamp: ReportTimestamp) -> Result<bool, MedianError> {
        let details = self.ports.contract.latest_transmission_details().await.map_err(MedianError::Port)?;
        Ok(self.is_ahead_of(&details, timestamp))
    }

    /// Whether the contract still has this median's configuration, and nothing as new as `timestamp`.
    pub(super) fn is_ahead_of(&self, details: &TransmissionDetails, timestamp: ReportTimestamp) -> bool {
        details.config_digest == self.config_digest
            && (details.epoch, details.round) < (timestamp.epoch, timestamp.round)
    }

    pub(super) fn expect_empty(query: &[u8]) -> Result<(), MedianError> {
        if query.is_empty() { Ok(()) } else { Err(MedianError::Query) }
    }
}
