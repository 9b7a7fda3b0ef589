//! The median plugin: `-cmd=median`.

use std::collections::BTreeMap;
use std::sync::Arc;

use loop_runtime::{Error, Result};
use loop_services::prelude::*;
use serde_json::{Map, Value};

use crate::check::same;
use crate::part::Part;
use crate::reporting::Reporter;
use crate::{examine, values};

/// The root of the plugin.
pub fn service() -> Arc<dyn PluginMedian> {
    let root = Part::new("staticMedianFactoryServer");
    let factory = root.part("staticReportingPluginFactory");
    Arc::new(Root { part: root.over([factory.clone()]), factory })
}

struct Root {
    part: Part,
    factory: Part,
}

impl Lifecycle for Root {
    async fn ready(&self) -> Result<()> {
        self.part.says("Ready");
        Ok(())
    }

    async fn health_report(&self) -> Result<BTreeMap<String, String>> {
        Ok(self.part.health())
    }
}

impl PluginMedian for Root {
    /// Calls everything that it is lent, and refuses what does not have the static values.
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
        if let Some(json) = deviation_func_definition {
            serde_json::from_slice::<Map<String, Value>>(&json)
                .map_err(|why| Error::unknown(format!("failed to unmarshal deviationFuncDefinition: {why}")))?;
        }
        let answers = |what: &'static str| {
            move |why: Error| Error::new(why.code(), format!("NewMedianFactory: {what}: {}", why.message()))
        };
        examine::provider(&provider).await.map_err(answers("the provider"))?;
        same("contract", values::CONTRACT_ID, contract_id).map_err(answers("the feed"))?;
        examine::source(&data_source, &[values::VALUE]).await.map_err(answers("dataSource"))?;
        let juels = examine::source(&juels_per_fee_coin, &[values::JUELS_PER_FEE_COIN]).await;
        juels.map_err(answers("juelsPerFeeCoinDataSource"))?;
        let gas_price = examine::source(&gas_price_subunits, &[values::GAS_PRICE_SUBUNITS, 0]).await;
        gas_price.map_err(answers("gasPriceSubunitsDataSource"))?;
        error_log.save_error(values::ERROR).await.map_err(answers("the error log"))?;
        Ok(Arc::new(Factory(self.factory.clone())))
    }
}

struct Factory(Part);

impl Lifecycle for Factory {
    async fn close(&self) -> Result<()> {
        self.0.says("Closed");
        Ok(())
    }

    async fn ready(&self) -> Result<()> {
        self.0.says("Ready");
        Ok(())
    }

    async fn health_report(&self) -> Result<BTreeMap<String, String>> {
        Ok(self.0.health())
    }
}

impl ReportingPluginFactory for Factory {
    async fn new_reporting_plugin(
        &self,
        config: &ReportingPluginConfig,
    ) -> Result<(Arc<dyn ReportingPlugin>, ReportingPluginInfo)> {
        same("config", &values::reporting_plugin_config(), config)?;
        Ok((Arc::new(Reporter), values::reporting_plugin_info()))
    }
}
