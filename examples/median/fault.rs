//! A death in the middle of a call: a plugin is killed while it waits for a reply of the host.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use loop_runtime::Result;
use loop_runtime::host::Supervisor;
use loop_runtime::testing::Faults;

use crate::story::{Story, Tone};

/// One plugin's death, at most once, and what the host's callers see of it.
pub(crate) struct Fault {
    plugin: Supervisor,
    story: Arc<Story>,
    state: Mutex<State>,
}

#[derive(Clone, Copy)]
enum State {
    Spared,
    /// The next occasion is taken.
    Armed,
    /// In the middle of a call on behalf of this oracle.
    Struck {
        at: Instant,
        oracle: u8,
    },
    Over,
}

impl Fault {
    pub(crate) fn new(plugin: &Supervisor, story: &Arc<Story>) -> Arc<Self> {
        Arc::new(Self { plugin: plugin.clone(), story: story.clone(), state: Mutex::new(State::Spared) })
    }

    /// Takes the next occasion.
    pub(crate) fn arm(&self) {
        *self.state() = State::Armed;
    }

    /// An occasion: the plugin waits for the host, `doing` something for `oracle`. If it is killed, this never returns:
    /// the future is dropped with the connection.
    pub(crate) async fn strike(&self, oracle: u8, doing: &str) {
        if self.kill(oracle, doing) {
            std::future::pending().await
        }
    }

    /// Kills the plugin, if it is to be killed and runs.
    pub(crate) fn kill(&self, oracle: u8, doing: &str) -> bool {
        let mut state = self.state();
        let process = self.plugin.pid().unwrap_or_default();
        if !matches!(*state, State::Armed) || self.plugin.kill().is_err() {
            return false;
        }
        *state = State::Struck { at: Instant::now(), oracle };
        self.story.tell(Tone::Fault, "SIGKILL", format!("{} plugin, process {process}, {doing}", self.plugin.name()));
        true
    }

    /// Reports the outcome of the call for `oracle`, if it is the one that was hit.
    pub(crate) fn seen<T>(&self, oracle: u8, outcome: &Result<T>) {
        let hit = matches!(*self.state(), State::Struck { oracle: hit, .. } if hit == oracle);
        match outcome {
            Ok(_) if hit => {
                self.story.tell(Tone::Plain, "caller", "saw nothing but the time: the call may be repeated, and was");
                self.back();
            }
            Err(why) if hit => self.story.tell(Tone::Warning, "caller", format!("saw: {why}")),
            _ => {}
        }
    }

    /// A call that needs the plugin was answered: if it had been killed, it has recovered.
    pub(crate) fn back(&self) {
        let mut state = self.state();
        if let State::Struck { at, .. } = *state {
            let took = at.elapsed().as_secs_f64() * 1000.0;
            let process = self.plugin.pid().unwrap_or_default();
            let text = format!("the same handles, now process {process}: {took:.1} ms until the next good call");
            self.story.tell(Tone::Good, "back", text);
            *state = State::Over;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
