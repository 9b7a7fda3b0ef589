//! The node: launches both plugins, makes the oracles, runs the rounds, and leaves nothing behind.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use loop_runtime::host::{Command, Host, Supervisor};
use loop_runtime::{Error, Handshake};
use loop_services::prelude::*;
use tokio::signal::unix::{SignalKind, signal};

use crate::args::Args;
use crate::contract::FeedConfig;
use crate::convert::from_wire;
use crate::decimal;
use crate::fault::Fault;
use crate::job::Job;
use crate::ledger::Ledger;
use crate::node::{Keys, Log, NoCapabilities, Source};
use crate::oracles::{Came, Network, Oracle, ROUNDS_PER_EPOCH};
use crate::prices;
use crate::relayer::ChainConfig;
use crate::signing::Key;
use crate::story::{Story, Tone, counted};

type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// What to do about a ledger that cannot be used.
const ELSEWHERE: &str =
    "--ledger FILE keeps the transactions in another file, and so does ledger = \"FILE\" in the job";

/// How many transactions the end of the run shows.
const TAIL: usize = 12;

/// Runs the feed; plugins are closed in any case. The code is that of a shell where a signal ended the run.
pub(crate) async fn run(args: &Args, job: &Job, story: &Arc<Story>) -> Result<ExitCode> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let ledger = match args.ledger.as_ref().or(job.ledger.as_ref()) {
        Some(path) => std::path::absolute(path)?,
        None => std::env::current_exe()?.with_file_name(ledger_name(&job.name)),
    };
    // The relayer opens it. An obstacle is better reported before any plugin is launched.
    drop(Ledger::open(&ledger).map_err(|why| format!("{why}\n  help: {ELSEWHERE}"))?);
    let relayer = launch(handshake::RELAYER, "relayer", story).await?;
    let median = match launch(handshake::MEDIAN, "median", story).await {
        Ok(median) => median,
        Err(why) => {
            relayer.close().await;
            return Err(why);
        }
    };
    let node = Node { args, job, story, ledger, relayer, median };
    let ran = tokio::select! {
        ran = node.run() => ran.map(Ok),
        _ = interrupt.recv() => Ok(Err(("Ctrl-C", 130))),
        _ = terminate.recv() => Ok(Err(("SIGTERM", 143))),
    };
    story.progress(1, 1);
    if let Ok(Err((signal, _))) = ran {
        story.conclude(Tone::Warning, "stopped", format!("by {signal}, closing both plugins"));
    }
    // Consumers first: the median uses the relayer.
    node.median.close().await;
    node.relayer.close().await;
    let ran = ran?;
    conclude(job, story, &node.ledger)?;
    match ran {
        Ok(rounds) => rounds.outcome().map(|()| ExitCode::SUCCESS),
        Err((_, code)) => Ok(ExitCode::from(code)),
    }
}

/// The outcome of the rounds of a run.
#[derive(Default)]
struct Rounds {
    /// Reports that reached the contract.
    reports: u32,
    /// Rounds that failed.
    failed: u32,
    /// The error of the last of those.
    last: String,
}

impl Rounds {
    /// # Errors
    ///
    /// There was something to report and no report was made. A run in which prices stayed near the contract's answer is
    /// a good one.
    fn outcome(&self) -> Result<()> {
        if self.reports > 0 || self.failed == 0 {
            return Ok(());
        }
        let failed = counted(u64::from(self.failed), "round");
        Err(format!("no report in this run: {failed} came to nothing, the last because {}", self.last).into())
    }
}

async fn launch(handshake: Handshake, name: &str, story: &Story) -> Result<Supervisor> {
    let plugin = Host::new(handshake).name(name).launch(Command::new(std::env::current_exe()?)).await?;
    story.tell(Tone::Plain, "launched", format!("{name} plugin, process {}", plugin.pid().unwrap_or_default()));
    Ok(plugin)
}

struct Node<'a> {
    args: &'a Args,
    job: &'a Job,
    story: &'a Arc<Story>,
    ledger: PathBuf,
    relayer: Supervisor,
    median: Supervisor,
}

