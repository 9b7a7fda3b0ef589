//! AutoMTLS between real processes of this runtime: lent services and made objects are secured, strangers at the
//! sockets are refused and do no harm, and each process has certificates of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "support/mod.rs"]
mod support;

use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use loop_runtime::host::Supervisor;
use loop_runtime::plugin::Plugin;
use loop_runtime::prelude::*;
use loop_runtime::testing::Faults as _;
use loop_runtime::with_timeout;
use support::Lab;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

support::roles! {
    "vault" => vault_plugin,
}

/// What the plugin offers.
#[loop_service(package = "test.mtls")]
pub trait Vault {
    /// A variable of the plugin's environment.
    #[rpc(idempotent)]
    async fn variable(&self, name: &str) -> Result<String>;
    /// Makes a guard in the plugin, on a connection that the host dials.
    async fn new_guard(&self, limit: u64) -> Result<Arc<dyn Guard>>;
    /// Calls the caller's guard, on a connection that the plugin dials.
    async fn ask(&self, guard: Arc<dyn Guard>, number: u64) -> Result<u64>;
}

/// Called over a brokered connection.
#[loop_service(package = "test.mtls")]
pub trait Guard {
    /// Returns `number` if it may pass.
    async fn pass(&self, number: u64) -> Result<u64>;
}

struct Room;

impl Vault for Room {
    async fn variable(&self, name: &str) -> Result<String> {
        std::env::var(name).map_err(Error::other)
    }

    async fn new_guard(&self, limit: u64) -> Result<Arc<dyn Guard>> {
        Ok(Arc::new(Limit(limit)))
    }

    async fn ask(&self, guard: Arc<dyn Guard>, number: u64) -> Result<u64> {
        guard.pass(number).await
    }
}

struct Limit(u64);

impl Guard for Limit {
    async fn pass(&self, number: u64) -> Result<u64> {
        if number < self.0 { Ok(number) } else { Err(Error::invalid_argument("too much")) }
    }
}

async fn vault_plugin(plugin: Plugin) -> ExitCode {
    plugin.serve::<dyn Vault>(Arc::new(Room)).await
}

async fn launch(lab: &Lab) -> (Supervisor, Arc<dyn Vault>) {
    let plugin = lab.launch_by(&lab.host().auto_mtls(), "vault").await;
    let vault = plugin.dispense().await.unwrap();
    (plugin, vault)
}

/// Every socket of a plugin, its own and those that its host made for it.
async fn sockets(vault: &Arc<dyn Vault>) -> Vec<PathBuf> {
    let dir = vault.variable("PLUGIN_UNIX_SOCKET_DIR").await.unwrap();
    let entries = Path::new(&dir).read_dir().unwrap().map(Result::unwrap);
    entries.filter(|entry| entry.file_type().unwrap().is_socket()).map(|entry| entry.path()).collect()
}

/// The answer of a socket to a peer that uses HTTP/2 without TLS.
async fn answer_in_the_clear(socket: &Path) -> Vec<u8> {
    let mut stream = UnixStream::connect(socket).await.unwrap();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    // Both may find the connection closed already.
    let _ = stream.write_all(preface).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    answer
}

/// While it is called, every socket between the two sides is open.
struct Inspector {
    vault: Arc<dyn Vault>,
    seen: Arc<AtomicUsize>,
}

impl Guard for Inspector {
    async fn pass(&self, number: u64) -> Result<u64> {
        for socket in sockets(&self.vault).await {
            let answer = answer_in_the_clear(&socket).await;
            // A TLS alert, or nothing: an HTTP/2 server would begin with a SETTINGS frame of at least nine bytes.
            if !matches!(answer.as_slice(), [] | [21, ..]) {
                return Err(Error::internal(format!("{} talks to anybody: {answer:?}", socket.display())));
            }
            self.seen.fetch_add(1, Ordering::Relaxed);
        }
        Ok(number)
    }
}

#[test]
fn no_socket_talks_in_the_clear() {
    support::test(async |lab| {
        let (plugin, vault) = launch(lab).await;
        let made = vault.new_guard(10).await.unwrap();
        assert_eq!(made.pass(3).await.unwrap(), 3);
        assert_eq!(made.pass(10).await.unwrap_err().code(), Code::InvalidArgument);
        let seen = Arc::new(AtomicUsize::new(0));
        let inspector = Arc::new(Inspector { vault: vault.clone(), seen: seen.clone() });
        assert_eq!(vault.ask(inspector, 7).await.unwrap(), 7);
        // The main one, that of the object that was made, that of the lent service.
        assert_eq!(seen.load(Ordering::Relaxed), 3);
        assert_eq!(made.pass(4).await.unwrap(), 4);
        plugin.close().await;
    });
}

#[test]
fn what_was_made_can_be_lent_back() {
    support::test(async |lab| {
        let (plugin, vault) = launch(lab).await;
        let made = vault.new_guard(10).await.unwrap();
        assert_eq!(vault.ask(made, 9).await.unwrap(), 9);
        plugin.close().await;
    });
}

#[test]
fn each_process_has_certificates_of_its_own() {
    support::test(async |lab| {
        let (plugin, vault) = launch(lab).await;
        let made = vault.new_guard(10).await.unwrap();
        let before = vault.variable("PLUGIN_CLIENT_CERT").await.unwrap();
        assert!(before.starts_with("-----BEGIN CERTIFICATE-----\n"), "{before}");
        assert_eq!(vault.variable("PLUGIN_CLIENT_CERT").await.unwrap(), before);
        plugin.kill().unwrap();
        let after = vault.variable("PLUGIN_CLIENT_CERT").await.unwrap();
        assert_ne!(after, before);
        // Recreated in the new process, and dialled with the new certificates.
        assert_eq!(made.pass(5).await.unwrap(), 5);
        let (another, vault) = launch(lab).await;
        assert_ne!(vault.variable("PLUGIN_CLIENT_CERT").await.unwrap(), after);
        another.close().await;
        plugin.close().await;
    });
}

#[test]
fn strangers_do_no_harm() {
    support::test(async |lab| {
        let (plugin, vault) = launch(lab).await;
        let pid = plugin.pid();
        let main = sockets(&vault).await.pop().unwrap();
        let mut silent = Vec::new();
        for _ in 0..100 {
            silent.push(UnixStream::connect(&main).await.unwrap());
            assert!(matches!(answer_in_the_clear(&main).await.as_slice(), [] | [21, ..]));
            drop(UnixStream::connect(&main).await.unwrap());
        }
        let asked = with_timeout(Duration::from_secs(5), vault.ask(Arc::new(Limit(10)), 6)).await;
        assert_eq!(asked.unwrap(), 6);
        assert_eq!(plugin.pid(), pid);
        // It ends in time and by itself, although strangers are still connected.
        plugin.close().await;
        drop(silent);
    });
}

#[test]
fn without_it_the_same_plugin_speaks_in_the_clear() {
    support::test(async |lab| {
        let plugin = lab.launch("vault").await;
        let vault: Arc<dyn Vault> = plugin.dispense().await.unwrap();
        assert_eq!(vault.variable("PLUGIN_CLIENT_CERT").await.unwrap_err().message(), "environment variable not found");
        let main = sockets(&vault).await.pop().unwrap();
        let mut stream = UnixStream::connect(&main).await.unwrap();
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
        let mut frame = [0; 9];
        stream.read_exact(&mut frame).await.unwrap();
        assert_eq!(frame[3], 4, "SETTINGS");
        plugin.close().await;
    });
}
