//! A plugin that has every service and forwards every call, decoded and re-encoded in both directions.
//!
//! It is a process of its own, this test binary once more, between a client and a server that know only bytes. As the
//! host of that server it holds one object with all services, and serves that object as a plugin: a root object is never
//! forwarded undecoded, so everything passes through our types.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use loop_runtime::host::{Command, Host};
use loop_runtime::plugin::Plugin;
use loop_runtime::{Handshake, loop_service};
use loop_services::prelude::*;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

const MIRROR: Handshake = Handshake::new("LOOP_CONTRACT_MIRROR", "yes");
const BEHIND: Handshake = Handshake::new("LOOP_CONTRACT_BEHIND", "yes");

/// Where the server behind the mirror listens.
const SOCKET: &str = "LOOP_CONTRACT_SOCKET";

/// Every service on one connection.
#[loop_service(package = "test")]
pub trait Everything: PluginRelayer + PluginMedian + Relayer + ReportingPluginFactory + ContractWriter {
    /// A component.
    fn keystore(&self) -> Arc<dyn Keystore>;
    /// A component.
    fn data_source(&self) -> Arc<dyn DataSource>;
    /// A component.
    fn error_log(&self) -> Arc<dyn ErrorLog>;
    /// A component.
    fn digester(&self) -> Arc<dyn OffchainConfigDigester>;
    /// A component.
    fn tracker(&self) -> Arc<dyn ContractConfigTracker>;
    /// A component.
    fn transmitter(&self) -> Arc<dyn ContractTransmitter>;
    /// A component.
    fn report_codec(&self) -> Arc<dyn ReportCodec>;
    /// A component.
    fn median_contract(&self) -> Arc<dyn MedianContract>;
    /// A component.
    fn onchain_config_codec(&self) -> Arc<dyn OnchainConfigCodec>;
    /// A component.
    fn contract_reader(&self) -> Arc<dyn ContractReader>;
    /// A component.
    fn codec(&self) -> Arc<dyn Codec>;
    /// A component.
    fn reporting_plugin(&self) -> Arc<dyn ReportingPlugin>;
}

/// The mirror's process, which is killed when this is dropped.
pub(crate) struct Mirror {
    pub(crate) socket: String,
    _process: Child,
}

impl Mirror {
    /// Starts it before the server on `behind`. Being killed, it leaves its sockets behind in `temporary`.
    pub(crate) async fn start(behind: &str, temporary: &Path) -> Self {
        let mut process = tokio::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "mirror::the_mirror_itself", "--nocapture"])
            .env("LOOP_CONTRACT_MIRROR", "yes")
            .env("PLUGIN_PROTOCOL_VERSIONS", "0")
            .env("TMPDIR", temporary)
            .env(SOCKET, behind)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        // The test harness prints before the handshake line.
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some((_, line)) = line.split_once("1|0|unix|") {
                let socket = line.split('|').next().unwrap_or_default().to_owned();
                return Self { socket, _process: process };
            }
        }
        panic!("the mirror did not start");
    }
}

#[test]
fn the_mirror_itself() {
    let Some(behind) = std::env::var_os(SOCKET) else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let code = runtime.block_on(Plugin::new(MIRROR).serve_with::<dyn Everything, _, _, _>(|_| async move {
        // The server is in the process of the test; what is launched only prints the handshake line.
        let script = format!("echo '1|0|unix|{}|grpc|'; exec sleep 3600", behind.to_string_lossy());
        let plugin = Host::new(BEHIND).launch(Command::new("/bin/sh").args(["-c", &script])).await;
        plugin.map_err(|why| why.to_string())?.dispense::<dyn Everything>().await.map_err(|why| why.to_string())
    }));
    assert_eq!(code, std::process::ExitCode::SUCCESS);
}
