//! Reports as the contract reads them.

use loop_runtime::{LoopMessage, Result, loop_service};

use crate::BigInt;

/// One oracle's observation, decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq, LoopMessage)]
#[message(package = "loop")]
pub struct ParsedAttributedObservation {
    /// Unix seconds, modulo 2^32.
    #[wire(1)]
    pub timestamp: u32,
    /// The observed number.
    #[wire(2)]
    pub value: Option<BigInt>,
    /// The price of the coin that pays fees, in juels.
    #[wire(3, name = "julesPerFeeCoin")]
    pub juels_per_fee_coin: Option<BigInt>,
    /// Which oracle observed; 255 at most.
    #[wire(4, text = "expected uint8 Observer (max 255) but got {n}")]
    pub observer: u8,
    /// The gas price in the chain's subunits.
    #[wire(5, name = "gasPriceSubunits")]
    pub gas_price_subunits: Option<BigInt>,
}

/// Makes and reads the bytes of a median report.
#[loop_service(package = "loop")]
pub trait ReportCodec {
    /// A report of `observations`, which are sorted by value.
    #[rpc(idempotent, returns(report = 1))]
    async fn build_report(&self, observations: &[ParsedAttributedObservation]) -> Result<Vec<u8>>;

    /// The answer that the contract will take from `report`.
    #[rpc(idempotent, returns(median = 1))]
    async fn median_from_report(&self, report: &[u8]) -> Result<Option<BigInt>>;

    /// The length of the longest report of `n` observations, in bytes.
    #[rpc(idempotent, returns(max = 1))]
    async fn max_report_length(&self, n: i64) -> Result<i64>;
}
