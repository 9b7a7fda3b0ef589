//! The recorded calls of Go's plugins, sent by genuine go-plugin to ours.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::oracle::{Oracle, observed};
use crate::puppet::{Answers, MEDIAN, Puppet, RELAYER};
use crate::recorded::{Answer, Row};

/// The stand-in's binary.
pub(crate) const STAND_IN: &str = env!("CARGO_BIN_EXE_stand-in");

/// What a connection was made as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Root,
    Relayer,
    Reader,
    ConfigProvider,
    Provider,
    Factory,
    ReportingPlugin,
}

/// A plugin, and the connections to it, in the order in which they were made.
struct Stage {
    oracle: Oracle,
    puppet: Puppet,
    connections: Vec<(Kind, u32)>,
    error_log: Answers,
    provider: Answers,
    wrong: Vec<String>,
}

pub(crate) async fn median() {
    let stage = Stage::new(STAND_IN.as_ref(), &["-cmd=median"], MEDIAN).await;
    let rows = stage.oracle.rows_at("-cmd=median");
    stage.replay(&rows, 59, true).await;
}

pub(crate) async fn relayer() {
    relayer_with(&["-cmd=relayer"], "-cmd=relayer", 60).await;
}

pub(crate) async fn relayer_with_static_checks() {
    relayer_with(&["-cmd=relayer", "-static-checks"], "-cmd=relayer -static-checks", 80).await;
}

async fn relayer_with(args: &[&str], place: &str, at_least: usize) {
    let stage = Stage::new(STAND_IN.as_ref(), args, RELAYER).await;
    let mut rows = stage.oracle.rows_at(place);
    // What was recorded of the host comes before that of the relayer.
    rows.sort_by_key(|row| stage.oracle.makes(row).is_none());
    stage.replay(&rows, at_least, false).await;
}

/// The numerical median of libocr, against the example.
pub(crate) async fn numerical_median() {
    let test = std::env::current_exe().unwrap();
    let example: PathBuf = test.ancestors().nth(2).unwrap().join("examples/median");
    assert!(example.exists(), "build it first: cargo build --example median");
    let mut stage = Stage::new(&example, &[], MEDIAN).await;
    // The example keeps errors of observations where libocr leaves them to the node.
    stage.error_log = Arc::new(|_, _| Ok(Vec::new()));
    // And it calls a general reader and a codec where there are some, which libocr's median does not know.
    let provider = stage.provider.clone();
    stage.provider = Arc::new(move |method, request| match method.split_once('/') {
        Some((general @ ("loop.ContractReader" | "codec.Codec"), _)) => {
            Err((loop_runtime::Code::Unimplemented, format!("unknown service {general}")))
        }
        _ => provider(method, request),
    });
    let rows = stage.oracle.rows_at("libocr");
    stage.replay(&rows, 36, false).await;
}

impl Stage {
    async fn new(program: &Path, args: &[&str], cookie: [&str; 2]) -> Self {
        let puppet = Puppet::host().await;
        puppet.launch(program, args, cookie).await.unwrap();
        puppet.ping().await.unwrap();
        let oracle = Oracle::new();
        let (error_log, provider) = (oracle.host(), oracle.host());
        Self { oracle, puppet, connections: vec![(Kind::Root, 0)], error_log, provider, wrong: Vec::new() }
    }

    async fn replay(mut self, rows: &[Row], at_least: usize, examined: bool) {
        assert!(rows.len() >= at_least, "{} rows", rows.len());
        for row in rows {
            match row.method.as_str() {
                // By kill, below.
                "plugin.GRPCController/Shutdown" => {}
                // Last, below: a closed object gets no calls.
                "loop.Service/Close" => {}
                "loop.Service/HealthReport" => self.one(row).await,
                "loop.Service/Name" | "loop.Service/Ready" => self.each(row).await,
                _ => self.play(row).await,
            }
        }
        if let Some(close) = rows.iter().find(|row| row.method == "loop.Service/Close") {
            self.each(close).await;
        }
        assert!(self.wrong.is_empty(), "{} of {}:\n{}", self.wrong.len(), rows.len(), self.wrong.join("\n"));
        self.oracle.assert_asked(examined);
        assert_eq!(self.puppet.kill().await, 0);
    }

    /// The newest connection of a kind.
    fn newest(&self, kind: Kind) -> u32 {
        let found = self.connections.iter().rev().find(|(made, _)| *made == kind);
        found.unwrap_or_else(|| panic!("there is no {kind:?}")).1
    }

    /// Sends the row where it belongs, and connects to what it made.
    async fn play(&mut self, row: &Row) {
        let on = self.newest(kind_of(row));
        self.lend(row).await;
        let played = self.oracle.play(&self.puppet, on, row).await;
        let came = match played {
            Ok(came) => came,
            Err(_) if same_observation(row) && self.observed_alike(on, row).await => return,
            Err(why) => return self.wrong.push(why),
        };
        if row.method == "loop.ReportingPlugin/Close" {
            // It has ended with that.
            self.connections.retain(|(_, closed)| *closed != on);
        }
        let made = Row { reply: came.ok().map(|reply| hex(&reply)), code: None, message: None, ..row.clone() };
        if made.reply.is_some()
            && let Some(id) = self.oracle.makes(&made)
        {
            self.puppet.dial(id).await;
            let kind = made_by(&row.method);
            self.connections.retain(|(older, _)| kind != Kind::Relayer || *older != Kind::Relayer);
            self.connections.push((kind, id));
        }
    }

