//! Every service, implemented: requests must have the known values, and so do replies.

use std::collections::BTreeMap;

use loop_runtime::wire::Struct;
use loop_runtime::{Code, Error, Result};
use loop_services::ConfigDigest;
use loop_services::contract_reader::*;
use loop_services::contract_writer::*;
use loop_services::prelude::*;
use loop_services::query::{Confidence, LimitAndSort, QueryKeyFilter};
use loop_services::relayer::*;

use super::{Ours, Root, answer, calls, values as v};
use crate::bytes::{DIGEST, REFUSAL};

impl Root for Ours {}

impl Lifecycle for Ours {
    async fn name(&self) -> Result<String> {
        Ok("a name".into())
    }

    async fn health_report(&self) -> Result<BTreeMap<String, String>> {
        Ok(v::health())
    }
}

impl PluginRelayer for Ours {
    async fn new_relayer(
        &self,
        config: &str,
        keystore: Arc<dyn Keystore>,
        csa_keystore: Arc<dyn Keystore>,
        _registry: Arc<dyn CapabilitiesRegistry>,
    ) -> Result<Arc<dyn Relayer>> {
        answer(config, [("[chain]", ())])?;
        calls::keystore(&keystore).await;
        calls::keystore(&csa_keystore).await;
        Ok(Arc::new(Self::default()))
    }
}

impl Relayer for Ours {
    async fn new_contract_writer(&self, config: &[u8]) -> Result<Arc<dyn ContractWriter>> {
        answer(config, [(&b"writer"[..], ())])?;
        Ok(Arc::new(Self::default()))
    }

    async fn new_contract_reader(&self, config: &[u8]) -> Result<Arc<dyn ContractReaderService>> {
        answer(config, [(&b"reader"[..], ())])?;
        Ok(Arc::new(Self::default()))
    }

    async fn new_config_provider(&self, relay_args: &RelayArgs) -> Result<Arc<dyn ConfigProvider>> {
        answer(relay_args, [(&v::relay_args(true), ())])?;
        Ok(Arc::new(Self::default()))
    }

    async fn new_plugin_provider(
        &self,
        relay_args: &RelayArgs,
        plugin_args: &PluginArgs,
    ) -> Result<Arc<dyn MedianProvider>> {
        let args = v::plugin_args();
        let known = [((&v::relay_args(true), &args), true), ((&v::relay_args(false), &args), false)];
        let optional = answer((relay_args, plugin_args), known)?;
        Ok(Arc::new(Self { optional }))
    }

    async fn new_ccip_provider(&self, args: &CcipProviderArgs) -> Result<Arc<dyn CcipProvider>> {
        answer(args, [(&v::ccip_args(), ())])?;
        Ok(Arc::new(Self::default()))
    }

    async fn latest_head(&self) -> Result<Head> {
        Ok(v::head())
    }

    async fn finalized_head(&self) -> Result<Head> {
        Ok(Head::default())
    }

    async fn get_chain_status(&self) -> Result<ChainStatus> {
        Ok(v::chain_status())
    }

    async fn get_chain_info(&self) -> Result<ChainInfo> {
        Ok(v::chain_info())
    }

    async fn list_node_statuses(&self, page_size: i32, page_token: &str) -> Result<(Vec<NodeStatus>, i32, String)> {
        answer((page_size, page_token), [((-25, "page 2"), (v::nodes(), 7, "page 3".into()))])
    }

    async fn transact(&self, from: &str, to: &str, amount: Option<BigInt>, balance_check: bool) -> Result<()> {
        let known = [(("from", "to", Some(v::loss()), true), ()), (("", "to", None, false), ())];
        answer((from, to, amount, balance_check), known)
    }

    async fn replay(&self, from_block: &str, args: Option<Struct>) -> Result<()> {
        answer((from_block, args), [(("123", Some(v::json())), ()), (("124", None), ())])
    }
}

impl ContractWriter for Ours {
    async fn submit_transaction(
        &self,
        contract_name: &str,
        method: &str,
        params: &VersionedBytes,
        transaction_id: &str,
        to_address: &str,
        meta: Option<TransactionMeta>,
        value: Option<BigInt>,
    ) -> Result<()> {
        let full = ("contract", "method", &v::versioned(2), "id", "0xto", Some(v::meta()), Some(v::price()));
        let bare = ("contract", "method", &VersionedBytes::default(), "", "", None, None);
        let came = (contract_name, method, params, transaction_id, to_address, meta, value);
        answer(came, [(full, ()), (bare, ())])
    }

    async fn get_transaction_status(&self, transaction_id: &str) -> Result<TransactionStatus> {
        answer(transaction_id, [("id", TransactionStatus::Fatal), ("other", TransactionStatus::Unknown)])
    }

