//! The plugin's ties to the process that started it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::process::{Pid, Signal, getppid};

use super::os;

/// The process that started this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parent(Pid);

impl Parent {
    /// The present parent; `None` if it lives outside this process's namespace and cannot be watched.
    pub(crate) fn current() -> Option<Self> {
        getppid().map(Self)
    }

    /// Whether this process has been handed to another parent, as happens when its own ends.
    pub(crate) fn is_gone(self) -> bool {
        getppid() != Some(self.0)
    }

    /// A descriptor that can be read once the parent has ended; `None` where the system has none for it, and where the
    /// parent has ended already: look at [`Parent::is_gone`] from time to time then.
    pub(crate) fn descriptor(self) -> Option<OwnedFd> {
        let descriptor = os::hold(self.0).ok()??;
        // The number may have been used again between the fork and this call; then the parent is another by now.
        (!self.is_gone()).then_some(descriptor)
    }
}

/// The signals that concern a plugin, one byte each in a pipe.
///
/// The handlers are shared with whatever else in the process takes signals by `signal-hook-registry`, as tokio does.
pub(crate) struct Signals(OwnedFd);

impl Signals {
    /// Takes over SIGINT, which is swallowed, SIGTERM and SIGHUP, for the life of the process.
    pub(crate) fn take_over() -> io::Result<Self> {
        let (reader, writer) = super::wake::pipe()?;
        let writer = Arc::new(writer);
        for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
            let (writer, byte) = (writer.clone(), [signal.as_raw() as u8]);
            let told = signal != Signal::INT;
            let action = move || {
                if told {
                    // A full pipe says all that there is to say.
                    let _ = rustix::io::write(&writer, &byte);
                }
            };
            // SAFETY: `register` asks for an action that may run in a signal handler. This one reads what is never
            // changed and makes one `write`, which is safe there: no memory is taken or freed, as the registry never
            // drops an action that nobody unregisters, no lock is taken, nothing can panic.
            unsafe { signal_hook_registry::register(signal.as_raw(), action) }?;
        }
        Ok(Self(reader))
    }

    /// The next signal that came; `None` if there is none yet.
    pub(crate) fn next(&self) -> Option<Signal> {
        let mut byte = [0];
        match rustix::io::retry_on_intr(|| rustix::io::read(&self.0, &mut byte)) {
            Ok(1) => Signal::from_named_raw(i32::from(byte[0])),
            Ok(_) | Err(_) => None,
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_there() {
        let parent = Parent::current().unwrap();
        assert!(!parent.is_gone());
        let descriptor = parent.descriptor();
        assert_eq!(descriptor.is_some(), cfg!(all(target_os = "linux", not(loop_portable))));
        if let Some(descriptor) = descriptor {
            let mut fds = [rustix::event::PollFd::new(&descriptor, rustix::event::PollFlags::IN)];
            assert_eq!(rustix::event::poll(&mut fds, Some(&Default::default())), Ok(0));
        }
    }
}
