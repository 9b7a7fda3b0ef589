//! The bounded store between what a plugin prints and the host that may, or may not, ask for it.
//!
//! A Go plugin has no such store: without a reader its prints block after about 70 KiB. Here they never do: what
//! nobody asked for is dropped, oldest first. Only while a host reads is a printer held up, and for a bounded time,
//! so that a burst arrives whole.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;

/// Bytes kept for each channel.
const CAPACITY: usize = 1024 * 1024;

/// Bytes in one chunk at most.
const CHUNK: usize = 32 * 1024;

/// How long a printer waits for a reader that has stopped taking. Bounded, because on a current-thread runtime the
/// printer may stand on the very thread that serves the reader.
const PATIENCE: Duration = Duration::from_millis(500);

/// One of the two streams that a host can subscribe to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    Stdout,
    Stderr,
}

#[derive(Default)]
struct State {
    stdout: VecDeque<u8>,
    stderr: VecDeque<u8>,
    /// The channel that is asked first next time, so that a flood on one does not starve the other.
    stderr_first: bool,
    readers: usize,
    /// Set when a wait for room was in vain: nobody waits again before the reader has taken something.
    stalled: bool,
    closed: bool,
    dropped: u64,
    wakers: Vec<Waker>,
}

impl State {
    fn queue(&mut self, channel: Channel) -> &mut VecDeque<u8> {
        match channel {
            Channel::Stdout => &mut self.stdout,
            Channel::Stderr => &mut self.stderr,
        }
    }

    fn wake(&mut self) {
        for waker in self.wakers.drain(..) {
            waker.wake();
        }
    }

    fn listen(&mut self, cx: &Context<'_>) {
        if !self.wakers.iter().any(|known| known.will_wake(cx.waker())) {
            self.wakers.push(cx.waker().clone());
        }
    }
}

/// See the module.
#[derive(Default)]
pub(crate) struct Ring {
    state: Mutex<State>,
    room: Condvar,
}

impl Ring {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends what was printed. Blocks for [`PATIENCE`] at most, and only while a reader is attached.
    pub(crate) fn push(&self, channel: Channel, bytes: &[u8]) {
        let mut state = self.lock();
        let give_up = Instant::now() + PATIENCE;
        while state.readers > 0 && !state.stalled && !state.closed {
            if state.queue(channel).len() + bytes.len() <= CAPACITY {
                break;
            }
            let left = give_up.saturating_duration_since(Instant::now());
            if left.is_zero() {
                state.stalled = true;
                break;
            }
            state = self.room.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        if state.closed {
            return;
        }
        let bytes = &bytes[bytes.len().saturating_sub(CAPACITY)..];
        let queue = state.queue(channel);
        queue.extend(bytes);
        let excess = queue.len().saturating_sub(CAPACITY);
        queue.drain(..excess);
        state.dropped += excess as u64;
        state.wake();
    }

    /// Ends the store: what it holds can still be taken, nothing is added.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.wake();
        self.room.notify_all();
    }

    /// The next chunk; `None` once the store is closed and empty.
    pub(crate) fn poll_take(&self, cx: &Context<'_>) -> Poll<Option<(Channel, Bytes)>> {
        let mut state = self.lock();
        let order =
            if state.stderr_first { [Channel::Stderr, Channel::Stdout] } else { [Channel::Stdout, Channel::Stderr] };
        for channel in order {
            let queue = state.queue(channel);
            if queue.is_empty() {
                continue;
            }
            let size = queue.len().min(CHUNK);
            let chunk = queue.drain(..size).collect();
            state.stderr_first = channel == Channel::Stdout;
            state.stalled = false;
            self.room.notify_all();
            return Poll::Ready(Some((channel, chunk)));
        }
        if state.closed {
            return Poll::Ready(None);
        }
        state.listen(cx);
        Poll::Pending
    }

    /// Ready once the store is closed.
    pub(crate) async fn closed(&self) {
        std::future::poll_fn(|cx| {
            let mut state = self.lock();
            if state.closed {
                return Poll::Ready(());
            }
            state.listen(cx);
            Poll::Pending
        })
        .await;
    }

    /// Counts a reader for as long as the guard lives.
    pub(crate) fn attach(self: &std::sync::Arc<Self>) -> Attached {
        self.lock().readers += 1;
        Attached(self.clone())
    }

    /// Bytes that were dropped because nobody took them in time.
    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped
    }
}

/// A reader that is attached.
pub(crate) struct Attached(std::sync::Arc<Ring>);

impl Attached {
    pub(crate) fn ring(&self) -> &Ring {
        &self.0
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.0.lock().readers -= 1;
        self.0.room.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn take(ring: &Ring) -> Option<(Channel, Bytes)> {
        match ring.poll_take(&Context::from_waker(Waker::noop())) {
            Poll::Ready(chunk) => chunk,
            Poll::Pending => None,
        }
    }

    #[test]
    fn without_a_reader_the_oldest_bytes_go_and_nobody_waits() {
        let ring = Ring::default();
        ring.push(Channel::Stdout, b"old");
        ring.push(Channel::Stdout, &vec![b'n'; CAPACITY]);
        assert_eq!(ring.dropped(), 3);
        let mut seen = 0;
        while let Some((channel, chunk)) = take(&ring) {
            assert_eq!(channel, Channel::Stdout);
            assert!(chunk.len() <= CHUNK && chunk.iter().all(|byte| *byte == b'n'));
            seen += chunk.len();
        }
        assert_eq!(seen, CAPACITY);
    }

    #[test]
    fn a_reader_that_takes_gets_a_burst_whole() {
        let ring = Arc::new(Ring::default());
        let reader = ring.attach();
        let total = 5 * CAPACITY;
        let printer = std::thread::spawn({
            let ring = ring.clone();
            move || {
                for _ in 0..total / 4096 {
                    ring.push(Channel::Stdout, &[b'x'; 4096]);
                }
                ring.close();
            }
        });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let seen = runtime.block_on(async {
            let mut seen = 0;
            while let Some((_, chunk)) = std::future::poll_fn(|cx| reader.ring().poll_take(cx)).await {
                seen += chunk.len();
            }
            seen
        });
        printer.join().unwrap();
        assert_eq!((seen, ring.dropped()), (total, 0));
    }

    #[test]
    fn a_reader_that_stalls_costs_one_wait() {
        let ring = Arc::new(Ring::default());
        let _reader = ring.attach();
        let began = Instant::now();
        for _ in 0..4 {
            ring.push(Channel::Stdout, &vec![b'x'; CAPACITY]);
        }
        assert!(began.elapsed() >= PATIENCE, "it never waited");
        assert!(began.elapsed() < 3 * PATIENCE, "it waited more than once");
    }

    #[test]
    fn the_channels_take_turns() {
        let ring = Ring::default();
        ring.push(Channel::Stdout, &vec![b'o'; 2 * CHUNK]);
        ring.push(Channel::Stderr, b"e");
        let order: Vec<_> = std::iter::from_fn(|| take(&ring)).map(|(channel, _)| channel).collect();
        assert_eq!(order, [Channel::Stdout, Channel::Stderr, Channel::Stdout]);
    }

    #[test]
    fn closing_lets_the_rest_out_and_then_ends() {
        let ring = Ring::default();
        ring.push(Channel::Stdout, b"rest");
        ring.close();
        ring.push(Channel::Stdout, b"late");
        assert_eq!(take(&ring).map(|(_, chunk)| chunk), Some(Bytes::from_static(b"rest")));
        assert!(matches!(ring.poll_take(&Context::from_waker(Waker::noop())), Poll::Ready(None)));
    }
}
