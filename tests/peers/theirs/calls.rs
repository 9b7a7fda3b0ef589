//! Every method, called by generated clients. The requests with several fields are here, for the servers too.

use std::fmt::Debug;

use tonic::{Code, Response, Status};

use super::Theirs;
use super::values as v;
use crate::broker::Broker;
use crate::bytes::{DIGEST, REFUSAL};
use crate::wire::Peer;
use crate::wire::codec::codec_client::CodecClient;
use crate::wire::codec::*;
use crate::wire::r#loop::chain::common::Confidence;
use crate::wire::r#loop::contract_config_tracker_client::ContractConfigTrackerClient;
use crate::wire::r#loop::contract_reader_client::ContractReaderClient;
use crate::wire::r#loop::contract_transmitter_client::ContractTransmitterClient;
use crate::wire::r#loop::contract_writer_client::ContractWriterClient;
use crate::wire::r#loop::data_source_client::DataSourceClient;
use crate::wire::r#loop::error_log_client::ErrorLogClient;
use crate::wire::r#loop::evm::{GetTransactionStatusReply, GetTransactionStatusRequest, TransactionStatus};
use crate::wire::r#loop::keystore_client::KeystoreClient;
use crate::wire::r#loop::median_contract_client::MedianContractClient;
use crate::wire::r#loop::offchain_config_digester_client::OffchainConfigDigesterClient;
use crate::wire::r#loop::onchain_config_codec_client::OnchainConfigCodecClient;
use crate::wire::r#loop::plugin_median_client::PluginMedianClient;
use crate::wire::r#loop::plugin_relayer_client::PluginRelayerClient;
use crate::wire::r#loop::relayer_client::RelayerClient;
use crate::wire::r#loop::report_codec_client::ReportCodecClient;
use crate::wire::r#loop::reporting_plugin_client::ReportingPluginClient;
use crate::wire::r#loop::reporting_plugin_factory_client::ReportingPluginFactoryClient;
use crate::wire::r#loop::service_client::ServiceClient;
use crate::wire::r#loop::*;

#[track_caller]
fn same<T: PartialEq + Debug>(came: Result<Response<T>, Status>, wanted: T) {
    assert_eq!(came.unwrap_or_else(|why| panic!("{why:?} and not {wanted:?}")).into_inner(), wanted);
}

fn made<T>(came: Result<Response<T>, Status>) -> T {
    came.unwrap_or_else(|why| panic!("not made: {why:?}")).into_inner()
}

/// What every long-lived object has; at the end, `close`.
pub(crate) async fn service(peer: Peer, open: bool) {
    let mut it = ServiceClient::new(peer);
    if open {
        same(it.name(()).await, NameReply { name: "a name".into() });
        same(it.ready(()).await, ());
        same(it.health_report(()).await, v::health());
    } else {
        same(it.close(()).await, ());
    }
}

pub(crate) async fn plugin_relayer(peer: Peer, broker: &std::sync::Arc<Broker>) {
    let lender = Theirs { broker: broker.clone() };
    let request = NewRelayerRequest {
        config: "[chain]".into(),
        keystore_id: lender.keystore(),
        keystore_csaid: lender.keystore(),
        capability_registry_id: lender.nothing(),
    };
    let id = made(PluginRelayerClient::new(peer).new_relayer(request).await).relayer_id;
    let peer = broker.dial(id).await;
    service(peer.clone(), true).await;
    let mut it = RelayerClient::new(peer.clone());
    same(it.latest_head(LatestHeadRequest {}).await, LatestHeadReply { head: Some(v::head()) });
    let nothing = FinalizedHeadReply { head: Some(Head::default()) };
    same(it.finalized_head(FinalizedHeadRequest {}).await, nothing);
    same(it.get_chain_status(GetChainStatusRequest {}).await, GetChainStatusReply { chain: Some(v::chain_status()) });
    same(it.get_chain_info(GetChainInfoRequest {}).await, GetChainInfoReply { chain_info: Some(v::chain_info()) });
    let page = ListNodeStatusesRequest { page_size: -25, page_token: "page 2".into() };
    same(it.list_node_statuses(page).await, v::nodes());
    for transaction in transactions() {
        same(it.transact(transaction).await, ());
    }
    for replay in replays() {
        same(it.replay(replay).await, ());
    }

    let request = NewContractWriterRequest { contract_writer_config: b"writer".into() };
    contract_writer(broker.dial(made(it.new_contract_writer(request).await).contract_writer_id).await).await;
    let request = NewContractReaderRequest { contract_reader_config: b"reader".into() };
    let reader = broker.dial(made(it.new_contract_reader(request).await).contract_reader_id).await;
    service(reader.clone(), true).await;
    contract_reader(reader).await;
    let request = NewConfigProviderRequest { relay_args: v::relay_args(true) };
    configuration(broker.dial(made(it.new_config_provider(request).await).config_provider_id).await).await;
    for optional in [true, false] {
        let (relay_args, plugin_args) = (v::relay_args(optional), v::plugin_args());
        let reply = made(it.new_plugin_provider(NewPluginProviderRequest { relay_args, plugin_args }).await);
        provider(broker.dial(reply.plugin_provider_id).await, optional).await;
    }
    let request = NewCcipProviderRequest { ccip_provider_args: Some(v::ccip_args()) };
    service(broker.dial(made(it.new_ccip_provider(request).await).ccip_provider_id).await, true).await;
    service(peer, false).await;
}

