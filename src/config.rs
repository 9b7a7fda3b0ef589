//! The configuration of an oracle network, as its contract holds it.

use loop_runtime::{LoopMessage, Result, loop_service};

use crate::ConfigDigest;

/// One configuration of the oracle network.
#[derive(Clone, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop")]
pub struct ContractConfig {
    /// Identifies this configuration.
    #[wire(1, name = "configDigest")]
    pub config_digest: ConfigDigest,
    /// Counts the contract's configurations, from 1.
    #[wire(2, name = "configCount")]
    pub config_count: u64,
    /// The public keys that sign reports, one for each oracle.
    #[wire(3)]
    pub signers: Vec<Vec<u8>>,
    /// The accounts that transmit reports, one for each oracle.
    #[wire(4)]
    pub transmitters: Vec<String>,
    /// How many oracles may be faulty; 255 at most.
    #[wire(5, name = "F", text = "expected uint8 F (max 255) but got {n}")]
    pub f: u8,
    /// The part that the contract itself reads.
    #[wire(6, name = "onchainConfig")]
    pub onchain_config: Vec<u8>,
    /// The version of the encoding of `offchain_config`.
    #[wire(7, name = "offchainConfigVersion")]
    pub offchain_config_version: u64,
    /// The part that only oracles read.
    #[wire(8, name = "offchainConfig")]
    pub offchain_config: Vec<u8>,
}

/// Computes digests of configurations.
#[loop_service(package = "loop")]
pub trait OffchainConfigDigester {
    /// The digest of `config`, whose own digest is ignored.
    #[rpc(idempotent, returns(configDigest = 1))]
    async fn config_digest(&self, #[wire(name = "contractConfig")] config: &ContractConfig) -> Result<ConfigDigest>;

    /// The first two bytes of every digest that this digester computes, as a big-endian number.
    #[rpc(idempotent, returns(configDigestPrefix = 1))]
    async fn config_digest_prefix(&self) -> Result<u16>;
}

/// Follows the configuration of a contract. To notice changes, poll it: Go's interface has a channel for that, which
/// does not cross the boundary there either.
#[loop_service(package = "loop")]
pub trait ContractConfigTracker {
    /// The block that last changed the configuration, and the digest of that configuration.
    #[rpc(idempotent, returns(changedInBlock = 1, configDigest = 2))]
    async fn latest_config_details(&self) -> Result<(u64, ConfigDigest)>;

    /// The configuration that was set in block `changed_in_block`.
    #[rpc(idempotent, returns(contractConfig = 1))]
    async fn latest_config(&self, #[wire(name = "changedInBlock")] changed_in_block: u64) -> Result<ContractConfig>;

    /// The height of the newest block.
    #[rpc(idempotent, returns(blockHeight = 1))]
    async fn latest_block_height(&self) -> Result<u64>;
}
