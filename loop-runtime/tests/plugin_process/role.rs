//! The plugin under test. Variables that begin with `PROBE` configure it.

use std::io::Write;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use loop_runtime::plugin::{Plugin, sync_stderr};
use loop_runtime::{Error, Handshake, Result, loop_service};

pub(crate) const HANDSHAKE: Handshake = Handshake::new("PROBE_COOKIE", "sweet").version(1).also_versions(&[3]);

/// What the tests call.
#[loop_service(package = "probe")]
pub trait Probe {
    /// Gives `data` back.
    async fn echo(&self, data: &[u8]) -> Result<Vec<u8>>;
    /// Prints.
    async fn print(&self, stdout: &[u8], stderr: &[u8]) -> Result<()>;
    /// Logs.
    async fn log(&self, text: &str) -> Result<()>;
    /// Panics.
    async fn boom(&self, text: &str) -> Result<()>;
    /// Answers an error.
    async fn fail(&self, text: &str) -> Result<()>;
    /// Answers later.
    async fn nap(&self, millis: u64) -> Result<()>;
    /// Blocks its thread, far beyond any timeout.
    async fn block(&self) -> Result<()>;
    /// The paths of all calls so far.
    async fn seen(&self) -> Result<Vec<String>>;
    /// Makes a thing on a connection of its own.
    async fn new_thing(&self, number: u64) -> Result<Arc<dyn Thing>>;
    /// Asks one of the host's things for its number.
    async fn ask(&self, thing: Arc<dyn Thing>) -> Result<u64>;
}

/// Something that is made, or lent.
#[loop_service(package = "probe")]
pub trait Thing {
    /// Its number.
    async fn number(&self) -> Result<u64>;
}

/// A thing with this number.
pub(crate) struct Numbered(pub(crate) u64);

impl Thing for Numbered {
    async fn number(&self) -> Result<u64> {
        Ok(self.0)
    }
}

#[derive(Default)]
pub(crate) struct Impl {
    seen: Arc<Mutex<Vec<String>>>,
}

impl Probe for Impl {
    async fn echo(&self, data: &[u8]) -> Result<Vec<u8>> {
        Ok(data.to_vec())
    }

    async fn print(&self, stdout: &[u8], stderr: &[u8]) -> Result<()> {
        let mut out = std::io::stdout();
        out.write_all(stdout).and_then(|()| out.flush()).map_err(Error::other)?;
        sync_stderr().write_all(stderr).map_err(Error::other)
    }

    async fn log(&self, text: &str) -> Result<()> {
        let _span = tracing::info_span!("call", logger = "Probe").entered();
        tracing::warn!(size = text.len(), "{text}");
        tracing::warn!(target: "noisy", "of no interest");
        log::info!(target: "dependency", "by the crate log");
        Ok(())
    }

    async fn boom(&self, text: &str) -> Result<()> {
        panic!("{text}");
    }

    async fn fail(&self, text: &str) -> Result<()> {
        Err(text.into())
    }

    async fn nap(&self, millis: u64) -> Result<()> {
        tracing::info!("napping");
        tokio::time::sleep(Duration::from_millis(millis)).await;
        Ok(())
    }

    async fn block(&self) -> Result<()> {
        tracing::info!("blocking");
        std::thread::sleep(Duration::from_secs(600));
        Ok(())
    }

    async fn seen(&self) -> Result<Vec<String>> {
        Ok(self.seen.lock().unwrap().clone())
    }

    async fn new_thing(&self, number: u64) -> Result<Arc<dyn Thing>> {
        Ok(Arc::new(Numbered(number)))
    }

    async fn ask(&self, thing: Arc<dyn Thing>) -> Result<u64> {
        thing.number().await
    }
}

impl Drop for Impl {
    fn drop(&mut self) {
        note("dropped");
    }
}

/// Appends a line to the file that the test reads afterwards.
fn note(what: &str) {
    if let Some(path) = std::env::var_os("PROBE_NOTES") {
        let mut file = std::fs::File::options().append(true).create(true).open(path).unwrap();
        writeln!(file, "{what}").unwrap();
    }
}

fn is(how: &str) -> bool {
    std::env::var("PROBE").unwrap().split(',').any(|word| word == how)
}

pub(crate) fn run() -> ! {
    // Descriptor 3 is the stdout that the test reads; descriptor 1 belongs to the test harness.
    let stdout = std::fs::File::options().write(true).open("/dev/fd/3").unwrap();
    rustix::stdio::dup2_stdout(&stdout).unwrap();
    drop(stdout);
    let mut builder = if is("one-thread") {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    let runtime = builder.enable_all().build().unwrap();
    let code = runtime.block_on(plugin());
    // Like `#[tokio::main]`; it waits for blocked threads.
    drop(runtime);
    std::process::exit(if code == ExitCode::SUCCESS { 0 } else { 1 });
}

async fn plugin() -> ExitCode {
    let handshake = if is("no-cookie") { Handshake::new("", "") } else { HANDSHAKE };
    let seen = Arc::new(Mutex::new(Vec::new()));
    let paths = seen.clone();
    let mut plugin = Plugin::new(handshake)
        .on_root_call(move |path| paths.lock().unwrap().push(path.to_owned()))
        .on_shutdown(|| async { note("first hook") })
        .on_shutdown(|| async {
            tokio::task::yield_now().await;
            note("second hook");
        });
    if is("hangs") {
        plugin = plugin.on_shutdown(std::future::pending);
    }
    if is("loop") {
        plugin = plugin.loop_environment();
    }
    if is("outlives") {
        plugin = plugin.outlive_host();
    }
    let code = plugin
        .serve_with::<dyn Probe, _, _, _>(|starting| async move {
            println!("printed while it starts");
            assert!(!is("panics"), "before anything");
            if is("broken") {
                return Err(format!("version {}\nhas no disk", starting.version));
            }
            if is("slow") {
                tracing::info!("taking its time");
                std::future::pending::<()>().await;
            }
            Ok(Arc::new(Impl { seen }) as Arc<dyn Probe>)
        })
        .await;
    if code == ExitCode::SUCCESS {
        println!("printed after the end");
    }
    note("served");
    code
}
