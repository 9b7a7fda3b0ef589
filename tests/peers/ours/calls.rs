//! Every method, called through the traits.

use std::fmt::Debug;

use loop_runtime::{Code, Result};
use loop_services::contract_reader::ContractBatch;
use loop_services::contract_writer::{EstimateFee, FeeComponents, TransactionStatus};
use loop_services::prelude::*;
use loop_services::query::Confidence;
use loop_services::relayer::Head;

use super::{Ours, Root, values as v};
use crate::bytes::{DIGEST, REFUSAL};

#[track_caller]
fn same<T: PartialEq + Debug>(came: Result<T>, wanted: T) {
    assert_eq!(came.unwrap_or_else(|why| panic!("{why:?} and not {wanted:?}")), wanted);
}

fn lent() -> Arc<Ours> {
    Arc::new(Ours::default())
}

pub(crate) async fn lifecycle(it: Arc<dyn Lifecycle>) {
    same(it.name().await, "a name".to_owned());
    same(it.ready().await, ());
    same(it.health_report().await, v::health());
}

pub(crate) async fn plugin_relayer(it: &Arc<dyn Root>) {
    let relayer = it.new_relayer("[chain]", lent(), lent(), lent()).await.expect("a relayer");
    lifecycle(relayer.clone()).await;
    same(relayer.latest_head().await, v::head());
    same(relayer.finalized_head().await, Head::default());
    same(relayer.get_chain_status().await, v::chain_status());
    same(relayer.get_chain_info().await, v::chain_info());
    same(relayer.list_node_statuses(-25, "page 2").await, (v::nodes(), 7, "page 3".to_owned()));
    same(relayer.transact("from", "to", Some(v::loss()), true).await, ());
    same(relayer.transact("", "to", None, false).await, ());
    same(relayer.replay("123", Some(v::json())).await, ());
    same(relayer.replay("124", None).await, ());

    contract_writer(&relayer.new_contract_writer(b"writer").await.expect("a writer")).await;
    let reader = relayer.new_contract_reader(b"reader").await.expect("a reader");
    lifecycle(reader.clone()).await;
    contract_reader(reader).await;
    let config = relayer.new_config_provider(&v::relay_args(true)).await.expect("a provider of configurations");
    digester(config.offchain_config_digester()).await;
    tracker(config.contract_config_tracker()).await;
    for optional in [true, false] {
        let args = (v::relay_args(optional), v::plugin_args());
        let provider = relayer.new_plugin_provider(&args.0, &args.1).await.expect("a provider");
        median_provider(&provider, optional).await;
        same(provider.close().await, ());
    }
    lifecycle(relayer.new_ccip_provider(&v::ccip_args()).await.expect("a provider for CCIP")).await;
    same(relayer.close().await, ());
}

async fn contract_writer(it: &Arc<dyn ContractWriter>) {
    lifecycle(it.clone()).await;
    let (params, bare) = (v::versioned(2), VersionedBytes::default());
    let (meta, value) = (Some(v::meta()), Some(v::price()));
    let sent = it.submit_transaction("contract", "method", &params, "id", "0xto", meta.clone(), value.clone()).await;
    same(sent, ());
    same(it.submit_transaction("contract", "method", &bare, "", "", None, None).await, ());
    same(it.get_transaction_status("id").await, TransactionStatus::Fatal);
    same(it.get_transaction_status("other").await, TransactionStatus::Unknown);
    let fees = FeeComponents { execution_fee: Some(v::price()), data_availability_fee: None };
    same(it.get_fee_components().await, fees);
    let fee = EstimateFee { fee: Some(v::price()), decimals: 18 };
    same(it.get_estimate_fee("contract", "method", &params, "0xto", meta, value).await, fee);
}

async fn contract_reader(it: Arc<dyn ContractReader>) {
    let params = v::versioned(1);
    same(it.get_latest_value("0xa-a-read", Confidence::Safe, &params, true).await, v::versioned(3));
    let with_head = it.get_latest_value_with_head_data("with head", Confidence::Finalized, &params, false).await;
    same(with_head, (v::versioned(3), Some(v::head())));
    let without = it.get_latest_value_with_head_data("without", Confidence::Finalized, &params, false).await;
    same(without, (VersionedBytes::default(), None));
    same(it.batch_get_latest_values(&v::batches()).await, v::batch_results());
    let none: [ContractBatch; 0] = [];
    same(it.batch_get_latest_values(&none).await, vec![]);
    let found = it.query_key(&v::bound("a"), &v::filter(), &v::limit_and_sort(), true).await;
    same(found, vec![v::sequence()]);
    let found = it.query_keys(&[v::key_filter()], &v::limit_without_cursor()).await;
    same(found, vec![v::sequence_with_key()]);
    same(it.bind(&[v::bound("a"), v::bound("b")]).await, ());
    same(it.unbind(&[v::bound("b")]).await, ());
}

