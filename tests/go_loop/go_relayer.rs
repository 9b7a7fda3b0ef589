//! A host in Rust runs the relayer plugin in Go, `interop/looprelayer`.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use libtest_mimic::Trial;
use loop_runtime::host::LaunchError;
use loop_runtime::prelude::*;
use loop_runtime::wire::{Struct, StructValue};
use loop_runtime::{Code, health};
use loop_services::prelude::*;
use loop_services::query::Confidence;
use loop_services::relayer::Head;

use crate::lab::{self, GoPlugin, run};
use crate::lent::{Keys, NoCapabilities};
use crate::{toolchain, trial};

pub(crate) fn trials() -> Vec<Trial> {
    macro_rules! trials {
        ($($case:ident),* $(,)?) => {
            vec![$(trial(concat!("rust_host_go_relayer::", stringify!($case)), || run($case(stringify!($case))))),*]
        };
    }
    trials![
        construction,
        calls,
        provider,
        reader,
        health_reports,
        refusals,
        killed,
        closed_objects,
        environment_missing
    ]
}

async fn launch(name: &str) -> (GoPlugin, Arc<dyn PluginRelayer>) {
    let plugin = lab::launch(handshake::RELAYER, "looprelayer", name).await;
    let root = plugin.plugin.dispense().await.unwrap();
    (plugin, root)
}

pub(crate) async fn relayer(root: &Arc<dyn PluginRelayer>, keys: &Arc<Keys>) -> Arc<dyn Relayer> {
    root.new_relayer("[Foo]\nBar = 1\n", keys.clone(), Keys::of(&["csa"]), Arc::new(NoCapabilities)).await.unwrap()
}

pub(crate) fn job(config: &str) -> RelayArgs {
    RelayArgs {
        external_job_id: *b"a job's own UUID",
        job_id: 7,
        contract_id: "0x42".into(),
        new: true,
        relay_config: config.into(),
        provider_type: "median".into(),
    }
}

pub(crate) fn transmitter() -> PluginArgs {
    PluginArgs { transmitter_id: "alice".into(), plugin_config: b"{}".to_vec() }
}

/// The relayer dials three services that the host lends, and calls two of them.
async fn construction(name: &str) {
    let (plugin, root) = launch(name).await;
    let (keys, csa) = (Keys::of(&["alice", "bob"]), Keys::of(&["csa"]));
    let relayer = root.new_relayer("any", keys.clone(), csa.clone(), Arc::new(NoCapabilities)).await.unwrap();
    relayer.ready().await.unwrap();
    assert_eq!((keys.asked.load(Ordering::Relaxed), csa.asked.load(Ordering::Relaxed)), (1, 1));
    // A log line of a Go plugin, through go-plugin's format.
    crate::log::until(name, "made a relayer").await;
    drop(relayer);
    drop(root);
    plugin.close().await;
}

async fn calls(name: &str) {
    let (plugin, root) = launch(name).await;
    let keys = Keys::of(&["alice"]);
    let relayer = relayer(&root, &keys).await;

    let head = Head { height: "1337".into(), hash: vec![0xca, 0xfe], timestamp: 1_700_000_000 };
    assert_eq!(relayer.latest_head().await.unwrap(), head);
    assert_eq!(relayer.finalized_head().await.unwrap().height, "1300");
    let status = relayer.get_chain_status().await.unwrap();
    assert_eq!((status.id.as_str(), status.enabled, status.config.as_str()), ("go", true, "[Foo]\nBar = 1\n"));
    assert_eq!(relayer.get_chain_info().await.unwrap().network_name_full, "net-test");
    let (nodes, total, next) = relayer.list_node_statuses(-3, "seven").await.unwrap();
    assert_eq!((total, next.as_str()), (7, "more"));
    assert_eq!((nodes[0].config.as_str(), nodes[1].config.as_str()), ("page of -3", "after seven"));

    // Through the plugin to the keystore that the host lent to it, and back.
    relayer.transact("alice", "bob", Some(BigInt::from(u128::MAX)), true).await.unwrap();
    assert_eq!(*keys.signed.lock().unwrap(), ["alice"]);
    let unknown = relayer.transact("mallory", "bob", Some(BigInt::from(1)), false).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound, "Go keeps the code of what it wraps");
    assert!(unknown.message().starts_with("failed to sign data for account: mallory: "), "{unknown}");
    assert!(unknown.message().ends_with("no key of mallory"), "{unknown}");
    let negative = relayer.transact("alice", "bob", Some(BigInt::from(-5)), false).await.unwrap_err();
    assert_eq!((negative.code(), negative.message()), (Code::Unknown, "nobody can send -5"));
    // An absent number is Go's nil.
    let absent = relayer.transact("alice", "bob", None, false).await.unwrap_err();
    assert_eq!(absent.message(), "nobody can send <nil>");

    let args = Struct { fields: [("full".to_owned(), StructValue::Bool(true))].into() };
    let replayed = relayer.replay("12", Some(args)).await.unwrap_err();
    assert_eq!(replayed.message(), "replay from 12 with full=true");
    drop((relayer, root));
    plugin.close().await;
}

