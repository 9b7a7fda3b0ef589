//! Rounds of the oracle protocol, without its network: all oracles live in this process.

use std::collections::VecDeque;
use std::sync::Arc;

use loop_runtime::{Error, Result};
use loop_services::prelude::*;
use num_bigint::BigInt;

use crate::fault::Fault;
use crate::numerical::observation;
use crate::readings::Readings;
use crate::signing::{Key, Signed};
use crate::story::{Story, Tone, counted};

/// An epoch has one leader, for so many rounds.
pub(crate) const ROUNDS_PER_EPOCH: u32 = 4;

/// The protocol can bind reports to more than the round; the median does not.
const EXTRA_HASH: [u8; 32] = [0; 32];

/// A member of the network.
pub(crate) struct Oracle {
    pub(crate) number: u8,
    pub(crate) provider: Arc<dyn MedianProvider>,
    pub(crate) plugin: Arc<dyn ReportingPlugin>,
    pub(crate) key: Key,
}

/// All oracles under one configuration.
pub(crate) struct Network {
    pub(crate) config: ContractConfig,
    pub(crate) team: Vec<Arc<Oracle>>,
    /// The first one of this run.
    pub(crate) epoch: u32,
    pub(crate) median: Arc<Fault>,
    pub(crate) relayer: Arc<Fault>,
    /// What the oracles read in the round that runs.
    pub(crate) readings: Arc<Readings>,
    /// Of the contract's answers.
    decimals: u32,
    story: Arc<Story>,
}

/// The outcome of a round.
pub(crate) struct Came {
    /// How many observed.
    pub(crate) observers: usize,
    /// The median of what they observed.
    pub(crate) answer: BigInt,
    /// Through whom the report reached the contract, if it did.
    pub(crate) transmitted: Option<u8>,
}

impl Network {
    /// Without members yet. `faults` are the median's and the relayer's.
    pub(crate) fn new(story: Arc<Story>, decimals: u32, (median, relayer): (Arc<Fault>, Arc<Fault>)) -> Self {
        Self {
            config: ContractConfig::default(),
            team: Vec::new(),
            epoch: 1,
            median,
            relayer,
            readings: Arc::default(),
            decimals,
            story,
        }
    }

    /// Runs round `round` of this run, from 1.
    ///
    /// # Errors
    ///
    /// The round failed: too few observations, signatures or acceptances, or a plugin that did not recover.
    pub(crate) async fn round(&self, round: u32) -> Result<Came> {
        let (epoch, within) = ((round - 1) / ROUNDS_PER_EPOCH, (round - 1) % ROUNDS_PER_EPOCH);
        let at = ReportTimestamp {
            config_digest: self.config.config_digest,
            epoch: self.epoch + epoch,
            round: u8::try_from(within + 1).map_err(Error::other)?,
        };
        let leader = &self.team[at.epoch as usize % self.team.len()];
        let query = leader.plugin.query(at).await?;
        let observations = self.observe(round, at, &query).await;
        let needed = 2 * usize::from(self.config.f) + 1;
        if observations.len() < needed {
            let text = format!("{} observed, {needed} are needed", counted(observations.len() as u64, "oracle"));
            return Err(Error::failed_precondition(text));
        }
        let mut came = Came { observers: observations.len(), answer: median(&observations), transmitted: None };
        let Some((report, signatures)) = self.report(round, at, query, observations).await? else { return Ok(came) };
        let accepted = self.accept(round, at, &report).await;
        if accepted.is_empty() {
            return Err(Error::failed_precondition("no oracle accepted it"));
        }
        came.transmitted = Some(self.transmit(round, at, &report, &signatures, accepted).await?);
        Ok(came)
    }

    /// All oracles observe concurrently; those that cannot skip the round.
    async fn observe(&self, round: u32, at: ReportTimestamp, query: &[u8]) -> Vec<AttributedObservation> {
        let observed = ask(&self.team, |oracle| {
            let (query, fault) = (query.to_vec(), self.median.clone());
            async move {
                let observed = oracle.plugin.observation(at, &query).await;
                fault.seen(oracle.number, &observed);
                observed
            }
        });
        let observed = observed.await;
        if let Some(readings) = self.readings.told(self.decimals) {
            self.story.tell(Tone::Faint, format!("round {round}"), format!("read {readings}"));
        }
        let mut observations = Vec::new();
        for (oracle, observed) in observed {
            match observed {
                Ok(observation) => observations.push(AttributedObservation { observation, observer: oracle.number }),
                // The median has written its own error to the error log.
                Err(why) if why.loss().is_none() => self.note(round, &oracle, "sits it out"),
                Err(why) => self.note(round, &oracle, format!("sits it out: {why}")),
            }
        }
        observations
    }

