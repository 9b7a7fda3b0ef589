//! All service traits, and the types that most of their users name: `use loop_services::prelude::*;`.

pub use std::sync::Arc;

pub use crate::{
    AttributedObservation, AttributedOnchainSignature, BigInt, CapabilitiesRegistry, CcipProvider, Codec, ConfigDigest,
    ConfigProvider, ContractConfig, ContractConfigTracker, ContractReader, ContractReaderService, ContractTransmitter,
    ContractWriter, DataSource, ErrorLog, Keystore, Lifecycle, MedianContract, MedianProvider, OffchainConfigDigester,
    OnchainConfig, OnchainConfigCodec, ParsedAttributedObservation, PluginArgs, PluginMedian, PluginRelayer, RelayArgs,
    Relayer, ReportCodec, ReportContext, ReportTimestamp, ReportingPlugin, ReportingPluginConfig,
    ReportingPluginFactory, ReportingPluginInfo, ReportingPluginLimits, RoundRequested, TransmissionDetails,
    VersionedBytes, handshake,
};
