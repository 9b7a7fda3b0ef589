//! A median plugin in Rust that fails on demand; the round decides how.

use std::collections::BTreeMap;
use std::sync::Arc;

use loop_runtime::plugin::loop_environment;
use loop_runtime::{Code, Error, Result};
use loop_services::prelude::*;

/// The root of the plugin.
pub(crate) fn median() -> Arc<dyn PluginMedian> {
    Arc::new(Faulty)
}

struct Faulty;

impl Lifecycle for Faulty {
    async fn health_report(&self) -> Result<BTreeMap<String, String>> {
        let parts = [("Faulty", ""), ("Faulty.Feed", "no prices since Sunday")];
        Ok(parts.map(|(name, health)| (name.to_owned(), health.to_owned())).into())
    }
}

impl PluginMedian for Faulty {
    async fn new_median_factory(
        &self,
        provider: Arc<dyn MedianProvider>,
        contract_id: &str,
        data_source: Arc<dyn DataSource>,
        _juels_per_fee_coin: Arc<dyn DataSource>,
        _gas_price_subunits: Arc<dyn DataSource>,
        _error_log: Arc<dyn ErrorLog>,
        _deviation_func_definition: Option<Vec<u8>>,
    ) -> Result<Arc<dyn ReportingPluginFactory>> {
        assert_ne!(contract_id, "panic", "no feed of this name");
        Ok(Arc::new(Factory { provider, data_source }))
    }
}

#[derive(Clone)]
struct Factory {
    provider: Arc<dyn MedianProvider>,
    data_source: Arc<dyn DataSource>,
}

impl Lifecycle for Factory {
    async fn ready(&self) -> Result<()> {
        panic!("never ready")
    }
}

impl ReportingPluginFactory for Factory {
    async fn new_reporting_plugin(
        &self,
        _: &ReportingPluginConfig,
    ) -> Result<(Arc<dyn ReportingPlugin>, ReportingPluginInfo)> {
        Ok((Arc::new(self.clone()), ReportingPluginInfo::default()))
    }
}

impl ReportingPlugin for Factory {
    /// In epoch 0, fails with the code given by the round, or an error without a code for round 0. In epoch 1, returns
    /// the process's environment; in epoch 2, logs lines that are hard to parse.
    async fn query(&self, timestamp: ReportTimestamp) -> Result<Vec<u8>> {
        match timestamp.round {
            _ if timestamp.epoch == 2 => {
                // What go-plugin's host asserts the types of, and a line beyond its buffer.
                tracing::warn!("@level" = 5, "@message" = false, "@timestamp" = 1.5, logger = 7, "hostile fields");
                let long = "x".repeat(100_000);
                tracing::info!(long, "line one\nline two, \u{0} and \u{1b}[31m");
                tracing::error!("after them");
                Ok(Vec::new())
            }
            _ if timestamp.epoch > 0 => {
                let node = loop_environment().map_err(Error::other)?;
                let mut names: Vec<_> = std::env::vars().map(|(name, _)| name).collect();
                names.sort_unstable();
                let queue = node.mercury.transmit_queue_max_size;
                Ok(format!("{} {:?} {:?}", names.join(" "), node.prometheus_port, queue).into())
            }
            0 => Err("a plain error".into()),
            code => Err(Error::new(Code::from_i32(code.into()), "an error with a code")),
        }
    }

    /// Returns what the data source does.
    async fn observation(&self, timestamp: ReportTimestamp, _: &[u8]) -> Result<Vec<u8>> {
        let number = self.data_source.observe(timestamp).await?;
        Ok(format!("{number:?}").into())
    }

    /// Returns what the provider does.
    async fn report(&self, _: ReportTimestamp, _: &[u8], _: &[AttributedObservation]) -> Result<(bool, Vec<u8>)> {
        let details = self.provider.median_contract().latest_transmission_details().await?;
        Ok((true, details.epoch.to_string().into()))
    }

    async fn should_accept_finalized_report(&self, _: ReportTimestamp, report: &[u8]) -> Result<bool> {
        panic!("a report of {} bytes is too much", report.len())
    }

    /// Ends the process in the middle of the call.
    async fn should_transmit_accepted_report(&self, _: ReportTimestamp, _: &[u8]) -> Result<bool> {
        std::process::exit(7)
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}
