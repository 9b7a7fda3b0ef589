//! The design's three sequences, between real processes: the spans that the host records, in order, are the arrows of
//! the diagrams. The plugins are those of `examples/median`.

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use loop_runtime::host::{Command, Host, Supervisor};
use loop_runtime::{Handshake, Result};
use loop_services::prelude::*;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// Who calls whom, as the host sees it.
#[derive(Clone, Default)]
struct Arrows(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Arrows {
    fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut fields = Fields::default();
        span.record(&mut fields);
        let Fields { peer, to, path } = fields;
        let (service, method) = path.trim_start_matches("/loop.").rsplit_once('/').unwrap_or_default();
        let arrow = match span.metadata().name() {
            "call" => format!("host -> {peer}: {service}.{method}"),
            "serve" => format!("{peer} -> host: {service}.{method}"),
            "forward" => format!("{peer} -> host -> {to}: {service}.{method}"),
            _ => return,
        };
        // Whether an optional component is there is asked on every new connection; no diagram shows it.
        if method != "__Probe" {
            self.0.lock().unwrap().push(arrow);
        }
    }
}

#[derive(Default)]
struct Fields {
    peer: String,
    to: String,
    path: String,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "peer" => self.peer = value.to_owned(),
            "to" => self.to = value.to_owned(),
            "path" => self.path = value.to_owned(),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, format!("{value:?}").trim_matches('"'));
    }
}

impl Arrows {
    /// The arrows since the last time; those within one group may come in any order.
    #[track_caller]
    fn are(&self, groups: &[&[&str]]) {
        let drawn = std::mem::take(&mut *self.0.lock().unwrap());
        let mut rest = drawn.as_slice();
        for group in groups {
            assert!(rest.len() >= group.len(), "{group:?} is missing at the end of {drawn:#?}");
            let (these, later) = rest.split_at(group.len());
            let (mut these, mut wanted) = (these.to_vec(), group.to_vec());
            these.sort_unstable();
            wanted.sort_unstable();
            assert_eq!(these, wanted, "in {drawn:#?}");
            rest = later;
        }
        assert!(rest.is_empty(), "too much: {rest:#?}");
    }
}

struct Node;

impl Keystore for Node {
    async fn accounts(&self) -> Result<Vec<String>> {
        Ok(vec!["account".to_owned()])
    }

    async fn sign(&self, _: &str, _: &[u8]) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }

    async fn decrypt(&self, _: &str, _: &[u8]) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

impl CapabilitiesRegistry for Node {}

impl DataSource for Node {
    async fn observe(&self, _: ReportTimestamp) -> Result<Option<BigInt>> {
        Ok(Some(42.into()))
    }
}

impl ErrorLog for Node {
    async fn save_error(&self, _: &str) -> Result<()> {
        Ok(())
    }
}

async fn launch(handshake: Handshake, name: &str) -> Supervisor {
    let test = std::env::current_exe().unwrap();
    let program: PathBuf = test.ancestors().nth(2).unwrap().join("examples/median");
    Host::new(handshake).name(name).launch(Command::new(program)).await.unwrap()
}

#[tokio::test(flavor = "current_thread")]
async fn the_spans_of_a_run_are_the_arrows_of_the_diagrams() {
    let arrows = Arrows::default();
    let _recording = tracing::subscriber::set_default(tracing_subscriber::registry().with(arrows.clone()));
    let directory = tempfile::tempdir().unwrap();
    let (relayer, median) = (launch(handshake::RELAYER, "relayer").await, launch(handshake::MEDIAN, "median").await);
    arrows.are(&[]);

    // A relayer, which is lent the node's keystore.
    let root: Arc<dyn PluginRelayer> = relayer.dispense().await.unwrap();
    let config = format!("ledger = {:?}", directory.path().join("ledger").display().to_string());
    let chain = root.new_relayer(&config, Arc::new(Node), Arc::new(Node), Arc::new(Node)).await.unwrap();
    arrows.are(&[&["host -> relayer: PluginRelayer.NewRelayer"], &["relayer -> host: Keystore.Accounts"]]);

    // A provider of that relayer, whose components share one connection.
    let feed = r#"{"oracles":4,"f":1,"min":"1","max":"1000","deviation_ppb":0,"heartbeat_nanos":1000000000}"#;
    let job = RelayArgs { relay_config: feed.into(), provider_type: "median".into(), ..RelayArgs::default() };
    let provider = chain.new_plugin_provider(&job, &PluginArgs::default()).await.unwrap();
    let tracker = provider.contract_config_tracker();
    let (block, digest) = tracker.latest_config_details().await.unwrap();
    let config = tracker.latest_config(block).await.unwrap();
    arrows.are(&[
        &["host -> relayer: Relayer.NewPluginProvider"],
        &["host -> relayer: ContractConfigTracker.LatestConfigDetails"],
        &["host -> relayer: ContractConfigTracker.LatestConfig"],
    ]);

    // A median's factory, which is lent that provider: its calls pass through the host.
    let medians: Arc<dyn PluginMedian> = median.dispense().await.unwrap();
    let source = || -> Arc<dyn DataSource> { Arc::new(Node) };
    let factory = medians
        .new_median_factory(provider.clone(), "feed", source(), source(), source(), Arc::new(Node), None)
        .await
        .unwrap();
    let plugin = ReportingPluginConfig {
        config_digest: digest,
        n: 4,
        f: 1,
        onchain_config: config.onchain_config,
        offchain_config: config.offchain_config,
        ..ReportingPluginConfig::default()
    };
    let (plugin, info) = factory.new_reporting_plugin(&plugin).await.unwrap();
    assert_eq!(info.name, "NumericalMedian");
    arrows.are(&[
        &["host -> median: PluginMedian.NewMedianFactory"],
        &["host -> median: ReportingPluginFactory.NewReportingPlugin"],
        &["median -> host -> relayer: OnchainConfigCodec.Decode"],
        &["median -> host -> relayer: ReportCodec.MaxReportLength"],
    ]);

    // A round.
    let at = ReportTimestamp { config_digest: digest, epoch: 1, round: 1 };
    let query = plugin.query(at).await.unwrap();
    let observation = plugin.observation(at, &query).await.unwrap();
    let observations: Vec<_> =
        (0..4).map(|observer| AttributedObservation { observation: observation.clone(), observer }).collect();
    let (should_report, report) = plugin.report(at, &query, &observations).await.unwrap();
    assert!(should_report);
    assert!(plugin.should_accept_finalized_report(at, &report).await.unwrap());
    arrows.are(&[
        &["host -> median: ReportingPlugin.Query"],
        &["host -> median: ReportingPlugin.Observation"],
        &["median -> host: DataSource.Observe"; 3],
        &["host -> median: ReportingPlugin.Report"],
        &[
            "median -> host -> relayer: MedianContract.LatestTransmissionDetails",
            "median -> host -> relayer: MedianContract.LatestRoundRequested",
        ],
        &["median -> host -> relayer: ReportCodec.BuildReport"],
        &["host -> median: ReportingPlugin.ShouldAcceptFinalizedReport"],
        &["median -> host -> relayer: MedianContract.LatestTransmissionDetails"],
        &["median -> host -> relayer: ReportCodec.MedianFromReport"],
    ]);

    // The end, consumers first; each object is told, children before parents.
    median.close().await;
    arrows.are(&[&["host -> median: ReportingPlugin.Close"], &["host -> median: Service.Close"]]);
    relayer.close().await;
    arrows.are(&[&["host -> relayer: Service.Close"], &["host -> relayer: Service.Close"]]);
}