impl Node<'_> {
    /// The design's sequence, then the rounds.
    async fn run(&self) -> Result<Rounds> {
        let (args, job, story) = (self.args, self.job, self.story);
        let faults = (Fault::new(&self.median, story), Fault::new(&self.relayer, story));
        let accounts: Vec<Key> =
            (0..args.oracles).map(|oracle| Key::of(&format!("account of oracle {oracle}"))).collect();
        let relay_args = self.relay_args(&accounts)?;
        let transmitters: Vec<String> = accounts.iter().map(Key::account).collect();

        let keystore: Arc<dyn Keystore> = Arc::new(Keys {
            accounts: transmitters.iter().cloned().zip((0..).zip(accounts)).collect(),
            fault: faults.1.clone(),
        });
        let config = toml::to_string(&ChainConfig { ledger: self.ledger.clone() })?;
        let plugin: Arc<dyn PluginRelayer> = self.relayer.dispense().await?;
        let relayer = plugin.new_relayer(&config, keystore.clone(), keystore, Arc::new(NoCapabilities)).await?;
        let head = relayer.latest_head().await?;
        story.tell(
            Tone::Faint,
            "relayer",
            format!("block {} is the newest of its chain, {}", head.height, self.ledger.display()),
        );

        let medians: Arc<dyn PluginMedian> = self.median.dispense().await?;
        let mut network = Network::new(story.clone(), job.decimals, faults);
        for (number, account) in (0..).zip(transmitters) {
            let plugin_args = PluginArgs { transmitter_id: account, plugin_config: Vec::new() };
            let provider = relayer.new_plugin_provider(&relay_args, &plugin_args).await?;
            if number == 0 {
                network.config = configuration(&provider).await?;
                network.epoch = provider.contract_transmitter().latest_config_digest_and_epoch().await?.1 + 1;
                let digest = network.config.config_digest.to_string();
                let text = format!("{}, under configuration {digest:.16}..", job.name);
                story.tell(Tone::Faint, "contract", text);
            }
            let oracle = self.oracle(number, provider, &medians, &network).await?;
            network.team.push(Arc::new(oracle));
        }
        let text = format!("{} reporting plugins, of which {} may fail", args.oracles, args.f());
        story.tell(Tone::Faint, "oracles", text);
        self.rounds(&network).await
    }

    /// What an operator would have set on the chain, and written into the job.
    fn relay_args(&self, accounts: &[Key]) -> Result<RelayArgs> {
        let job = self.job;
        let contract = FeedConfig {
            signers: (0..self.args.oracles).map(|oracle| signer(oracle).public()).collect(),
            transmitters: accounts.iter().map(Key::account).collect(),
            f: self.args.f(),
            min: job.min.to_string(),
            max: job.max.to_string(),
            deviation_ppb: job.deviation_ppb,
            heartbeat_nanos: i64::try_from(job.heartbeat.as_nanos())?,
        };
        Ok(RelayArgs {
            contract_id: job.name.clone(),
            relay_config: serde_json::to_vec(&contract)?,
            provider_type: "median".to_owned(),
            ..RelayArgs::default()
        })
    }

    /// One oracle: data sources of its own, a factory over them and the provider, and the reporting plugin.
    async fn oracle(
        &self,
        number: u8,
        provider: Arc<dyn MedianProvider>,
        medians: &Arc<dyn PluginMedian>,
        network: &Network,
    ) -> Result<Oracle> {
        let job = self.job;
        // A run goes on in the price files where the one before left the chain.
        let start = usize::try_from((network.epoch - 1) * ROUNDS_PER_EPOCH)?;
        let lend = |source: &prices::Source, readings| -> Arc<dyn DataSource> {
            Arc::new(Source { source: source.open(start), oracle: number, fault: network.median.clone(), readings })
        };
        let price = &job.prices[usize::from(number) % job.prices.len()];
        let deviation = job.deviation_function.as_ref().map(serde_json::to_vec).transpose()?;
        let factory = medians
            .new_median_factory(
                provider.clone(),
                &job.name,
                lend(price, Some(network.readings.clone())),
                lend(&job.juels_per_fee_coin, None),
                lend(&job.gas_price, None),
                Arc::new(Log { oracle: number, story: self.story.clone() }),
                deviation,
            )
            .await?;
        let config = &network.config;
        let config = ReportingPluginConfig {
            config_digest: config.config_digest,
            oracle_id: number,
            n: u32::try_from(config.signers.len())?,
            f: u32::from(config.f),
            onchain_config: config.onchain_config.clone(),
            offchain_config: config.offchain_config.clone(),
            ..ReportingPluginConfig::default()
        };
        let (plugin, _) = factory.new_reporting_plugin(&config).await?;
        Ok(Oracle { number, provider, plugin, key: signer(number) })
    }

    async fn rounds(&self, network: &Network) -> Result<Rounds> {
        let mut so_far = Rounds::default();
        let rounds = self.args.rounds;
        let contract = network.team.first().ok_or("a network of none")?.provider.median_contract();
        let mut on_chain = contract.latest_transmission_details().await?;
        for round in 1..=rounds {
            self.story.progress(u64::from(round - 1), u64::from(rounds));
            if self.args.faults && round == (rounds / 3).max(1) {
                network.median.arm();
            }
            if self.args.faults && round == (2 * rounds / 3).max(1) {
                network.relayer.arm();
            }
            match network.round(round).await {
                Ok(came) => {
                    so_far.reports += u32::from(came.transmitted.is_some());
                    self.tell(round, &came, &on_chain);
                }
                Err(why) => {
                    so_far.failed += 1;
                    so_far.last = why.to_string();
                    self.story.tell(Tone::Warning, format!("round {round}"), format!("no report: {why}"));
                }
            }
            // There was no transmission to kill it in.
            if round == rounds && network.relayer.kill(u8::MAX, "at rest") {
                contract.latest_transmission_details().await?;
                network.relayer.back();
            }
            on_chain = contract.latest_transmission_details().await?;
        }
        Ok(so_far)
    }

    fn tell(&self, round: u32, came: &Came, before: &TransmissionDetails) {
        let label = format!("round {round}");
        let text = |number| decimal::text(number, self.job.decimals);
        let answer = format!("{} by {} of {} oracles", text(&came.answer), came.observers, self.args.oracles);
        if let Some(oracle) = came.transmitted {
            let text = format!("{answer}, on the chain through oracle {oracle}");
            return self.story.tell(Tone::Good, label, text);
        }
        let why = if came.answer < self.job.min || came.answer > self.job.max {
            "out of bounds".to_owned()
        } else {
            let old = before.latest_answer.as_ref().map(from_wire).unwrap_or_default();
            format!("too near to the contract's {}", text(&old))
        };
        self.story.tell(Tone::Plain, label, format!("{answer}, nothing to report: {why}"));
    }
}

