//! A host in Rust runs the median plugin in Go, `interop/loopmedian`, over the provider of the relayer plugin in Go: two
//! processes of Go that meet in a host of ours.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use libtest_mimic::Trial;
use loop_runtime::{Code, health};
use loop_services::prelude::*;

use crate::go_relayer::{job, relayer, transmitter};
use crate::lab::{self, GoPlugin, run};
use crate::lent::{Keys, Log, Source};
use crate::trial;

pub(crate) fn trials() -> Vec<Trial> {
    macro_rules! trials {
        ($($case:ident),* $(,)?) => {
            vec![$(trial(concat!("rust_host_go_median::", stringify!($case)), || run($case(stringify!($case))))),*]
        };
    }
    trials![
        round,
        health_reports,
        presence,
        failures_of_what_is_lent,
        refusals,
        median_killed,
        relayer_killed,
        both_killed,
        closed_first
    ]
}

/// Both plugins, and all that leads to a reporting plugin.
struct Job {
    relayers: GoPlugin,
    medians: GoPlugin,
    provider: Arc<dyn MedianProvider>,
    root: Arc<dyn PluginMedian>,
    factory: Arc<dyn ReportingPluginFactory>,
    plugin: Arc<dyn ReportingPlugin>,
    info: ReportingPluginInfo,
    source: Arc<Source>,
    log: Arc<Log>,
}

impl Job {
    async fn start(name: &str, relay_config: &str) -> Self {
        let relayers = lab::launch(handshake::RELAYER, "looprelayer", &format!("{name}, relayer")).await;
        let medians = lab::launch(handshake::MEDIAN, "loopmedian", name).await;
        let chain = relayer(&relayers.plugin.dispense().await.unwrap(), &Keys::of(&["alice"])).await;
        let provider = chain.new_plugin_provider(&job(relay_config), &transmitter()).await.unwrap();
        let root: Arc<dyn PluginMedian> = medians.plugin.dispense().await.unwrap();
        let (source, log) = (Source::of(1000), Arc::new(Log::default()));
        let factory = factory(&root, &provider, &source, &log, None).await.unwrap();
        let (plugin, info) = factory.new_reporting_plugin(&config()).await.unwrap();
        Self { relayers, medians, provider, root, factory, plugin, info, source, log }
    }

    /// The process of the reporting plugin, as it reports it.
    async fn process(&self) -> String {
        let query = String::from_utf8(self.plugin.query(round_of(1, 1)).await.unwrap()).unwrap();
        query.split(':').next().unwrap().to_owned()
    }

    async fn end(self) {
        let Self { relayers, medians, provider, root, factory, plugin, .. } = self;
        drop((provider, root, factory, plugin));
        medians.close().await;
        relayers.close().await;
    }
}

async fn factory(
    root: &Arc<dyn PluginMedian>,
    provider: &Arc<dyn MedianProvider>,
    source: &Arc<Source>,
    log: &Arc<Log>,
    deviation: Option<Vec<u8>>,
) -> loop_runtime::Result<Arc<dyn ReportingPluginFactory>> {
    let (juels, gas) = (Source::of(i128::MAX - 100), Source::of(-7));
    root.new_median_factory(provider.clone(), "0x42", source.clone(), juels, gas, log.clone(), deviation).await
}

fn config() -> ReportingPluginConfig {
    ReportingPluginConfig {
        config_digest: ConfigDigest([7; 32]),
        oracle_id: 255,
        n: 31,
        f: 10,
        onchain_config: b"-5,5000".to_vec(),
        offchain_config: vec![0xca, 0xfe],
        estimated_round_interval: Duration::from_millis(1500),
        ..ReportingPluginConfig::default()
    }
}

fn round_of(epoch: u32, round: u8) -> ReportTimestamp {
    ReportTimestamp { config_digest: ConfigDigest([7; 32]), epoch, round }
}

fn observed(observer: u8, observation: &[u8]) -> AttributedObservation {
    AttributedObservation { observer, observation: observation.to_vec() }
}

