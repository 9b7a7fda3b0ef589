//! The relayer plugin: the chain is a ledger on disk, its contract takes reports that enough oracles have signed.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use loop_runtime::plugin::Plugin;
use loop_runtime::{Code, Error, Result};
use loop_services::prelude::*;
use loop_services::relayer::{ChainInfo, ChainStatus, Head, NodeStatus};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::convert::{from_wire, observation_from_wire, time_to_wire, to_wire};
use crate::ledger::{Ledger, LedgerError, Transaction};
use crate::numerical::offchain_config::{Alpha, OffchainConfig};
use crate::numerical::ports::{self, Time};
use crate::numerical::{evm_codec, onchain_config};
use crate::signing::{Key, Signed, check_report, check_transaction, transaction};

/// What the host tells of the chain, as TOML.
#[derive(Deserialize, Serialize)]
pub(crate) struct ChainConfig {
    pub(crate) ledger: PathBuf,
}

/// What the host tells of the job's contract, as JSON: what an operator has set on the chain.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct FeedConfig {
    pub(crate) oracles: u8,
    pub(crate) f: u8,
    pub(crate) min: String,
    pub(crate) max: String,
    pub(crate) deviation_ppb: u64,
    pub(crate) heartbeat_nanos: i64,
}

pub(crate) async fn plugin() -> ExitCode {
    Plugin::new(handshake::RELAYER).serve::<dyn PluginRelayer>(Arc::new(Root)).await
}

struct Root;

impl Lifecycle for Root {}

impl PluginRelayer for Root {
    async fn new_relayer(
        &self,
        config: &str,
        keystore: Arc<dyn Keystore>,
        _csa_keystore: Arc<dyn Keystore>,
        _registry: Arc<dyn CapabilitiesRegistry>,
    ) -> Result<Arc<dyn Relayer>> {
        let config: ChainConfig = toml::from_str(config)
            .map_err(|why| Error::invalid_argument(format!("the chain's configuration: {why}")))?;
        if keystore.accounts().await?.is_empty() {
            return Err(Error::failed_precondition("the keystore has no account that could pay for transactions"));
        }
        let ledger = open(&config.ledger)?;
        Ok(Arc::new(Chain { ledger, keystore }))
    }
}

/// The ledger at `path`, which one process opens once: a relayer that takes the place of another shares it.
fn open(path: &Path) -> Result<Arc<Ledger>> {
    static OPEN: Mutex<Weak<Ledger>> = Mutex::new(Weak::new());
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(ledger) = open.upgrade().filter(|ledger| ledger.path() == path) {
        return Ok(ledger);
    }
    let ledger = Arc::new(Ledger::open(path).map_err(disk)?);
    *open = Arc::downgrade(&ledger);
    Ok(ledger)
}

fn disk(why: LedgerError) -> Error {
    let code = match why {
        LedgerError::NotNewer { .. } => Code::AlreadyExists,
        _ => Code::Internal,
    };
    Error::new(code, why.to_string()).with_source(why)
}

struct Chain {
    ledger: Arc<Ledger>,
    keystore: Arc<dyn Keystore>,
}

impl Chain {
    fn head(&self) -> Result<Head> {
        let height = self.ledger.state(&[0; 32]).map_err(disk)?.transactions;
        Ok(Head { height: height.to_string(), hash: Sha256::digest(height.to_be_bytes()).to_vec(), timestamp: 0 })
    }
}

impl Lifecycle for Chain {}

impl Relayer for Chain {
    async fn new_contract_writer(&self, _: &[u8]) -> Result<Arc<dyn ContractWriter>> {
        Err(Error::unimplemented("this chain has no contract writer"))
    }

    async fn new_contract_reader(&self, _: &[u8]) -> Result<Arc<dyn ContractReaderService>> {
        Err(Error::unimplemented("this chain has no contract reader"))
    }

    async fn new_config_provider(&self, _: &RelayArgs) -> Result<Arc<dyn ConfigProvider>> {
        Err(Error::unimplemented("this chain has no config provider"))
    }

    async fn new_plugin_provider(&self, job: &RelayArgs, args: &PluginArgs) -> Result<Arc<dyn MedianProvider>> {
        job.require_median()?;
        let feed: FeedConfig = serde_json::from_slice(&job.relay_config)
            .map_err(|why| Error::invalid_argument(format!("relayConfig: {why}")))?;
        let feed = Feed {
            config: contract_config(&feed)?,
            ledger: self.ledger.clone(),
            keystore: self.keystore.clone(),
            account: args.transmitter_id.clone(),
        };
        Ok(Arc::new(Provider(Arc::new(feed))))
    }

    async fn latest_head(&self) -> Result<Head> {
        self.head()
    }

    async fn finalized_head(&self) -> Result<Head> {
        self.head()
    }

    async fn get_chain_status(&self) -> Result<ChainStatus> {
        Ok(ChainStatus { id: "ledger".into(), enabled: true, config: String::new() })
    }

    async fn get_chain_info(&self) -> Result<ChainInfo> {
        let name = || "ledger".to_owned();
        Ok(ChainInfo { family_name: name(), chain_id: name(), network_name: name(), network_name_full: name() })
    }

