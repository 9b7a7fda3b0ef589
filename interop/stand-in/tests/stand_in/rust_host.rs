//! The stand-in under our host, in the scenarios of Chainlink's own tests: every static value, kill, recovery.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use loop_runtime::host::{Command, EventKind, Host, RestartPolicy, Supervisor};
use loop_runtime::testing::Faults as _;
use loop_runtime::{Code, Handshake, Result};
use loop_services::prelude::*;
use loop_services::query::Confidence;
use stand_in::lent::{Broken, Keys, Log, NoCapabilities, Source};
use stand_in::{Provider, values};

use crate::replay::STAND_IN;

fn host(handshake: Handshake) -> Host {
    let policy = RestartPolicy::default().initial_backoff(Duration::ZERO).max_restarts(None);
    Host::new(handshake).restart_policy(policy)
}

async fn launch(handshake: Handshake, args: &[&str]) -> Supervisor {
    host(handshake).launch(Command::new(STAND_IN).args(args)).await.unwrap()
}

/// Closes the plugin, which must leave no process.
async fn close(plugin: Supervisor) {
    let pid = plugin.pid().unwrap();
    plugin.close().await;
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
}

fn numbers() -> [Arc<dyn DataSource>; 3] {
    [values::VALUE, values::JUELS_PER_FEE_COIN, values::GAS_PRICE_SUBUNITS]
        .map(|number| Arc::new(Source(Some(number.into()))) as Arc<dyn DataSource>)
}

async fn factory(
    median: &Arc<dyn PluginMedian>,
    provider: Arc<dyn MedianProvider>,
    [value, juels, gas_price]: [Arc<dyn DataSource>; 3],
) -> Result<Arc<dyn ReportingPluginFactory>> {
    median.new_median_factory(provider, values::CONTRACT_ID, value, juels, gas_price, Arc::new(Log), None).await
}

async fn reports(plugin: &Arc<dyn ReportingPlugin>) {
    assert_eq!(plugin.query(values::ROUND).await.unwrap(), values::QUERY);
    assert_eq!(plugin.observation(values::ROUND, &values::QUERY).await.unwrap(), values::OBSERVATION);
    let report = plugin.report(values::ROUND, &values::QUERY, &values::attributed_observations()).await.unwrap();
    assert_eq!(report, (true, values::REPORT.to_vec()));
    assert!(plugin.should_accept_finalized_report(values::ROUND, &values::REPORT).await.unwrap());
    assert!(plugin.should_transmit_accepted_report(values::ROUND, &values::REPORT).await.unwrap());
}

pub(crate) async fn median() {
    let plugin = launch(handshake::MEDIAN, &["-cmd=median"]).await;
    let median: Arc<dyn PluginMedian> = plugin.dispense().await.unwrap();
    let factory = factory(&median, Arc::new(Provider::default()), numbers()).await.unwrap();
    let (reporting, info) = factory.new_reporting_plugin(&values::reporting_plugin_config()).await.unwrap();
    assert_eq!(info, values::reporting_plugin_info());
    reports(&reporting).await;
    // All handles live on, which they do not in Go.
    plugin.kill().unwrap();
    reports(&reporting).await;
    healthy(
        &median.health_report().await.unwrap(),
        &["staticMedianFactoryServer", "staticMedianFactoryServer.staticReportingPluginFactory"],
    );
    drop((reporting, factory, median));
    close(plugin).await;
}

fn healthy(report: &BTreeMap<String, String>, names: &[&str]) {
    assert_eq!(report, &names.iter().map(|name| ((*name).to_owned(), String::new())).collect());
}

pub(crate) async fn relayer() {
    let plugin = launch(handshake::RELAYER, &["-cmd=relayer", "-static-checks"]).await;
    let root: Arc<dyn PluginRelayer> = plugin.dispense().await.unwrap();
    let relayer = new_relayer(&root, values::CONFIG_TOML).await.unwrap();
    chain(&relayer).await;
    plugin.kill().unwrap();
    chain(&relayer).await;
    assert_eq!(root.health_report().await.unwrap().len(), 9);
    assert_eq!(relayer.health_report().await.unwrap().len(), 8);
    let refused = relayer.transact(values::FROM, values::TO, Some(98.into()), true).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unknown, "{refused}");
    assert_eq!(new_relayer(&root, "bad").await.err().unwrap().code(), Code::Unknown);
    drop((relayer, root));
    close(plugin).await;
}

async fn new_relayer(root: &Arc<dyn PluginRelayer>, config: &str) -> Result<Arc<dyn Relayer>> {
    root.new_relayer(config, Arc::new(Keys), Arc::new(Keys), Arc::new(NoCapabilities)).await
}

