//! How a process ended.

use std::fmt;

/// How a process ended: with a status of its own, or by a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Exit {
    status: Option<i32>,
    signal: Option<i32>,
}

impl Exit {
    pub(crate) const fn new(status: Option<i32>, signal: Option<i32>) -> Self {
        Self { status, signal }
    }

    /// The exit status, 0..=255. `None` if a signal ended the process, or if it is unknown: another part of this
    /// program waits for all children, or this program ignores SIGCHLD, or the process was started by another one.
    pub const fn status(&self) -> Option<i32> {
        self.status
    }

    /// The number of the signal that ended the process. `None` as for the status.
    pub const fn signal(&self) -> Option<i32> {
        self.signal
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.status, self.signal) {
            (Some(status), _) => write!(f, "exit status {status}"),
            (None, Some(signal)) => match name(signal) {
                Some(name) => write!(f, "signal {signal} ({name})"),
                None => write!(f, "signal {signal}"),
            },
            (None, None) => f.write_str("exit status unknown"),
        }
    }
}

/// The signals that commonly end a process.
fn name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        libc::SIGHUP => "SIGHUP",
        libc::SIGINT => "SIGINT",
        libc::SIGQUIT => "SIGQUIT",
        libc::SIGILL => "SIGILL",
        libc::SIGABRT => "SIGABRT",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGKILL => "SIGKILL",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGPIPE => "SIGPIPE",
        libc::SIGALRM => "SIGALRM",
        libc::SIGTERM => "SIGTERM",
        libc::SIGXCPU => "SIGXCPU",
        libc::SIGSYS => "SIGSYS",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_a_sentence_part() {
        assert_eq!(Exit::new(Some(3), None).to_string(), "exit status 3");
        assert_eq!(Exit::new(None, Some(9)).to_string(), "signal 9 (SIGKILL)");
        assert_eq!(Exit::new(None, Some(64)).to_string(), "signal 64");
        assert_eq!(Exit::new(None, None).to_string(), "exit status unknown");
    }
}