    async fn list_node_statuses(&self, _: i32, _: &str) -> Result<(Vec<NodeStatus>, i32, String)> {
        Ok((Vec::new(), 0, String::new()))
    }

    async fn transact(&self, _: &str, _: &str, _: Option<BigInt>, _: bool) -> Result<()> {
        Err(Error::unimplemented("this chain has no coin"))
    }

    async fn replay(&self, _: &str, _: Option<loop_runtime::wire::Struct>) -> Result<()> {
        Ok(())
    }
}

/// What stands on the chain for a feed.
fn contract_config(feed: &FeedConfig) -> Result<ContractConfig> {
    let bound = |text: &str| text.parse().map(Some).map_err(|_| Error::invalid_argument(format!("{text} is no bound")));
    let bounds = ports::OnchainConfig { min: bound(&feed.min)?, max: bound(&feed.max)? };
    let onchain = onchain_config::encode(&bounds).map_err(|why| Error::invalid_argument(why.to_string()))?;
    let alpha = Alpha { infinite: false, ppb: feed.deviation_ppb };
    let offchain = OffchainConfig { alpha_report: alpha, alpha_accept: alpha, delta_c: feed.heartbeat_nanos };
    let keys: Vec<Key> = (0..feed.oracles).map(|oracle| Key::of(&oracle_name(oracle))).collect();
    let mut config = ContractConfig {
        config_digest: ConfigDigest::default(),
        config_count: 1,
        signers: keys.iter().map(|key| key.public().to_vec()).collect(),
        transmitters: keys.iter().map(Key::account).collect(),
        f: feed.f,
        onchain_config: onchain.to_vec(),
        offchain_config_version: 1,
        offchain_config: offchain.encode(),
    };
    config.config_digest = digest(&config);
    Ok(config)
}

/// How an oracle's key is called.
pub(crate) fn oracle_name(oracle: u8) -> String {
    format!("oracle {oracle}")
}

fn digest(config: &ContractConfig) -> ConfigDigest {
    let mut hash = Sha256::new();
    for signer in &config.signers {
        hash.update(signer);
    }
    hash.update([config.f]);
    hash.update(&config.onchain_config);
    hash.update(&config.offchain_config);
    ConfigDigest(hash.finalize().into())
}

/// A feed's contract, with all that a provider offers of it.
struct Feed {
    config: ContractConfig,
    ledger: Arc<Ledger>,
    keystore: Arc<dyn Keystore>,
    account: String,
}

struct Provider(Arc<Feed>);

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

impl OffchainConfigDigester for Feed {
    async fn config_digest(&self, config: &ContractConfig) -> Result<ConfigDigest> {
        Ok(digest(config))
    }

    async fn config_digest_prefix(&self) -> Result<u16> {
        Ok(u16::from_be_bytes([self.config.config_digest.0[0], self.config.config_digest.0[1]]))
    }
}

impl ContractConfigTracker for Feed {
    async fn latest_config_details(&self) -> Result<(u64, ConfigDigest)> {
        Ok((1, self.config.config_digest))
    }

    async fn latest_config(&self, _: u64) -> Result<ContractConfig> {
        Ok(self.config.clone())
    }

    async fn latest_block_height(&self) -> Result<u64> {
        Ok(self.ledger.state(&self.config.config_digest.0).map_err(disk)?.transactions)
    }
}

impl ContractTransmitter for Feed {
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
        let signed = Signed {
            config_digest: &at.config_digest.0,
            epoch: at.epoch,
            round: at.round,
            extra_hash: &context.extra_hash,
            report,
        };
        let signatures: Vec<(u8, Vec<u8>)> =
            signatures.iter().map(|signature| (signature.signer, signature.signature.clone())).collect();
        check_report(&signed, &signatures, &self.config.signers, self.config.f).map_err(|why| refused(&why))?;
        let transaction = transaction(&signed, &signatures);
        let signature = self.keystore.sign(&self.account, &transaction).await?;
        check_transaction(&self.account, &transaction, &signature).map_err(|why| refused(&why))?;
        let answer = evm_codec::median(report).map_err(|why| refused(&why))?;
        let taken = report.get(28..32).and_then(|word| word.try_into().ok()).map_or(0, u32::from_be_bytes);
        let entry = Transaction {
            config_digest: at.config_digest.0,
            epoch: at.epoch,
            round: at.round,
            answer,
            at: i64::from(taken),
            signatures,
            account: self.account.clone(),
            signature,
        };
        self.ledger.append(&entry).map(drop).map_err(disk)
    }

    async fn latest_config_digest_and_epoch(&self) -> Result<(ConfigDigest, u32)> {
        let state = self.ledger.state(&self.config.config_digest.0).map_err(disk)?;
        Ok((self.config.config_digest, state.epoch))
    }

    async fn from_account(&self) -> Result<String> {
        Ok(self.account.clone())
    }
}

impl ReportCodec for Feed {
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

impl MedianContract for Feed {
    async fn latest_transmission_details(&self) -> Result<TransmissionDetails> {
        let state = self.ledger.state(&self.config.config_digest.0).map_err(disk)?;
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
        Ok(RoundRequested::default())
    }
}

impl OnchainConfigCodec for Feed {
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
