//! Contracts written by name, for chains of any kind.

use loop_runtime::{LoopMessage, Result, loop_service};

use crate::{BigInt, Lifecycle, VersionedBytes};

/// Details of a transaction that a chain may use.
#[derive(Clone, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop")]
pub struct TransactionMeta {
    /// The workflow that sends it.
    #[wire(1)]
    pub workflow_execution_id: String,
    /// How much gas it may use.
    #[wire(2)]
    pub gas_limit: Option<BigInt>,
}

/// How far a transaction has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, LoopMessage)]
#[message(package = "loop.evm")]
pub enum TransactionStatus {
    /// There is no such transaction.
    #[default]
    #[wire(0)]
    Unknown,
    /// Not in a block yet.
    #[wire(1)]
    Pending,
    /// In a block that may still be dropped.
    #[wire(2)]
    Unconfirmed,
    /// In a block that cannot be dropped any more.
    #[wire(3)]
    Finalized,
    /// Failed; another attempt may succeed.
    #[wire(4)]
    Failed,
    /// Failed; another attempt will fail too.
    #[wire(5)]
    Fatal,
}

/// What a transaction costs now, in the chain's smallest unit.
#[derive(Clone, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop", name = "GetFeeComponentsReply")]
pub struct FeeComponents {
    /// The price of execution.
    #[wire(1)]
    pub execution_fee: Option<BigInt>,
    /// The price of storing the data elsewhere; zero on most chains.
    #[wire(2)]
    pub data_availability_fee: Option<BigInt>,
}

/// What one transaction will cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop", name = "GetEstimateFeeReply")]
pub struct EstimateFee {
    /// The fee, in units of 10^-`decimals` coins.
    #[wire(1)]
    pub fee: Option<BigInt>,
    /// The decimals of the fee.
    #[wire(2)]
    pub decimals: u32,
}

/// Writes contracts by the names of its configuration.
#[loop_service(package = "loop")]
#[allow(clippy::too_many_arguments, reason = "the contract's, by name")]
pub trait ContractWriter: Lifecycle {
    /// Sends a transaction that calls `method` with `params` and pays `value`. `transaction_id` is the caller's name for it;
    /// with a name that was used before, nothing is sent. Never repeated by itself.
    #[rpc(reply = "google.protobuf.Empty")]
    async fn submit_transaction(
        &self,
        contract_name: &str,
        method: &str,
        params: &VersionedBytes,
        transaction_id: &str,
        to_address: &str,
        meta: Option<TransactionMeta>,
        value: Option<BigInt>,
    ) -> Result<()>;

    /// How far the transaction has come that the caller named `transaction_id`.
    #[rpc(
        idempotent,
        request = "loop.evm.GetTransactionStatusRequest",
        reply = "loop.evm.GetTransactionStatusReply",
        returns(transaction_status = 1)
    )]
    async fn get_transaction_status(&self, transaction_id: &str) -> Result<TransactionStatus>;

    /// What a transaction costs now.
    #[rpc(idempotent, whole, request = "google.protobuf.Empty")]
    async fn get_fee_components(&self) -> Result<FeeComponents>;

    /// What the transaction will cost that [`submit_transaction`](Self::submit_transaction) would send.
    #[rpc(idempotent, whole)]
    async fn get_estimate_fee(
        &self,
        contract_name: &str,
        method: &str,
        params: &VersionedBytes,
        to_address: &str,
        meta: Option<TransactionMeta>,
        value: Option<BigInt>,
    ) -> Result<EstimateFee>;
}
