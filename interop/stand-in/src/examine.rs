//! What the median plugin does with what it is lent: it calls everything, and compares.

use loop_runtime::{Error, Result};
use loop_services::prelude::*;
use loop_services::query::Confidence;

use crate::check::same;
use crate::values;

/// A data source gives one of the `numbers`.
pub(crate) async fn source(source: &Arc<dyn DataSource>, numbers: &[i32]) -> Result<()> {
    let got = source.observe(values::OBSERVED_ROUND).await?;
    if numbers.iter().any(|number| got == Some(BigInt::from(*number))) {
        return Ok(());
    }
    Err(Error::unknown(format!("expected one of {numbers:?} but got {got:?}")))
}

/// A provider gives all the static values, and takes them.
pub(crate) async fn provider(provider: &Arc<dyn MedianProvider>) -> Result<()> {
    let config = values::contract_config();

    let digester = provider.offchain_config_digester();
    same("prefix", &values::CONFIG_DIGEST_PREFIX, &digester.config_digest_prefix().await?)?;
    same("digest", &values::CONFIG_DIGEST, &digester.config_digest(&config).await?)?;

    let tracker = provider.contract_config_tracker();
    let details = (values::CHANGED_IN_BLOCK, values::CONFIG_DIGEST);
    same("details", &details, &tracker.latest_config_details().await?)?;
    same("block height", &values::BLOCK_HEIGHT, &tracker.latest_block_height().await?)?;
    same("config", &config, &tracker.latest_config(values::CHANGED_IN_BLOCK).await?)?;

    let transmitter = provider.contract_transmitter();
    same("account", values::ACCOUNT, &*transmitter.from_account().await?)?;
    let newest = transmitter.latest_config_digest_and_epoch().await?;
    same("digest and epoch", &(values::CONFIG_DIGEST, values::EPOCH), &newest)?;
    transmitter.transmit(values::REPORT_CONTEXT, &values::TRANSMITTED, &values::signatures()).await?;

    let codec = provider.report_codec();
    let report = codec.build_report(&values::observations()).await?;
    same("report", values::REPORT.as_slice(), &report)?;
    same("median", &Some(values::MEDIAN.into()), &codec.median_from_report(&values::REPORT).await?)?;
    same("length", &values::MAX_REPORT_LENGTH, &codec.max_report_length(values::MAX_OBSERVATIONS).await?)?;

    let contract = provider.median_contract();
    same("round requested", &values::ROUND_REQUESTED, &contract.latest_round_requested(values::LOOKBACK).await?)?;
    same("transmission", &values::transmission_details(), &contract.latest_transmission_details().await?)?;

    let codec = provider.onchain_config_codec();
    same("encoded", values::ONCHAIN_CONFIG.as_slice(), &*codec.encode(&values::onchain_config()).await?)?;
    same("onchain config", &values::onchain_config(), &codec.decode(&values::ONCHAIN_CONFIG).await?)?;

    let reader = provider.contract_reader().ok_or("there is no contract reader")?;
    let [(params, value), _] = values::READS;
    let params = VersionedBytes::cbor(params);
    let read = reader.get_latest_value(values::READ_IDENTIFIER, Confidence::default(), &params, false).await?;
    same("value", &VersionedBytes::cbor(value), &read)
}
