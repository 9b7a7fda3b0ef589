//! The relayer plugin: one chain, and what jobs need from it.

use std::collections::BTreeMap;
use std::sync::Arc;

use loop_runtime::wire::Struct;
use loop_runtime::{Error, LoopMessage, Result, loop_service};

use crate::{
    BigInt, CapabilitiesRegistry, CcipProvider, ConfigProvider, ContractReaderService, ContractWriter, Keystore,
    Lifecycle, MedianProvider,
};

/// A job that wants something from a chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop")]
pub struct RelayArgs {
    /// The job's UUID.
    #[wire(1, name = "externalJobID", text = "invalid uuid bytes for ExternalJobID: invalid UUID (got {n} bytes)")]
    pub external_job_id: [u8; 16],
    /// The job's number in the node's database.
    #[wire(2, name = "jobID")]
    pub job_id: i32,
    /// The contract, in the chain's notation.
    #[wire(3, name = "contractID")]
    pub contract_id: String,
    /// Whether the job is new, and not one that continues after a restart of the node.
    #[wire(4)]
    pub new: bool,
    /// The part of the job's specification that is about the chain, as JSON.
    #[wire(5, name = "relayConfig")]
    pub relay_config: Vec<u8>,
    /// Which kind of provider the job wants; see [`provider`](Self::provider).
    #[wire(6, name = "providerType")]
    pub provider_type: String,
}

/// The kinds of providers that LOOP knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProviderType {
    /// `median`
    Median,
    /// `plugin`, for generic reporting plugins
    Plugin,
    /// `mercury`
    Mercury,
    /// `ccip-commit`
    CcipCommit,
    /// `ccip-execution`
    CcipExecution,
    /// `ocr3-capability`
    Ocr3Capability,
}

impl RelayArgs {
    /// Which kind of provider the job wants.
    ///
    /// # Errors
    ///
    /// `Unknown`, `provider type not supported: <type>`, as Go answers for a type that LOOP does not know.
    pub fn provider(&self) -> Result<ProviderType> {
        Ok(match self.provider_type.as_str() {
            "median" => ProviderType::Median,
            "plugin" => ProviderType::Plugin,
            "mercury" => ProviderType::Mercury,
            "ccip-commit" => ProviderType::CcipCommit,
            "ccip-execution" => ProviderType::CcipExecution,
            "ocr3-capability" => ProviderType::Ocr3Capability,
            unknown => return Err(Error::unknown(format!("provider type not supported: {unknown}"))),
        })
    }

    /// What a relayer answers that does not make this kind of provider: `Unimplemented`, `median not supported`; for a type
    /// that LOOP does not know, the error of [`provider`](Self::provider).
    pub fn not_supported(&self) -> Error {
        match self.provider() {
            Ok(_) => Error::unimplemented(format!("{} not supported", self.provider_type)),
            Err(unknown) => unknown,
        }
    }

    /// The first line of [`Relayer::new_plugin_provider`] in a relayer that makes providers for medians only.
    ///
    /// # Errors
    ///
    /// [`not_supported`](Self::not_supported) for every other type.
    pub fn require_median(&self) -> Result<()> {
        match self.provider() {
            Ok(ProviderType::Median) => Ok(()),
            _ => Err(self.not_supported()),
        }
    }
}

/// What a provider needs beside the job.
#[derive(Clone, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop")]
pub struct PluginArgs {
    /// The account that transmits, in the chain's notation.
    #[wire(1, name = "transmitterID")]
    pub transmitter_id: String,
    /// The part of the job's specification that is about the plugin, as JSON.
    #[wire(2, name = "pluginConfig")]
    pub plugin_config: Vec<u8>,
}

/// What a CCIP provider is made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop", name = "CCIPProviderArgs")]
pub struct CcipProviderArgs {
    /// The job's UUID.
    #[wire(1, name = "externalJobID", text = "invalid uuid bytes for ExternalJobID: invalid UUID (got {n} bytes)")]
    pub external_job_id: [u8; 16],
    /// The configuration of the contract reader, as JSON.
    #[wire(2, name = "contractReaderConfig")]
    pub contract_reader_config: Vec<u8>,
    /// The configuration of the contract writer, as JSON.
    #[wire(3, name = "chainWriterConfig")]
    pub chain_writer_config: Vec<u8>,
    /// The off-ramp contract.
    #[wire(4, name = "offRampAddress")]
    pub off_ramp_address: Vec<u8>,
    /// Commit or execution, as CCIP numbers its plugins.
    #[wire(5, name = "pluginType")]
    pub plugin_type: u32,
    /// Contracts that an earlier provider of this job was given, by name.
    #[wire(6)]
    pub synced_addresses: BTreeMap<String, Vec<u8>>,
    /// The account that transmits, in the chain's notation.
    #[wire(7, name = "transmitterAddress")]
    pub transmitter_address: String,
    /// The peer's number of a codec bundle that it lends, 0 for none. Nothing connects to it here.
    #[wire(8, name = "extraDataCodecBundleID")]
    pub extra_data_codec_bundle_id: u32,
}

/// A block of a chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, LoopMessage)]
#[message(package = "loop")]
pub struct Head {
    /// The height, in decimal.
    #[wire(1)]
    pub height: String,
    /// The hash.
    #[wire(2)]
    pub hash: Vec<u8>,
    /// Unix seconds.
    #[wire(3)]
    pub timestamp: u64,
}

/// The state of a chain in the node.
#[derive(Clone, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop")]
pub struct ChainStatus {
    /// The chain's id.
    #[wire(1)]
    pub id: String,
    /// Whether the chain is in use.
    #[wire(2)]
    pub enabled: bool,
    /// The chain's configuration, as TOML.
    #[wire(3)]
    pub config: String,
}