/// A whole round: from the data sources in the host to the transmission on the relayer's chain.
async fn round(name: &str) {
    let it = Job::start(name, "").await;
    assert_eq!(it.log.taken(), ["a factory for 0x42, with a reader: false"]);
    let limits = ReportingPluginLimits { max_query_length: 64, max_observation_length: 92, max_report_length: 3100 };
    assert_eq!(it.info, ReportingPluginInfo { name: "GoMedian".into(), unique_reports: false, limits });

    let query = it.plugin.query(round_of(3, 1)).await.unwrap();
    let said = String::from_utf8(query.clone()).unwrap();
    let text = ": oracle 255 of 31, f 10, rounds of 1.5s, bounds -5 to 5000, cafe";
    assert!(said.starts_with("process ") && said.ends_with(text), "{said}");
    let observation = it.plugin.observation(round_of(3, 1), &query).await.unwrap();
    let text = format!("1003 {} -4", i128::MAX - 97);
    assert_eq!(String::from_utf8(observation.clone()).unwrap(), text);

    let others = [observed(255, &observation), observed(0, b"7 8 9"), observed(17, b"2000 1 1")];
    let (wanted, report) = it.plugin.report(round_of(3, 1), &query, &others).await.unwrap();
    assert!(wanted);
    let text = format!("7 0 8 9 3;1003 255 {} -4 3;2000 17 1 1 3", i128::MAX - 97);
    assert_eq!(String::from_utf8(report.clone()).unwrap(), text);
    assert!(it.plugin.should_accept_finalized_report(round_of(3, 1), &report).await.unwrap());
    assert!(it.plugin.should_transmit_accepted_report(round_of(3, 1), &report).await.unwrap());
    let context = ReportContext { timestamp: round_of(3, 1), extra_hash: [0; 32] };
    let signature = AttributedOnchainSignature { signature: vec![1], signer: 3 };
    it.provider.contract_transmitter().transmit(context, &report, &[signature]).await.unwrap();
    assert!(!it.plugin.should_transmit_accepted_report(round_of(3, 1), &report).await.unwrap());
    assert_eq!(it.plugin.report(round_of(3, 1), &query, &others).await.unwrap(), (false, Vec::new()));
    it.plugin.close().await.unwrap();
    it.end().await;
}

async fn health_reports(name: &str) {
    let it = Job::start(name, "").await;
    it.root.ready().await.unwrap();
    it.factory.ready().await.unwrap();
    let merged =
        health::merge("X", None, health::merge("PluginMedianClient", None, it.root.health_report().await.unwrap()));
    let names: Vec<_> = merged.keys().map(String::as_str).collect();
    let under = "X.PluginMedianClient.GoPluginMedian";
    assert_eq!(names, ["X", "X.PluginMedianClient", under, &format!("{under}.GoMedianFactory")]);
    assert!(merged.values().all(String::is_empty), "{merged:?}");
    it.end().await;
}

/// A provider of the host's own, with the components of another one: each is served on its own, not as one connection.
struct Own(Arc<dyn MedianProvider>);

impl Lifecycle for Own {}

impl MedianProvider for Own {
    fn offchain_config_digester(&self) -> Arc<dyn OffchainConfigDigester> {
        self.0.offchain_config_digester()
    }

    fn contract_config_tracker(&self) -> Arc<dyn ContractConfigTracker> {
        self.0.contract_config_tracker()
    }

    fn contract_transmitter(&self) -> Arc<dyn ContractTransmitter> {
        self.0.contract_transmitter()
    }

    fn report_codec(&self) -> Arc<dyn ReportCodec> {
        self.0.report_codec()
    }

    fn median_contract(&self) -> Arc<dyn MedianContract> {
        self.0.median_contract()
    }

    fn onchain_config_codec(&self) -> Arc<dyn OnchainConfigCodec> {
        self.0.onchain_config_codec()
    }

    fn contract_reader(&self) -> Option<Arc<dyn ContractReader>> {
        self.0.contract_reader()
    }

    fn codec(&self) -> Option<Arc<dyn Codec>> {
        self.0.codec()
    }
}

/// Go probes for an optional component with a call that always fails. The result is right, for a provider that
/// is forwarded undecoded as for one of the host's own.
async fn presence(name: &str) {
    let it = Job::start(name, "with a reader").await;
    assert_eq!(it.log.taken(), ["a factory for 0x42, with a reader: true"]);
    let own: Arc<dyn MedianProvider> = Arc::new(Own(it.provider.clone()));
    let factory = factory(&it.root, &own, &it.source, &it.log, Some(b"{\"type\":\"pendle\"}".to_vec())).await.unwrap();
    assert_eq!(it.log.taken(), ["a factory for 0x42, with a reader: true"]);
    let (_, info) = factory.new_reporting_plugin(&config()).await.unwrap();
    assert_eq!(info.limits.max_report_length, 3100, "the components of the host's own provider answer");
    drop((factory, own));
    it.end().await;
}

