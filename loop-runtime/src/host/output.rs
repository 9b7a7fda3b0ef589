//! What a plugin writes to its real stdout and stderr.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time;

use super::Exit;
use super::stderr_tail::{Collector, StderrTail};
use crate::stdio::hclog::{Parser, Record};
use crate::stdio::lines::{LINE_MAX, Lines};

/// How long pipes are read after the process has ended. They usually end at once; a process that has left the
/// plugin's group may hold them for ever.
pub(super) const DRAIN: Duration = Duration::from_millis(500);

/// How long to wait for the rest of a panic. It is written in one go, or in a few.
const QUIET: Duration = Duration::from_millis(100);

/// The end of a plugin's stderr.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    plugin: Arc<str>,
    collector: Arc<Mutex<Collector>>,
}

impl Kept {
    pub(super) fn new(plugin: &str) -> Self {
        Self { plugin: plugin.into(), collector: Arc::default() }
    }

    /// The tail as it is now, if the process ended with `exit`.
    pub(super) fn tail(&self, exit: Option<Exit>) -> StderrTail {
        self.lock().tail(&self.plugin, exit, Instant::now())
    }

    fn take(&self, record: &Record) {
        record.emit(&self.plugin);
        self.lock().push(record, Instant::now());
    }

    fn lock(&self) -> MutexGuard<'_, Collector> {
        self.collector.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reading end of a pipe from a child, for tokio.
pub(super) fn receiver(pipe: impl Into<OwnedFd>) -> io::Result<Receiver> {
    Receiver::from_owned_fd(pipe.into())
}

/// Passes stderr to `tracing` until it ends, or, once the process has ended, for [`DRAIN`] at most.
pub(super) fn follow_stderr(mut pipe: Receiver, kept: Kept, exit: watch::Receiver<Option<Exit>>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let (mut parser, mut lines) = (Parser::default(), Lines::new(LINE_MAX));
        let mut keep = |record: Record| kept.take(&record);
        while_open(exit, async {
            let mut chunk = vec![0; 16 * 1024];
            loop {
                let reading = pipe.read(&mut chunk);
                let read = if parser.is_open() { time::timeout(QUIET, reading).await } else { Ok(reading.await) };
                match read {
                    Ok(Ok(read @ 1..)) => lines.feed(&chunk[..read], |piece| parser.feed(piece, &mut keep)),
                    Ok(_) => break,
                    Err(_) => parser.settle(&mut keep),
                }
            }
        })
        .await;
        lines.finish(|piece| parser.feed(piece, &mut keep));
        parser.settle(&mut keep);
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
