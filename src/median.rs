//! The median plugin.

use std::sync::Arc;

use loop_runtime::{Result, loop_service};

use crate::{DataSource, ErrorLog, Lifecycle, MedianProvider, ReportingPluginFactory};

/// The root service of a median plugin.
#[loop_service(package = "loop")]
#[allow(clippy::too_many_arguments, reason = "the contract's, by name")]
pub trait PluginMedian: Lifecycle {
    /// A factory of reporting plugins for the feed `contract_id`.
    ///
    /// The data sources give the feed's value, the price of the coin that pays fees, and the gas price.
    /// `deviation_func_definition` is a JSON object that replaces the feed's deviation function, such as
    /// `{"type":"pendle","expiresAt":1}`; what is not a JSON object is refused with
    /// `failed to unmarshal deviationFuncDefinition: ..` by the implementation.
    #[rpc(returns(reportingPluginFactoryID = 1))]
    async fn new_median_factory(
        &self,
        #[wire(1, name = "medianProviderID", dial = "MedianProvider")] provider: Arc<dyn MedianProvider>,
        #[wire(2, name = "contractID")] contract_id: &str,
        #[wire(3, name = "dataSourceID", dial = "DataSource")] data_source: Arc<dyn DataSource>,
        #[wire(4, name = "juelsPerFeeCoinDataSourceID", dial = "JuelsPerFeeCoinDataSource")] juels_per_fee_coin: Arc<
            dyn DataSource,
        >,
        #[wire(6, name = "gasPriceSubunitsDataSourceID", dial = "GasPriceSubunitsDataSource")] gas_price_subunits: Arc<
            dyn DataSource,
        >,
        #[wire(5, name = "errorLogID", dial = "ErrorLog")] error_log: Arc<dyn ErrorLog>,
        #[wire(7, name = "deviationFuncDefinition")] deviation_func_definition: Option<Vec<u8>>,
    ) -> Result<Arc<dyn ReportingPluginFactory>>;
}