    /// Sends the row to every connection that has its service.
    async fn each(&mut self, row: &Row) {
        let without = row.request.is_none();
        for (kind, on) in self.connections.clone() {
            // Only a reporting plugin is without `loop.Service`. Hosts close no roots of medians: libocr's has none.
            if without == (kind == Kind::ReportingPlugin)
                && let Err(why) = self.oracle.play(&self.puppet, on, row).await
            {
                self.wrong.push(format!("{kind:?}: {why}"));
            }
        }
    }

    /// Sends the row to every connection: just one answers so.
    async fn one(&mut self, row: &Row) {
        let mut kinds = Vec::new();
        for (kind, on) in self.connections.clone() {
            if kind != Kind::ReportingPlugin
                && self.oracle.play(&self.puppet, on, row).await.is_ok()
                && !kinds.contains(&kind)
            {
                kinds.push(kind);
            }
        }
        if kinds.len() != 1 {
            self.wrong.push(format!("{kinds:?} answer {} with {:?}", row.method, row.reply));
        }
    }

    /// Serves what the row lends, under its broker ids, so that it ends as recorded.
    async fn lend(&self, row: &Row) {
        if row.request.is_none() || !["loop.PluginMedian", "loop.PluginRelayer"].contains(&row.service()) {
            return;
        }
        let message = row.message.as_deref().unwrap_or_default();
        for (field, id) in self.oracle.lent(&row.method, &row.body()) {
            if row.not_announced() == Some(id) || id == 0 {
                continue;
            }
            let answers: Answers = match field.as_str() {
                "errorLogID" => self.error_log.clone(),
                "medianProviderID" => self.provider.clone(),
                "dataSourceID" => self.oracle.source(value("dataSource ", 999, message)),
                "juelsPerFeeCoinDataSourceID" => self.oracle.source(value("juelsPerFeeCoinDataSource ", 1234, message)),
                "gasPriceSubunitsDataSourceID" => {
                    self.oracle.source(value("gasPriceSubunitsDataSource ", 777, message))
                }
                "keystoreID" if message.contains("boom") => Arc::new(|_, _| refused("failed to get accounts: boom")),
                "keystoreID" if message.contains("one key") => Arc::new(|_, _| Ok(Vec::new())),
                "keystoreCSAID" if message.contains("CSA") => Arc::new(|_, _| Ok(Vec::new())),
                _ => self.oracle.host(),
            };
            self.puppet.serve(id, answers).await;
        }
    }

    /// An observation begins with the time of day: everything after it is the same.
    async fn observed_alike(&self, on: u32, row: &Row) -> bool {
        let behind = |reply: &Answer| {
            let reply = reply.as_ref().ok()?;
            // The field, its length, the key of the time, and five bytes of seconds until the year 3058.
            (reply.len() > 8).then(|| (reply[..3].to_vec(), reply[8..].to_vec()))
        };
        let came = self.puppet.call(on, &row.method, &row.body()).await;
        let came = behind(&came);
        came.is_some() && came == behind(&row.answer())
    }
}

/// Whether the row is an observation of the real median.
fn same_observation(row: &Row) -> bool {
    row.method == "loop.ReportingPlugin/Observation" && row.at.iter().any(|at| at == "libocr") && row.reply.is_some()
}

fn refused(text: &str) -> Answer {
    Err((loop_runtime::Code::Unknown, text.to_owned()))
}

/// What a data source gave when the row came to `message`.
fn value(which: &str, usual: i64, message: &str) -> Answer {
    let Some(came) = message.strip_prefix("NewMedianFactory: ").filter(|rest| rest.starts_with(which)) else {
        return observed(usual);
    };
    if came.ends_with("boom") {
        return refused("boom");
    }
    observed(came.rsplit(' ').next().unwrap().parse().unwrap())
}

fn kind_of(row: &Row) -> Kind {
    match row.service() {
        "loop.PluginMedian" | "loop.PluginRelayer" | "grpc.health.v1.Health" => Kind::Root,
        "loop.ReportingPluginFactory" => Kind::Factory,
        "loop.ReportingPlugin" => Kind::ReportingPlugin,
        // The chain's own services, and one that the relayer itself does not have.
        "loop.Relayer" | "loop.evm.EVM" | "loop.solana.Solana" | "loop.ton.TON" => Kind::Relayer,
        "loop.OffchainConfigDigester" if row.request.is_none() => Kind::Relayer,
        _ => Kind::Provider,
    }
}

fn made_by(method: &str) -> Kind {
    match method {
        "loop.PluginMedian/NewMedianFactory" => Kind::Factory,
        "loop.PluginRelayer/NewRelayer" => Kind::Relayer,
        "loop.ReportingPluginFactory/NewReportingPlugin" => Kind::ReportingPlugin,
        "loop.Relayer/NewPluginProvider" => Kind::Provider,
        "loop.Relayer/NewConfigProvider" => Kind::ConfigProvider,
        "loop.Relayer/NewContractReader" => Kind::Reader,
        other => panic!("{other} makes nothing"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