/// A failure in a service that the host lends is an error status, never a crash of either side.
async fn failures_of_what_is_lent(name: &str) {
    let it = Job::start(name, "").await;
    it.log.taken();
    let failed = async |round| {
        let error = it.plugin.observation(round_of(1, round), b"").await.unwrap_err();
        assert_eq!(it.log.taken().len(), 1, "the plugin could tell the error log");
        error
    };
    let nothing = failed(Source::NOTHING).await;
    assert_eq!((nothing.code(), nothing.message()), (Code::Unknown, "a source has no number"));
    let panicked = failed(Source::PANIC).await;
    assert!(panicked.message().contains("panicked in /loop.DataSource/Observe: the source broke"), "{panicked}");
    let refused = failed(Source::REFUSE).await;
    assert!(refused.message().contains("the source is closed on Sundays"), "{refused}");
    assert!(refused.message().contains("FailedPrecondition"), "{refused}");
    it.plugin.observation(round_of(1, 1), b"").await.unwrap();
    it.end().await;
}

async fn refusals(name: &str) {
    let it = Job::start(name, "").await;
    let bad = Some(b"[]".to_vec());
    let refused = factory(&it.root, &it.provider, &it.source, &it.log, bad).await.err().expect("no object of JSON");
    assert_eq!(refused.code(), Code::Unknown);
    assert!(refused.message().starts_with("failed to unmarshal deviationFuncDefinition: "), "{refused}");
    // From the relayer, through the host, through the median plugin.
    let config = ReportingPluginConfig { onchain_config: b"none".to_vec(), ..config() };
    let refused = it.factory.new_reporting_plugin(&config).await.err().expect("no bounds");
    assert!(refused.message().ends_with("no bounds: none"), "{refused}");
    it.end().await;
}

/// SIGKILL of the median: the factory is recreated with all that was lent to it, and so is the reporting plugin, which
/// Go's own host leaves dead until the oracle protocol makes another one.
async fn median_killed(name: &str) {
    let mut it = Job::start(name, "").await;
    let before = it.process().await;
    for times in 2..=3 {
        it.medians.kill().await;
        let observation = it.plugin.observation(round_of(1, 1), b"").await.unwrap();
        assert!(observation.starts_with(b"1001 "), "the data sources are lent again");
        it.plugin.should_transmit_accepted_report(round_of(1, 1), b"").await.unwrap();
        assert_eq!(it.log.0.lock().unwrap().len(), times, "one factory for each process");
    }
    assert_ne!(it.process().await, before);
    it.root.ready().await.unwrap();
    it.end().await;
}

/// SIGKILL of the relayer: its provider is lent to the median, which notices only the delay.
async fn relayer_killed(name: &str) {
    let mut it = Job::start(name, "with a reader").await;
    let (before, asked) = (it.process().await, it.source.asked.load(Ordering::Relaxed));
    it.relayers.kill().await;
    assert!(it.plugin.should_transmit_accepted_report(round_of(1, 1), b"").await.unwrap());
    let (wanted, report) = it.plugin.report(round_of(1, 1), b"", &[observed(1, b"1 2 3")]).await.unwrap();
    assert_eq!((wanted, report.as_slice()), (true, b"1 1 2 3 1".as_slice()));
    assert_eq!(it.process().await, before, "the same process, the same connection");
    assert_eq!(it.log.taken().len(), 1, "the same factory");
    assert_eq!(it.source.asked.load(Ordering::Relaxed), asked);
    it.end().await;
}

/// Both at once: parents first, in whichever order they restart.
async fn both_killed(name: &str) {
    let mut it = Job::start(name, "").await;
    let (before, factory) = (it.process().await, it.factory.clone());
    tokio::join!(it.relayers.kill(), it.medians.kill());
    let (wanted, _) = it.plugin.report(round_of(1, 1), b"", &[observed(1, b"1 2 3")]).await.unwrap();
    assert!(wanted);
    assert_ne!(it.process().await, before);
    factory.new_reporting_plugin(&config()).await.unwrap();
    drop(factory);
    it.end().await;
}

/// The relayer ends while the median has its provider: calls say that what they need is closed; both end cleanly.
async fn closed_first(name: &str) {
    let it = Job::start(name, "").await;
    let Job { relayers, medians, provider, root, factory, plugin, .. } = it;
    relayers.close().await;
    let error = plugin.should_transmit_accepted_report(round_of(1, 1), b"").await.unwrap_err();
    assert!(error.message().contains("closed"), "{error}");
    // The median itself is healthy.
    root.ready().await.unwrap();
    drop((provider, root, factory, plugin));
    medians.close().await;
}
