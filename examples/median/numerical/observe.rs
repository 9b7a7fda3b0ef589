//! An oracle's own observation.

use super::observation::Observation;
use super::plugin::{MedianError, NumericalMedian};
use super::ports::{DataSource, ReportTimestamp};
use super::value;

impl NumericalMedian {
    /// Calls all three sources concurrently. One failure fails the observation: a price without its fees is of no use.
    pub async fn observation(&self, timestamp: ReportTimestamp, query: &[u8]) -> Result<Vec<u8>, MedianError> {
        Self::expect_empty(query)?;
        let sources = &self.ports.sources;
        let (price, juels, gas) = tokio::join!(
            number("DataSource", &*sources.value, timestamp),
            number("JuelsPerFeeCoinDataSource", &*sources.juels_per_fee_coin, timestamp),
            number("GasPriceSubunitsDataSource", &*sources.gas_price_subunits, timestamp),
        );
        match (price, juels, gas) {
            (Ok(value), Ok(juels_per_fee_coin), Ok(gas)) => Ok(Observation {
                timestamp: (self.ports.clock)().seconds as u32,
                value: &value,
                juels_per_fee_coin: &juels_per_fee_coin,
                gas_price_subunits: if self.ports.include_gas_price { &gas } else { &[] },
            }
            .encode()),
            (price, juels, gas) => {
                let causes: Vec<String> = [price, juels, gas].into_iter().filter_map(Result::err).collect();
                Err(MedianError::Observation(causes.join("\n")))
            }
        }
    }
}

/// A source's number, encoded; or what to say of its failure.
async fn number(
    name: &str,
    source: &dyn DataSource,
    timestamp: ReportTimestamp,
) -> Result<[u8; value::LENGTH], String> {
    let number = source.observe(timestamp).await;
    let number = number.map_err(|error| format!("{name}.Observe returned an error: {error}"))?;
    let number = number.ok_or_else(|| format!("{name}.Observe returned unexpected nil big.Int"))?;
    value::encode(&number).map_err(|error| format!("failed to encode output of {name}.Observe : {error}"))
}
