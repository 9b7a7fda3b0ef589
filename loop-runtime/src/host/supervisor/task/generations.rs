//! From a launch to a generation that callers find and that is watched.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::Task;
use crate::host::builder::Source;
use crate::host::supervisor::launch::launch;
use crate::host::supervisor::machine::Input;
use crate::host::supervisor::{Message, Running};
use crate::host::watchdog;
use crate::sync::locked;

impl Task {
    pub(super) fn launch(&mut self, generation: u64, source: Arc<Source>) {
        self.launching = CancellationToken::new();
        let (shared, cancel) = (self.shared.clone(), self.launching.clone());
        self.spawn(async move { Message::Launched(launch(&shared, &source, generation, cancel).await.map(Box::new)) });
    }

    /// Makes in a new process what lives in the one that runs.
    pub(super) fn prepare(&mut self, number: u64) {
        let Some(main) = self.find(number).map(|kept| kept.generation.mains.current()) else { return };
        let root = self.shared.root.clone();
        self.spawn(async move { Message::Prepared(number, root.prepare(&main).await) });
    }

    /// Whatever becomes of it, its end is an event.
    pub(super) fn watch_process(&mut self, number: u64) {
        let Some(kept) = self.find(number) else { return };
        let (process, broker) = (kept.generation.process().clone(), kept.generation.broker_ends());
        let watched = kept.watched.clone();
        self.watch(&watched, async move {
            process.exited().await;
            Input::Exited { generation: number }
        });
        self.watch(&watched, async move { Input::Lost { generation: number, why: broker.await } });
    }

    /// Lets callers find it.
    pub(super) fn install(&mut self, number: u64) {
        let shared = self.shared.clone();
        let Some(kept) = self.find(number) else { return };
        let (generation, watched) = (&kept.generation, kept.watched.clone());
        let (mains, main) = (generation.mains.clone(), generation.mains.current());
        *locked(&shared.running) =
            Some(Running { process: generation.process().clone(), mains: mains.clone(), version: generation.version });
        shared.root.install(main);
        self.watch_main(number);
        if let Some(tick) = shared.settings.policy.health_check_interval {
            self.work.spawn(async move {
                let tell = |pulse| shared.tell_machine(Input::Pulse { generation: number, pulse });
                watched.run_until_cancelled(watchdog::watch(mains, tick, tell)).await;
            });
        }
    }

    /// From one main connection to the next.
    pub(super) fn move_to(&mut self, number: u64) {
        let Some(kept) = self.find_mut(number) else { return };
        let Some(link) = kept.redialled.take() else { return };
        kept.generation.mains.replace(link.clone());
        self.shared.root.install(link);
        self.watch_main(number);
    }

    fn watch_main(&mut self, number: u64) {
        let Some((watched, changed)) =
            self.find(number).map(|kept| (kept.watched.clone(), kept.generation.main_changes()))
        else {
            return;
        };
        self.watch(&watched, async move {
            match changed.await {
                Some(why) => Input::Lost { generation: number, why },
                None => Input::Retired { generation: number },
            }
        });
    }

    fn watch(&mut self, watched: &CancellationToken, sign: impl Future<Output = Input> + Send + 'static) {
        let (watched, shared) = (watched.clone(), self.shared.clone());
        self.work.spawn(async move {
            if let Some(input) = watched.run_until_cancelled(sign).await {
                shared.tell_machine(input);
            }
        });
    }
}
