//! The contract of a median feed: what it holds, and what its configuration says.

use std::time::SystemTime;

use loop_runtime::{LoopMessage, Result, loop_service};

use crate::{BigInt, ConfigDigest};

/// The last report that reached the contract.
#[derive(Clone, Debug, PartialEq, Eq, LoopMessage)]
#[message(package = "loop", name = "LatestTransmissionDetailsReply")]
pub struct TransmissionDetails {
    /// The contract's current configuration.
    #[wire(1, name = "configDigest", text = "expected ConfigDigest length 32 but got {n}")]
    pub config_digest: ConfigDigest,
    /// The epoch of the report; 0 before the first one.
    #[wire(2)]
    pub epoch: u32,
    /// The round of the report; 0 before the first one.
    #[wire(3, text = "expected uint8 Round (max 255) but got {n}")]
    pub round: u8,
    /// The contract's answer.
    #[wire(4, name = "latestAnswer")]
    pub latest_answer: Option<BigInt>,
    /// When the answer was written. Go's zero time, the first second of year 1, is what a contract without any report
    /// says.
    #[wire(5, name = "latestTimestamp")]
    pub latest_timestamp: SystemTime,
}

/// The last round that somebody asked the contract for; all zero if nobody did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop", name = "LatestRoundRequestedReply")]
pub struct RoundRequested {
    /// The configuration at the time of the request.
    #[wire(1, name = "configDigest", text = "expected ConfigDigest length 32 but got {n}")]
    pub config_digest: ConfigDigest,
    /// The epoch at the time of the request.
    #[wire(2)]
    pub epoch: u32,
    /// The round at the time of the request.
    #[wire(3, text = "expected uint8 Round (max 255) but got {n}")]
    pub round: u8,
}

/// The bounds of an acceptable answer, both inclusive.
#[derive(Clone, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop")]
pub struct OnchainConfig {
    /// The least acceptable answer.
    #[wire(1)]
    pub min: Option<BigInt>,
    /// The greatest acceptable answer.
    #[wire(2)]
    pub max: Option<BigInt>,
}

/// What the contract of a median feed holds.
#[loop_service(package = "loop")]
pub trait MedianContract {
    /// The last report that reached the contract.
    #[rpc(idempotent, whole)]
    async fn latest_transmission_details(&self) -> Result<TransmissionDetails>;

    /// The last request for a round within the past `lookback` nanoseconds. Signed, as Go's durations are.
    #[rpc(idempotent, whole)]
    async fn latest_round_requested(&self, lookback: i64) -> Result<RoundRequested>;
}

/// Makes and reads the part of the configuration that the contract itself reads.
#[loop_service(package = "loop")]
pub trait OnchainConfigCodec {
    /// The bytes of `config`.
    #[rpc(idempotent, returns(encoded = 1))]
    async fn encode(&self, #[wire(name = "onchainConfig")] config: &OnchainConfig) -> Result<Vec<u8>>;

    /// The bounds within `encoded`.
    #[rpc(idempotent, returns(onchainConfig = 1))]
    async fn decode(&self, encoded: &[u8]) -> Result<OnchainConfig>;
}