    /// All oracles make the report by themselves. Who made the same as the first one signs it; the contract wants one
    /// signature more than there may be faulty oracles. `None`: there is nothing to report.
    async fn report(
        &self,
        round: u32,
        at: ReportTimestamp,
        query: Vec<u8>,
        observations: Vec<AttributedObservation>,
    ) -> Result<Option<(Vec<u8>, Vec<AttributedOnchainSignature>)>> {
        let asked = Arc::new((query, observations));
        let reports = ask(&self.team, |oracle| {
            let asked = asked.clone();
            async move { oracle.plugin.report(at, &asked.0, &asked.1).await }
        });
        let mut agreed: Option<Vec<u8>> = None;
        let (mut signatures, mut silent) = (Vec::new(), 0);
        for (oracle, reported) in reports.await {
            match reported {
                Ok((true, report)) if agreed.as_ref().is_none_or(|agreed| *agreed == report) => {
                    signatures.push(oracle.sign(at, &report));
                    agreed = Some(report);
                }
                Ok((true, _)) => self.note(round, &oracle, "made another report than the others"),
                Ok((false, _)) => silent += 1,
                Err(why) => self.note(round, &oracle, format!("made no report: {why}")),
            }
        }
        let needed = usize::from(self.config.f) + 1;
        match agreed {
            Some(report) if signatures.len() >= needed => {
                signatures.truncate(needed);
                Ok(Some((report, signatures)))
            }
            None if silent >= needed => Ok(None),
            _ => {
                let text = format!("{} signed, {needed} are needed", counted(signatures.len() as u64, "oracle"));
                Err(Error::failed_precondition(text))
            }
        }
    }

    /// Who thinks that the signed report is worth a transmission.
    async fn accept(&self, round: u32, at: ReportTimestamp, report: &[u8]) -> Vec<Arc<Oracle>> {
        let accepts = ask(&self.team, |oracle| {
            let report = report.to_vec();
            async move {
                let accepts = oracle.plugin.should_accept_finalized_report(at, &report).await;
                match accepts {
                    // What was accepted is remembered, so the runtime does not retry this by itself. We may: a process
                    // that ended has forgotten, and one that has not says no, which is the safe answer.
                    Err(why) if why.loss().is_some() => oracle.plugin.should_accept_finalized_report(at, &report).await,
                    accepts => accepts,
                }
            }
        });
        let mut accepted = Vec::new();
        for (oracle, accepts) in accepts.await {
            match accepts {
                Ok(true) => accepted.push(oracle),
                Ok(false) => {}
                Err(why) => self.note(round, &oracle, format!("did not accept: {why}")),
            }
        }
        accepted
    }

    /// Oracles transmit in turn, each only while the contract lacks the report: so nothing is sent twice, and a loss costs
    /// nothing but the time. Returns who did it.
    async fn transmit(
        &self,
        round: u32,
        at: ReportTimestamp,
        report: &[u8],
        signatures: &[AttributedOnchainSignature],
        accepted: Vec<Arc<Oracle>>,
    ) -> Result<u8> {
        let context = ReportContext { timestamp: at, extra_hash: EXTRA_HASH };
        let mut tries = 2 * accepted.len();
        let mut turns = VecDeque::from(accepted);
        // By whom it was sent, as far as we were told.
        let mut sent = None;
        while let Some(oracle) = turns.pop_front() {
            let lacks = oracle.plugin.should_transmit_accepted_report(at, report).await;
            match lacks {
                Ok(lacks) => {
                    self.relayer.back();
                    if !lacks {
                        continue;
                    }
                }
                Err(why) => {
                    self.note(round, &oracle, format!("cannot tell whether to transmit: {why}"));
                    continue;
                }
            }
            let outcome = oracle.provider.contract_transmitter().transmit(context, report, signatures).await;
            self.relayer.seen(oracle.number, &outcome);
            match outcome {
                Ok(()) => sent = Some(oracle.number),
                Err(why) if why.may_have_run() && why.loss().is_some() => {
                    self.note(
                        round,
                        &oracle,
                        "may have transmitted: before anybody sends again, the contract is asked",
                    );
                    sent = sent.or(Some(oracle.number));
                    tries -= 1;
                    if tries > 0 {
                        turns.push_back(oracle);
                    }
                }
                Err(why) => self.note(round, &oracle, format!("did not transmit: {why}")),
            }
        }
        let contract = self.team[0].provider.median_contract().latest_transmission_details().await?;
        let arrived = (contract.epoch, contract.round) == (at.epoch, at.round);
        sent.filter(|_| arrived).ok_or_else(|| Error::failed_precondition("nobody transmitted it"))
    }

    fn note(&self, round: u32, oracle: &Oracle, text: impl std::fmt::Display) {
        self.story.tell(Tone::Warning, format!("round {round}"), format!("oracle {} {text}", oracle.number));
    }
}

impl Oracle {
    fn sign(&self, at: ReportTimestamp, report: &[u8]) -> AttributedOnchainSignature {
        let signed = Signed {
            config_digest: &at.config_digest.0,
            epoch: at.epoch,
            round: at.round,
            extra_hash: &EXTRA_HASH,
            report,
        };
        AttributedOnchainSignature { signature: self.key.sign(&signed.message()).to_vec(), signer: self.number }
    }
}

/// Calls all concurrently; returns the results in the order of the team.
async fn ask<T, F>(team: &[Arc<Oracle>], ask: impl Fn(Arc<Oracle>) -> F) -> Vec<(Arc<Oracle>, Result<T>)>
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let asked: Vec<_> = team.iter().map(|oracle| (oracle.clone(), tokio::spawn(ask(oracle.clone())))).collect();
    let mut answers = Vec::new();
    for (oracle, answer) in asked {
        answers.push((oracle, answer.await.unwrap_or_else(|panic| Err(Error::internal(panic.to_string())))));
    }
    answers
}

/// For the story: the upper median of the observations that can be read.
fn median(observations: &[AttributedObservation]) -> BigInt {
    let parsed = observations.iter().filter_map(|it| observation::parse(it.observer, &it.observation).ok());
    let mut values: Vec<BigInt> = parsed.filter_map(|it| it.value).collect();
    values.sort();
    values.get(values.len() / 2).cloned().unwrap_or_default()
}