/// Every component of a provider, over its one connection.
async fn provider(name: &str) {
    let (plugin, root) = launch(name).await;
    let keys = Keys::of(&["alice"]);
    let relayer = relayer(&root, &keys).await;
    let provider = relayer.new_plugin_provider(&job(""), &transmitter()).await.unwrap();
    assert!(provider.contract_reader().is_none() && provider.codec().is_none(), "Go answers Unimplemented for both");
    let seven = ConfigDigest([7; 32]);

    let tracker = provider.contract_config_tracker();
    assert_eq!(tracker.latest_config_details().await.unwrap(), (14, seven));
    assert_eq!(tracker.latest_block_height().await.unwrap(), 1337);
    let config = tracker.latest_config(14).await.unwrap();
    assert_eq!((config.f, config.config_count, config.signers.len()), (255, 3, 2));
    assert_eq!(tracker.latest_config(15).await.unwrap_err().message(), "block 15 set no configuration");

    let digester = provider.offchain_config_digester();
    let digest = digester.config_digest(&config).await.unwrap();
    assert_eq!(digest.0[..8], [3, 2, 2, 255, 6, 2, 1, 7]);
    assert_eq!(digester.config_digest_prefix().await.unwrap(), 0x0707);

    let onchain = provider.onchain_config_codec();
    let bounds = OnchainConfig { min: Some(BigInt::from(-5)), max: Some(BigInt::from(500)) };
    assert_eq!(onchain.encode(&bounds).await.unwrap(), b"-5,500");
    assert_eq!(onchain.decode(b"-5,500").await.unwrap(), bounds);
    assert_eq!(onchain.decode(b"-5").await.unwrap_err().message(), "no bounds: -5");

    let observation = |value: i64, observer| ParsedAttributedObservation {
        timestamp: u32::MAX,
        value: Some(BigInt::from(value)),
        juels_per_fee_coin: Some(BigInt::from(i128::MAX)),
        observer,
        gas_price_subunits: None,
    };
    let codec = provider.report_codec();
    let report = codec.build_report(&[observation(-3, 0), observation(9, 255)]).await.unwrap();
    let text = format!("-3 0 {0} <nil> {1};9 255 {0} <nil> {1}", i128::MAX, u32::MAX);
    assert_eq!(String::from_utf8(report.clone()).unwrap(), text);
    assert_eq!(codec.median_from_report(&report).await.unwrap(), Some(BigInt::from(9)));
    assert_eq!(codec.max_report_length(31).await.unwrap(), 3100);

    let contract = provider.median_contract();
    let nothing_yet = contract.latest_transmission_details().await.unwrap();
    assert_eq!((nothing_yet.epoch, nothing_yet.latest_answer), (0, None));
    let transmitter = provider.contract_transmitter();
    let timestamp = ReportTimestamp { config_digest: seven, epoch: 88, round: 255 };
    let signature = |signer| AttributedOnchainSignature { signature: vec![1, 2], signer };
    let context = ReportContext { timestamp, extra_hash: [9; 32] };
    transmitter.transmit(context, &report, &[signature(0), signature(255)]).await.unwrap();
    assert_eq!(transmitter.from_account().await.unwrap(), "alice");
    assert_eq!(transmitter.latest_config_digest_and_epoch().await.unwrap(), (seven, 88));
    let details = contract.latest_transmission_details().await.unwrap();
    assert_eq!((details.epoch, details.round, details.latest_answer), (88, 255, Some(BigInt::from(9))));
    assert_eq!(details.latest_timestamp, SystemTime::UNIX_EPOCH + Duration::new(1_234_567_890, 987_654_321));
    let requested = contract.latest_round_requested(64_000_000_000).await.unwrap();
    assert_eq!((requested.epoch, requested.round), (64, 11));

    let config = relayer.new_config_provider(&job("")).await.unwrap();
    assert_eq!(config.contract_config_tracker().latest_block_height().await.unwrap(), 1337);
    drop((provider, config, relayer, root));
    plugin.close().await;
}

/// A component that may be missing, and an object of its own with the same service.
async fn reader(name: &str) {
    let (plugin, root) = launch(name).await;
    let relayer = relayer(&root, &Keys::of(&["alice"])).await;
    let provider = relayer.new_plugin_provider(&job("with a reader"), &transmitter()).await.unwrap();
    let reader = provider.contract_reader().expect("Go answers its presence with InvalidArgument");
    let params = VersionedBytes::cbor(*b"p");
    let value = reader.get_latest_value("0x42-median-x", Confidence::Finalized, &params, false).await.unwrap();
    assert_eq!(value, VersionedBytes::cbor(*b"0x42-median-x at Finalized of p"));
    assert!(provider.codec().is_none());
    // A method that this reader lacks.
    assert_eq!(reader.bind(&[]).await.unwrap_err().code(), Code::Unimplemented);

    let own = relayer.new_contract_reader(b"my ").await.unwrap();
    own.ready().await.unwrap();
    let value = own.get_latest_value("x", Confidence::Unconfirmed, &VersionedBytes::json(*b"{}"), false).await.unwrap();
    assert_eq!(value.data, b"my x at Unconfirmed of {}");
    drop((provider, own, relayer, root));
    plugin.close().await;
}

