//! Makes one median per configuration.

use super::deviation::Deviation;
use super::observation;
use super::offchain_config::{OffchainConfig, OffchainConfigError};
use super::plugin::NumericalMedian;
use super::ports::{
    Clock, DataSource, MedianContract, OnchainConfigCodec, PortError, ReportCodec, ReportingPluginConfig,
    ReportingPluginInfo,
};
use std::sync::Arc;

/// Why a median could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FactoryError {
    /// The offchain config is refused.
    #[error(transparent)]
    OffchainConfig(#[from] OffchainConfigError),
    /// The codec refused the onchain config, or did not know the length of a report.
    #[error(transparent)]
    Codec(#[from] PortError),
    /// The codec left out a bound.
    #[error("the onchain config has no minimum or no maximum")]
    NoBounds,
}

/// Where the numbers of an observation come from.
#[derive(Clone)]
pub struct Sources {
    /// The price.
    pub value: Arc<dyn DataSource>,
    /// Price of the coin that pays fees, in juels.
    pub juels_per_fee_coin: Arc<dyn DataSource>,
    /// Gas price in the chain's subunits.
    pub gas_price_subunits: Arc<dyn DataSource>,
}

/// All that the medians of one job share.
#[derive(Clone)]
pub struct NumericalMedianFactory {
    /// Where observations come from.
    pub sources: Sources,
    /// Whether the gas price goes into an observation. Go leaves it out only where it can see that its own process
    /// has no such source, so it never does across a process boundary.
    pub include_gas_price: bool,
    /// The feed's contract.
    pub contract: Arc<dyn MedianContract>,
    /// Reads the onchain config.
    pub onchain_config_codec: Arc<dyn OnchainConfigCodec>,
    /// Makes the reports.
    pub report_codec: Arc<dyn ReportCodec>,
    /// What counts as a move.
    pub deviation: Arc<dyn Deviation>,
    /// What time it is.
    pub clock: Clock,
}

impl NumericalMedianFactory {
    /// A median for one configuration, and what the oracle protocol has to know of it.
    pub async fn new_reporting_plugin(
        &self,
        config: &ReportingPluginConfig,
    ) -> Result<(NumericalMedian, ReportingPluginInfo), FactoryError> {
        let offchain = OffchainConfig::decode(&config.offchain_config)?;
        let onchain = self.onchain_config_codec.decode(&config.onchain_config).await?;
        let max_report_length = self.report_codec.max_report_length(config.n).await?;
        let (Some(min), Some(max)) = (onchain.min, onchain.max) else { return Err(FactoryError::NoBounds) };
        let info = ReportingPluginInfo {
            name: "NumericalMedian".to_owned(),
            unique_reports: false,
            max_query_length: 0,
            max_observation_length: observation::MAX_LENGTH,
            max_report_length,
        };
        let median = NumericalMedian {
            ports: self.clone(),
            config_digest: config.config_digest,
            f: config.f,
            offchain,
            bounds: min..=max,
            max_report_length,
            accepted: Default::default(),
        };
        Ok((median, info))
    }
}
