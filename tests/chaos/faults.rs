//! The faults that are injected into the plugins.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use loop_runtime::host::Supervisor;
use loop_runtime::testing::Faults;

use crate::random::Random;
use crate::services::Reporter;
use crate::shortage;
use crate::sockets::{self, Which};
use crate::world::{World, link_program, program};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    Kill,
    KillBoth,
    Freeze,
    FreezeLong,
    CutMain,
    CutOne,
    CutAll,
    CloseObject,
    Refuse,
    RefuseForGood,
    Hang,
    Crash,
    LaunchFails,
    CrashLoop,
    NoProgram,
    Restart,
    Upgrade,
    Terminate,
    GoAway,
    Reset,
    StallHost,
    GarbageToPlugin,
    GarbageToHost,
    SlowPlugin,
    DiskFull,
    FewDescriptorsHere,
    FewDescriptorsThere,
}

impl Fault {
    /// Frequent faults often; those that take seconds, seldom.
    pub(crate) fn next(random: &mut Random) -> Self {
        use Fault::*;
        match random.below(100) {
            0..12 => Kill,
            12..17 => KillBoth,
            17..21 => Terminate,
            21..26 => GoAway,
            26..32 => Freeze,
            32..33 => FreezeLong,
            33..38 => CutMain,
            38..46 => CutOne,
            46..50 => CutAll,
            50..55 => CloseObject,
            55..60 => Refuse,
            60..63 => RefuseForGood,
            63..66 => Hang,
            66..70 => Crash,
            70..72 => LaunchFails,
            72..74 => CrashLoop,
            74..76 => NoProgram,
            76..79 => Restart,
            79..81 => Upgrade,
            81..85 => Reset,
            85..88 => GarbageToPlugin,
            88..91 => GarbageToHost,
            91..93 => SlowPlugin,
            93..95 => DiskFull,
            95..97 => FewDescriptorsHere,
            97..99 => FewDescriptorsThere,
            _ => StallHost,
        }
    }
}

/// The number of each.
pub(crate) type Done = BTreeMap<Fault, u64>;

impl World {
    /// Injects `fault` into one of the plugins. It has no effect on a plugin that is down at the moment.
    pub(crate) async fn hurt(self: &Arc<Self>, fault: Fault, random: &mut Random) {
        let which = random.below(2) as usize;
        let plugin = &self.plugins[which];
        match fault {
            Fault::Kill => drop(plugin.kill()),
            Fault::KillBoth => self.plugins.iter().for_each(|plugin| drop(plugin.kill())),
            Fault::Freeze => {
                drop(plugin.freeze());
                tokio::time::sleep(Duration::from_millis(10 + random.below(200))).await;
                drop(plugin.thaw());
            }
            Fault::FreezeLong => {
                self.may_be_silent([plugin]);
                drop(plugin.freeze());
                tokio::time::sleep(Duration::from_millis(2600)).await;
            }
            Fault::CutMain => drop(plugin.cut()),
            Fault::CutOne => sockets::cut(&self.dir, Which::One, random),
            Fault::CutAll => sockets::cut(&self.dir, Which::All, random),
            Fault::CloseObject => {
                let closing = loop_runtime::with_timeout(Duration::from_millis(200), self.reporter.close_provider());
                drop(closing.await);
                sockets::cut(&self.dir, Which::One, random);
            }
            Fault::Refuse => self.order(which, "refuse"),
            Fault::RefuseForGood => self.order(which, "refuse-for-good"),
            Fault::Hang => self.order(which, "hang"),
            Fault::Crash => self.order(which, "crash"),
            Fault::LaunchFails => self.order(which, "fail-launch"),
            Fault::CrashLoop => {
                self.order(which, "fail-launches");
                // Longer than the budget lasts.
                tokio::time::sleep(Duration::from_millis(1200)).await;
                let _ = std::fs::remove_file(self.dir.join("fail-launches"));
            }
            Fault::NoProgram => {
                std::fs::remove_file(program(&self.dir, which)).expect("the link to the program");
                drop(plugin.kill());
                // As long as a deploy takes. Without a reset: it ran before, and will run again.
                let away = if random.below(4) == 0 { 1000 } else { random.below(60) };
                tokio::time::sleep(Duration::from_millis(away)).await;
                link_program(&self.dir, which);
            }
            Fault::Restart => plugin.restart(),
            // It may be in the wrong state, or a kill may come in between: then it returns an error.
            Fault::Upgrade => drop(plugin.upgrade(self.command(which)).await),
            Fault::Terminate => plugin.pid().into_iter().for_each(terminate),
            Fault::GoAway => {
                // In the middle of a frame of another, it is garbage.
                self.may_be_silent([&self.plugins[0], &self.plugins[1]]);
                let from = if random.below(4) == 0 { Some(std::process::id()) } else { plugin.pid() };
                from.into_iter().for_each(|from| sockets::go_away(from, &self.dir, random));
            }
            Fault::Reset => self.reset(which),
            Fault::GarbageToPlugin => {
                self.may_be_silent([&self.plugins[0], &self.plugins[1]]);
                sockets::garble(std::process::id(), &self.dir, random);
            }
            Fault::GarbageToHost => {
                self.may_be_silent([plugin]);
                plugin.pid().into_iter().for_each(|pid| sockets::garble(pid, &self.dir, random));
            }
            Fault::SlowPlugin => {
                for _ in 0..20 {
                    drop(plugin.freeze());
                    tokio::time::sleep(Duration::from_millis(15)).await;
                    drop(plugin.thaw());
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            }
            Fault::DiskFull => shortage::of_inodes(Duration::from_millis(50 + random.below(250))).await,
            Fault::FewDescriptorsHere => {
                shortage::of_descriptors(None, Duration::from_millis(50 + random.below(250))).await;
            }
            Fault::FewDescriptorsThere => {
                shortage::of_descriptors(plugin.pid(), Duration::from_millis(50 + random.below(250))).await;
            }
            Fault::StallHost => stall(Duration::from_millis(2500)).await,
        }
    }

    /// Marks processes that are about to be frozen for longer than a healthy one may be silent, or whose connection is
    /// about to be blocked, for longer than that too, by a frame that never ends.
    pub(crate) fn may_be_silent<'a>(&self, plugins: impl IntoIterator<Item = &'a Supervisor>) {
        self.silent.lock().expect("no panic").extend(plugins.into_iter().filter_map(Supervisor::pid));
    }

    /// Leaves an order for the next constructor or start, and triggers one.
    pub(crate) fn order(&self, which: usize, order: &str) {
        std::fs::write(self.dir.join(order), "").expect("an order");
        drop(self.plugins[which].kill());
    }

    /// Removes orders that were not carried out.
    pub(crate) fn calm(&self) {
        for order in ["refuse", "refuse-for-good", "hang", "crash", "fail-launch"] {
            let _ = std::fs::remove_file(self.dir.join(order));
        }
        self.plugins.iter().for_each(|plugin| drop(plugin.thaw()));
    }
}

/// Sends SIGTERM, as a service manager does that stops a whole group.
pub(crate) fn terminate(pid: u32) {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw).expect("a process");
    // It may have ended by itself.
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
}

/// Blocks all threads of the runtime, as a frozen container would: healthy plugins must survive that.
async fn stall(time: Duration) {
    let threads = tokio::runtime::Handle::current().metrics().num_workers();
    let stalled: Vec<_> = (0..threads).map(|_| tokio::spawn(async move { std::thread::sleep(time) })).collect();
    for thread in stalled {
        thread.await.expect("no panic");
    }
}
