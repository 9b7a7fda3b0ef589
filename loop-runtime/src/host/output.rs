//! What a plugin writes to its real stdout and stderr.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time;

use super::Exit;
use super::launch_error::StderrTail;
use crate::stdio::hclog::{Parser, Record};
use crate::stdio::lines::{LINE_MAX, Lines, Piece};

/// Lines that are kept for error messages.
const TAIL_LINES: usize = 20;
/// Characters that are kept of each.
const TAIL_WIDTH: usize = 1024;
/// Bytes that are kept of the text of a panic.
const PANIC_MAX: usize = 16 * 1024;
/// How long pipes are read after the process has ended. They usually end at once; a process that has left the
/// plugin's group may hold them for ever.
pub(super) const DRAIN: Duration = Duration::from_millis(500);

/// The end of a plugin's stderr, and its panic.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    tail: VecDeque<String>,
    panic: String,
}

impl Kept {
    pub(super) fn tail(&self) -> StderrTail {
        StderrTail::new(self.lock().tail.iter().cloned().collect())
    }

    pub(super) fn panic(&self) -> Option<String> {
        let inner = self.lock();
        (!inner.panic.is_empty()).then(|| inner.panic.trim_end().to_owned())
    }

    fn keep(&self, record: &Record) {
        let text = record.to_string();
        let mut inner = self.lock();
        if record.panic && inner.panic.len() < PANIC_MAX {
            inner.panic.push_str(&printable(&text));
            inner.panic.push('\n');
        }
        if inner.tail.len() == TAIL_LINES {
            inner.tail.pop_front();
        }
        inner.tail.push_back(printable(&text));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shortened, and without control characters: the text of a stranger goes to terminals.
fn printable(text: &str) -> String {
    let visible = |c: char| if c.is_control() && c != '\t' { char::REPLACEMENT_CHARACTER } else { c };
    let mut out: String = text.chars().take(TAIL_WIDTH).map(visible).collect();
    if text.chars().nth(TAIL_WIDTH).is_some() {
        out.push_str("..");
    }
    out
}

/// The reading end of a pipe from a child, for tokio.
pub(super) fn receiver(pipe: impl Into<OwnedFd>) -> io::Result<Receiver> {
    Receiver::from_owned_fd(pipe.into())
}

/// Passes stderr to `tracing` until it ends, or, once the process has ended, for [`DRAIN`] at most.
pub(super) fn follow_stderr(
    mut pipe: Receiver,
    plugin: String,
    kept: Kept,
    exit: watch::Receiver<Option<Exit>>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut log = Log { plugin, kept, parser: Parser::default() };
        let mut lines = Lines::new(LINE_MAX);
        while_open(exit, async {
            let mut chunk = vec![0; 16 * 1024];
            while let Ok(read @ 1..) = pipe.read(&mut chunk).await {
                lines.feed(&chunk[..read], |piece| log.piece(piece));
            }
        })
        .await;
        lines.finish(|piece| log.piece(piece));
    })
}

/// Reads and drops what comes on stdout after the handshake line: a plugin that prints must not block.
pub(super) fn drain_stdout(mut pipe: Receiver, exit: watch::Receiver<Option<Exit>>) {
    tokio::spawn(while_open(exit, async move {
        let mut chunk = vec![0; 16 * 1024];
        while let Ok(1..) = pipe.read(&mut chunk).await {}
    }));
}

async fn while_open(mut exit: watch::Receiver<Option<Exit>>, reading: impl Future<Output = ()>) {
    let ended_and_drained = async {
        // An error means that the process was reaped and its owner is gone.
        let _ = exit.wait_for(Option::is_some).await;
        time::sleep(DRAIN).await;
    };
    tokio::select! {
        () = reading => {}
        () = ended_and_drained => {}
    }
}

struct Log {
    plugin: String,
    kept: Kept,
    parser: Parser,
}

impl Log {
    fn piece(&mut self, piece: Piece<'_>) {
        let record = match piece {
            Piece::Line(line) => self.parser.line(line),
            Piece::Part(part) => self.parser.part(part),
        };
        record.emit(&self.plugin);
        self.kept.keep(&record);
    }
}

/// Reads the first line of stdout, within bounds. What comes after it in the same read is dropped.
#[derive(Debug, Default)]
pub(super) struct FirstLine {
    held: Vec<u8>,
}

/// How reading the first line ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum First {
    /// With the line, without its end.
    Line(Vec<u8>),
    /// With too many bytes and no line's end; these came first.
    TooLong(Vec<u8>),
    /// The plugin closed its stdout after these bytes.
    Closed(Vec<u8>),
}

impl FirstLine {
    /// Cancel safe: what was read stays.
    pub(super) async fn read(&mut self, pipe: &mut Receiver) -> First {
        loop {
            let searched = self.held.len();
            let end_of_pipe = matches!(pipe.read_buf(&mut self.held).await, Ok(0) | Err(_));
            if let Some(end) = self.held[searched..].iter().position(|&byte| byte == b'\n') {
                self.held.truncate(searched + end);
                return First::Line(std::mem::take(&mut self.held));
            }
            if end_of_pipe {
                return First::Closed(std::mem::take(&mut self.held));
            }
            if self.held.len() > LINE_MAX {
                return First::TooLong(std::mem::take(&mut self.held));
            }
        }
    }
}