    async fn get_fee_components(&self) -> Result<FeeComponents> {
        Ok(FeeComponents { execution_fee: Some(v::price()), data_availability_fee: None })
    }

    async fn get_estimate_fee(
        &self,
        contract_name: &str,
        method: &str,
        params: &VersionedBytes,
        to_address: &str,
        meta: Option<TransactionMeta>,
        value: Option<BigInt>,
    ) -> Result<EstimateFee> {
        let full = ("contract", "method", &v::versioned(2), "0xto", Some(v::meta()), Some(v::price()));
        let reply = EstimateFee { fee: Some(v::price()), decimals: 18 };
        answer((contract_name, method, params, to_address, meta, value), [(full, reply)])
    }
}

impl ContractReader for Ours {
    async fn get_latest_value(
        &self,
        read_identifier: &str,
        confidence: Confidence,
        params: &VersionedBytes,
        as_value_type: bool,
    ) -> Result<VersionedBytes> {
        let known = [(("0xa-a-read", Confidence::Safe, &v::versioned(1), true), v::versioned(3))];
        answer((read_identifier, confidence, params, as_value_type), known)
    }

    async fn get_latest_value_with_head_data(
        &self,
        read_identifier: &str,
        confidence: Confidence,
        params: &VersionedBytes,
        as_value_type: bool,
    ) -> Result<(VersionedBytes, Option<Head>)> {
        let params_wanted = v::versioned(1);
        let wanted = |name| (name, Confidence::Finalized, &params_wanted, false);
        let known = [
            (wanted("with head"), (v::versioned(3), Some(v::head()))),
            (wanted("without"), (VersionedBytes::default(), None)),
        ];
        answer((read_identifier, confidence, params, as_value_type), known)
    }

    async fn batch_get_latest_values(&self, requests: &[ContractBatch]) -> Result<Vec<ContractBatchResult>> {
        answer(requests, [(&v::batches()[..], v::batch_results()), (&[], vec![])])
    }

    async fn query_key(
        &self,
        contract: &BoundContract,
        filter: &QueryKeyFilter,
        limit_and_sort: &LimitAndSort,
        as_value_type: bool,
    ) -> Result<Vec<Sequence>> {
        let known = [((&v::bound("a"), &v::filter(), &v::limit_and_sort(), true), vec![v::sequence()])];
        answer((contract, filter, limit_and_sort, as_value_type), known)
    }

    async fn query_keys(
        &self,
        filters: &[ContractKeyFilter],
        limit_and_sort: &LimitAndSort,
    ) -> Result<Vec<SequenceWithKey>> {
        let known = [((&[v::key_filter()][..], &v::limit_without_cursor()), vec![v::sequence_with_key()])];
        answer((filters, limit_and_sort), known)
    }

    async fn bind(&self, bindings: &[BoundContract]) -> Result<()> {
        answer(bindings, [(&[v::bound("a"), v::bound("b")][..], ())])
    }

    async fn unbind(&self, bindings: &[BoundContract]) -> Result<()> {
        answer(bindings, [(&[v::bound("b")][..], ())])
    }
}

impl ContractReaderService for Ours {}

impl CcipProvider for Ours {}

impl CapabilitiesRegistry for Ours {}

impl Keystore for Ours {
    async fn accounts(&self) -> Result<Vec<String>> {
        Ok(vec!["0xone".into(), String::new(), "0xtwo".into()])
    }

    async fn sign(&self, account: &str, data: &[u8]) -> Result<Vec<u8>> {
        if let Some(code) = account.strip_prefix("refuse ").and_then(|code| code.parse().ok()) {
            return Err(Error::new(Code::from_i32(code), REFUSAL));
        }
        answer((account, data), [(("0xone", &b"data"[..]), vec![1, 0, 2]), (("0xone", &[]), vec![])])
    }

    async fn decrypt(&self, account: &str, data: &[u8]) -> Result<Vec<u8>> {
        answer((account, data), [(("0xtwo", &[255_u8; 70_000][..]), vec![0; 70_000])])
    }
}

impl OffchainConfigDigester for Ours {
    async fn config_digest(&self, config: &ContractConfig) -> Result<ConfigDigest> {
        answer(config, [(&v::contract_config(), DIGEST.into())])
    }

    async fn config_digest_prefix(&self) -> Result<u16> {
        Ok(u16::MAX)
    }
}

impl ContractConfigTracker for Ours {
    async fn latest_config_details(&self) -> Result<(u64, ConfigDigest)> {
        Ok((7, DIGEST.into()))
    }

    async fn latest_config(&self, changed_in_block: u64) -> Result<ContractConfig> {
        answer(changed_in_block, [(7, v::contract_config())])
    }

    async fn latest_block_height(&self) -> Result<u64> {
        Ok(1 << 40)
    }
}
