//! Distinguishes a hung process from a busy one.

mod ticks;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::mains::Mains;
use super::supervisor::Pulse;
#[cfg(test)]
pub(crate) use ticks::{Question, Step, Ticks};
#[cfg(not(test))]
use ticks::{Question, Step, Ticks};

/// Reports what it finds, and returns when the process has given no sign of life for ten ticks.
///
/// Any answer, refusals included, is a sign of life; a log line is not. Ticks are counted, and ticks that the host itself
/// slept through count once: it wakes with all timers due, and the plugin deserves its time.
pub(super) async fn watch(mains: Arc<Mains>, tick: Duration, tell: impl Fn(Pulse)) {
    let peer_context = mains.session().peer_context().clone();
    let mut clock = interval_at(Instant::now() + tick, tick);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ticks = Ticks::new(peer_context.signs_of_life());
    let (mut main, mut aside) = (Asked::default(), Asked::default());
    loop {
        clock.tick().await;
        for serving in [main.settle().await, aside.settle().await].into_iter().flatten() {
            if let Some(pulse) = ticks.heard(serving) {
                tell(pulse);
            }
        }
        for step in ticks.tick(peer_context.signs_of_life(), main.question(), aside.question()) {
            match step {
                Step::Ask => {
                    let mains = mains.clone();
                    main.begin(&mains.clone(), async move { mains.ask().await });
                }
                Step::AskAside => {
                    let mains = mains.clone();
                    aside.begin(&mains.clone(), async move { mains.ask_aside().await });
                }
                Step::Tell(Pulse::Hung) => return tell(Pulse::Hung),
                Step::Tell(pulse) => tell(pulse),
            }
        }
    }
}

/// A health check in flight.
#[derive(Default)]
struct Asked {
    task: Option<JoinHandle<Option<bool>>>,
    failed: bool,
}

impl Asked {
    /// The answer is a sign of life at once, not only at the next tick.
    fn begin(&mut self, mains: &Arc<Mains>, question: impl Future<Output = Option<bool>> + Send + 'static) {
        let (session, peer_context) = (mains.session().clone(), mains.session().peer_context().clone());
        self.task = Some(mains.session().tasks().spawn(async move {
            let answer = session.ended().run_until_cancelled(question).await.flatten();
            if answer.is_some() {
                peer_context.alive();
            }
            answer
        }));
    }

    /// The answer, if it has come by now.
    async fn settle(&mut self) -> Option<bool> {
        let task = self.task.take_if(|task| task.is_finished())?;
        // One that panicked or was cancelled says nothing.
        let answer = task.await.ok().flatten();
        self.failed = answer.is_none();
        answer
    }

    fn question(&self) -> Question {
        match &self.task {
            Some(_) => Question::Open,
            None if self.failed => Question::Failed,
            None => Question::None,
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
