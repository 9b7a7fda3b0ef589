//! Reports on their way to the contract.

use loop_runtime::{LoopMessage, Result, loop_service};

use crate::{ConfigDigest, ReportContext};

/// One oracle's signature of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, LoopMessage)]
#[message(package = "loop")]
pub struct AttributedOnchainSignature {
    /// The signature, in the chain's notation.
    #[wire(1)]
    pub signature: Vec<u8>,
    /// Which oracle signed; 255 at most.
    #[wire(2, text = "expected uint8 Signer (max 255) but got {n}")]
    pub signer: u8,
}

/// Sends signed reports to the contract.
#[loop_service(package = "loop")]
pub trait ContractTransmitter {
    /// Sends `report`, signed by more oracles than may be faulty. Never repeated by itself, as it may cost money; the
    /// caller decides what a lost call means.
    async fn transmit(
        &self,
        #[wire(1, name = "reportContext")] context: ReportContext,
        #[wire(2)] report: &[u8],
        #[wire(3, name = "attributedOnchainSignatures")] signatures: &[AttributedOnchainSignature],
    ) -> Result<()>;

    /// The configuration and the epoch of the newest report in the contract.
    #[rpc(idempotent, returns(configDigest = 1, epoch = 2))]
    async fn latest_config_digest_and_epoch(&self) -> Result<(ConfigDigest, u32)>;

    /// The account that sends.
    #[rpc(idempotent, returns(Account = 1))]
    async fn from_account(&self) -> Result<String>;
}