pub(super) fn transactions() -> [TransactionRequest; 2] {
    [("from", Some(v::loss()), true), ("", None, false)].map(|(from, amount, balance_check)| TransactionRequest {
        from: from.into(),
        to: "to".into(),
        amount,
        balance_check,
    })
}

pub(super) fn replays() -> [ReplayRequest; 2] {
    [("123", Some(v::json())), ("124", None)].map(|(block, args)| ReplayRequest { from_block: block.into(), args })
}

pub(super) fn submissions() -> [SubmitTransactionRequest; 2] {
    let contract = ("contract".to_owned(), "method".to_owned());
    let full = SubmitTransactionRequest {
        contract_name: contract.0.clone(),
        method: contract.1.clone(),
        params: v::versioned(2),
        transaction_id: "id".into(),
        to_address: "0xto".into(),
        meta: v::meta(),
        value: Some(v::price()),
    };
    let bare = SubmitTransactionRequest {
        contract_name: contract.0,
        method: contract.1,
        params: Some(VersionedBytes::default()),
        ..SubmitTransactionRequest::default()
    };
    [full, bare]
}

pub(super) fn estimate() -> GetEstimateFeeRequest {
    GetEstimateFeeRequest {
        contract_name: "contract".into(),
        method: "method".into(),
        params: v::versioned(2),
        to_address: "0xto".into(),
        meta: v::meta(),
        value: Some(v::price()),
    }
}

async fn contract_writer(peer: Peer) {
    service(peer.clone(), true).await;
    let mut it = ContractWriterClient::new(peer.clone());
    for submission in submissions() {
        same(it.submit_transaction(submission).await, ());
    }
    for (id, status) in [("id", TransactionStatus::Fatal), ("other", TransactionStatus::Unknown)] {
        let reply = GetTransactionStatusReply { transaction_status: status as i32 };
        same(it.get_transaction_status(GetTransactionStatusRequest { transaction_id: id.into() }).await, reply);
    }
    let fees = GetFeeComponentsReply { execution_fee: Some(v::price()), data_availability_fee: None };
    same(it.get_fee_components(()).await, fees);
    same(it.get_estimate_fee(estimate()).await, GetEstimateFeeReply { fee: Some(v::price()), decimals: 18 });
    service(peer, false).await;
}

pub(super) fn read(name: &str, confidence: Confidence, as_value_type: bool) -> GetLatestValueRequest {
    GetLatestValueRequest {
        read_identifier: name.into(),
        confidence: confidence as i32,
        params: v::versioned(1),
        as_value_type,
    }
}

pub(super) fn query_key() -> QueryKeyRequest {
    QueryKeyRequest {
        contract: Some(v::bound("a")),
        filter: v::filter(),
        limit_and_sort: v::limit_and_sort(),
        as_value_type: true,
    }
}

pub(super) fn query_keys() -> QueryKeysRequest {
    QueryKeysRequest { filters: vec![v::key_filter()], limit_and_sort: v::limit_without_cursor() }
}

async fn contract_reader(peer: Peer) {
    let mut it = ContractReaderClient::new(peer);
    let value = GetLatestValueReply { ret_val: v::versioned(3) };
    same(it.get_latest_value(read("0xa-a-read", Confidence::Safe, true)).await, value);
    let full = GetLatestValueWithHeadDataReply { ret_val: v::versioned(3), head_data: Some(v::head()) };
    let bare = GetLatestValueWithHeadDataReply { ret_val: Some(VersionedBytes::default()), head_data: None };
    for (name, reply) in [("with head", full), ("without", bare)] {
        same(it.get_latest_value_with_head_data(read(name, Confidence::Finalized, false)).await, reply);
    }
    for (requests, results) in [(v::batches(), v::batch_results()), (vec![], vec![])] {
        let reply = BatchGetLatestValuesReply { results };
        same(it.batch_get_latest_values(BatchGetLatestValuesRequest { requests }).await, reply);
    }
    same(it.query_key(query_key()).await, QueryKeyReply { sequences: vec![v::sequence()] });
    same(it.query_keys(query_keys()).await, QueryKeysReply { sequences: vec![v::sequence_with_key()] });
    same(it.bind(BindRequest { bindings: vec![v::bound("a"), v::bound("b")] }).await, ());
    same(it.unbind(UnbindRequest { bindings: vec![v::bound("b")] }).await, ());
}

