//! From a round's observations to a report, or to the decision that none is needed.

use super::plugin::{MedianError, NumericalMedian};
use super::ports::{ParsedAttributedObservation, ReportTimestamp, RoundRequested, TransmissionDetails};
use super::{observation, sort};
use num_bigint::BigInt;

/// Why a round has a report, or has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The contract has no answer of this configuration yet.
    InitialRound,
    /// The answer has moved.
    Deviation,
    /// The contract's answer is too old.
    Stale,
    /// Somebody asked the contract for a round.
    Requested,
    /// None of these: no report.
    Unchanged,
    /// The answer is outside the contract's bounds: no report.
    OutOfRange,
}

/// What became of a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// Why.
    pub reason: Reason,
    /// The median of the observations.
    pub answer: BigInt,
    /// How many observations could not be used.
    pub dropped: usize,
    /// The report, if one is worth sending.
    pub report: Option<Vec<u8>>,
}

impl NumericalMedian {
    /// Makes the report of a round from what each oracle (by its number) observed.
    pub async fn report(
        &self,
        timestamp: ReportTimestamp,
        query: &[u8],
        observations: &[(u8, Vec<u8>)],
    ) -> Result<Round, MedianError> {
        Self::expect_empty(query)?;
        let mut parsed = Vec::with_capacity(observations.len());
        for (observer, bytes) in observations {
            match observation::parse(*observer, bytes) {
                Ok(it) => parsed.push(it),
                Err(error) => tracing::warn!(observer, %error, "dropped an observation"),
            }
        }
        let needed = usize::from(self.f) + 1;
        if parsed.len() < needed {
            return Err(MedianError::TooFew { received: parsed.len(), needed });
        }
        sort::sort_by(&mut parsed, |a, b| a.value < b.value);
        let answer = parsed[parsed.len() / 2].value.clone().unwrap_or_default();
        let reason = self.reason(timestamp, &answer).await?;
        tracing::debug!(?reason, %answer, epoch = timestamp.epoch, round = timestamp.round, "decided on a report");
        let report = match reason {
            Reason::Unchanged | Reason::OutOfRange => None,
            _ => Some(self.build(&parsed).await?),
        };
        Ok(Round { reason, answer, dropped: observations.len() - parsed.len(), report })
    }

    async fn reason(&self, timestamp: ReportTimestamp, answer: &BigInt) -> Result<Reason, MedianError> {
        let (details, requested) = self.contract_state().await?;
        // Missing even where it is not looked at: the contract is broken.
        let old = details.latest_answer.as_ref().ok_or(MedianError::NoAnswer)?;
        if !self.bounds.contains(answer) {
            tracing::warn!(%answer, min = %self.bounds.start(), max = %self.bounds.end(), "answer out of bounds");
            return Ok(Reason::OutOfRange);
        }
        let alpha = self.offchain.alpha_report;
        // Before all other reasons: what goes wrong here goes wrong in every round, the first included.
        let moved = !alpha.infinite && self.ports.deviation.deviates(alpha.ppb, old, answer)?;
        // The round's own digest, not this median's: the question is what the contract thinks of this round.
        let digest = timestamp.config_digest;
        let last = (details.epoch, details.round);
        let stale_after = details.latest_timestamp.unix_nanos() + i128::from(self.offchain.delta_c);
        Ok(if details.config_digest == digest && last == (0, 0) {
            Reason::InitialRound
        } else if moved {
            Reason::Deviation
        } else if stale_after < (self.ports.clock)().unix_nanos() {
            Reason::Stale
        } else if requested.config_digest == digest && (requested.epoch, requested.round) >= last {
            Reason::Requested
        } else {
            Reason::Unchanged
        })
    }

    async fn contract_state(&self) -> Result<(TransmissionDetails, RoundRequested), MedianError> {
        let contract = &self.ports.contract;
        let (details, requested) = tokio::join!(
            contract.latest_transmission_details(),
            contract.latest_round_requested(self.offchain.delta_c),
        );
        match (details, requested) {
            (Ok(details), Ok(requested)) => Ok((details, requested)),
            (details, requested) => {
                let causes: Vec<String> =
                    details.err().into_iter().chain(requested.err()).map(|error| error.to_string()).collect();
                Err(MedianError::Contract(causes.join("\n")))
            }
        }
    }

    async fn build(&self, observations: &[ParsedAttributedObservation]) -> Result<Vec<u8>, MedianError> {
        let report = self.ports.report_codec.build_report(observations).await.map_err(MedianError::Port)?;
        let (length, limit) = (report.len(), self.max_report_length);
        if length > limit { Err(MedianError::TooLong { length, limit }) } else { Ok(report) }
    }
}
