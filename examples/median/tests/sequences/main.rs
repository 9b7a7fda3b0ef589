//! The three sequences of LOOP's design, over real processes: what the host calls, what it serves and what it forwards,
//! in order, are the arrows of the diagrams.
//!
//! The plugins are those of `examples/median`. The arrows are the spans `call`, `serve` and `forward`, which the runtime
//! opens in the host's process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(unreachable_pub, dead_code, reason = "modules of the example, of which a part is used")]

#[path = "../../cbor.rs"]
mod cbor;
#[path = "../../contract.rs"]
mod contract;
#[path = "../../convert.rs"]
mod convert;
#[path = "../../ledger.rs"]
mod ledger;
#[path = "../../median.rs"]
mod median;
#[path = "../../numerical/mod.rs"]
mod numerical;
#[path = "../../relayer.rs"]
mod relayer;
#[path = "../../signing.rs"]
mod signing;
#[path = "../../../../tests/support/mod.rs"]
mod support;

mod arrows;
mod node;

use std::process::ExitCode;
use std::sync::Arc;

use arrows::Arrows;
use loop_runtime::plugin::Plugin;
use loop_services::prelude::*;
use node::{Node, Nowhere, Price};

support::roles! { "relayer" => relayer_plugin, "median" => median_plugin }

async fn relayer_plugin(plugin: Plugin) -> ExitCode {
    plugin.serve(relayer::service()).await
}

async fn median_plugin(plugin: Plugin) -> ExitCode {
    plugin.serve(median::service(None)).await
}

#[test]
fn a_relayer_with_a_keystore() {
    Arrows::record(async |lab, arrows| {
        let node = Node::launch(lab).await;
        let relayer = node.relayer().await;
        arrows.are(&["host -> relayer: PluginRelayer/NewRelayer"]);

        let provider = node.provider(&relayer).await;
        arrows.are(&["host -> relayer: Relayer/NewPluginProvider", "relayer -> host: Keystore/Sign"]);

        let (context, report, signatures) = node.report();
        provider.contract_transmitter().transmit(context, &report, &signatures).await.unwrap();
        arrows.are(&["host -> relayer: ContractTransmitter/Transmit", "relayer -> host: Keystore/Sign"]);
        node.close().await;
    });
}

#[test]
fn a_median_provider_behind_the_hosts_proxy() {
    Arrows::record(async |lab, arrows| {
        let node = Node::launch(lab).await;
        let provider = node.provider(&node.relayer().await).await;
        arrows.forget();

        let factory = node.factory(&provider, Arc::new(Price)).await;
        arrows.are(&["host -> median: PluginMedian/NewMedianFactory"]);

        let (plugin, _) = factory.new_reporting_plugin(&node.plugin_config()).await.unwrap();
        arrows.are(&[
            "host -> median: ReportingPluginFactory/NewReportingPlugin",
            "median -> host -> relayer: OnchainConfigCodec/Decode",
            "median -> host -> relayer: ReportCodec/MaxReportLength",
        ]);

        plugin.should_transmit_accepted_report(node.at(), &[]).await.unwrap();
        arrows.are(&[
            "host -> median: ReportingPlugin/ShouldTransmitAcceptedReport",
            "median -> host -> relayer: MedianContract/LatestTransmissionDetails",
        ]);

        // What the host itself needs of the provider goes straight to the relayer.
        provider.contract_config_tracker().latest_config_details().await.unwrap();
        arrows.are(&["host -> relayer: ContractConfigTracker/LatestConfigDetails"]);

        // The end, consumers first; in each plugin, what was made last is closed first.
        node.close_median().await;
        arrows.are(&["host -> median: ReportingPlugin/Close", "host -> median: Service/Close"]);
        node.close().await;
        arrows.are(&["host -> relayer: Service/Close", "host -> relayer: Service/Close"]);
    });
}

#[test]
fn a_median_factory_and_its_reporting_plugin() {
    Arrows::record(async |lab, arrows| {
        let node = Node::launch(lab).await;
        let provider = node.provider(&node.relayer().await).await;
        let factory = node.factory(&provider, Arc::new(Price)).await;
        let (plugin, info) = factory.new_reporting_plugin(&node.plugin_config()).await.unwrap();
        assert_eq!(info.name, "NumericalMedian");
        arrows.forget();

        let at = node.at();
        let query = plugin.query(at).await.unwrap();
        arrows.are(&["host -> median: ReportingPlugin/Query"]);
        let observation = plugin.observation(at, &query).await.unwrap();
        arrows.are(&[
            "host -> median: ReportingPlugin/Observation",
            "median -> host: DataSource/Observe",
            "median -> host: DataSource/Observe",
            "median -> host: DataSource/Observe",
        ]);
        let observations: Vec<_> =
            (0..4).map(|observer| AttributedObservation { observation: observation.clone(), observer }).collect();
        let (should_report, report) = plugin.report(at, &query, &observations).await.unwrap();
        assert!(should_report);
        arrows.begin("host -> median: ReportingPlugin/Report");
        arrows.in_any_order(&[
            "median -> host -> relayer: MedianContract/LatestRoundRequested",
            "median -> host -> relayer: MedianContract/LatestTransmissionDetails",
        ]);
        arrows.are(&["median -> host -> relayer: ReportCodec/BuildReport"]);
        assert!(plugin.should_accept_finalized_report(at, &report).await.unwrap());
        arrows.are(&[
            "host -> median: ReportingPlugin/ShouldAcceptFinalizedReport",
            "median -> host -> relayer: MedianContract/LatestTransmissionDetails",
            "median -> host -> relayer: ReportCodec/MedianFromReport",
        ]);

        // A source that fails: the node's error log gets it before the caller.
        let factory = node.factory(&provider, Arc::new(Nowhere)).await;
        let (plugin, _) = factory.new_reporting_plugin(&node.plugin_config()).await.unwrap();
        arrows.forget();
        plugin.observation(at, &query).await.unwrap_err();
        arrows.are(&[
            "host -> median: ReportingPlugin/Observation",
            "median -> host: DataSource/Observe",
            "median -> host: DataSource/Observe",
            "median -> host: DataSource/Observe",
            "median -> host: ErrorLog/SaveError",
        ]);
        assert_eq!(node.errors(), ["error in Observation: DataSource.Observe returned an error: no price anywhere"]);
        node.close().await;
    });
}
