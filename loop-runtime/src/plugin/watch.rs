//! What ends a plugin besides Shutdown: signals, and the end of its host.
//!
//! One thread waits for both, and empties the pipe of captured output. The application's runtime will not do: one handler
//! that blocks can keep all of it from seeing a signal, or print until the pipe is full. The thread waits in one `poll`
//! rather than in a runtime of its own, which was a tenth of the memory of an idle plugin.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::Signal;

use super::stop::{Reason, Stop};
use crate::stdio::capture::Drain;
use crate::sys::os::hang_up_with_parent;
use crate::sys::plugin::{Parent, Signals};

/// How often the parent is polled where the system cannot report its end.
const LOOK: Duration = Duration::from_millis(250);

/// Handles the signals that concern a plugin, and requests shutdown when SIGTERM comes or the host is gone.
///
/// SIGINT is swallowed for the life of the process: Ctrl-C reaches the whole foreground group, and the host decides.
/// Unless the plugin outlives its host, the process that started it is watched, and told apart from its threads: the
/// parent-death signal comes at the end of the *thread* that forked, which in a Go host may be any time. That signal is
/// SIGHUP here and replaces a SIGKILL that the host may have arranged, so that sockets are removed and cleanup runs.
/// It is needed beside the watch for a process that is stopped: the system continues a stopped group that lost its
/// last parent, with a SIGHUP. With the parent alive a SIGHUP is ignored.
pub(crate) fn start(stop: &Stop, outlives_host: bool, printed: Drain) -> io::Result<()> {
    let signals = Signals::take_over()?;
    let parent = if outlives_host { None } else { Parent::current() };
    // Without a host to watch, this undoes what the host may have arranged.
    if let Err(error) = hang_up_with_parent(parent.is_some()) {
        tracing::debug!(%error, "the host's end is noticed without a signal");
    }
    let watch = Watch {
        stop: stop.clone(),
        signals,
        parent,
        parent_ends: parent.and_then(Parent::descriptor),
        printed: Some(printed),
    };
    std::thread::Builder::new().name("loop-watch".to_owned()).spawn(move || watch.run())?;
    Ok(())
}

struct Watch {
    stop: Stop,
    signals: Signals,
    parent: Option<Parent>,
    /// Can be read once the parent has ended.
    parent_ends: Option<OwnedFd>,
    /// Until nobody can print any more.
    printed: Option<Drain>,
}

impl Watch {
    /// Until shutdown was requested and nobody can print any more; the latter is what is waited for then.
    fn run(mut self) {
        while self.printed.is_some() || !self.stop.token().is_cancelled() {
            let [signal, parent, printed] = self.wait();
            if printed && self.printed.as_mut().is_some_and(|printed| !printed.take()) {
                self.printed = None;
            }
            // Only the first request counts, so this may be long after it.
            if let Some(reason) = self.reason_to_end(signal, parent) {
                self.stop.request(reason);
                (self.parent, self.parent_ends) = (None, None);
            }
        }
    }

    /// Waits until something happens to the signals, to the parent or to the output.
    fn wait(&self) -> [bool; 3] {
        // An absent descriptor is replaced by one that is never ready.
        let nothing = PollFd::new(&self.signals, PollFlags::empty());
        let mut all = [
            PollFd::new(&self.signals, PollFlags::IN),
            self.parent_ends.as_ref().map_or(nothing.clone(), |it| PollFd::new(it, PollFlags::IN)),
            self.printed.as_ref().map_or(nothing, |it| PollFd::new(it, PollFlags::IN)),
        ];
        let look = self.parent.is_some() && self.parent_ends.is_none();
        let timeout = look.then(|| Timespec { tv_sec: 0, tv_nsec: i64::from(LOOK.subsec_nanos()) });
        match poll(&mut all, timeout.as_ref()) {
            Ok(_) => all.map(|one| !one.revents().is_empty()),
            Err(Errno::INTR) => [false; 3],
            Err(_) => {
                // The system is out of memory; it may recover.
                std::thread::sleep(LOOK);
                [false; 3]
            }
        }
    }

    fn reason_to_end(&self, signal: bool, parent: bool) -> Option<Reason> {
        let is_gone = || self.parent.is_some_and(Parent::is_gone);
        if parent || (self.parent_ends.is_none() && is_gone()) {
            return Some(Reason::HostGone);
        }
        if !signal {
            return None;
        }
        std::iter::from_fn(|| self.signals.next()).find_map(|signal| match signal {
            Signal::TERM => Some(Reason::Terminated),
            _ => is_gone().then_some(Reason::HostGone),
        })
    }
}
