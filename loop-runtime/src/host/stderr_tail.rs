//! The tail of a plugin's stderr, and the part of it that says why the process ended.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Exit;
use crate::stdio::fatal::{Fatal, Kind};
use crate::stdio::hclog::Record;

/// Lines that are kept.
const LINES: usize = 20;
/// Characters that are kept of each.
const WIDTH: usize = 1024;
/// Lines that are shown, and characters of each.
const SHOWN_LINES: usize = 6;
const SHOWN_WIDTH: usize = 240;
/// Lines of a fatal message that are shown.
const SHOWN_FATAL: usize = 3;
/// A longer time from the last line to the end of the process is reported.
const AT_ONCE: Duration = Duration::from_secs(1);

/// The last lines that a plugin wrote to stderr, and the message with which it ended, if it left one.
///
/// `Display` is for the end of an error text: at most eleven lines, each begun by a line feed; empty if there is
/// nothing to report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StderrTail(Arc<Inner>);

#[derive(Debug, Default, PartialEq, Eq)]
struct Inner {
    plugin: Arc<str>,
    lines: Vec<String>,
    /// Those of `lines` that are shown beside the fatal message.
    shown: Vec<String>,
    message: Vec<String>,
    fatal: Option<String>,
    silent: Duration,
}

impl StderrTail {
    /// Nothing was written yet.
    pub(super) fn of(plugin: &str) -> Self {
        Self(Arc::new(Inner { plugin: plugin.into(), ..Inner::default() }))
    }

    /// The plugin's name.
    pub fn plugin(&self) -> &str {
        &self.0.plugin
    }

    /// The last 20 lines, oldest first, each shortened to 1,024 characters and without control characters. Only the
    /// first lines of a panic are among them.
    pub fn lines(&self) -> &[String] {
        &self.0.lines
    }

    /// The message that says why the process ended, with its backtrace: a panic of Go's or Rust's, an abort, a report
    /// of a sanitizer, or of the dynamic loader. At most 16 KiB.
    ///
    /// It must fit the exit status: a panic that was caught, and answered, is not one.
    pub fn fatal(&self) -> Option<&str> {
        self.0.fatal.as_deref()
    }

    /// The name, for the first line of an error.
    pub(super) fn named(&self) -> impl fmt::Display {
        struct Named(Arc<str>);
        impl fmt::Display for Named {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                if self.0.is_empty() { Ok(()) } else { write!(f, ": {}", Shown(&self.0)) }
            }
        }
        Named(self.0.plugin.clone())
    }
}

impl fmt::Display for StderrTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, line) in self.0.message.iter().take(SHOWN_FATAL).enumerate() {
            write!(f, "\n{}{}", if n == 0 { "cause: " } else { "  " }, Shown(line))?;
        }
        if self.0.shown.is_empty() {
            return Ok(());
        }
        f.write_str("\nlast lines on stderr")?;
        if self.0.silent > AT_ONCE {
            write!(f, ", {:.1} s before the end", self.0.silent.as_secs_f64())?;
        }
        f.write_str(":")?;
        self.0.shown.iter().try_for_each(|line| write!(f, "\n  | {}", Shown(line)))
    }
}

/// Some of a text, on one line.
pub(super) struct Shown<'a>(pub(super) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chars = self.0.chars();
        for c in chars.by_ref().take(SHOWN_WIDTH) {
            let c = if c.is_control() { ' ' } else { c };
            fmt::Write::write_char(f, c)?;
        }
        if chars.next().is_some() { f.write_str("..") } else { Ok(()) }
    }
}

/// Collects what becomes a [`StderrTail`].
#[derive(Debug, Default)]
pub(super) struct Collector {
    lines: VecDeque<Line>,
    fatal: Option<Candidate>,
    messages: u64,
    last: Option<Instant>,
}

#[derive(Debug)]
struct Line {
    text: String,
    /// The number of the fatal message that it belongs to.
    of: Option<u64>,
}

/// The last fatal message so far.
#[derive(Debug)]
struct Candidate {
    fatal: Fatal,
    number: u64,
    /// Whether something else has come after it.
    lived_on: bool,
}

