//! A feed's contract on the relayer's chain, and the provider that stands for it: it takes reports that enough oracles
//! have signed, in transactions that one of its transmitters has signed.

use std::sync::Arc;

use loop_runtime::{Code, Error, Result};
use loop_services::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::convert::{from_wire, observation_from_wire, time_to_wire, to_wire};
use crate::ledger::{Ledger, LedgerError, Transaction};
use crate::numerical::offchain_config::{Alpha, OffchainConfig};
use crate::numerical::ports::{self, Time};
use crate::numerical::{evm_codec, onchain_config};
use crate::signing::{Signed, check_report, check_transaction, transaction};

/// The first two bytes of every digest here.
const PREFIX: u16 = 1;
/// The block that set the configuration; transactions follow.
pub(crate) const CONFIGURED: u64 = 1;

/// What an operator has set on the chain for a feed; part of the job, as JSON.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeedConfig {
    /// Public keys for reports, by oracle.
    pub(crate) signers: Vec<[u8; 32]>,
    /// Accounts, by oracle.
    pub(crate) transmitters: Vec<String>,
    pub(crate) f: u8,
    /// Decimal, as is `max`.
    pub(crate) min: String,
    pub(crate) max: String,
    pub(crate) deviation_ppb: u64,
    pub(crate) heartbeat_nanos: i64,
}

impl FeedConfig {
    /// The same as the contract holds it.
    pub(crate) fn on_chain(&self) -> Result<ContractConfig> {
        let refused = |why: &dyn std::fmt::Display| Error::invalid_argument(format!("relayConfig: {why}"));
        let bound = |text: &str| text.parse().map(Some).map_err(|_| refused(&format_args!("{text} is no number")));
        let bounds = ports::OnchainConfig { min: bound(&self.min)?, max: bound(&self.max)? };
        let onchain = onchain_config::encode(&bounds).map_err(|why| refused(&why))?;
        let alpha = Alpha { infinite: false, ppb: self.deviation_ppb };
        let offchain = OffchainConfig { alpha_report: alpha, alpha_accept: alpha, delta_c: self.heartbeat_nanos };
        let mut config = ContractConfig {
            config_digest: ConfigDigest::default(),
            config_count: 1,
            signers: self.signers.iter().map(|signer| signer.to_vec()).collect(),
            transmitters: self.transmitters.clone(),
            f: self.f,
            onchain_config: onchain.to_vec(),
            offchain_config_version: 1,
            offchain_config: offchain.encode(),
        };
        config.config_digest = digest(&config);
        Ok(config)
    }
}

/// Of everything but the digest itself. Every part goes in behind its length, so that no two configurations look alike.
fn digest(config: &ContractConfig) -> ConfigDigest {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    part(&config.config_count.to_be_bytes());
    part(&(config.signers.len() as u64).to_be_bytes());
    config.signers.iter().for_each(|signer| part(signer));
    config.transmitters.iter().for_each(|account| part(account.as_bytes()));
    part(&[config.f]);
    part(&config.onchain_config);
    part(&config.offchain_config_version.to_be_bytes());
    part(&config.offchain_config);
    let mut digest: [u8; 32] = hash.finalize().into();
    let [first, second, ..] = &mut digest;
    [*first, *second] = PREFIX.to_be_bytes();
    ConfigDigest(digest)
}

/// Runs a call of the ledger on a thread that may block.
pub(crate) async fn on_disk<T: Send + 'static>(
    ledger: &Arc<Ledger>,
    ask: impl FnOnce(&Ledger) -> Result<T, LedgerError> + Send + 'static,
) -> Result<T> {
    let ledger = ledger.clone();
    tokio::task::spawn_blocking(move || ask(&ledger)).await.map_err(Error::other)?.map_err(disk)
}

pub(crate) fn disk(why: LedgerError) -> Error {
    let code = match why {
        LedgerError::NotNewer { .. } => Code::AlreadyExists,
        LedgerError::InUse(_) => Code::FailedPrecondition,
        _ => Code::Internal,
    };
    Error::new(code, why.to_string()).with_source(why)
}

/// The contract, as seen by one transmitter.
pub(crate) struct Contract {
    pub(crate) config: ContractConfig,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) keystore: Arc<dyn Keystore>,
    pub(crate) account: String,
}

impl Contract {
    async fn state(&self) -> Result<crate::ledger::State> {
        let digest = self.config.config_digest.0;
        on_disk(&self.ledger, move |ledger| ledger.state(&digest)).await
    }
}

pub(crate) struct Provider(pub(crate) Arc<Contract>);

impl Lifecycle for Provider {}

impl MedianProvider for Provider {
    fn offchain_config_digester(&self) -> Arc<dyn OffchainConfigDigester> {
        self.0.clone()
    }

    fn contract_config_tracker(&self) -> Arc<dyn ContractConfigTracker> {
        self.0.clone()
    }

    fn contract_transmitter(&self) -> Arc<dyn ContractTransmitter> {
        self.0.clone()
    }

    fn report_codec(&self) -> Arc<dyn ReportCodec> {
        self.0.clone()
    }

    fn median_contract(&self) -> Arc<dyn MedianContract> {
        self.0.clone()
    }

    fn onchain_config_codec(&self) -> Arc<dyn OnchainConfigCodec> {
        self.0.clone()
    }

