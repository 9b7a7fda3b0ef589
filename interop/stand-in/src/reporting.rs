//! The reporting plugin.

use loop_runtime::Result;
use loop_services::prelude::*;

use crate::check::same;
use crate::values;

/// Answers one round.
pub(crate) struct Reporter;

impl Reporter {
    fn round(timestamp: ReportTimestamp) -> Result<()> {
        same("report timestamp", &values::ROUND, &timestamp)
    }
}

impl ReportingPlugin for Reporter {
    async fn query(&self, timestamp: ReportTimestamp) -> Result<Vec<u8>> {
        Self::round(timestamp)?;
        Ok(values::QUERY.to_vec())
    }

    async fn observation(&self, timestamp: ReportTimestamp, query: &[u8]) -> Result<Vec<u8>> {
        Self::round(timestamp)?;
        same("query", values::QUERY.as_slice(), query)?;
        Ok(values::OBSERVATION.to_vec())
    }

    async fn report(
        &self,
        timestamp: ReportTimestamp,
        query: &[u8],
        observations: &[AttributedObservation],
    ) -> Result<(bool, Vec<u8>)> {
        Self::round(timestamp)?;
        same("query", values::QUERY.as_slice(), query)?;
        same("observations", values::attributed_observations().as_slice(), observations)?;
        Ok((true, values::REPORT.to_vec()))
    }

    async fn should_accept_finalized_report(&self, timestamp: ReportTimestamp, report: &[u8]) -> Result<bool> {
        Self::round(timestamp)?;
        same("report", values::REPORT.as_slice(), report)?;
        Ok(true)
    }

    async fn should_transmit_accepted_report(&self, timestamp: ReportTimestamp, report: &[u8]) -> Result<bool> {
        Self::round(timestamp)?;
        same("report", values::REPORT.as_slice(), report)?;
        Ok(true)
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}