/// A ledger for each feed: what another one has answered means nothing to it.
fn ledger_name(feed: &str) -> String {
    let plain = feed.to_lowercase().replace(|character: char| !character.is_alphanumeric(), " ");
    let words: Vec<&str> = plain.split_whitespace().collect();
    format!("median-{}.redb", words.join("-"))
}

/// An oracle's key for reports.
fn signer(oracle: u8) -> Key {
    Key::of(&format!("oracle {oracle}"))
}

/// The contract's configuration, as oracles learn it: its digest must be the one that they compute themselves.
async fn configuration(provider: &Arc<dyn MedianProvider>) -> loop_runtime::Result<ContractConfig> {
    let tracker = provider.contract_config_tracker();
    let (block, digest) = tracker.latest_config_details().await?;
    let config = tracker.latest_config(block).await?;
    let computed = provider.offchain_config_digester().config_digest(&config).await?;
    if (config.config_digest, computed) != (digest, digest) {
        return Err(Error::failed_precondition("the contract's configuration is not the one that its digest names"));
    }
    Ok(config)
}

/// The ledger, as the relayer has left it.
fn conclude(job: &Job, story: &Story, path: &Path) -> Result<()> {
    let entries = Ledger::open(path)?.tail(TAIL)?;
    let count = entries.last().map_or(0, |(number, _)| *number);
    story.conclude(Tone::Plain, "ledger", format!("{} in {}", counted(count, "transaction"), path.display()));
    for (number, entry) in entries {
        let answer = decimal::text(&entry.answer, job.decimals);
        let signers: Vec<String> = entry.signatures.iter().map(|(oracle, _)| oracle.to_string()).collect();
        let text = format!(
            "epoch {}, round {}: {answer}, signed by oracles {}, sent by {:.8}..",
            entry.epoch,
            entry.round,
            signers.join(", "),
            entry.account
        );
        story.conclude(Tone::Plain, format!("#{number}"), text);
    }
    Ok(())
}
