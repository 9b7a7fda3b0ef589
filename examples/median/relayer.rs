//! The relayer plugin: its chain is a ledger on disk.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use loop_runtime::wire::Struct;
use loop_runtime::{Error, Result};
use loop_services::prelude::*;
use loop_services::relayer::{ChainInfo, ChainStatus, Head, NodeStatus};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::contract::{Contract, FeedConfig, Provider, disk, on_disk};
use crate::ledger::Ledger;

/// What the host tells of the chain, as TOML.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChainConfig {
    pub(crate) ledger: PathBuf,
}

/// The root of the plugin.
pub(crate) fn service() -> Arc<dyn PluginRelayer> {
    Arc::new(Root::default())
}

#[derive(Default)]
struct Root {
    /// A process opens a ledger once: a relayer that replaces another one shares it.
    open: Arc<Mutex<Weak<Ledger>>>,
}

impl Lifecycle for Root {}

impl PluginRelayer for Root {
    async fn new_relayer(
        &self,
        config: &str,
        keystore: Arc<dyn Keystore>,
        _csa_keystore: Arc<dyn Keystore>,
        _registry: Arc<dyn CapabilitiesRegistry>,
    ) -> Result<Arc<dyn Relayer>> {
        let config: ChainConfig = toml::from_str(config)
            .map_err(|why| Error::invalid_argument(format!("the chain's configuration: {why}")))?;
        let open = self.open.clone();
        let opened = tokio::task::spawn_blocking(move || {
            let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(ledger) = open.upgrade().filter(|ledger| ledger.path() == config.ledger) {
                return Ok(ledger);
            }
            let ledger = Arc::new(Ledger::open(&config.ledger)?);
            *open = Arc::downgrade(&ledger);
            Ok(ledger)
        });
        let ledger = opened.await.map_err(Error::other)?.map_err(disk)?;
        Ok(Arc::new(Chain { ledger, keystore }))
    }
}

struct Chain {
    ledger: Arc<Ledger>,
    keystore: Arc<dyn Keystore>,
}

impl Chain {
    async fn head(&self) -> Result<Head> {
        let height = on_disk(&self.ledger, Ledger::height).await?;
        Ok(Head { height: height.to_string(), hash: Sha256::digest(height.to_be_bytes()).to_vec(), timestamp: 0 })
    }
}

impl Lifecycle for Chain {}

impl Relayer for Chain {
    async fn new_contract_writer(&self, _: &[u8]) -> Result<Arc<dyn ContractWriter>> {
        Err(Error::unimplemented("this chain has no contract writer"))
    }

    async fn new_contract_reader(&self, _: &[u8]) -> Result<Arc<dyn ContractReaderService>> {
        Err(Error::unimplemented("this chain has no contract reader"))
    }

    async fn new_config_provider(&self, _: &RelayArgs) -> Result<Arc<dyn ConfigProvider>> {
        Err(Error::unimplemented("this chain has no config provider"))
    }

    async fn new_plugin_provider(&self, job: &RelayArgs, args: &PluginArgs) -> Result<Arc<dyn MedianProvider>> {
        job.require_median()?;
        let feed: FeedConfig = serde_json::from_slice(&job.relay_config)
            .map_err(|why| Error::invalid_argument(format!("relayConfig: {why}")))?;
        let account = args.transmitter_id.clone();
        // Signing nothing checks whether there is such a key: better to fail now than at the first transmission.
        self.keystore.sign(&account, &[]).await?;
        let contract = Contract {
            config: feed.on_chain()?,
            ledger: self.ledger.clone(),
            keystore: self.keystore.clone(),
            account,
        };
        Ok(Arc::new(Provider(Arc::new(contract))))
    }

    async fn latest_head(&self) -> Result<Head> {
        self.head().await
    }

    async fn finalized_head(&self) -> Result<Head> {
        self.head().await
    }

    async fn get_chain_status(&self) -> Result<ChainStatus> {
        Ok(ChainStatus { id: "ledger".into(), enabled: true, config: String::new() })
    }

    async fn get_chain_info(&self) -> Result<ChainInfo> {
        let name = || "ledger".to_owned();
        Ok(ChainInfo { family_name: name(), chain_id: name(), network_name: name(), network_name_full: name() })
    }

    async fn list_node_statuses(&self, _: i32, _: &str) -> Result<(Vec<NodeStatus>, i32, String)> {
        Ok((Vec::new(), 0, String::new()))
    }

    async fn transact(&self, _: &str, _: &str, _: Option<BigInt>, _: bool) -> Result<()> {
        Err(Error::unimplemented("this chain has no coin"))
    }

    async fn replay(&self, _: &str, _: Option<Struct>) -> Result<()> {
        // Nothing is kept of the chain that could be read again.
        Ok(())
    }
}
