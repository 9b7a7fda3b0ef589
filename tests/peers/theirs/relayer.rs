//! The servers of the relayer's side.

use tonic::service::Routes;
use tonic::{Code, Status};

use super::values as v;
use super::{Theirs, answer, calls, median, served, tried};
use crate::bytes::{DIGEST, REFUSAL};
use crate::wire::r#loop::chain::common::Confidence;
use crate::wire::r#loop::contract_reader_server::ContractReaderServer;
use crate::wire::r#loop::contract_writer_server::ContractWriterServer;
use crate::wire::r#loop::evm::{GetTransactionStatusReply, GetTransactionStatusRequest, TransactionStatus};
use crate::wire::r#loop::keystore_server::KeystoreServer;
use crate::wire::r#loop::relayer_server::RelayerServer;
use crate::wire::r#loop::service_server::ServiceServer;
use crate::wire::r#loop::*;

impl Theirs {
    fn objects(&self) -> Routes {
        Routes::new(ServiceServer::new(self.clone()))
    }

    /// What a host lends to a relayer.
    pub(super) fn keystore(&self) -> u32 {
        self.broker.serve(Routes::new(KeystoreServer::new(self.clone())))
    }

    /// A server without any service: the registry, of which nothing is called.
    pub(super) fn nothing(&self) -> u32 {
        self.broker.serve(Routes::default())
    }
}

served!(service_server::Service {
    name: () => NameReply, |_, came| answer(came, [((), NameReply { name: "a name".into() })]);
    ready: () => (), |_, came| answer(came, [((), ())]);
    health_report: () => HealthReportReply, |_, came| answer(came, [((), v::health())]);
    close: () => (), |_, came| answer(came, [((), ())]);
});

served!(plugin_relayer_server::PluginRelayer {
    new_relayer: NewRelayerRequest => NewRelayerReply, |it, came| {
        answer(came.config, [("[chain]".to_owned(), ())])?;
        it.broker.dial(came.capability_registry_id).await;
        for id in [came.keystore_id, came.keystore_csaid] {
            tried(calls::keystore(it.broker.dial(id).await)).await?;
        }
        let relayer_id = it.broker.serve(it.objects().add_service(RelayerServer::new(it.clone())));
        Ok(NewRelayerReply { relayer_id })
    };
});

served!(relayer_server::Relayer {
    new_contract_writer: NewContractWriterRequest => NewContractWriterReply, |it, came| {
        let routes = it.objects().add_service(ContractWriterServer::new(it.clone()));
        let reply = NewContractWriterReply { contract_writer_id: it.broker.serve(routes) };
        answer(came.contract_writer_config, [(b"writer".to_vec(), reply)])
    };
    new_contract_reader: NewContractReaderRequest => NewContractReaderReply, |it, came| {
        let routes = it.objects().add_service(ContractReaderServer::new(it.clone()));
        let reply = NewContractReaderReply { contract_reader_id: it.broker.serve(routes) };
        answer(came.contract_reader_config, [(b"reader".to_vec(), reply)])
    };
    new_config_provider: NewConfigProviderRequest => NewConfigProviderReply, |it, came| {
        let routes = median::configuration(it, it.objects());
        let reply = NewConfigProviderReply { config_provider_id: it.broker.serve(routes) };
        answer(came.relay_args, [(v::relay_args(true), reply)])
    };
    new_plugin_provider: NewPluginProviderRequest => NewPluginProviderReply, |it, came| {
        let known = [true, false].map(|optional| ((v::relay_args(optional), v::plugin_args()), optional));
        let optional = answer((came.relay_args, came.plugin_args), known)?;
        Ok(NewPluginProviderReply { plugin_provider_id: it.broker.serve(it.provider(optional)) })
    };
    new_ccip_provider: NewCcipProviderRequest => NewCcipProviderReply, |it, came| {
        let reply = NewCcipProviderReply { ccip_provider_id: it.broker.serve(it.objects()) };
        answer(came.ccip_provider_args, [(Some(v::ccip_args()), reply)])
    };
    latest_head: LatestHeadRequest => LatestHeadReply, |_, _| Ok(LatestHeadReply { head: Some(v::head()) });
    finalized_head: FinalizedHeadRequest => FinalizedHeadReply, |_, _| {
        Ok(FinalizedHeadReply { head: Some(Head::default()) })
    };
    get_chain_status: GetChainStatusRequest => GetChainStatusReply, |_, _| {
        Ok(GetChainStatusReply { chain: Some(v::chain_status()) })
    };
    get_chain_info: GetChainInfoRequest => GetChainInfoReply, |_, _| {
        Ok(GetChainInfoReply { chain_info: Some(v::chain_info()) })
    };
    list_node_statuses: ListNodeStatusesRequest => ListNodeStatusesReply, |_, came| {
        answer(came, [(ListNodeStatusesRequest { page_size: -25, page_token: "page 2".into() }, v::nodes())])
    };
    transact: TransactionRequest => (), |_, came| answer(came, calls::transactions().map(|known| (known, ())));
    replay: ReplayRequest => (), |_, came| answer(came, calls::replays().map(|known| (known, ())));
});

