//! The node: launches both plugins, wires them together, and runs the oracles.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use loop_runtime::host::{Command, Host, Supervisor};
use loop_runtime::testing::Faults;
use loop_runtime::{Error, Result};
use loop_services::prelude::*;

use crate::args::Args;
use crate::convert::to_wire;
use crate::job::Job;
use crate::ledger::Ledger;
use crate::oracles::{self, Oracle, Told};
use crate::prices::OpenSource;
use crate::relayer::{ChainConfig, FeedConfig, oracle_name};
use crate::signing::Key;
use crate::story::{Story, Tone};

/// A plugin that does not come back within this is not waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs the feed; plugins are closed in any case.
pub(crate) async fn run(args: &Args, job: &Job, story: Arc<Story>) -> Result<(), Box<dyn std::error::Error>> {
    let ledger = match &job.ledger {
        Some(path) => path.clone(),
        None => std::env::current_exe()?.with_file_name("median-feed.redb"),
    };
    let (relayer, median) = (launch(handshake::RELAYER, "relayer").await?, launch(handshake::MEDIAN, "median").await?);
    for plugin in [&relayer, &median] {
        story.tell(Tone::Plain, "launched", format!("{}, process {}", plugin.name(), plugin.pid().unwrap_or_default()));
    }
    let ran = feed(args, job, &story, &ledger, &relayer, &median).await;
    // Consumers first: the median uses the relayer.
    median.close().await;
    relayer.close().await;
    ran?;
    conclude(job, &story, &ledger)
}

async fn launch(handshake: loop_runtime::Handshake, name: &str) -> Result<Supervisor, Box<dyn std::error::Error>> {
    Ok(Host::new(handshake).name(name).launch(Command::new(std::env::current_exe()?)).await?)
}

/// The design's sequence, then the rounds.
async fn feed(
    args: &Args,
    job: &Job,
    story: &Arc<Story>,
    ledger: &Path,
    relayer: &Supervisor,
    median: &Supervisor,
) -> Result<(), Box<dyn std::error::Error>> {
    let account = Key::of("account");
    let transmitter = account.account();
    let keystore: Arc<dyn Keystore> = Arc::new(Keys(account));
    let chain = toml::to_string(&ChainConfig { ledger: ledger.to_owned() })?;
    let root: Arc<dyn PluginRelayer> = relayer.dispense().await?;
    let chain = root.new_relayer(&chain, keystore.clone(), keystore, Arc::new(NoCapabilities)).await?;

    let contract = FeedConfig {
        oracles: args.oracles,
        f: args.f(),
        min: job.min.to_string(),
        max: job.max.to_string(),
        deviation_ppb: job.deviation_ppb,
        heartbeat_nanos: i64::try_from(job.heartbeat.as_nanos()).unwrap_or(i64::MAX),
    };
    let relay_args = RelayArgs {
        contract_id: job.name.clone(),
        relay_config: serde_json::to_vec(&contract)?,
        provider_type: "median".to_owned(),
        ..RelayArgs::default()
    };
    let plugin_args = PluginArgs { transmitter_id: transmitter, plugin_config: Vec::new() };
    let provider = chain.new_plugin_provider(&relay_args, &plugin_args).await?;
    let tracker = provider.contract_config_tracker();
    let (block, _) = tracker.latest_config_details().await?;
    let config = tracker.latest_config(block).await?;
    story.tell(
        Tone::Faint,
        "contract",
        format!("{}, configuration {:.16}..", job.name, config.config_digest.to_string()),
    );

    let medians: Arc<dyn PluginMedian> = median.dispense().await?;
    let mut team = Vec::new();
    for number in 0..args.oracles {
        team.push(oracle(job, story, &provider, &medians, &config, number).await?);
    }
    story.tell(Tone::Faint, "oracles", format!("{} of them, of which {} may fail", args.oracles, args.f()));

    let (_, epoch) = provider.contract_transmitter().latest_config_digest_and_epoch().await?;
    for round in 1..=args.rounds {
        story.progress(u64::from(round - 1), u64::from(args.rounds));
        if args.faults && round == (args.rounds / 3).max(1) {
            kill(story, relayer, || async { provider.median_contract().latest_transmission_details().await.map(drop) })
                .await?;
        }
        if args.faults && round == (2 * args.rounds / 3).max(1) {
            let at = ReportTimestamp { config_digest: config.config_digest, ..ReportTimestamp::default() };
            kill(story, median, || async { team[0].plugin.query(at).await.map(drop) }).await?;
        }
        let told = oracles::round(&config, &provider, &team, (epoch, round)).await;
        tell_round(job, story, round, told);
    }
    story.progress(1, 1);
    Ok(())
}

