//! What a relayer makes for one job: components that share one connection.

use std::sync::Arc;

use loop_runtime::loop_service;

use crate::{
    Codec, ContractConfigTracker, ContractReader, ContractTransmitter, Lifecycle, MedianContract,
    OffchainConfigDigester, OnchainConfigCodec, ReportCodec,
};

/// The configuration of one contract.
#[loop_service(package = "loop")]
pub trait ConfigProvider: Lifecycle {
    /// Computes digests of configurations.
    fn offchain_config_digester(&self) -> Arc<dyn OffchainConfigDigester>;
    /// Follows the configuration.
    fn contract_config_tracker(&self) -> Arc<dyn ContractConfigTracker>;
}

/// All that a median feed needs from its chain.
///
/// It also stands for the providers of other types that have the same components or fewer: what a peer does not ask for
/// does no harm.
#[loop_service(package = "loop")]
pub trait MedianProvider: Lifecycle {
    /// Computes digests of configurations.
    fn offchain_config_digester(&self) -> Arc<dyn OffchainConfigDigester>;
    /// Follows the configuration.
    fn contract_config_tracker(&self) -> Arc<dyn ContractConfigTracker>;
    /// Sends reports.
    fn contract_transmitter(&self) -> Arc<dyn ContractTransmitter>;
    /// Makes and reads reports.
    fn report_codec(&self) -> Arc<dyn ReportCodec>;
    /// What the feed's contract holds.
    fn median_contract(&self) -> Arc<dyn MedianContract>;
    /// Makes and reads the contract's part of the configuration.
    fn onchain_config_codec(&self) -> Arc<dyn OnchainConfigCodec>;
    /// Reads contracts by name. With it, a median plugin asks it and not [`MedianContract`].
    fn contract_reader(&self) -> Option<Arc<dyn ContractReader>>;
    /// A configured codec. With it, a median plugin asks it and not [`ReportCodec`].
    fn codec(&self) -> Option<Arc<dyn Codec>>;
}

/// What a relayer makes for a CCIP job, as a handle to start, watch and close. Its chain accessor is not declared here.
#[loop_service(package = "loop", name = "CCIPProvider")]
pub trait CcipProvider: Lifecycle {}
