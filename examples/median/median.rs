//! The median plugin: the numerical median behind the LOOP services.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use loop_runtime::{Error, Result};
use loop_services::contract_reader::BoundContract;
use loop_services::prelude::*;

use crate::convert::{Port, time_from_wire, timestamp_from_wire};
use crate::numerical::contract_reader::{self, ContractReaderContract};
use crate::numerical::deviation::{self, Deviation, RelativeChange};
use crate::numerical::factory::{NumericalMedianFactory, Sources};
use crate::numerical::generic_codec::GenericReportCodec;
use crate::numerical::plugin::NumericalMedian;
use crate::numerical::ports;

/// The root of the plugin. The time is fixed at `clock`, in Unix seconds and nanoseconds, if that is given.
pub(crate) fn service(clock: Option<(i64, u32)>) -> Arc<dyn PluginMedian> {
    let clock: ports::Clock = match clock {
        Some((seconds, nanos)) => Arc::new(move || ports::Time { seconds, nanos }),
        None => Arc::new(|| time_from_wire(SystemTime::now())),
    };
    Arc::new(Root { clock })
}

struct Root {
    clock: ports::Clock,
}

impl Lifecycle for Root {
    async fn health_report(&self) -> Result<BTreeMap<String, String>> {
        Ok([("Median".to_owned(), String::new())].into())
    }
}

impl PluginMedian for Root {
    async fn new_median_factory(
        &self,
        provider: Arc<dyn MedianProvider>,
        contract_id: &str,
        data_source: Arc<dyn DataSource>,
        juels_per_fee_coin: Arc<dyn DataSource>,
        gas_price_subunits: Arc<dyn DataSource>,
        error_log: Arc<dyn ErrorLog>,
        deviation_func_definition: Option<Vec<u8>>,
    ) -> Result<Arc<dyn ReportingPluginFactory>> {
        let clock = self.clock.clone();
        let deviation: Arc<dyn Deviation> = match deviation_func_definition {
            None => Arc::new(RelativeChange),
            Some(json) => {
                let refused = |why: &dyn std::fmt::Display| {
                    Error::unknown(format!("failed to unmarshal deviationFuncDefinition: {why}"))
                };
                let definition = serde_json::from_slice(&json).map_err(|why| refused(&why))?;
                Arc::new(deviation::from_definition(&definition, clock.clone()).map_err(|why| refused(&why))?)
            }
        };
        let ports = NumericalMedianFactory {
            sources: Sources {
                value: Arc::new(Port(data_source)),
                juels_per_fee_coin: Arc::new(Port(juels_per_fee_coin)),
                gas_price_subunits: Arc::new(Port(gas_price_subunits)),
            },
            include_gas_price: true,
            contract: contract(&*provider, contract_id).await?,
            onchain_config_codec: Arc::new(Port(provider.onchain_config_codec())),
            report_codec: report_codec(&*provider),
            deviation,
            clock,
        };
        Ok(Arc::new(Factory { ports, error_log, _provider: provider }))
    }
}

/// The feed's contract: through the general reader of a provider that has one.
async fn contract(provider: &dyn MedianProvider, id: &str) -> Result<Arc<dyn ports::MedianContract>> {
    let Some(reader) = provider.contract_reader() else { return Ok(Arc::new(Port(provider.median_contract()))) };
    let contract = BoundContract { address: id.to_owned(), name: contract_reader::CONTRACT.to_owned() };
    reader.bind(&[contract]).await?;
    Ok(Arc::new(ContractReaderContract::new(id.to_owned(), Arc::new(Port(reader)))))
}

/// What makes the reports: the configured codec of a provider that has one.
fn report_codec(provider: &dyn MedianProvider) -> Arc<dyn ports::ReportCodec> {
    match provider.codec() {
        Some(codec) => Arc::new(GenericReportCodec::new(Arc::new(Port(codec)))),
        None => Arc::new(Port(provider.report_codec())),
    }
}

struct Factory {
    ports: NumericalMedianFactory,
    error_log: Arc<dyn ErrorLog>,
    /// Its components live on its connection.
    _provider: Arc<dyn MedianProvider>,
}

impl Lifecycle for Factory {}

impl ReportingPluginFactory for Factory {
    async fn new_reporting_plugin(
        &self,
        config: &ReportingPluginConfig,
    ) -> Result<(Arc<dyn ReportingPlugin>, ReportingPluginInfo)> {
        let config = ports::ReportingPluginConfig {
            config_digest: ports::ConfigDigest(config.config_digest.0),
            n: config.n as usize,
            f: u8::try_from(config.f).map_err(|_| Error::invalid_argument("f is at most 255"))?,
            onchain_config: config.onchain_config.clone(),
            offchain_config: config.offchain_config.clone(),
        };
        let (median, info) = self.ports.new_reporting_plugin(&config).await.map_err(Error::other)?;
        let limits = ReportingPluginLimits {
            max_query_length: info.max_query_length as u64,
            max_observation_length: info.max_observation_length as u64,
            max_report_length: info.max_report_length as u64,
        };
        let info = ReportingPluginInfo { name: info.name, unique_reports: info.unique_reports, limits };
        Ok((Arc::new(Oracle { median, error_log: self.error_log.clone() }), info))
    }
}

/// One oracle's reporting plugin.
struct Oracle {
    median: NumericalMedian,
    error_log: Arc<dyn ErrorLog>,
}

impl ReportingPlugin for Oracle {
    async fn query(&self, _: ReportTimestamp) -> Result<Vec<u8>> {
        Ok(self.median.query())
    }

    async fn observation(&self, timestamp: ReportTimestamp, query: &[u8]) -> Result<Vec<u8>> {
        match self.median.observation(timestamp_from_wire(timestamp), query).await {
            Ok(observation) => Ok(observation),
            Err(why) => {
                // A node without its error log still has the answer below.
                if let Err(lost) = self.error_log.save_error(&why.to_string()).await {
                    tracing::warn!(error = %lost, "an entry of the error log is lost");
                }
                Err(Error::other(why))
            }
        }
    }

    async fn report(
        &self,
        timestamp: ReportTimestamp,
        query: &[u8],
        observations: &[AttributedObservation],
    ) -> Result<(bool, Vec<u8>)> {
        let observations: Vec<_> = observations.iter().map(|it| (it.observer, it.observation.clone())).collect();
        let round = self.median.report(timestamp_from_wire(timestamp), query, &observations).await;
        let report = round.map_err(Error::other)?.report;
        Ok((report.is_some(), report.unwrap_or_default()))
    }

    async fn should_accept_finalized_report(&self, timestamp: ReportTimestamp, report: &[u8]) -> Result<bool> {
        self.median.should_accept(timestamp_from_wire(timestamp), report).await.map_err(Error::other)
    }

    async fn should_transmit_accepted_report(&self, timestamp: ReportTimestamp, _: &[u8]) -> Result<bool> {
        self.median.should_transmit(timestamp_from_wire(timestamp)).await.map_err(Error::other)
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}
