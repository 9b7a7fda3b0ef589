//! Reporting plugins (OCR2): one instance for one oracle in one configuration, driven by the oracle protocol.

use std::sync::Arc;
use std::time::Duration;

use loop_runtime::{LoopMessage, Result, loop_service};

use crate::{ConfigDigest, Lifecycle, ReportTimestamp};

/// What a reporting plugin is made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop")]
pub struct ReportingPluginConfig {
    /// The configuration under which the plugin runs.
    #[wire(1, name = "configDigest")]
    pub config_digest: ConfigDigest,
    /// Which oracle of the network this is; 255 at most.
    #[wire(2, name = "oracleID", text = "expected uint8 OracleID (max 255) but got {n}")]
    pub oracle_id: u8,
    /// How many oracles there are.
    #[wire(3)]
    pub n: u32,
    /// How many of them may be faulty.
    #[wire(4)]
    pub f: u32,
    /// The part of the configuration that the contract itself reads.
    #[wire(5, name = "onchainConfig")]
    pub onchain_config: Vec<u8>,
    /// The plugin's own part of the configuration.
    #[wire(6, name = "offchainConfig")]
    pub offchain_config: Vec<u8>,
    /// The expected time between rounds.
    #[wire(7, name = "estimatedRoundInterval", nanos)]
    pub estimated_round_interval: Duration,
    /// How long [`ReportingPlugin::query`] may take.
    #[wire(8, name = "maxDurationQuery", nanos)]
    pub max_duration_query: Duration,
    /// How long [`ReportingPlugin::observation`] may take.
    #[wire(9, name = "maxDurationObservation", nanos)]
    pub max_duration_observation: Duration,
    /// How long [`ReportingPlugin::report`] may take.
    #[wire(10, name = "maxDurationReport", nanos)]
    pub max_duration_report: Duration,
    /// How long [`ReportingPlugin::should_accept_finalized_report`] may take.
    #[wire(11, name = "maxDurationShouldAcceptFinalizedReport", nanos)]
    pub max_duration_should_accept_finalized_report: Duration,
    /// How long [`ReportingPlugin::should_transmit_accepted_report`] may take.
    #[wire(12, name = "maxDurationShouldTransmitAcceptedReport", nanos)]
    pub max_duration_should_transmit_accepted_report: Duration,
}

/// What the oracle protocol has to know of a reporting plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop")]
pub struct ReportingPluginInfo {
    /// Shown in logs.
    #[wire(1)]
    pub name: String,
    /// Whether no two rounds make the same report.
    #[wire(2, name = "uniqueReports")]
    pub unique_reports: bool,
    /// The longest messages that the plugin makes.
    #[wire(3, name = "reportingPluginLimits")]
    pub limits: ReportingPluginLimits,
}

/// The longest messages that a reporting plugin makes, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop")]
pub struct ReportingPluginLimits {
    /// The longest query.
    #[wire(1, name = "maxQueryLength")]
    pub max_query_length: u64,
    /// The longest observation.
    #[wire(2, name = "maxObservationLength")]
    pub max_observation_length: u64,
    /// The longest report.
    #[wire(3, name = "maxReportLength")]
    pub max_report_length: u64,
}

/// One oracle's observation, as that oracle encoded it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, LoopMessage)]
#[message(package = "loop")]
pub struct AttributedObservation {
    /// The observation.
    #[wire(1)]
    pub observation: Vec<u8>,
    /// Which oracle observed; 255 at most.
    #[wire(2, text = "expected uint8 Observer (max 255) but got {n}")]
    pub observer: u8,
}

/// Makes reporting plugins.
#[loop_service(package = "loop")]
pub trait ReportingPluginFactory: Lifecycle {
    /// A reporting plugin under `config`, and what the oracle protocol has to know of it.
    #[rpc(returns(reportingPluginID = 1, reportingPluginInfo = 2))]
    async fn new_reporting_plugin(
        &self,
        #[wire(name = "reportingPluginConfig")] config: &ReportingPluginConfig,
    ) -> Result<(Arc<dyn ReportingPlugin>, ReportingPluginInfo)>;
}

/// The part of the oracle protocol that knows what reports mean.
///
/// An instance that was made again after its process ended has forgotten what it accepted.
#[loop_service(package = "loop")]
pub trait ReportingPlugin {
    /// What the leader asks all oracles in the round `timestamp`.
    #[rpc(idempotent, returns(query = 1))]
    async fn query(&self, #[wire(name = "reportTimestamp")] timestamp: ReportTimestamp) -> Result<Vec<u8>>;

    /// What this oracle observes, asked `query`.
    #[rpc(idempotent, returns(observation = 1))]
    async fn observation(
        &self,
        #[wire(name = "reportTimestamp")] timestamp: ReportTimestamp,
        query: &[u8],
    ) -> Result<Vec<u8>>;

    /// Whether there is something to report, and the report. The same arguments must give the same report in every oracle.
    #[rpc(idempotent, returns(shouldReport = 1, report = 2))]
    async fn report(
        &self,
        #[wire(name = "reportTimestamp")] timestamp: ReportTimestamp,
        query: &[u8],
        observations: &[AttributedObservation],
    ) -> Result<(bool, Vec<u8>)>;

    /// Whether a report that enough oracles signed is worth a transmission. The answer is remembered, so the call is not
    /// repeated by itself.
    #[rpc(returns(shouldAccept = 1))]
    async fn should_accept_finalized_report(
        &self,
        #[wire(name = "reportTimestamp")] timestamp: ReportTimestamp,
        report: &[u8],
    ) -> Result<bool>;

    /// Whether an accepted report still needs this oracle's transmission.
    #[rpc(idempotent, returns(shouldTransmit = 1))]
    async fn should_transmit_accepted_report(
        &self,
        #[wire(name = "reportTimestamp")] timestamp: ReportTimestamp,
        report: &[u8],
    ) -> Result<bool>;

    /// Ends the instance.
    #[rpc(release, request = "google.protobuf.Empty", reply = "google.protobuf.Empty")]
    async fn close(&self) -> Result<()>;
}
