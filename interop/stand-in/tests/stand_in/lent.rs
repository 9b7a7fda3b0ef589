//! The recorded calls of Go's host, sent by a genuine Go plugin to what our host lends it.

use std::sync::{Arc, Mutex};

use loop_runtime::host::{Command, Host, Supervisor};
use loop_runtime::{Error, Handshake, Result, wire};
use loop_services::prelude::*;
use stand_in::lent::{Broken, Keys, Log, NoCapabilities, Source};
use stand_in::{Provider, values};

use crate::go;
use crate::oracle::Oracle;
use crate::puppet::{MEDIAN, Puppet, RELAYER, Strings};
use crate::recorded::{Row, bytes};
use crate::replay::STAND_IN;

/// A Go plugin under our host, and its last request.
struct Guest {
    host: Supervisor,
    puppet: Puppet,
    asked: Arc<Mutex<Vec<u8>>>,
    /// Objects that it has made.
    made: u32,
}

/// A keystore that does not work.
struct NoKeys(Result<Vec<String>>);

impl Keystore for NoKeys {
    async fn accounts(&self) -> Result<Vec<String>> {
        self.0.clone()
    }

    async fn sign(&self, _: &str, _: &[u8]) -> Result<Vec<u8>> {
        Err(Error::unknown("no such key"))
    }

    async fn decrypt(&self, _: &str, _: &[u8]) -> Result<Vec<u8>> {
        Err(Error::unknown("no such key"))
    }
}

impl Guest {
    async fn launch(handshake: Handshake, cookie: [&str; 2]) -> Self {
        let strings = Strings::new();
        let command = Command::new(go::program("replay")).args(["plugin", &strings.control(), cookie[0], cookie[1]]);
        let host = Host::new(handshake).launch(command).await.unwrap();
        let puppet = strings.attach(None).await;
        Self { host, puppet, asked: Arc::default(), made: 0 }
    }

    /// Has the plugin make an object for the next request, which is recorded.
    async fn expect(&mut self) {
        self.made += 1;
        let (made, asked) = (self.made, self.asked.clone());
        // What was made is only closed.
        self.puppet.serve(made, Arc::new(|_, _| Ok(Vec::new()))).await;
        self.puppet.answer(
            0,
            Arc::new(move |_, request| {
                *asked.lock().unwrap() = request.to_vec();
                Ok(wire::encode(&Made { id: made }).expect("flat").to_vec())
            }),
        );
    }

    /// Connects to what the last request lent as `field`.
    async fn dial(&self, oracle: &Oracle, method: &str, field: &str) -> u32 {
        let request = self.asked.lock().unwrap().clone();
        let lent = oracle.lent(method, &request);
        let id = lent.iter().find(|(name, _)| name == field).unwrap_or_else(|| panic!("{lent:?}")).1;
        self.puppet.dial(id).await;
        id
    }
}

#[derive(loop_runtime::LoopMessage)]
struct Made {
    #[wire(1)]
    id: u32,
}

