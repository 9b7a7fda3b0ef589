//! Whether a signed report is worth sending.

use super::plugin::{MedianError, NumericalMedian};
use super::ports::ReportTimestamp;
use num_bigint::BigInt;

/// The last report that this median accepted; all zero at first. Lives as long as the process, as in Go.
#[derive(Debug)]
pub(super) struct Accepted {
    /// Epoch and round.
    at: (u32, u8),
    /// None after a report in which the codec found no median, which matters only where moves are looked at.
    median: Option<BigInt>,
}

impl Default for Accepted {
    fn default() -> Self {
        Self { at: (0, 0), median: Some(BigInt::ZERO) }
    }
}

impl NumericalMedian {
    /// Whether `report` should be sent to the contract: it is newer than all that was accepted or transmitted before,
    /// and either the contract has caught up with what was accepted, or the answer moved since. A report that is
    /// accepted is remembered.
    ///
    /// Cancel safe: the memory changes only when the answer is ready.
    pub async fn should_accept(&self, timestamp: ReportTimestamp, report: &[u8]) -> Result<bool, MedianError> {
        let mut accepted = self.accepted.lock().await;
        let at = (timestamp.epoch, timestamp.round);
        if at <= accepted.at {
            return Ok(false);
        }
        let details = self.ports.contract.latest_transmission_details().await.map_err(MedianError::Details)?;
        if !self.is_ahead_of(&details, timestamp) || report.len() > self.max_report_length {
            return Ok(false);
        }
        let median = self.ports.report_codec.median_from_report(report).await;
        let median = median.map_err(MedianError::MedianFromReport)?;
        let moved = self.moved(accepted.median.as_ref(), median.as_ref())?;
        let nothing_pending = accepted.at <= (details.epoch, details.round);
        let accept = moved || nothing_pending;
        if accept {
            *accepted = Accepted { at, median };
        }
        Ok(accept)
    }

    fn moved(&self, old: Option<&BigInt>, new: Option<&BigInt>) -> Result<bool, MedianError> {
        let alpha = self.offchain.alpha_accept;
        if alpha.infinite {
            return Ok(false);
        }
        let (old, new) = old.zip(new).ok_or(MedianError::NoMedian)?;
        Ok(self.ports.deviation.deviates(alpha.ppb, old, new)?)
    }
}