async fn configuration(peer: Peer) {
    let mut digester = OffchainConfigDigesterClient::new(peer.clone());
    let request = ConfigDigestRequest { contract_config: v::contract_config() };
    same(digester.config_digest(request).await, ConfigDigestReply { config_digest: DIGEST.into() });
    let prefix = ConfigDigestPrefixReply { config_digest_prefix: u16::MAX.into() };
    same(digester.config_digest_prefix(ConfigDigestPrefixRequest {}).await, prefix);
    let mut tracker = ContractConfigTrackerClient::new(peer);
    let details = LatestConfigDetailsReply { changed_in_block: 7, config_digest: DIGEST.into() };
    same(tracker.latest_config_details(LatestConfigDetailsRequest {}).await, details);
    let config = LatestConfigReply { contract_config: v::contract_config() };
    same(tracker.latest_config(LatestConfigRequest { changed_in_block: 7 }).await, config);
    let height = LatestBlockHeightReply { block_height: 1 << 40 };
    same(tracker.latest_block_height(LatestBlockHeightRequest {}).await, height);
}

pub(super) fn transmission() -> TransmitRequest {
    let attributed_onchain_signatures = v::signatures();
    TransmitRequest { report_context: v::context(), report: b"report".into(), attributed_onchain_signatures }
}

pub(super) fn sizes() -> [(GetMaxSizeRequest, i32); 2] {
    [(5, true, 160), (-5, false, -160)]
        .map(|(n, for_encoding, size)| (GetMaxSizeRequest { n, item_type: "Type".into(), for_encoding }, size))
}

/// A median's provider, with the components that it may have or without.
pub(super) async fn provider(peer: Peer, optional: bool) {
    service(peer.clone(), true).await;
    configuration(peer.clone()).await;
    let mut transmitter = ContractTransmitterClient::new(peer.clone());
    same(transmitter.transmit(transmission()).await, TransmitReply {});
    let digest = LatestConfigDigestAndEpochReply { config_digest: DIGEST.into(), epoch: 9 };
    same(transmitter.latest_config_digest_and_epoch(LatestConfigDigestAndEpochRequest {}).await, digest);
    same(transmitter.from_account(FromAccountRequest {}).await, FromAccountReply { account: "0xone".into() });
    let mut reports = ReportCodecClient::new(peer.clone());
    let built = BuildReportReply { report: b"built".into() };
    same(reports.build_report(BuildReportRequest { observations: v::parsed() }).await, built);
    for (report, median) in [("built", Some(v::loss())), ("zero", Some(BigInt::default())), ("none", None)] {
        let request = MedianFromReportRequest { report: report.into() };
        same(reports.median_from_report(request).await, MedianFromReportReply { median });
    }
    for (n, max) in [(-2, -3), (31, 1 << 33)] {
        same(reports.max_report_length(MaxReportLengthRequest { n }).await, MaxReportLengthReply { max });
    }
    let mut contract = MedianContractClient::new(peer.clone());
    let details = contract.latest_transmission_details(LatestTransmissionDetailsRequest {}).await;
    same(details, v::transmission());
    let request = LatestRoundRequestedRequest { lookback: -60_000_000_000 };
    same(contract.latest_round_requested(request).await, v::requested());
    let mut bounds = OnchainConfigCodecClient::new(peer.clone());
    for (config, encoded) in [(v::onchain_config(), b"bounds".to_vec()), (Some(OnchainConfig::default()), vec![])] {
        let request = EncodeRequest { onchain_config: config.clone() };
        same(bounds.encode(request).await, EncodeReply { encoded: encoded.clone() });
        same(bounds.decode(DecodeRequest { encoded }).await, DecodeReply { onchain_config: config });
    }
    let mut codec = CodecClient::new(peer.clone());
    let asked = GetEncodingRequest { params: v::versioned(2), item_type: "Type".into() };
    if optional {
        contract_reader(peer.clone()).await;
        same(codec.get_encoding(asked).await, GetEncodingResponse { ret_val: vec![7; 3] });
        let asked = GetDecodingRequest { encoded: vec![7; 3], item_type: "Type".into(), wire_encoding_version: 2 };
        same(codec.get_decoding(asked).await, GetDecodingResponse { ret_val: v::versioned(2) });
        for (asked, size_in_bytes) in sizes() {
            same(codec.get_max_size(asked).await, GetMaxSizeResponse { size_in_bytes });
        }
    } else {
        // What is not there is not there for anybody.
        assert_eq!(codec.get_encoding(asked).await.expect_err("no codec").code(), Code::Unimplemented);
        let asked = ContractReaderClient::new(peer.clone()).bind(BindRequest::default()).await;
        assert_eq!(asked.expect_err("no reader").code(), Code::Unimplemented);
    }
}