pub(crate) async fn by_our_host() {
    let oracle = Oracle::new();
    let rows = oracle.rows_at("host");
    assert!(rows.len() >= 74, "{} rows", rows.len());
    let mut wrong = relayers(&oracle, &rows).await;
    wrong.extend(medians(&oracle, &rows, &(Arc::new(Provider::default()) as Arc<dyn MedianProvider>)).await);
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

/// The provider is that of the stand-in's relayer, which our host forwards undecoded.
pub(crate) async fn through_our_host() {
    let oracle = Oracle::new();
    let relayer = Host::new(handshake::RELAYER).launch(Command::new(STAND_IN).args(["-cmd=relayer"])).await.unwrap();
    let root: Arc<dyn PluginRelayer> = relayer.dispense().await.unwrap();
    let chain = root.new_relayer("", Arc::new(Keys), Arc::new(Keys), Arc::new(NoCapabilities)).await.unwrap();
    let provider = chain.new_plugin_provider(&values::relay_args("median"), &values::plugin_args()).await.unwrap();
    let mut rows = oracle.rows_at("proxied");
    assert!(rows.len() >= 18, "{} rows", rows.len());
    // What was recorded without a proxy goes through one as well; but the health names are the relayer's own.
    rows.extend(
        oracle.rows_at("host").into_iter().filter(|row| is_of_provider(row) && !row.method.ends_with("Report")),
    );
    let wrong = medians(&oracle, &rows, &provider).await;
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    drop((provider, chain, root));
    relayer.close().await;
}

fn is_of_provider(row: &Row) -> bool {
    !["loop.Keystore", "loop.DataSource", "loop.ErrorLog"].contains(&row.service())
}

/// Sends what belongs to a keystore.
async fn relayers(oracle: &Oracle, rows: &[Row]) -> Vec<String> {
    let mut guest = Guest::launch(handshake::RELAYER, RELAYER).await;
    let root: Arc<dyn PluginRelayer> = guest.host.dispense().await.unwrap();
    let mut wrong = Vec::new();
    for row in rows.iter().filter(|row| row.service() == "loop.Keystore") {
        let keystore: Arc<dyn Keystore> = match (row.method.as_str(), row.reply.as_deref()) {
            ("loop.Keystore/Accounts", None) => Arc::new(NoKeys(Err(Error::unknown("boom")))),
            ("loop.Keystore/Accounts", Some("")) => Arc::new(NoKeys(Ok(Vec::new()))),
            _ => Arc::new(Keys),
        };
        guest.expect().await;
        let relayer =
            root.new_relayer(values::CONFIG_TOML, keystore.clone(), keystore, Arc::new(NoCapabilities)).await.unwrap();
        for field in ["keystoreID", "keystoreCSAID"] {
            let on = guest.dial(oracle, "loop.PluginRelayer/NewRelayer", field).await;
            wrong.extend(oracle.play(&guest.puppet, on, row).await.err());
        }
        drop(relayer);
    }
    drop(root);
    guest.host.close().await;
    wrong
}

/// Sends what belongs to anything that a median plugin is lent.
async fn medians(oracle: &Oracle, rows: &[Row], provider: &Arc<dyn MedianProvider>) -> Vec<String> {
    let mut guest = Guest::launch(handshake::MEDIAN, MEDIAN).await;
    let root: Arc<dyn PluginMedian> = guest.host.dispense().await.unwrap();
    let mut wrong = Vec::new();
    for row in rows.iter().filter(|row| row.service() != "loop.Keystore") {
        let lend = || source(row);
        guest.expect().await;
        let made = root
            .new_median_factory(provider.clone(), values::CONTRACT_ID, lend(), lend(), lend(), Arc::new(Log), None)
            .await
            .unwrap();
        let fields: &[&str] = match row.service() {
            "loop.DataSource" => &["dataSourceID", "juelsPerFeeCoinDataSourceID", "gasPriceSubunitsDataSourceID"],
            "loop.ErrorLog" => &["errorLogID"],
            _ => &["medianProviderID"],
        };
        for field in fields {
            let on = guest.dial(oracle, "loop.PluginMedian/NewMedianFactory", field).await;
            wrong.extend(oracle.play(&guest.puppet, on, row).await.err());
        }
        drop(made);
    }
    drop(root);
    guest.host.close().await;
    wrong
}

/// A data source that gives what the row has, if that is of a data source.
fn source(row: &Row) -> Arc<dyn DataSource> {
    if row.service() == "loop.DataSource" && row.message.as_deref() == Some("boom") {
        return Arc::new(Broken("boom".to_owned()));
    }
    let reply = bytes(row.reply.as_deref().filter(|_| row.service() == "loop.DataSource").unwrap_or_default());
    Arc::new(Source(wire::take(&reply.into(), &wire::FieldSpec::new(1, "value")).unwrap()))
}