/// Under the names that a node shows.
async fn health_reports(name: &str) {
    let (plugin, root) = launch(name).await;
    let relayer = relayer(&root, &Keys::of(&["alice"])).await;
    root.ready().await.unwrap();
    let merged = health::merge("node.relayer", None, root.health_report().await.unwrap());
    let names: Vec<_> = merged.keys().map(String::as_str).collect();
    assert_eq!(names, ["node.relayer", "node.relayer.GoPluginRelayer", "node.relayer.GoPluginRelayer.GoRelayer"]);
    assert!(merged.values().all(String::is_empty), "{merged:?}");

    // A closed object reports that, and so does the merged report.
    relayer.close().await.unwrap();
    let report = root.health_report().await.unwrap();
    assert_eq!(report["GoPluginRelayer.GoRelayer"], "GoRelayer is closed");
    assert_eq!(root.name().await.unwrap_err().code(), Code::Unimplemented, "as with Chainlink's own plugins");
    drop((relayer, root));
    plugin.close().await;
}

/// Refusals are returned at once, with Go's texts: Go's own host retries until its caller's deadline.
async fn refusals(name: &str) {
    let (plugin, root) = launch(name).await;
    let keys = Keys::of(&["alice"]);
    let refused = root.new_relayer("refuse", keys.clone(), keys.clone(), Arc::new(NoCapabilities)).await;
    let refused = refused.err().expect("no such chain");
    assert_eq!((refused.code(), refused.message()), (Code::Unknown, "there is no such chain"));
    let relayer = relayer(&root, &keys).await;
    for (provider_type, code, text) in [
        ("mercury", Code::Unimplemented, "mercury not supported by a chain of variables"),
        ("other", Code::Unknown, "provider type not supported: other"),
    ] {
        let job = RelayArgs { provider_type: provider_type.into(), ..job("") };
        let refused = relayer.new_plugin_provider(&job, &transmitter()).await.err().expect("not supported");
        assert_eq!((refused.code(), refused.message()), (code, text));
    }
    let refused = relayer.new_contract_writer(b"").await.err().expect("there is none");
    assert_eq!(refused.code(), Code::Unimplemented);
    drop((relayer, root));
    plugin.close().await;
}

/// SIGKILL: the relayer is recreated in the next process, with what was lent to it, then its provider; every handle
/// lives on. In Go, a provider is recreated too, but at the next call.
async fn killed(name: &str) {
    let (mut plugin, root) = launch(name).await;
    let keys = Keys::of(&["alice"]);
    let relayer = relayer(&root, &keys).await;
    let provider = relayer.new_plugin_provider(&job("with a reader"), &transmitter()).await.unwrap();
    let (contract, reader) = (provider.median_contract(), provider.contract_reader().unwrap());
    for times in 2..=3 {
        plugin.kill().await;
        // The innermost first: only the runtime recreates its parents.
        assert_eq!(contract.latest_round_requested(5_000_000_000).await.unwrap().epoch, 5);
        assert_eq!(keys.asked.load(Ordering::Relaxed), times, "lent again, and asked once");
        reader.get_latest_value("x", Confidence::Safe, &VersionedBytes::default(), false).await.unwrap();
        relayer.transact("alice", "bob", Some(BigInt::from(1)), false).await.unwrap();
        root.ready().await.unwrap();
    }
    drop((provider, relayer, root));
    plugin.close().await;
}

/// Closing an object is sent to the plugin once; the handle refuses calls from then on, and nothing else is affected.
async fn closed_objects(name: &str) {
    let (plugin, root) = launch(name).await;
    let relayer = relayer(&root, &Keys::of(&["alice"])).await;
    let provider = relayer.new_plugin_provider(&job(""), &transmitter()).await.unwrap();
    let tracker = provider.contract_config_tracker();
    provider.close().await.unwrap();
    // Go's own client would recreate the whole object for this call.
    let closed = tracker.latest_block_height().await.unwrap_err();
    assert_eq!(closed.kind(), &loop_runtime::ErrorKind::Closed);
    relayer.latest_head().await.unwrap();
    drop((tracker, provider, relayer, root));
    plugin.close().await;
}

/// Go's plugins exit at once without three variables; the launch error has their output.
async fn environment_missing(name: &str) {
    let command = || Command::new(toolchain::program("looprelayer"));
    let refused = lab::try_launch(handshake::RELAYER, command(), name).await.unwrap_err();
    let LaunchError::Exited { exit, .. } = &refused else { panic!("{refused}") };
    assert_eq!(exit.status(), Some(1));
    assert!(refused.to_string().contains("failed to parse environment: CL_"), "{refused}");
    // A median's magic cookie is not a relayer's.
    let refused = lab::try_launch(handshake::MEDIAN, command().envs(lab::ENVIRONMENT), name).await.unwrap_err();
    assert!(refused.to_string().contains("This binary is a plugin"), "{refused}");
}
