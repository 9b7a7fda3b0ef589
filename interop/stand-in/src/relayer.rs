//! The relayer plugin: `-cmd=relayer`.

use std::collections::BTreeMap;
use std::sync::Arc;

use loop_runtime::wire::Struct;
use loop_runtime::{Error, Result};
use loop_services::prelude::*;
use loop_services::relayer::{ChainInfo, ChainStatus, Head, NodeStatus, ProviderType};

use crate::check::same;
use crate::part::Part;
use crate::provider::Provider;
use crate::reader::Reader;
use crate::values;

/// The root of the plugin. With `static_checks`, arguments must have the static values.
pub fn service(static_checks: bool) -> Arc<dyn PluginRelayer> {
    let root = Part::new("staticPluginRelayer");
    let relayer = root.part("staticRelayer");
    let generic = relayer.part("staticPluginProvider");
    let parts = Parts {
        config: relayer.part("staticConfigProvider"),
        median: relayer.part("staticMedianProvider"),
        ocr3: generic.part("staticPluginProvider"),
        mercury: relayer.part("staticMercuryProvider"),
        generic,
    };
    // Of the last two kinds there are only names.
    let others = ["staticExecProvider", "staticCommitProvider"].map(|name| relayer.part(name));
    let all = [&parts.config, &parts.median, &parts.generic, &parts.ocr3, &parts.mercury].map(Part::clone);
    let relayer = relayer.over(all.into_iter().chain(others));
    let part = root.over([relayer.clone()]);
    Arc::new(Root { part, relayer: Chain { part: relayer, parts, static_checks } })
}

/// Those of providers.
#[derive(Clone)]
struct Parts {
    config: Part,
    median: Part,
    generic: Part,
    ocr3: Part,
    mercury: Part,
}

struct Root {
    part: Part,
    relayer: Chain,
}

impl Lifecycle for Root {
    async fn ready(&self) -> Result<()> {
        self.part.says("Ready");
        Ok(())
    }

    async fn health_report(&self) -> Result<BTreeMap<String, String>> {
        Ok(self.part.health())
    }
}

impl PluginRelayer for Root {
    async fn new_relayer(
        &self,
        config: &str,
        keystore: Arc<dyn Keystore>,
        csa_keystore: Arc<dyn Keystore>,
        // The tests' registry takes no calls.
        _registry: Arc<dyn CapabilitiesRegistry>,
    ) -> Result<Arc<dyn Relayer>> {
        if self.relayer.static_checks {
            same("config", values::CONFIG_TOML, config)?;
        }
        if keystore.accounts().await?.is_empty() {
            return Err(Error::unknown("expected at least one key but got none"));
        }
        if csa_keystore.accounts().await?.is_empty() {
            return Err(Error::unknown("expected at least one CSA key but got none"));
        }
        Ok(Arc::new(self.relayer.clone()))
    }
}

#[derive(Clone)]
struct Chain {
    part: Part,
    parts: Parts,
    static_checks: bool,
}

impl Chain {
    /// Under static checks, `got` must be `expected`.
    fn takes<T: PartialEq + std::fmt::Debug + ?Sized>(&self, what: &str, expected: &T, got: &T) -> Result<()> {
        if self.static_checks { same(what, expected, got) } else { Ok(()) }
    }
}

impl Lifecycle for Chain {
    async fn start(&self) -> Result<()> {
        self.part.says("Started");
        Ok(())
    }

    async fn close(&self) -> Result<()> {
        self.part.says("Closed");
        Ok(())
    }

    async fn ready(&self) -> Result<()> {
        self.part.says("Ready");
        Ok(())
    }

    async fn health_report(&self) -> Result<BTreeMap<String, String>> {
        Ok(self.part.health())
    }
}

impl Relayer for Chain {
    async fn new_contract_writer(&self, _: &[u8]) -> Result<Arc<dyn ContractWriter>> {
        Err(not_implemented())
    }

    async fn new_contract_reader(&self, config: &[u8]) -> Result<Arc<dyn ContractReaderService>> {
        self.takes("contractReaderConfig", values::READER_CONFIG, config)?;
        Ok(Arc::new(Reader))
    }

    async fn new_config_provider(&self, relay_args: &RelayArgs) -> Result<Arc<dyn ConfigProvider>> {
        self.takes("relay args", &values::relay_args(&relay_args.provider_type), relay_args)?;
        Ok(Arc::new(Provider(self.parts.config.clone())))
    }

    async fn new_plugin_provider(
        &self,
        relay_args: &RelayArgs,
        plugin_args: &PluginArgs,
    ) -> Result<Arc<dyn MedianProvider>> {
        let (part, expected) = match relay_args.provider()? {
            ProviderType::Median => (&self.parts.median, values::relay_args("median")),
            ProviderType::Plugin => (&self.parts.generic, values::relay_args("plugin")),
            ProviderType::Ocr3Capability => (&self.parts.ocr3, values::relay_args("ocr3-capability")),
            ProviderType::Mercury => (&self.parts.mercury, values::mercury_relay_args()),
            _ => return Err(relay_args.not_supported()),
        };
        self.takes("relay args", &expected, relay_args)?;
        self.takes("plugin args", &values::plugin_args(), plugin_args)?;
        Ok(Arc::new(Provider(part.clone())))
    }

    async fn latest_head(&self) -> Result<Head> {
        Err(not_implemented())
    }

    async fn finalized_head(&self) -> Result<Head> {
        Err(not_implemented())
    }

    async fn get_chain_status(&self) -> Result<ChainStatus> {
        Ok(values::chain_status())
    }

    async fn get_chain_info(&self) -> Result<ChainInfo> {
        Ok(values::chain_info())
    }

    async fn list_node_statuses(&self, page_size: i32, page_token: &str) -> Result<(Vec<NodeStatus>, i32, String)> {
        self.takes("page_size", &values::PAGE_SIZE, &page_size)?;
        same("page_token", "", page_token)?;
        let nodes = values::nodes();
        let total = i32::try_from(nodes.len()).map_err(Error::other)?;
        Ok((nodes, total, String::new()))
    }

    async fn transact(&self, from: &str, to: &str, amount: Option<BigInt>, balance_check: bool) -> Result<()> {
        self.takes("from", values::FROM, from)?;
        self.takes("to", values::TO, to)?;
        self.takes("amount", &Some(values::AMOUNT.into()), &amount)?;
        self.takes("balance check", &true, &balance_check)
    }

    async fn replay(&self, from_block: &str, args: Option<Struct>) -> Result<()> {
        self.takes("from", "", from_block)?;
        self.takes("args", &Struct::default(), &args.unwrap_or_default())
    }
}

fn not_implemented() -> Error {
    Error::unknown("not implemented")
}
