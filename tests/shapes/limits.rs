//! Large messages, too large ones, many concurrent calls, and handlers that block.

use std::process::ExitCode;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use loop_runtime::plugin::Plugin;
use loop_runtime::{Code, Result, loop_service};
use tokio::sync::watch;

use crate::journal::{Journal, Lines};
use crate::peer::{Peer, both, refused};
use crate::support;

const MIB: usize = 1 << 20;
/// What the plugin of these tests accepts.
const REQUEST: usize = 65 * MIB;

/// Carries a lot.
#[loop_service(package = "shapes.limits")]
pub(crate) trait Porter {
    /// Gives it back.
    async fn carry(&self, load: &[u8]) -> Result<Vec<u8>>;
    /// As many bytes.
    async fn fetch(&self, bytes: u64) -> Result<Vec<u8>>;
    /// Lets a service of ours carry that many.
    async fn delegate(&self, other: Arc<dyn Porter>, bytes: u64) -> Result<u64>;
    /// Answers when `parties` calls are there.
    async fn gather(&self, parties: u32) -> Result<()>;
    /// Blocks a thread until [`Porter::unblock`].
    async fn block(&self, journal: Arc<dyn Journal>) -> Result<()>;
    /// See there.
    async fn unblock(&self) -> Result<()>;
}

struct Mule {
    here: watch::Sender<u32>,
    go: Arc<Mutex<Receiver<()>>>,
    unblock: Sender<()>,
}

impl Mule {
    fn make() -> Arc<dyn Porter> {
        let (unblock, go) = channel();
        Arc::new(Self { here: watch::Sender::new(0), go: Arc::new(Mutex::new(go)), unblock })
    }
}

impl Porter for Mule {
    async fn carry(&self, load: &[u8]) -> Result<Vec<u8>> {
        Ok(load.to_vec())
    }

    async fn fetch(&self, bytes: u64) -> Result<Vec<u8>> {
        Ok(vec![1; bytes as usize])
    }

    async fn delegate(&self, other: Arc<dyn Porter>, bytes: u64) -> Result<u64> {
        Ok(other.carry(&vec![1; bytes as usize]).await?.len() as u64)
    }

    async fn gather(&self, parties: u32) -> Result<()> {
        self.here.send_modify(|here| *here += 1);
        self.here.subscribe().wait_for(|here| *here >= parties).await.map_err(|_| "gone")?;
        Ok(())
    }

    async fn block(&self, journal: Arc<dyn Journal>) -> Result<()> {
        journal.note("blocked").await?;
        let go = self.go.clone();
        // On the runtime's worker threads it could block other tasks.
        let blocked = tokio::task::spawn_blocking(move || go.lock().unwrap().recv());
        Ok(blocked.await.map_err(|_| "panicked")?.map_err(|_| "gone")?)
    }

    async fn unblock(&self) -> Result<()> {
        self.unblock.send(()).map_err(|_| "gone")?;
        Ok(())
    }
}

pub(crate) async fn plugin(plugin: Plugin) -> ExitCode {
    plugin.max_request(REQUEST).serve::<dyn Porter>(Mule::make()).await
}

fn porter(case: impl AsyncFn(Arc<dyn Porter>)) {
    both::<dyn Porter>("limits", Mule::make, async |peer: &Peer| case(peer.get().await).await);
}

#[test]
fn sixty_four_mebibytes_go_and_come_back() {
    porter(async |porter| {
        let load: Vec<u8> = (0..64 * MIB).map(|n| (n / 251) as u8).collect();
        assert!(porter.carry(&load).await.unwrap() == load);
        let bytes = (64 * MIB) as u64;
        assert_eq!(porter.delegate(Mule::make(), bytes).await.unwrap(), bytes);
    });
}

#[test]
fn what_is_too_big_is_refused_and_the_connection_goes_on() {
    support::test(async |lab| {
        let host = lab.host().max_reply(MIB).max_request(2 * MIB);
        let plugin = lab.launch_by(&host, "limits").await;
        let pid = plugin.pid();
        let porter: Arc<dyn Porter> = plugin.dispense().await.unwrap();
        let too_big = |outcome: Result<()>| {
            let (code, text) = refused(outcome);
            assert_eq!(code, Code::ResourceExhausted, "{text}");
        };
        too_big(porter.carry(&vec![0; REQUEST]).await.map(drop));
        too_big(porter.fetch(MIB as u64).await.map(drop));
        assert_eq!(porter.fetch(MIB as u64 - 16).await.unwrap().len(), MIB - 16);
        too_big(porter.delegate(Mule::make(), 2 * MIB as u64).await.map(drop));
        assert_eq!(porter.delegate(Mule::make(), 2 * MIB as u64 - 16).await.unwrap(), 2 * MIB as u64 - 16);
        assert_eq!(plugin.pid(), pid);
        plugin.close().await;
    });
}

#[test]
fn thousands_of_calls_are_in_flight() {
    const CALLS: u32 = 5_000;
    porter(async |porter| {
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..CALLS {
            let porter = porter.clone();
            calls.spawn(async move { porter.gather(CALLS).await });
        }
        for outcome in calls.join_all().await {
            outcome.unwrap();
        }
    });
}

#[test]
fn a_handler_that_blocks_blocks_nobody_else() {
    porter(async |porter| {
        let lines = Lines::new();
        let call = {
            let (porter, journal) = (porter.clone(), lines.journal());
            tokio::spawn(async move { porter.block(journal).await })
        };
        lines.has("blocked").await;
        assert_eq!(porter.carry(b"x").await.unwrap(), b"x");
        porter.unblock().await.unwrap();
        call.await.unwrap().unwrap();
    });
}
