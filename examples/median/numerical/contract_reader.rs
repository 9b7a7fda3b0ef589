//! The feed's contract through a general reader, for providers that have one.

use super::ports::{
    BoxFuture, Confidence, ContractReader, ContractState, MedianContract, RoundRequested, Time, TransmissionDetails,
};
use std::sync::Arc;

/// The name under which the reader's configuration knows a feed's contract.
pub const CONTRACT: &str = "median";

/// Asks a reader what [`MedianContract`] would ask the contract.
pub struct ContractReaderContract {
    address: String,
    reader: Arc<dyn ContractReader>,
}

impl ContractReaderContract {
    /// The contract at `address`, to which `reader` must be bound under the name `median`.
    pub fn new(address: String, reader: Arc<dyn ContractReader>) -> Self {
        Self { address, reader }
    }

    /// A contract without transmissions or requests is no error: what the reader did not find stays zero.
    async fn read(&self, method: &str) -> Result<ContractState, super::ports::PortError> {
        let identifier = format!("{}-{CONTRACT}-{method}", self.address);
        let mut state = ContractState::default();
        match self.reader.get_latest_value(&identifier, Confidence::Unconfirmed, &mut state).await {
            Err(error) if !error.not_found => Err(error),
            _ => Ok(state),
        }
    }
}

impl MedianContract for ContractReaderContract {
    fn latest_transmission_details(&self) -> BoxFuture<'_, TransmissionDetails> {
        Box::pin(async {
            let state = self.read("LatestTransmissionDetails").await?;
            Ok(TransmissionDetails {
                config_digest: state.config_digest,
                epoch: state.epoch,
                round: state.round,
                latest_answer: Some(state.latest_answer.unwrap_or_default()),
                latest_timestamp: state.latest_timestamp.unwrap_or(Time::ZERO),
            })
        })
    }

    /// Without regard to the lookback: a reader has no such question.
    fn latest_round_requested(&self, _lookback: i64) -> BoxFuture<'_, RoundRequested> {
        Box::pin(async {
            let state = self.read("LatestRoundRequested").await?;
            Ok(RoundRequested { config_digest: state.config_digest, epoch: state.epoch, round: state.round })
        })
    }
}
