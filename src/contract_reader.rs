//! Contracts read by name, for chains of any kind.

use loop_runtime::{LoopMessage, Result, loop_service};

use crate::query::{Confidence, LimitAndSort, QueryKeyFilter};
use crate::relayer::Head;
use crate::{Lifecycle, VersionedBytes};

/// A contract at its address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, LoopMessage)]
#[message(package = "loop")]
pub struct BoundContract {
    /// The address, in the chain's notation.
    #[wire(1)]
    pub address: String,
    /// The contract's name in the reader's configuration.
    #[wire(2)]
    pub name: String,
}

/// Several reads of one contract.
#[derive(Clone, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop")]
pub struct ContractBatch {
    /// The contract.
    #[wire(1)]
    pub contract: BoundContract,
    /// The reads.
    #[wire(2)]
    pub reads: Vec<BatchRead>,
}

/// One read of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop")]
pub struct BatchRead {
    /// What to read.
    #[wire(1)]
    pub read_name: String,
    /// With which parameters.
    #[wire(2)]
    pub params: VersionedBytes,
    /// A value of the type that is wanted.
    #[wire(3)]
    pub return_val: VersionedBytes,
}

/// What was read of one contract.
#[derive(Clone, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop")]
pub struct ContractBatchResult {
    /// The contract.
    #[wire(1)]
    pub contract: BoundContract,
    /// The results, in the order of the reads.
    #[wire(2)]
    pub results: Vec<BatchReadResult>,
}

/// The result of one read of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop")]
pub struct BatchReadResult {
    /// What was read.
    #[wire(1)]
    pub read_name: String,
    /// The value; Go sends one beside an error too.
    #[wire(2)]
    pub return_val: Option<VersionedBytes>,
    /// Why the read failed; empty if it did not.
    #[wire(3)]
    pub error: String,
}

/// A filter on the events of one contract.
#[derive(Clone, Debug, PartialEq, Eq, LoopMessage)]
#[message(package = "loop")]
pub struct ContractKeyFilter {
    /// The contract.
    #[wire(1)]
    pub contract: BoundContract,
    /// The filter.
    #[wire(2)]
    pub filter: QueryKeyFilter,
    /// Whether the data is wanted as [`VersionedBytes::VALUES`].
    #[wire(4)]
    pub as_value_type: bool,
}

/// An event.
#[derive(Clone, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop")]
pub struct Sequence {
    /// Where the event stands, to continue from.
    #[wire(1)]
    pub sequence_cursor: String,
    /// The block of the event.
    #[wire(2)]
    pub head: Head,
    /// The event's data.
    #[wire(3)]
    pub data: VersionedBytes,
    /// The transaction of the event.
    #[wire(4)]
    pub tx_hash: Vec<u8>,
}

/// An event, and which key found it.
#[derive(Clone, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop")]
pub struct SequenceWithKey {
    /// Where the event stands, to continue from.
    #[wire(1)]
    pub sequence_cursor: String,
    /// The block of the event.
    #[wire(2)]
    pub head: Head,
    /// The event's data.
    #[wire(3)]
    pub data: VersionedBytes,
    /// The key of the filter that found it.
    #[wire(4)]
    pub key: String,
    /// The transaction of the event.
    #[wire(5)]
    pub tx_hash: Vec<u8>,
}

/// Reads contracts by the names of its configuration.
///
/// What is read is identified as `<address>-<contract>-<read>`. The reader answers in the encoding of the parameters,
/// unless it is asked for [`VersionedBytes::VALUES`] by `as_value_type`.
#[loop_service(package = "loop")]
pub trait ContractReader {
    /// The newest value of what `read_identifier` names; `NotFound` if there is none.
    ///
    /// Go asks this of every new provider, with an empty identifier, to learn whether there is a reader: answer anything but
    /// `Unimplemented`.
    #[rpc(idempotent, returns(ret_val = 1))]
    async fn get_latest_value(
        &self,
        read_identifier: &str,
        confidence: Confidence,
        params: &VersionedBytes,
        as_value_type: bool,
    ) -> Result<VersionedBytes>;

    /// The same, and the block at which it was read.
    #[rpc(idempotent, request = "GetLatestValueRequest", returns(ret_val = 1, head_data = 2))]
    async fn get_latest_value_with_head_data(
        &self,
        read_identifier: &str,
        confidence: Confidence,
        params: &VersionedBytes,
        as_value_type: bool,
    ) -> Result<(VersionedBytes, Option<Head>)>;

    /// Many values of many contracts, read at one block.
    #[rpc(idempotent, returns(results = 1))]
    async fn batch_get_latest_values(&self, requests: &[ContractBatch]) -> Result<Vec<ContractBatchResult>>;

    /// The events of one contract that pass `filter`.
    #[rpc(idempotent, returns(sequences = 1))]
    async fn query_key(
        &self,
        contract: &BoundContract,
        filter: &QueryKeyFilter,
        limit_and_sort: &LimitAndSort,
        as_value_type: bool,
    ) -> Result<Vec<Sequence>>;

    /// The events of several contracts that pass their filters.
    #[rpc(idempotent, returns(sequences = 1))]
    async fn query_keys(
        &self,
        filters: &[ContractKeyFilter],
        limit_and_sort: &LimitAndSort,
    ) -> Result<Vec<SequenceWithKey>>;

    /// Begins to follow contracts.
    #[rpc(reply = "google.protobuf.Empty")]
    async fn bind(&self, bindings: &[BoundContract]) -> Result<()>;

    /// Ends to follow contracts.
    #[rpc(reply = "google.protobuf.Empty")]
    async fn unbind(&self, bindings: &[BoundContract]) -> Result<()>;
}

/// A [`ContractReader`] with a life of its own: what [`Relayer::new_contract_reader`](crate::Relayer::new_contract_reader)
/// makes. The reader of a provider shares the provider's life.
#[loop_service(package = "loop")]
pub trait ContractReaderService: ContractReader + Lifecycle {}