    fn contract_reader(&self) -> Option<Arc<dyn ContractReader>> {
        None
    }

    fn codec(&self) -> Option<Arc<dyn Codec>> {
        None
    }
}

impl OffchainConfigDigester for Contract {
    async fn config_digest(&self, config: &ContractConfig) -> Result<ConfigDigest> {
        Ok(digest(config))
    }

    async fn config_digest_prefix(&self) -> Result<u16> {
        Ok(PREFIX)
    }
}

impl ContractConfigTracker for Contract {
    async fn latest_config_details(&self) -> Result<(u64, ConfigDigest)> {
        Ok((CONFIGURED, self.config.config_digest))
    }

    async fn latest_config(&self, changed_in_block: u64) -> Result<ContractConfig> {
        if changed_in_block != CONFIGURED {
            return Err(Error::not_found(format!("block {changed_in_block} set no configuration")));
        }
        Ok(self.config.clone())
    }

    async fn latest_block_height(&self) -> Result<u64> {
        on_disk(&self.ledger, Ledger::height).await
    }
}

impl ContractTransmitter for Contract {
    async fn transmit(
        &self,
        context: ReportContext,
        report: &[u8],
        signatures: &[AttributedOnchainSignature],
    ) -> Result<()> {
        let refused = |why: &dyn std::fmt::Display| Error::invalid_argument(format!("the contract refuses: {why}"));
        let at = context.timestamp;
        if at.config_digest != self.config.config_digest {
            return Err(refused(&"the report belongs to another configuration"));
        }
        if !self.config.transmitters.contains(&self.account) {
            return Err(refused(&format_args!("account {} is none of its transmitters", self.account)));
        }
        let signed = Signed {
            config_digest: &at.config_digest.0,
            epoch: at.epoch,
            round: at.round,
            extra_hash: &context.extra_hash,
            report,
        };
        let signatures: Vec<_> = signatures.iter().map(|it| (it.signer, it.signature.clone())).collect();
        check_report(&signed, &signatures, &self.config.signers, self.config.f).map_err(|why| refused(&why))?;
        let answer = evm_codec::median(report).map_err(|why| refused(&why))?;
        // The last four bytes of the report's first word.
        let observed_at = report.get(28..32).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes);
        let transaction = transaction(&signed, &signatures);
        let signature = self.keystore.sign(&self.account, &transaction).await?;
        check_transaction(&self.account, &transaction, &signature).map_err(|why| refused(&why))?;
        let entry = Transaction {
            config_digest: at.config_digest.0,
            epoch: at.epoch,
            round: at.round,
            answer,
            at: i64::from(observed_at),
            signatures,
            account: self.account.clone(),
            signature,
        };
        on_disk(&self.ledger, move |ledger| ledger.append(&entry)).await.map(drop)
    }

    async fn latest_config_digest_and_epoch(&self) -> Result<(ConfigDigest, u32)> {
        Ok((self.config.config_digest, self.state().await?.epoch))
    }

    async fn from_account(&self) -> Result<String> {
        Ok(self.account.clone())
    }
}

impl ReportCodec for Contract {
    async fn build_report(&self, observations: &[ParsedAttributedObservation]) -> Result<Vec<u8>> {
        let observations: Vec<_> = observations.iter().map(observation_from_wire).collect();
        evm_codec::build(&observations).map_err(Error::other)
    }

    async fn median_from_report(&self, report: &[u8]) -> Result<Option<BigInt>> {
        evm_codec::median(report).map(|median| Some(to_wire(&median))).map_err(Error::other)
    }

    async fn max_report_length(&self, n: i64) -> Result<i64> {
        let n = usize::try_from(n).map_err(|_| Error::invalid_argument("a negative number of observations"))?;
        Ok(i64::try_from(evm_codec::max_report_length(n)).unwrap_or(i64::MAX))
    }
}

impl MedianContract for Contract {
    async fn latest_transmission_details(&self) -> Result<TransmissionDetails> {
        let state = self.state().await?;
        let (answer, at) = state.latest.unwrap_or((0.into(), Time::ZERO.seconds));
        Ok(TransmissionDetails {
            config_digest: self.config.config_digest,
            epoch: state.epoch,
            round: state.round,
            latest_answer: Some(to_wire(&answer)),
            latest_timestamp: time_to_wire(at),
        })
    }

    async fn latest_round_requested(&self, _: i64) -> Result<RoundRequested> {
        // Rounds cannot be requested from this contract.
        Ok(RoundRequested::default())
    }
}

impl OnchainConfigCodec for Contract {
    async fn encode(&self, config: &OnchainConfig) -> Result<Vec<u8>> {
        let bounds =
            ports::OnchainConfig { min: config.min.as_ref().map(from_wire), max: config.max.as_ref().map(from_wire) };
        onchain_config::encode(&bounds).map(|bytes| bytes.to_vec()).map_err(Error::other)
    }

    async fn decode(&self, encoded: &[u8]) -> Result<OnchainConfig> {
        let bounds = onchain_config::decode(encoded).map_err(Error::other)?;
        Ok(OnchainConfig { min: bounds.min.as_ref().map(to_wire), max: bounds.max.as_ref().map(to_wire) })
    }
}
