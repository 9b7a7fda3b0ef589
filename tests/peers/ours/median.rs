//! What a median needs and makes, implemented as in [`served`](super::served).

use loop_runtime::Result;
use loop_services::ConfigDigest;
use loop_services::prelude::*;

use super::{Ours, answer, calls, values as v};
use crate::bytes::DIGEST;

impl PluginMedian for Ours {
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
        let known = [(("0xfeed", None), true), (("0xfeed", Some(vec![])), false)];
        let optional = answer((contract_id, deviation_func_definition), known)?;
        calls::median_provider(&provider, optional).await;
        for source in [&data_source, &juels_per_fee_coin, &gas_price_subunits] {
            calls::data_source(source).await;
        }
        calls::error_log(&error_log).await;
        Ok(Arc::new(Self::default()))
    }
}

impl ConfigProvider for Ours {
    fn offchain_config_digester(&self) -> Arc<dyn OffchainConfigDigester> {
        Arc::new(Self::default())
    }

    fn contract_config_tracker(&self) -> Arc<dyn ContractConfigTracker> {
        Arc::new(Self::default())
    }
}

impl MedianProvider for Ours {
    fn offchain_config_digester(&self) -> Arc<dyn OffchainConfigDigester> {
        Arc::new(Self::default())
    }

    fn contract_config_tracker(&self) -> Arc<dyn ContractConfigTracker> {
        Arc::new(Self::default())
    }

    fn contract_transmitter(&self) -> Arc<dyn ContractTransmitter> {
        Arc::new(Self::default())
    }

    fn report_codec(&self) -> Arc<dyn ReportCodec> {
        Arc::new(Self::default())
    }

    fn median_contract(&self) -> Arc<dyn MedianContract> {
        Arc::new(Self::default())
    }

    fn onchain_config_codec(&self) -> Arc<dyn OnchainConfigCodec> {
        Arc::new(Self::default())
    }

    fn contract_reader(&self) -> Option<Arc<dyn ContractReader>> {
        self.optional.then(|| Arc::new(Self::default()) as _)
    }

    fn codec(&self) -> Option<Arc<dyn Codec>> {
        self.optional.then(|| Arc::new(Self::default()) as _)
    }
}

impl ContractTransmitter for Ours {
    async fn transmit(
        &self,
        context: ReportContext,
        report: &[u8],
        signatures: &[AttributedOnchainSignature],
    ) -> Result<()> {
        answer((context, report, signatures), [((v::context(), &b"report"[..], &v::signatures()[..]), ())])
    }

    async fn latest_config_digest_and_epoch(&self) -> Result<(ConfigDigest, u32)> {
        Ok((DIGEST.into(), 9))
    }

    async fn from_account(&self) -> Result<String> {
        Ok("0xone".into())
    }
}

impl ReportCodec for Ours {
    async fn build_report(&self, observations: &[ParsedAttributedObservation]) -> Result<Vec<u8>> {
        answer(observations, [(&v::parsed()[..], b"built".to_vec())])
    }

    async fn median_from_report(&self, report: &[u8]) -> Result<Option<BigInt>> {
        answer(report, [(&b"built"[..], Some(v::loss())), (b"zero", Some(BigInt::default())), (b"none", None)])
    }

    async fn max_report_length(&self, n: i64) -> Result<i64> {
        answer(n, [(-2, -3), (31, 1 << 33)])
    }
}

impl MedianContract for Ours {
    async fn latest_transmission_details(&self) -> Result<TransmissionDetails> {
        Ok(v::transmission())
    }

    async fn latest_round_requested(&self, lookback: i64) -> Result<RoundRequested> {
        answer(lookback, [(-60_000_000_000, v::requested())])
    }
}

impl OnchainConfigCodec for Ours {
    async fn encode(&self, config: &OnchainConfig) -> Result<Vec<u8>> {
        answer(config, [(&v::onchain_config(), b"bounds".to_vec()), (&OnchainConfig::default(), vec![])])
    }

    async fn decode(&self, encoded: &[u8]) -> Result<OnchainConfig> {
        answer(encoded, [(&b"bounds"[..], v::onchain_config()), (&[], OnchainConfig::default())])
    }
}

impl Codec for Ours {
    async fn get_encoding(&self, params: &VersionedBytes, item_type: &str) -> Result<Vec<u8>> {
        answer((params, item_type), [((&v::versioned(2), "Type"), vec![7; 3])])
    }

    async fn get_decoding(
        &self,
        encoded: &[u8],
        item_type: &str,
        wire_encoding_version: u32,
    ) -> Result<VersionedBytes> {
        answer((encoded, item_type, wire_encoding_version), [((&[7_u8; 3][..], "Type", 2), v::versioned(2))])
    }

    async fn get_max_size(&self, n: i32, item_type: &str, for_encoding: bool) -> Result<i32> {
        answer((n, item_type, for_encoding), [((5, "Type", true), 160), ((-5, "Type", false), -160)])
    }
}

impl DataSource for Ours {
    async fn observe(&self, timestamp: ReportTimestamp) -> Result<Option<BigInt>> {
        answer(timestamp, [(v::timestamp(1), Some(v::price())), (v::timestamp(2), None)])
    }
}

impl ErrorLog for Ours {
    async fn save_error(&self, message: &str) -> Result<()> {
        answer(message, [("it broke", ())])
    }
}

impl ReportingPluginFactory for Ours {
    async fn new_reporting_plugin(
        &self,
        config: &ReportingPluginConfig,
    ) -> Result<(Arc<dyn ReportingPlugin>, ReportingPluginInfo)> {
        answer(config, [(&v::plugin_config(), ())])?;
        Ok((Arc::new(Self::default()), v::plugin_info()))
    }
}

impl ReportingPlugin for Ours {
    async fn query(&self, timestamp: ReportTimestamp) -> Result<Vec<u8>> {
        answer(timestamp, [(v::timestamp(1), b"query".to_vec()), (v::timestamp(2), vec![])])
    }

    async fn observation(&self, timestamp: ReportTimestamp, query: &[u8]) -> Result<Vec<u8>> {
        answer((timestamp, query), [((v::timestamp(1), &b"query"[..]), b"observation".to_vec())])
    }

    async fn report(
        &self,
        timestamp: ReportTimestamp,
        query: &[u8],
        observations: &[AttributedObservation],
    ) -> Result<(bool, Vec<u8>)> {
        let known = [
            ((v::timestamp(1), &b"query"[..], &v::observations()[..]), (true, b"report".to_vec())),
            ((v::timestamp(1), &[], &[]), (false, vec![])),
        ];
        answer((timestamp, query, observations), known)
    }

    async fn should_accept_finalized_report(&self, timestamp: ReportTimestamp, report: &[u8]) -> Result<bool> {
        answer((timestamp, report), [((v::timestamp(1), &b"report"[..]), true)])
    }

    async fn should_transmit_accepted_report(&self, timestamp: ReportTimestamp, report: &[u8]) -> Result<bool> {
        answer((timestamp, report), [((v::timestamp(1), &b"report"[..]), false), ((v::timestamp(2), &[]), true)])
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}
