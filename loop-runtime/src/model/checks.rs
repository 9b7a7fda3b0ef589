//! The promises about a plugin, checked where its machine decides.

use std::time::Duration;

use super::ledger::{Promise, ledger, log};
use super::sim;
use super::task::Task;
use crate::host::machines::{Action, Input};
use crate::host::{EndCause, EventKind, State};

impl Task {
    /// Checks the machine's input.
    pub(super) fn note(&mut self, input: &Input) {
        let plugin = self.shared.plugin;
        match input {
            Input::Reset => ledger(|it| it.plugins[plugin].forget_launches()),
            Input::Restart { replaced: true } => {
                self.launch_is_free = true;
                ledger(|it| it.plugins[plugin].forget_launches());
            }
            Input::Restart { .. } => self.launch_is_free |= self.shared.is_running(),
            Input::Started { .. } => self.launch_is_free = false,
            // A lost process can reach nothing of the host. One that shuts down in order releases what it was lent.
            Input::Lost { generation, why } if *why != EndCause::ShutDown => {
                let goes_on =
                    *why == EndCause::BrokerLost && self.find(*generation).is_none_or(|kept| kept.was_retired);
                let runs = matches!(
                    *self.shared.state.borrow(),
                    Some(State::Running { generation: now, .. }) if now == *generation
                );
                if runs && !goes_on {
                    self.is_over(*generation);
                }
            }
            _ => {}
        }
    }

    /// From here on, the generation can reach nothing that was lent to it.
    fn is_over(&self, generation: u64) {
        ledger(|it| {
            it.plugins[self.shared.plugin].over.insert(generation);
        });
    }

    /// Checks the machine's action.
    pub(super) fn check(&mut self, action: &Action) {
        let plugin = self.shared.plugin;
        match action {
            Action::Launch { .. } => self.check_launch(),
            Action::LaunchBeside { .. } => {
                let living = self.living();
                if living > 1 {
                    let how = || format!("{living} processes of plugin {plugin} live, and another is launched beside");
                    ledger(|it| it.broken(Promise::OneGeneration, how));
                }
                ledger(|it| it.figures.launches += 1);
            }
            Action::ShutDown { generation } => {
                self.check_children(*generation);
                self.asked = Some((*generation, sim::now(), sim::stood_still()));
            }
            Action::State(state) => {
                let stopping = match state {
                    State::Stopping { generation } => Some(*generation),
                    _ => None,
                };
                ledger(|it| it.plugins[plugin].stopping = stopping);
            }
            Action::End { generation, .. } => {
                self.check_children(*generation);
                self.check_patience(*generation);
                self.is_over(*generation);
            }
            _ => {}
        }
    }

    fn living(&self) -> usize {
        let plugin = self.shared.plugin;
        ledger(|it| it.processes.iter().filter(|it| it.plugin == plugin && it.is_alive() && !it.is_doomed()).count())
    }

    fn check_launch(&mut self) {
        let (plugin, now, living) = (self.shared.plugin, sim::now(), self.living());
        let is_free = std::mem::take(&mut self.launch_is_free);
        ledger(|it| {
            it.figures.launches += 1;
            if living > 0 {
                it.broken(Promise::OneGeneration, || format!("two processes of plugin {plugin} at a time"));
            }
            let record = &mut it.plugins[plugin];
            record.was_reset = false;
            let not_before = record.not_before.take();
            let failed_for_good = record.failed_for_good;
            if !is_free && record.launched(now) {
                it.broken(Promise::Budget, || format!("too many launches of plugin {plugin} in its window"));
            }
            if not_before.is_some_and(|at| now < at) {
                it.broken(Promise::Budget, || format!("a launch of plugin {plugin} before its time"));
            }
            if failed_for_good {
                it.broken(Promise::Permanent, || format!("plugin {plugin} failed for good, and is launched"));
            }
        });
    }

    /// Handles are closed before their process is asked to end, unless they take too long.
    fn check_children(&mut self, generation: u64) {
        let (plugin, root) = (self.shared.plugin, &self.shared.root);
        let is_current = ledger(|it| it.plugins[plugin].published) == generation;
        let left = root.made_by_it().iter().filter(|handle| !handle.done.is_cancelled()).count();
        let Some(closing) = self.closing_since.filter(|_| is_current && left > 0) else { return };
        if sim::now() - closing < self.shared.policy.timeouts.close_timeout {
            ledger(|it| it.broken(Promise::Silent, || format!("plugin {plugin} ends before {left} of its handles")));
        }
    }

    /// A process that was asked to shut down has had its grace period, in which it could run.
    fn check_patience(&mut self, generation: u64) {
        let Some((asked, at, (times, stood_still))) = self.asked.take_if(|it| it.0 == generation) else { return };
        let Some(kept) = self.find(asked) else { return };
        let (more_times, more) = sim::stood_still();
        let had = (sim::now() - at).saturating_sub(more - stood_still);
        // Of ten slices, one is lost each time that everything stalls.
        let slices = 10_u32.saturating_sub(more_times - times);
        let least = (self.shared.policy.shutdown_timeout / 10 * slices).saturating_sub(Duration::from_millis(50));
        let process = &kept.generation.session.process;
        if process.is_alive() && !process.is_doomed() && had < least {
            let how = || format!("generation {asked} is killed {had:?} after it was asked to end");
            ledger(|it| it.broken(Promise::Patience, how));
        }
    }

    /// Checks an emitted event.
    pub(super) fn told(&mut self, what: &EventKind) {
        let plugin = self.shared.plugin;
        log!("plugin {plugin} tells: {what:?}");
        if let Err(why) = self.grammar.take(what) {
            ledger(|it| it.broken(Promise::Grammar, || why));
        }
        if matches!(what, EventKind::BreakerOpened { .. } | EventKind::GaveUp { .. }) {
            ledger(|it| {
                if it.plugins[plugin].was_reset {
                    it.broken(Promise::Recovers, || format!("plugin {plugin} was reset, and nobody took note of it"));
                }
            });
        }
        match what {
            EventKind::LaunchFailed { permanent: true, .. } if self.grammar.is_upgrading() => {}
            EventKind::LaunchFailed { permanent: true, .. } => ledger(|it| it.plugins[plugin].fails_for_good()),
            EventKind::BreakerOpened { until, .. } => ledger(|it| {
                it.figures.openings += 1;
                it.plugins[plugin].not_before = Some(*until);
            }),
            EventKind::Backoff { until, .. } => ledger(|it| it.plugins[plugin].not_before = Some(*until)),
            // Failures of the old program do not count for the new one.
            EventKind::Upgraded { .. } => ledger(|it| {
                it.figures.upgrades += 1;
                it.plugins[plugin].forget_launches();
            }),
            // A stable run clears earlier failures.
            EventKind::Ended(ended) if ended.uptime >= self.shared.policy.stable_after => {
                ledger(|it| it.plugins[plugin].launches.clear());
            }
            EventKind::Closing => self.closing_since = Some(sim::now()),
            _ => {}
        }
    }
}
