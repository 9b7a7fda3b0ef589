//! One round of the oracle protocol, without its network: all oracles live in this process.

use std::sync::Arc;

use loop_runtime::{Error, Result};
use loop_services::prelude::*;

use crate::convert::from_wire;
use crate::signing::{Key, Signed};

/// Rounds of one epoch; the contract counts them in a byte.
const ROUNDS: u32 = 250;

/// A member of the network.
pub(crate) struct Oracle {
    pub(crate) number: u8,
    pub(crate) plugin: Arc<dyn ReportingPlugin>,
    pub(crate) key: Key,
}

/// What there is to tell of a round.
#[derive(Default)]
pub(crate) struct Told {
    /// How many observed.
    pub(crate) observers: usize,
    /// Who did not, and why.
    pub(crate) absent: Vec<(u8, Error)>,
    /// What else happened on the way.
    pub(crate) notes: Vec<String>,
    /// The answer that is on the chain now.
    pub(crate) answer: Option<num_bigint::BigInt>,
}

/// Runs round `round` (from 1) of the epochs after `epoch`.
///
/// # Errors
///
/// The round came to nothing: too few observations, too few acceptances, or a plugin that did not come back.
pub(crate) async fn round(
    config: &ContractConfig,
    provider: &Arc<dyn MedianProvider>,
    team: &[Oracle],
    (epoch, round): (u32, u32),
) -> Result<Told> {
    let at = ReportTimestamp {
        config_digest: config.config_digest,
        epoch: epoch + 1 + (round - 1) / ROUNDS,
        round: u8::try_from((round - 1) % ROUNDS + 1).unwrap_or(u8::MAX),
    };
    let leader = &team[round as usize % team.len()];
    let query = leader.plugin.query(at).await?;
    let mut told = Told::default();
    let observations = observe(team, at, &query, &mut told).await;
    told.observers = observations.len();
    let (should_report, report) = leader.plugin.report(at, &query, &observations).await?;
    if !should_report {
        return Ok(told);
    }

    let extra_hash = [0; 32];
    let signatures = sign(config, team, at, &report, extra_hash, &mut told).await?;
    if !leader.plugin.should_transmit_accepted_report(at, &report).await? {
        return Ok(told);
    }
    let context = ReportContext { timestamp: at, extra_hash };
    transmit(provider, context, &report, &signatures, &mut told).await?;
    let median = provider.report_codec().median_from_report(&report).await?;
    told.answer = median.as_ref().map(from_wire);
    Ok(told)
}

/// All oracles observe at once; who cannot sits the round out.
async fn observe(team: &[Oracle], at: ReportTimestamp, query: &[u8], told: &mut Told) -> Vec<AttributedObservation> {
    let mut all = tokio::task::JoinSet::new();
    for oracle in team {
        let (number, plugin, query) = (oracle.number, oracle.plugin.clone(), query.to_vec());
        all.spawn(async move { (number, plugin.observation(at, &query).await) });
    }
    let mut observations = Vec::new();
    while let Some(observed) = all.join_next().await {
        match observed {
            Ok((observer, Ok(observation))) => observations.push(AttributedObservation { observation, observer }),
            Ok((oracle, Err(why))) => told.absent.push((oracle, why)),
            Err(panic) => told.notes.push(panic.to_string()),
        }
    }
    observations.sort_by_key(|observation| observation.observer);
    told.absent.sort_by_key(|(oracle, _)| *oracle);
    observations
}

/// Oracles that accept the report sign it; one more than may fail are enough.
async fn sign(
    config: &ContractConfig,
    team: &[Oracle],
    at: ReportTimestamp,
    report: &[u8],
    extra_hash: [u8; 32],
    told: &mut Told,
) -> Result<Vec<AttributedOnchainSignature>> {
    let signed = Signed {
        config_digest: &config.config_digest.0,
        epoch: at.epoch,
        round: at.round,
        extra_hash: &extra_hash,
        report,
    };
    let message = signed.message();
    let mut signatures = Vec::new();
    for oracle in team {
        match oracle.plugin.should_accept_finalized_report(at, report).await {
            Ok(true) => signatures.push(AttributedOnchainSignature {
                signature: oracle.key.sign(&message).to_vec(),
                signer: oracle.number,
            }),
            Ok(false) => {}
            Err(why) => told.notes.push(format!("oracle {} did not sign: {why}", oracle.number)),
        }
    }
    let needed = usize::from(config.f) + 1;
    if signatures.len() < needed {
        return Err(Error::failed_precondition(format!("{} oracles accepted, {needed} are needed", signatures.len())));
    }
    signatures.truncate(needed);
    Ok(signatures)
}

/// Sends the report to the contract. Sending is not repeated blindly: after a loss that may have run, the contract is
/// asked whether it has the report.
async fn transmit(
    provider: &Arc<dyn MedianProvider>,
    context: ReportContext,
    report: &[u8],
    signatures: &[AttributedOnchainSignature],
    told: &mut Told,
) -> Result<()> {
    let Err(lost) = provider.contract_transmitter().transmit(context, report, signatures).await else { return Ok(()) };
    if lost.loss().is_none() {
        return Err(lost);
    }
    told.notes.push(format!("transmit was lost ({lost}), so the contract is asked"));
    let has = provider.median_contract().latest_transmission_details().await?;
    if (has.epoch, has.round) >= (context.timestamp.epoch, context.timestamp.round) {
        told.notes.push("it has the report: nothing is sent twice".to_owned());
        return Ok(());
    }
    provider.contract_transmitter().transmit(context, report, signatures).await
}