/// One oracle: its data sources, its factory, its reporting plugin.
async fn oracle(
    job: &Job,
    story: &Arc<Story>,
    provider: &Arc<dyn MedianProvider>,
    medians: &Arc<dyn PluginMedian>,
    config: &ContractConfig,
    number: u8,
) -> Result<Oracle, Box<dyn std::error::Error>> {
    let source = |source: &crate::prices::Source| -> Arc<dyn DataSource> { Arc::new(Price(source.open(0))) };
    let deviation = job.deviation_function.as_ref().map(serde_json::to_vec).transpose()?;
    let factory = medians
        .new_median_factory(
            provider.clone(),
            &job.name,
            source(&job.prices[usize::from(number) % job.prices.len()]),
            source(&job.juels_per_fee_coin),
            source(&job.gas_price),
            Arc::new(Log { oracle: number, story: story.clone() }),
            deviation,
        )
        .await?;
    let plugin = ReportingPluginConfig {
        config_digest: config.config_digest,
        oracle_id: number,
        n: u32::try_from(config.signers.len())?,
        f: u32::from(config.f),
        onchain_config: config.onchain_config.clone(),
        offchain_config: config.offchain_config.clone(),
        ..ReportingPluginConfig::default()
    };
    let (plugin, _) = factory.new_reporting_plugin(&plugin).await?;
    Ok(Oracle { number, plugin, key: Key::of(&oracle_name(number)) })
}

/// Kills a plugin and tells what a caller sees who asks at once.
async fn kill<F: Future<Output = Result<()>>>(story: &Story, plugin: &Supervisor, call: impl Fn() -> F) -> Result<()> {
    let before = plugin.pid().unwrap_or_default();
    plugin.kill()?;
    let began = Instant::now();
    story.tell(Tone::Fault, "SIGKILL", format!("{}, process {before}", plugin.name()));
    while let Err(seen) = call().await {
        story.tell(Tone::Warning, "caller", format!("saw: {seen}"));
        if began.elapsed() > PATIENCE {
            return Err(seen);
        }
    }
    let took = began.elapsed().as_secs_f64() * 1000.0;
    let now = plugin.pid().unwrap_or_default();
    story.tell(
        Tone::Good,
        "back",
        format!("the same handle, answered by process {now}: {took:.1} ms until the next good call"),
    );
    Ok(())
}

fn tell_round(job: &Job, story: &Story, round: u32, told: Result<Told>) {
    let label = format!("round {round}");
    let told = match told {
        Ok(told) => told,
        Err(why) => return story.tell(Tone::Warning, label, format!("no report: {why}")),
    };
    for (oracle, why) in &told.absent {
        story.tell(Tone::Warning, &label, format!("oracle {oracle} sits it out: {why}"));
    }
    for note in &told.notes {
        story.tell(Tone::Warning, &label, note);
    }
    match told.answer {
        Some(answer) => {
            let answer = crate::decimal::text(&answer, job.decimals);
            let text = format!("{} of {answer} by {} oracles, on the chain", job.name, told.observers);
            story.tell(Tone::Good, label, text);
        }
        None => story.tell(Tone::Plain, label, format!("{} observations, nothing to report", told.observers)),
    }
}

/// The ledger, as the chain keeps it.
fn conclude(job: &Job, story: &Story, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let ledger = Ledger::open(path)?;
    story.conclude(Tone::Plain, "ledger", path.display());
    for (number, entry) in ledger.tail(8)? {
        let answer = crate::decimal::text(&entry.answer, job.decimals);
        let signers: Vec<String> = entry.signatures.iter().map(|(oracle, _)| oracle.to_string()).collect();
        let text = format!("epoch {}, round {}: {answer}, signed by {}", entry.epoch, entry.round, signers.join(", "));
        story.conclude(Tone::Plain, format!("#{number}"), text);
    }
    Ok(())
}

/// The node's keys, lent to the relayer.
struct Keys(Key);

impl Keystore for Keys {
    async fn accounts(&self) -> Result<Vec<String>> {
        Ok(vec![self.0.account()])
    }

    async fn sign(&self, account: &str, data: &[u8]) -> Result<Vec<u8>> {
        if account != self.0.account() {
            return Err(Error::not_found(format!("no key of account {account}")));
        }
        Ok(self.0.sign(data).to_vec())
    }

    async fn decrypt(&self, account: &str, _: &[u8]) -> Result<Vec<u8>> {
        Err(Error::unimplemented(format!("the key of account {account} only signs")))
    }
}

/// The contract asks for a registry; this node has no capabilities.
struct NoCapabilities;

impl CapabilitiesRegistry for NoCapabilities {}

/// A data source of the job, lent to the median.
struct Price(OpenSource);

impl DataSource for Price {
    async fn observe(&self, timestamp: ReportTimestamp) -> Result<Option<BigInt>> {
        let number = self.0.observe((timestamp.epoch, timestamp.round)).await;
        number.map(|number| Some(to_wire(&number))).map_err(|why| Error::unknown(format!("{}: {why}", self.0.name())))
    }
}

/// The node's error log, lent to the median.
struct Log {
    oracle: u8,
    story: Arc<Story>,
}

impl ErrorLog for Log {
    async fn save_error(&self, message: &str) -> Result<()> {
        self.story.tell(Tone::Warning, "error log", format!("oracle {}: {message}", self.oracle));
        Ok(())
    }
}
