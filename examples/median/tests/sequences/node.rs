//! A small node: both plugins, what they are lent, and one oracle's part in a network of four.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use loop_runtime::Result;
use loop_runtime::host::Supervisor;
use loop_services::prelude::*;

use crate::contract::FeedConfig;
use crate::numerical::evm_codec;
use crate::numerical::ports;
use crate::relayer::ChainConfig;
use crate::signing::{Key, Signed};
use crate::support::Lab;

pub(crate) struct Node {
    relayer: Supervisor,
    median: Supervisor,
    ledger: PathBuf,
    log: Arc<Log>,
}

fn account() -> Key {
    Key::of("account")
}

fn signers() -> Vec<Key> {
    (0..4).map(|oracle| Key::of(&format!("oracle {oracle}"))).collect()
}

fn feed() -> FeedConfig {
    FeedConfig {
        signers: signers().iter().map(Key::public).collect(),
        transmitters: vec![account().account(); 4],
        f: 1,
        min: "1".into(),
        max: "1000".into(),
        deviation_ppb: 5_000_000,
        heartbeat_nanos: 3_600_000_000_000,
    }
}

fn configuration() -> ContractConfig {
    feed().on_chain().unwrap()
}

impl Node {
    pub(crate) async fn launch(lab: &Lab) -> Self {
        let (relayer, median) = (lab.launch("relayer").await, lab.launch("median").await);
        Self { relayer, median, ledger: lab.dir().join("ledger"), log: Arc::default() }
    }

    pub(crate) async fn close_median(&self) {
        self.median.close().await;
    }

    /// Consumers first, then what they used, then the file.
    pub(crate) async fn close(self) {
        self.median.close().await;
        self.relayer.close().await;
        std::fs::remove_file(self.ledger).unwrap();
    }

    pub(crate) async fn relayer(&self) -> Arc<dyn Relayer> {
        let plugin: Arc<dyn PluginRelayer> = self.relayer.dispense().await.unwrap();
        let config = toml::to_string(&ChainConfig { ledger: self.ledger.clone() }).unwrap();
        plugin.new_relayer(&config, Arc::new(Keys), Arc::new(Keys), Arc::new(NoCapabilities)).await.unwrap()
    }

    pub(crate) async fn provider(&self, relayer: &Arc<dyn Relayer>) -> Arc<dyn MedianProvider> {
        let job = RelayArgs {
            relay_config: serde_json::to_vec(&feed()).unwrap(),
            provider_type: "median".into(),
            ..RelayArgs::default()
        };
        let args = PluginArgs { transmitter_id: account().account(), plugin_config: Vec::new() };
        relayer.new_plugin_provider(&job, &args).await.unwrap()
    }

    pub(crate) async fn factory(
        &self,
        provider: &Arc<dyn MedianProvider>,
        source: Arc<dyn DataSource>,
    ) -> Arc<dyn ReportingPluginFactory> {
        let plugin: Arc<dyn PluginMedian> = self.median.dispense().await.unwrap();
        let (provider, log) = (provider.clone(), self.log.clone());
        plugin.new_median_factory(provider, "feed", source, Arc::new(Price), Arc::new(Price), log, None).await.unwrap()
    }

    pub(crate) fn plugin_config(&self) -> ReportingPluginConfig {
        let config = configuration();
        ReportingPluginConfig {
            config_digest: config.config_digest,
            n: 4,
            f: 1,
            onchain_config: config.onchain_config,
            offchain_config: config.offchain_config,
            ..ReportingPluginConfig::default()
        }
    }

    pub(crate) fn at(&self) -> ReportTimestamp {
        ReportTimestamp { config_digest: configuration().config_digest, epoch: 1, round: 1 }
    }

    /// A report that two oracles have signed.
    pub(crate) fn report(&self) -> (ReportContext, Vec<u8>, Vec<AttributedOnchainSignature>) {
        let context = ReportContext { timestamp: self.at(), extra_hash: [0; 32] };
        let observation = ports::ParsedAttributedObservation {
            timestamp: 1,
            value: Some(42.into()),
            juels_per_fee_coin: Some(42.into()),
            observer: 0,
            gas_price_subunits: Some(42.into()),
        };
        let report = evm_codec::build(&[observation]).unwrap();
        let signed = Signed {
            config_digest: &context.timestamp.config_digest.0,
            epoch: 1,
            round: 1,
            extra_hash: &context.extra_hash,
            report: &report,
        };
        let message = signed.message();
        let signatures = (0..).zip(signers()).take(2);
        let signatures = signatures
            .map(|(signer, key)| AttributedOnchainSignature { signer, signature: key.sign(&message).to_vec() })
            .collect();
        (context, report, signatures)
    }

    pub(crate) fn errors(&self) -> Vec<String> {
        self.log.0.lock().unwrap().clone()
    }
}

struct Keys;

impl Keystore for Keys {
    async fn accounts(&self) -> Result<Vec<String>> {
        Ok(vec![account().account()])
    }

    async fn sign(&self, wanted: &str, data: &[u8]) -> Result<Vec<u8>> {
        if wanted != account().account() {
            return Err("no such account".into());
        }
        Ok(if data.is_empty() { Vec::new() } else { account().sign(data).to_vec() })
    }

    async fn decrypt(&self, _: &str, _: &[u8]) -> Result<Vec<u8>> {
        Err("only signs".into())
    }
}

struct NoCapabilities;

impl CapabilitiesRegistry for NoCapabilities {}

/// A source with a number.
pub(crate) struct Price;

impl DataSource for Price {
    async fn observe(&self, _: ReportTimestamp) -> Result<Option<BigInt>> {
        Ok(Some(42.into()))
    }
}

/// A source without one.
pub(crate) struct Nowhere;

impl DataSource for Nowhere {
    async fn observe(&self, _: ReportTimestamp) -> Result<Option<BigInt>> {
        Err("no price anywhere".into())
    }
}

#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl ErrorLog for Log {
    async fn save_error(&self, message: &str) -> Result<()> {
        self.0.lock().map_err(|_| "poisoned")?.push(message.to_owned());
        Ok(())
    }
}