served!(contract_writer_server::ContractWriter {
    submit_transaction: SubmitTransactionRequest => (), |_, came| {
        answer(came, calls::submissions().map(|known| (known, ())))
    };
    get_transaction_status: GetTransactionStatusRequest => GetTransactionStatusReply, |_, came| {
        let known = [("id", TransactionStatus::Fatal), ("other", TransactionStatus::Unknown)];
        answer(came.transaction_id, known.map(|(id, status)| {
            (id.to_owned(), GetTransactionStatusReply { transaction_status: status as i32 })
        }))
    };
    get_fee_components: () => GetFeeComponentsReply, |_, _| {
        Ok(GetFeeComponentsReply { execution_fee: Some(v::price()), data_availability_fee: None })
    };
    get_estimate_fee: GetEstimateFeeRequest => GetEstimateFeeReply, |_, came| {
        answer(came, [(calls::estimate(), GetEstimateFeeReply { fee: Some(v::price()), decimals: 18 })])
    };
});

served!(contract_reader_server::ContractReader {
    get_latest_value: GetLatestValueRequest => GetLatestValueReply, |_, came| {
        let known = calls::read("0xa-a-read", Confidence::Safe, true);
        answer(came, [(known, GetLatestValueReply { ret_val: v::versioned(3) })])
    };
    get_latest_value_with_head_data: GetLatestValueRequest => GetLatestValueWithHeadDataReply, |_, came| {
        let known = |name| calls::read(name, Confidence::Finalized, false);
        let full = GetLatestValueWithHeadDataReply { ret_val: v::versioned(3), head_data: Some(v::head()) };
        let bare = GetLatestValueWithHeadDataReply { ret_val: Some(Default::default()), head_data: None };
        answer(came, [(known("with head"), full), (known("without"), bare)])
    };
    batch_get_latest_values: BatchGetLatestValuesRequest => BatchGetLatestValuesReply, |_, came| {
        let known = [(v::batches(), v::batch_results()), (vec![], vec![])];
        answer(came.requests, known.map(|(requests, results)| (requests, BatchGetLatestValuesReply { results })))
    };
    query_key: QueryKeyRequest => QueryKeyReply, |_, came| {
        answer(came, [(calls::query_key(), QueryKeyReply { sequences: vec![v::sequence()] })])
    };
    query_keys: QueryKeysRequest => QueryKeysReply, |_, came| {
        answer(came, [(calls::query_keys(), QueryKeysReply { sequences: vec![v::sequence_with_key()] })])
    };
    bind: BindRequest => (), |_, came| answer(came.bindings, [(vec![v::bound("a"), v::bound("b")], ())]);
    unbind: UnbindRequest => (), |_, came| answer(came.bindings, [(vec![v::bound("b")], ())]);
});

served!(keystore_server::Keystore {
    accounts: () => AccountsReply, |_, _| {
        Ok(AccountsReply { accounts: vec!["0xone".into(), String::new(), "0xtwo".into()] })
    };
    sign: SignRequest => SignReply, |_, came| {
        if let Some(code) = came.account.strip_prefix("refuse ").and_then(|code| code.parse::<i32>().ok()) {
            return Err(Status::new(Code::from(code), REFUSAL));
        }
        let known = [(b"data".to_vec(), vec![1, 0, 2]), (vec![], vec![])];
        answer(came, known.map(|(data, signed_data)| {
            (SignRequest { account: "0xone".into(), data }, SignReply { signed_data })
        }))
    };
    decrypt: DecryptRequest => DecryptReply, |_, came| {
        let known = DecryptRequest { account: "0xtwo".into(), data: vec![255; 70_000] };
        answer(came, [(known, DecryptReply { decrypted_data: vec![0; 70_000] })])
    };
});

served!(offchain_config_digester_server::OffchainConfigDigester {
    config_digest: ConfigDigestRequest => ConfigDigestReply, |_, came| {
        answer(came.contract_config, [(v::contract_config(), ConfigDigestReply { config_digest: DIGEST.into() })])
    };
    config_digest_prefix: ConfigDigestPrefixRequest => ConfigDigestPrefixReply, |_, _| {
        Ok(ConfigDigestPrefixReply { config_digest_prefix: u16::MAX.into() })
    };
});

served!(contract_config_tracker_server::ContractConfigTracker {
    latest_config_details: LatestConfigDetailsRequest => LatestConfigDetailsReply, |_, _| {
        Ok(LatestConfigDetailsReply { changed_in_block: 7, config_digest: DIGEST.into() })
    };
    latest_config: LatestConfigRequest => LatestConfigReply, |_, came| {
        answer(came.changed_in_block, [(7, LatestConfigReply { contract_config: v::contract_config() })])
    };
    latest_block_height: LatestBlockHeightRequest => LatestBlockHeightReply, |_, _| {
        Ok(LatestBlockHeightReply { block_height: 1 << 40 })
    };
});