/// The names of a chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop")]
pub struct ChainInfo {
    /// The family, such as `evm`.
    #[wire(1)]
    pub family_name: String,
    /// The chain's id within its family.
    #[wire(2)]
    pub chain_id: String,
    /// The network, such as `ethereum`.
    #[wire(3)]
    pub network_name: String,
    /// The network with its environment, such as `ethereum-testnet-sepolia`.
    #[wire(4)]
    pub network_name_full: String,
}

/// The state of one RPC node of a chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop")]
pub struct NodeStatus {
    /// The chain's id.
    #[wire(1, name = "chainID")]
    pub chain_id: String,
    /// The node's name.
    #[wire(2)]
    pub name: String,
    /// The node's configuration, as TOML.
    #[wire(3)]
    pub config: String,
    /// Such as `Alive`.
    #[wire(4)]
    pub state: String,
}

/// The root service of a relayer plugin.
#[loop_service(package = "loop")]
pub trait PluginRelayer: Lifecycle {
    /// The relayer for the chain that `config` describes, as TOML. `keystore` has the keys of the chain's accounts,
    /// `csa_keystore` the node's own.
    ///
    /// A second call from the same host replaces the relayer that the first one made, unless it is refused: a Go host calls
    /// again when it lost the connection.
    #[rpc(singleton, returns(relayerID = 1))]
    async fn new_relayer(
        &self,
        #[wire(1)] config: &str,
        #[wire(2, name = "keystoreID", dial = "Keystore")] keystore: Arc<dyn Keystore>,
        #[wire(4, name = "keystoreCSAID", dial = "CSAKeystore")] csa_keystore: Arc<dyn Keystore>,
        #[wire(3, name = "capabilityRegistryID", dial = "CapabilityRegistry")] registry: Arc<dyn CapabilitiesRegistry>,
    ) -> Result<Arc<dyn Relayer>>;
}

/// One chain.
#[loop_service(package = "loop")]
pub trait Relayer: Lifecycle {
    /// A writer to the contracts that `config` describes, as JSON.
    #[rpc(returns(contractWriterID = 1))]
    async fn new_contract_writer(
        &self,
        #[wire(name = "contractWriterConfig")] config: &[u8],
    ) -> Result<Arc<dyn ContractWriter>>;

    /// A reader of the contracts that `config` describes, as JSON.
    #[rpc(returns(contractReaderID = 1))]
    async fn new_contract_reader(
        &self,
        #[wire(name = "contractReaderConfig")] config: &[u8],
    ) -> Result<Arc<dyn ContractReaderService>>;

    /// The configuration of the job's contract.
    #[rpc(returns(configProviderID = 1))]
    async fn new_config_provider(
        &self,
        #[wire(name = "relayArgs")] relay_args: &RelayArgs,
    ) -> Result<Arc<dyn ConfigProvider>>;

    /// A provider of the job's [type](RelayArgs::provider). An implementation begins with
    /// [`RelayArgs::require_median`], so that other types are answered as Go answers them; the default body answers so for
    /// all types.
    #[rpc(returns(pluginProviderID = 1))]
    async fn new_plugin_provider(
        &self,
        #[wire(name = "relayArgs")] relay_args: &RelayArgs,
        #[wire(name = "pluginArgs")] plugin_args: &PluginArgs,
    ) -> Result<Arc<dyn MedianProvider>> {
        let _ = plugin_args;
        Err(relay_args.not_supported())
    }

    /// A provider for a CCIP job.
    #[rpc(name = "NewCCIPProvider", returns(ccipProviderID = 1))]
    async fn new_ccip_provider(
        &self,
        #[wire(name = "ccipProviderArgs")] args: &CcipProviderArgs,
    ) -> Result<Arc<dyn CcipProvider>> {
        let _ = args;
        Err(Error::unimplemented("ccip not supported"))
    }

    /// The newest block.
    #[rpc(idempotent, returns(head = 1))]
    async fn latest_head(&self) -> Result<Head>;

    /// The newest block that cannot be dropped any more.
    #[rpc(idempotent, returns(head = 1))]
    async fn finalized_head(&self) -> Result<Head>;

    /// The state of the chain.
    #[rpc(idempotent, returns(chain = 1))]
    async fn get_chain_status(&self) -> Result<ChainStatus>;

    /// The names of the chain.
    #[rpc(idempotent, returns(chain_info = 1))]
    async fn get_chain_info(&self) -> Result<ChainInfo>;

    /// A page of the chain's RPC nodes, how many there are in all, and the token of the next page; empty tokens stand for
    /// the first page and for no next page.
    #[rpc(idempotent, returns(nodes = 1, total = 2, next_page_token = 3))]
    async fn list_node_statuses(&self, page_size: i32, page_token: &str) -> Result<(Vec<NodeStatus>, i32, String)>;

    /// Sends `amount` of the chain's coin. Never repeated by itself.
    #[rpc(request = "TransactionRequest", reply = "google.protobuf.Empty")]
    async fn transact(
        &self,
        #[wire(1)] from: &str,
        #[wire(2)] to: &str,
        #[wire(3)] amount: Option<BigInt>,
        #[wire(4, name = "balanceCheck")] balance_check: bool,
    ) -> Result<()>;

    /// Reads the chain again from the block of height `from_block`, in decimal.
    #[rpc(reply = "google.protobuf.Empty")]
    async fn replay(&self, #[wire(name = "fromBlock")] from_block: &str, args: Option<Struct>) -> Result<()>;
}
