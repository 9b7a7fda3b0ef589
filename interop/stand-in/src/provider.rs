//! The provider: of a relayer for a job, and what the tests' host lends to a median plugin.

use std::sync::Arc;

use loop_runtime::Result;
use loop_services::prelude::*;

use crate::check::same;
use crate::part::Part;
use crate::reader::Reader;
use crate::values;

/// A provider for medians, which also stands for those of fewer components.
#[derive(Debug)]
pub struct Provider(pub(crate) Part);

impl Default for Provider {
    /// As the tests' host has it.
    fn default() -> Self {
        Self(Part::new("staticMedianProvider"))
    }
}

impl Lifecycle for Provider {
    async fn close(&self) -> Result<()> {
        self.0.says("Closed");
        Ok(())
    }

    async fn ready(&self) -> Result<()> {
        self.0.says("Ready");
        Ok(())
    }

    async fn health_report(&self) -> Result<std::collections::BTreeMap<String, String>> {
        Ok(self.0.health())
    }
}

impl MedianProvider for Provider {
    fn offchain_config_digester(&self) -> Arc<dyn OffchainConfigDigester> {
        Arc::new(Contract)
    }

    fn contract_config_tracker(&self) -> Arc<dyn ContractConfigTracker> {
        Arc::new(Contract)
    }

    fn contract_transmitter(&self) -> Arc<dyn ContractTransmitter> {
        Arc::new(Contract)
    }

    fn report_codec(&self) -> Arc<dyn ReportCodec> {
        Arc::new(Contract)
    }

    fn median_contract(&self) -> Arc<dyn MedianContract> {
        Arc::new(Contract)
    }

    fn onchain_config_codec(&self) -> Arc<dyn OnchainConfigCodec> {
        Arc::new(Contract)
    }

    fn contract_reader(&self) -> Option<Arc<dyn ContractReader>> {
        Some(Arc::new(Reader))
    }

    /// Go's helper has one behind its generic provider, which no test asks.
    fn codec(&self) -> Option<Arc<dyn Codec>> {
        None
    }
}

impl ConfigProvider for Provider {
    fn offchain_config_digester(&self) -> Arc<dyn OffchainConfigDigester> {
        Arc::new(Contract)
    }

    fn contract_config_tracker(&self) -> Arc<dyn ContractConfigTracker> {
        Arc::new(Contract)
    }
}

/// The feed's contract.
struct Contract;

impl OffchainConfigDigester for Contract {
    async fn config_digest(&self, config: &ContractConfig) -> Result<ConfigDigest> {
        same("contract config", &values::contract_config(), config)?;
        Ok(values::CONFIG_DIGEST)
    }

    async fn config_digest_prefix(&self) -> Result<u16> {
        Ok(values::CONFIG_DIGEST_PREFIX)
    }
}

impl ContractConfigTracker for Contract {
    async fn latest_config_details(&self) -> Result<(u64, ConfigDigest)> {
        Ok((values::CHANGED_IN_BLOCK, values::CONFIG_DIGEST))
    }

    async fn latest_config(&self, changed_in_block: u64) -> Result<ContractConfig> {
        same("changed in block", &values::CHANGED_IN_BLOCK, &changed_in_block)?;
        Ok(values::contract_config())
    }

    async fn latest_block_height(&self) -> Result<u64> {
        Ok(values::BLOCK_HEIGHT)
    }
}

impl ContractTransmitter for Contract {
    async fn transmit(
        &self,
        context: ReportContext,
        report: &[u8],
        signatures: &[AttributedOnchainSignature],
    ) -> Result<()> {
        same("report context", &values::REPORT_CONTEXT, &context)?;
        same("report", values::TRANSMITTED.as_slice(), report)?;
        same("signatures", values::signatures().as_slice(), signatures)
    }

    async fn latest_config_digest_and_epoch(&self) -> Result<(ConfigDigest, u32)> {
        Ok((values::CONFIG_DIGEST, values::EPOCH))
    }

    async fn from_account(&self) -> Result<String> {
        Ok(values::ACCOUNT.to_owned())
    }
}

impl ReportCodec for Contract {
    async fn build_report(&self, observations: &[ParsedAttributedObservation]) -> Result<Vec<u8>> {
        same("observations", values::observations().as_slice(), observations)?;
        Ok(values::REPORT.to_vec())
    }

    async fn median_from_report(&self, report: &[u8]) -> Result<Option<BigInt>> {
        same("report", values::REPORT.as_slice(), report)?;
        Ok(Some(values::MEDIAN.into()))
    }

    async fn max_report_length(&self, n: i64) -> Result<i64> {
        same("n", &values::MAX_OBSERVATIONS, &n)?;
        Ok(values::MAX_REPORT_LENGTH)
    }
}

impl MedianContract for Contract {
    async fn latest_transmission_details(&self) -> Result<TransmissionDetails> {
        Ok(values::transmission_details())
    }

    async fn latest_round_requested(&self, lookback: i64) -> Result<RoundRequested> {
        same("lookback", &values::LOOKBACK, &lookback)?;
        Ok(values::ROUND_REQUESTED)
    }
}

impl OnchainConfigCodec for Contract {
    async fn encode(&self, config: &OnchainConfig) -> Result<Vec<u8>> {
        same("onchain config", &values::onchain_config(), config)?;
        Ok(values::ONCHAIN_CONFIG.to_vec())
    }

    async fn decode(&self, encoded: &[u8]) -> Result<OnchainConfig> {
        same("encoded", values::ONCHAIN_CONFIG.as_slice(), encoded)?;
        Ok(values::onchain_config())
    }
}