async fn digester(it: Arc<dyn OffchainConfigDigester>) {
    same(it.config_digest(&v::contract_config()).await, DIGEST.into());
    same(it.config_digest_prefix().await, u16::MAX);
}

async fn tracker(it: Arc<dyn ContractConfigTracker>) {
    same(it.latest_config_details().await, (7, DIGEST.into()));
    same(it.latest_config(7).await, v::contract_config());
    same(it.latest_block_height().await, 1 << 40);
}

/// The provider of a median, with the components that it may have or without.
pub(crate) async fn median_provider(it: &Arc<dyn MedianProvider>, optional: bool) {
    lifecycle(it.clone()).await;
    digester(it.offchain_config_digester()).await;
    tracker(it.contract_config_tracker()).await;
    let transmitter = it.contract_transmitter();
    same(transmitter.transmit(v::context(), b"report", &v::signatures()).await, ());
    same(transmitter.latest_config_digest_and_epoch().await, (DIGEST.into(), 9));
    same(transmitter.from_account().await, "0xone".to_owned());
    let reports = it.report_codec();
    same(reports.build_report(&v::parsed()).await, b"built".to_vec());
    same(reports.median_from_report(b"built").await, Some(v::loss()));
    same(reports.median_from_report(b"zero").await, Some(BigInt::default()));
    same(reports.median_from_report(b"none").await, None);
    same(reports.max_report_length(-2).await, -3);
    same(reports.max_report_length(31).await, 1 << 33);
    let contract = it.median_contract();
    same(contract.latest_transmission_details().await, v::transmission());
    same(contract.latest_round_requested(-60_000_000_000).await, v::requested());
    let bounds = it.onchain_config_codec();
    same(bounds.encode(&v::onchain_config()).await, b"bounds".to_vec());
    same(bounds.encode(&OnchainConfig::default()).await, vec![]);
    same(bounds.decode(b"bounds").await, v::onchain_config());
    same(bounds.decode(&[]).await, OnchainConfig::default());
    assert_eq!((it.contract_reader().is_some(), it.codec().is_some()), (optional, optional));
    if let Some(reader) = it.contract_reader() {
        contract_reader(reader).await;
    }
    if let Some(codec) = it.codec() {
        same(codec.get_encoding(&v::versioned(2), "Type").await, vec![7; 3]);
        same(codec.get_decoding(&[7; 3], "Type", 2).await, v::versioned(2));
        same(codec.get_max_size(5, "Type", true).await, 160);
        same(codec.get_max_size(-5, "Type", false).await, -160);
    }
}

pub(crate) async fn plugin_median(it: &Arc<dyn Root>) {
    for (optional, definition) in [(true, None), (false, Some(vec![]))] {
        let provider = Arc::new(Ours { optional });
        let factory = it
            .new_median_factory(provider, "0xfeed", lent(), lent(), lent(), lent(), definition)
            .await
            .expect("a factory");
        lifecycle(factory.clone()).await;
        let (plugin, info) = factory.new_reporting_plugin(&v::plugin_config()).await.expect("a reporting plugin");
        assert_eq!(info, v::plugin_info());
        reporting_plugin(plugin).await;
    }
}

async fn reporting_plugin(it: Arc<dyn ReportingPlugin>) {
    let (first, second) = (v::timestamp(1), v::timestamp(2));
    same(it.query(first).await, b"query".to_vec());
    same(it.query(second).await, vec![]);
    same(it.observation(first, b"query").await, b"observation".to_vec());
    same(it.report(first, b"query", &v::observations()).await, (true, b"report".to_vec()));
    same(it.report(first, &[], &[]).await, (false, vec![]));
    same(it.should_accept_finalized_report(first, b"report").await, true);
    same(it.should_transmit_accepted_report(first, b"report").await, false);
    same(it.should_transmit_accepted_report(second, &[]).await, true);
    same(it.close().await, ());
}

pub(crate) async fn keystore(it: &Arc<dyn Keystore>) {
    same(it.accounts().await, vec!["0xone".to_owned(), String::new(), "0xtwo".to_owned()]);
    same(it.sign("0xone", b"data").await, vec![1, 0, 2]);
    same(it.sign("0xone", &[]).await, vec![]);
    same(it.decrypt("0xtwo", &[255; 70_000]).await, vec![0; 70_000]);
    for code in 1..=16 {
        let refused = it.sign(&format!("refuse {code}"), &[]).await.expect_err("a refusal");
        assert_eq!((refused.code(), refused.message()), (Code::from_i32(code), REFUSAL));
        // Answered, whatever the status code: nothing was lost.
        assert!(refused.loss().is_none(), "{refused:?}");
    }
}

pub(crate) async fn data_source(it: &Arc<dyn DataSource>) {
    same(it.observe(v::timestamp(1)).await, Some(v::price()));
    same(it.observe(v::timestamp(2)).await, None);
}

pub(crate) async fn error_log(it: &Arc<dyn ErrorLog>) {
    same(it.save_error("it broke").await, ());
}
