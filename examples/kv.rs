//! A key-value store in a process of its own: the trait, the implementation, the plugin and the host.
//!
//! `cargo run --example kv` is the host; it starts the same binary again as the plugin.

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use loop_runtime::host::{Command, Host};
use loop_runtime::plugin::Plugin;
use loop_runtime::{Handshake, Result, loop_service};

const HANDSHAKE: Handshake = Handshake::new("KV_PLUGIN", "hello").version(1);

/// A store of bytes under names.
#[loop_service(package = "example.kv.v1")]
pub trait Kv {
    /// Stores `value` under `key`.
    #[rpc(idempotent)]
    async fn put(&self, key: &str, value: &[u8]) -> Result<()>;
    /// What was stored under `key`, if anything was.
    #[rpc(idempotent)]
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>>;
}

#[derive(Default)]
struct Store(Mutex<HashMap<String, Vec<u8>>>);

impl Kv for Store {
    async fn put(&self, key: &str, value: &[u8]) -> Result<()> {
        self.0.lock().map_err(|_| "poisoned")?.insert(key.to_owned(), value.to_vec());
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.0.lock().map_err(|_| "poisoned")?.get(key).cloned())
    }
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    if std::env::var_os("KV_PLUGIN").is_some() {
        return Ok(Plugin::new(HANDSHAKE).serve::<dyn Kv>(Arc::new(Store::default())).await);
    }
    let plugin = Host::new(HANDSHAKE).launch(Command::new(std::env::current_exe()?)).await?;
    let kv: Arc<dyn Kv> = plugin.dispense().await?;
    kv.put("greeting", b"hello").await?;
    let value = kv.get("greeting").await?.unwrap_or_default();
    println!("process {:?} says {}", plugin.pid(), String::from_utf8_lossy(&value));
    plugin.close().await;
    Ok(ExitCode::SUCCESS)
}