/// What Chainlink's tests call on a relayer.
async fn chain(relayer: &Arc<dyn Relayer>) {
    assert_eq!(relayer.get_chain_status().await.unwrap(), values::chain_status());
    assert_eq!(relayer.get_chain_info().await.unwrap(), values::chain_info());
    let nodes = relayer.list_node_statuses(values::PAGE_SIZE, "").await.unwrap();
    assert_eq!(nodes, (values::nodes(), 2, String::new()));
    relayer.transact(values::FROM, values::TO, Some(values::AMOUNT.into()), true).await.unwrap();
    relayer.replay("", None).await.unwrap();
    let reader = relayer.new_contract_reader(values::READER_CONFIG).await.unwrap();
    reader.close().await.unwrap();
    let config = relayer.new_config_provider(&values::relay_args("median")).await.unwrap();
    let tracker = config.contract_config_tracker();
    assert_eq!(tracker.latest_config(values::CHANGED_IN_BLOCK).await.unwrap(), values::contract_config());
    let digester = config.offchain_config_digester();
    assert_eq!(digester.config_digest(&values::contract_config()).await.unwrap(), values::CONFIG_DIGEST);
    for kind in ["median", "plugin"] {
        let args = values::relay_args(kind);
        let provider = relayer.new_plugin_provider(&args, &values::plugin_args()).await.unwrap();
        let transmitter = provider.contract_transmitter();
        transmitter.transmit(values::REPORT_CONTEXT, &values::TRANSMITTED, &values::signatures()).await.unwrap();
        let [(params, value), _] = values::READS;
        let (reader, params) = (provider.contract_reader().unwrap(), VersionedBytes::cbor(params));
        let read = reader.get_latest_value(values::READ_IDENTIFIER, Confidence::default(), &params, false).await;
        assert_eq!(read.unwrap(), VersionedBytes::cbor(value));
        provider.close().await.unwrap();
    }
}

pub(crate) async fn a_provider_of_the_relayer_is_lent_to_the_median() {
    let relayer = launch(handshake::RELAYER, &["-cmd=relayer"]).await;
    let root: Arc<dyn PluginRelayer> = relayer.dispense().await.unwrap();
    let chain = new_relayer(&root, values::CONFIG_TOML).await.unwrap();
    let provider = chain.new_plugin_provider(&values::relay_args("median"), &values::plugin_args()).await.unwrap();
    let median = launch(handshake::MEDIAN, &["-cmd=median"]).await;
    let medians: Arc<dyn PluginMedian> = median.dispense().await.unwrap();
    // The median calls everything on the provider.
    factory(&medians, provider.clone(), numbers()).await.unwrap();
    relayer.kill().unwrap();
    factory(&medians, provider.clone(), numbers()).await.unwrap();
    drop((medians, provider, chain, root));
    close(median).await;
    close(relayer).await;
}

pub(crate) async fn what_is_lent_is_examined() {
    let plugin = launch(handshake::MEDIAN, &["-cmd=median"]).await;
    let median: Arc<dyn PluginMedian> = plugin.dispense().await.unwrap();
    let provider: Arc<dyn MedianProvider> = Arc::new(Provider::default());
    for which in 0..3 {
        for wrong in [Arc::new(Source(Some(5.into()))) as Arc<dyn DataSource>, Arc::new(Source(None))] {
            let mut sources = numbers();
            sources[which] = wrong;
            let refused = factory(&median, provider.clone(), sources).await.err().unwrap();
            assert_eq!(refused.code(), Code::Unknown);
            assert!(
                refused.message().contains("DataSource: expected") || refused.message().contains("dataSource: exp")
            );
        }
        let mut sources = numbers();
        sources[which] = Arc::new(Broken("boom".to_owned()));
        assert!(factory(&median, provider.clone(), sources).await.err().unwrap().message().ends_with("boom"));
    }
    // A feed without gas prices.
    let [value, juels, _] = numbers();
    factory(&median, provider, [value, juels, Arc::new(Source(Some(0.into())))]).await.unwrap();
    drop(median);
    close(plugin).await;
}

/// Every launch takes one call more than the one before, until they are enough.
pub(crate) async fn recovery_while_the_limit_grows() {
    let place = tempfile::tempdir().unwrap();
    let count = place.path().join("launches").display().to_string();
    let script = format!(r#"echo >> "{count}"; exec "{STAND_IN}" -cmd=median -limit=$(wc -l < "{count}")"#);
    let command = Command::new("/bin/sh")
        .args(["-c", &script])
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("TMPDIR", place.path());
    let plugin = host(handshake::MEDIAN).launch(command).await.unwrap();
    let mut events = plugin.events();
    let median: Arc<dyn PluginMedian> = plugin.dispense().await.unwrap();
    let factory = again(|| factory(&median, Arc::new(Provider::default()), numbers())).await;
    let config = values::reporting_plugin_config();
    let (reporting, _) = again(|| factory.new_reporting_plugin(&config)).await;
    // All handles keep working, while calls on the main connection end the process again.
    for _ in 0..10 {
        again(|| median.ready()).await;
        again(|| reporting.query(values::ROUND)).await;
    }
    drop((reporting, factory, median));
    plugin.close().await;
    let mut limited = 0;
    while let Some(event) = events.next().await {
        if let EventKind::Ended(ended) = event.kind
            && ended.exit.and_then(|exit| exit.status()) == Some(3)
        {
            limited += 1;
        }
    }
    assert!(limited >= 3, "the limit ended {limited} processes");
}

/// Retries until the call is not lost: our host gives up after three executions, Go's at the caller's deadline.
async fn again<T, F: Future<Output = Result<T>>>(call: impl Fn() -> F) -> T {
    loop {
        match call().await {
            Ok(answer) => return answer,
            Err(why) => assert!(why.loss().is_some(), "{why:?}"),
        }
    }
}