impl Collector {
    pub(super) fn push(&mut self, record: &Record, now: Instant) {
        self.last = Some(now);
        let Some(fatal) = &record.fatal else {
            if let Some(candidate) = &mut self.fatal {
                candidate.lived_on = true;
            }
            return self.line(&record.to_string(), None);
        };
        self.messages += 1;
        let number = self.messages;
        for line in &fatal.message {
            self.line(line, Some(number));
        }
        self.fatal = Some(Candidate { fatal: fatal.clone(), number, lived_on: false });
    }

    fn line(&mut self, text: &str, of: Option<u64>) {
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(Line { text: printable(text), of });
    }

    /// What is known once the process has ended, at `now` and with `exit`. `None`: it runs, or its exit is unknown.
    pub(super) fn tail(&self, plugin: &Arc<str>, exit: Option<Exit>, now: Instant) -> StderrTail {
        let cause = self.fatal.as_ref().filter(|candidate| candidate.ended_it(exit));
        let number = cause.map(|cause| cause.number);
        let shown = self.lines.iter().filter(|line| number.is_none() || line.of != number);
        let shown: Vec<String> = shown.map(|line| &line.text).filter(|text| !text.trim().is_empty()).cloned().collect();
        let shown = shown[shown.len().saturating_sub(SHOWN_LINES)..].to_vec();
        StderrTail(Arc::new(Inner {
            plugin: plugin.clone(),
            lines: self.lines.iter().map(|line| line.text.clone()).collect(),
            shown,
            message: cause.map(|cause| told(&cause.fatal)).unwrap_or_default(),
            fatal: cause.map(|cause| clean(&cause.fatal.text)),
            silent: self.last.map(|last| now.saturating_duration_since(last)).unwrap_or_default(),
        }))
    }
}

impl Candidate {
    /// Whether the message is the cause of the end.
    fn ended_it(&self, exit: Option<Exit>) -> bool {
        let (status, signal) = exit.map_or((None, None), |exit| (exit.status(), exit.signal()));
        // A shell around the plugin reports a signal like this.
        let (status, signal) = match status {
            Some(status @ 129..=159) => (None, Some(status - 128)),
            _ => (status, signal),
        };
        match (status, signal) {
            (None, None) => !self.lived_on,
            (Some(status), _) => match self.fatal.kind {
                Kind::ThreadPanic => status == 101,
                Kind::Panic => matches!(status, 2 | 101),
                Kind::Abort => false,
                Kind::Sanitizer => status != 0,
                Kind::Loader => status != 0 && !self.lived_on,
            },
            (None, Some(signal)) => match self.fatal.kind {
                // Of one that was caught nothing is left to say but this; a process that aborts for it says nothing more.
                Kind::ThreadPanic => signal == libc::SIGABRT && !self.lived_on,
                Kind::Panic | Kind::Sanitizer => signal == libc::SIGABRT,
                Kind::Abort => [libc::SIGABRT, libc::SIGSEGV, libc::SIGBUS, libc::SIGILL].contains(&signal),
                Kind::Loader => false,
            },
        }
    }
}

/// What a message says, shortest first: Rust says where on one line, and what on the next.
fn told(fatal: &Fatal) -> Vec<String> {
    let mut lines: Vec<String> = fatal.message.iter().map(|line| printable(line)).collect();
    if fatal.kind == Kind::ThreadPanic && lines.len() > 1 {
        let what = lines.remove(1);
        lines[0] = format!("{} {what}", lines[0]);
    }
    lines
}

/// Shortened, and without control characters: untrusted text goes to terminals.
fn printable(text: &str) -> String {
    let mut out: String = text.chars().take(WIDTH).map(visible).collect();
    if text.chars().nth(WIDTH).is_some() {
        out.push_str("..");
    }
    out
}

fn clean(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { visible(c) }).collect()
}

fn visible(c: char) -> char {
    if c.is_control() && c != '\t' { char::REPLACEMENT_CHARACTER } else { c }
}

#[cfg(test)]
#[path = "stderr_tail_tests.rs"]
mod tests;