pub(crate) async fn plugin_median(peer: Peer, broker: &std::sync::Arc<Broker>) {
    let lender = Theirs { broker: broker.clone() };
    let mut it = PluginMedianClient::new(peer);
    for (optional, deviation_func_definition) in [(true, None), (false, Some(vec![]))] {
        let request = NewMedianFactoryRequest {
            median_provider_id: broker.serve(lender.provider(optional)),
            contract_id: "0xfeed".into(),
            data_source_id: lender.data_source(),
            juels_per_fee_coin_data_source_id: lender.data_source(),
            gas_price_subunits_data_source_id: lender.data_source(),
            error_log_id: lender.error_log(),
            deviation_func_definition,
        };
        let id = made(it.new_median_factory(request).await).reporting_plugin_factory_id;
        let factory = broker.dial(id).await;
        service(factory.clone(), true).await;
        let request = NewReportingPluginRequest { reporting_plugin_config: v::plugin_config() };
        let reply = made(ReportingPluginFactoryClient::new(factory).new_reporting_plugin(request).await);
        assert_eq!(reply.reporting_plugin_info, v::plugin_info());
        reporting_plugin(broker.dial(reply.reporting_plugin_id).await).await;
    }
}

pub(super) fn observation() -> ObservationRequest {
    ObservationRequest { report_timestamp: v::timestamp(1), query: b"query".into() }
}

pub(super) fn reports() -> [ReportRequest; 2] {
    [(b"query".to_vec(), v::observations()), (vec![], vec![])].map(|(query, observations)| ReportRequest {
        report_timestamp: v::timestamp(1),
        query,
        observations,
    })
}

async fn reporting_plugin(peer: Peer) {
    let mut it = ReportingPluginClient::new(peer);
    for (report_timestamp, query) in [(v::timestamp(1), b"query".to_vec()), (v::timestamp(2), vec![])] {
        same(it.query(QueryRequest { report_timestamp }).await, QueryReply { query });
    }
    same(it.observation(observation()).await, ObservationReply { observation: b"observation".into() });
    let replies = [ReportReply { should_report: true, report: b"report".into() }, ReportReply::default()];
    for (request, reply) in reports().into_iter().zip(replies) {
        same(it.report(request).await, reply);
    }
    let request = ShouldAcceptFinalizedReportRequest { report_timestamp: v::timestamp(1), report: b"report".into() };
    let accepted = ShouldAcceptFinalizedReportReply { should_accept: true };
    same(it.should_accept_finalized_report(request).await, accepted);
    for (report_timestamp, report, should_transmit) in
        [(v::timestamp(1), b"report".to_vec(), false), (v::timestamp(2), vec![], true)]
    {
        let request = ShouldTransmitAcceptedReportRequest { report_timestamp, report };
        let reply = ShouldTransmitAcceptedReportReply { should_transmit };
        same(it.should_transmit_accepted_report(request).await, reply);
    }
    same(it.close(()).await, ());
}

pub(super) async fn keystore(peer: Peer) {
    let mut it = KeystoreClient::new(peer);
    let accounts = vec!["0xone".into(), String::new(), "0xtwo".into()];
    same(it.accounts(()).await, AccountsReply { accounts });
    for (data, signed_data) in [(b"data".to_vec(), vec![1, 0, 2]), (vec![], vec![])] {
        same(it.sign(SignRequest { account: "0xone".into(), data }).await, SignReply { signed_data });
    }
    let request = DecryptRequest { account: "0xtwo".into(), data: vec![255; 70_000] };
    same(it.decrypt(request).await, DecryptReply { decrypted_data: vec![0; 70_000] });
    for code in 1..=16 {
        let request = SignRequest { account: format!("refuse {code}"), data: vec![] };
        let refused = it.sign(request).await.expect_err("a refusal");
        assert_eq!((refused.code(), refused.message()), (Code::from(code), REFUSAL));
    }
}

pub(super) async fn data_source(peer: Peer) {
    let mut it = DataSourceClient::new(peer);
    for (report_timestamp, value) in [(v::timestamp(1), Some(v::price())), (v::timestamp(2), None)] {
        same(it.observe(ObserveRequest { report_timestamp }).await, ObserveReply { value });
    }
}

pub(super) async fn error_log(peer: Peer) {
    let mut it = ErrorLogClient::new(peer);
    same(it.save_error(SaveErrorRequest { message: "it broke".into() }).await, ());
}
