//! Reports through a chain's configured codec, for providers that have one: the median gives it a structure and
//! the codec knows the bytes.

use super::aggregate;
use super::ports::{BoxFuture, Codec, MedianReport, ParsedAttributedObservation, PortError, ReportCodec};
use num_bigint::BigInt;
use std::sync::Arc;

/// The structure's name in the codec's configuration.
pub const ITEM_TYPE: &str = "MedianReport";

/// Makes a report codec of a configured one.
pub struct GenericReportCodec {
    codec: Arc<dyn Codec>,
}

impl GenericReportCodec {
    /// Over the provider's codec.
    pub fn new(codec: Arc<dyn Codec>) -> Self {
        Self { codec }
    }
}

/// The structure for 1 to 32 observations in any order.
pub fn report(observations: &[ParsedAttributedObservation]) -> Result<MedianReport, aggregate::AggregateError> {
    let it = aggregate::aggregate(observations, true)?;
    Ok(MedianReport {
        timestamp: it.timestamp,
        observers: it.observers,
        observations: it.values.into_iter().cloned().collect(),
        juels_per_fee_coin: it.juels_per_fee_coin.clone(),
        gas_price_subunit: it.gas_price_subunits.cloned().unwrap_or_default(),
    })
}

impl ReportCodec for GenericReportCodec {
    fn build_report<'a>(&'a self, observations: &'a [ParsedAttributedObservation]) -> BoxFuture<'a, Vec<u8>> {
        Box::pin(async move {
            let report = report(observations).map_err(PortError::new)?;
            self.codec.encode(&report, ITEM_TYPE).await
        })
    }

    fn median_from_report<'a>(&'a self, report: &'a [u8]) -> BoxFuture<'a, Option<BigInt>> {
        Box::pin(async move {
            let observations = self.codec.decode(report, ITEM_TYPE).await?;
            // Go panics on an empty list.
            let median = observations.get(observations.len() / 2);
            median.cloned().map(Some).ok_or_else(|| PortError::new("observations are empty"))
        })
    }

    fn max_report_length(&self, n: usize) -> BoxFuture<'_, usize> {
        self.codec.max_decoding_size(n, ITEM_TYPE)
    }
}
