//! Brokered connections as streams of the one socket that the main connection is on.
//!
//! A stream has no name, so go-plugin announces by a *knock*, beside the streams, which id the next one is for: the
//! dialling side sends `knock` with the id, the accepting side notes the id and answers `ack`, then the stream is
//! opened. That is correct only while "the next one" means the same on both sides, hence:
//!
//! * **Accepting.** Acked ids form one queue, and each incoming stream takes the id at its front. Go keeps a single
//!   slot instead, or lets listeners race for the stream, and mixes ids up when several are dialled concurrently. A
//!   stream that finds the queue empty is for the main server (in a plugin) or for nobody (in a host).
//! * **Dialling.** One knock at a time, and the next one only when the peer has answered on the stream of the last:
//!   only then it has certainly taken that stream for that id. A dial is completed whether the caller still waits or
//!   not, since a peer that expects a stream would take the next one for it. A late ack gets a stream too, which is
//!   reset at once.
//!
//! A knock may arrive before its listener, and is kept a while for it, except for ids that were in use here before: ids
//! are never reused, so no listener will come. What a peer can make this side store is bounded: see the constants.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::Instant;

use super::error::BrokerError;
use crate::proto::plugin::ConnInfo;
use crate::proto::plugin::conn_info::Knock;
use crate::sync::locked;
use crate::transport::{MuxSession, MuxStream, Stream};

/// Acked ids whose streams have not arrived; Go has at most one.
const MOST_EXPECTED: usize = 256;
/// Knocks that wait for their listener.
const MOST_EARLY: usize = 256;
/// Knocks of this side that were given up and may still be acked.
const MOST_OVERDUE: usize = 256;
/// Streams that arrived and that a listener has not accepted yet.
const BACKLOG: usize = 256;
/// How much of a peer's text is quoted.
const LONGEST_TEXT: usize = 200;

/// The state of knocks on one side of a session. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Knocks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    /// One permit: the turn to knock.
    turn: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct State {
    /// `None` until the raw connection exists, over which everything else runs.
    session: Option<MuxSession>,
    /// The highest id that this side ever listened on.
    last_id: u32,
    listeners: HashMap<u32, mpsc::Sender<MuxStream>>,
    early: VecDeque<(Instant, u32)>,
    expected: VecDeque<(Instant, u32)>,
    asked: Option<(u32, oneshot::Sender<Result<(), String>>)>,
    overdue: VecDeque<u32>,
}

/// Accepts the streams of one id, until it is dropped.
#[derive(Debug)]
pub(crate) struct KnockListener {
    id: u32,
    streams: tokio::sync::Mutex<mpsc::Receiver<MuxStream>>,
    knocks: Weak<Inner>,
}

impl Knocks {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner { state: Mutex::default(), turn: Arc::new(Semaphore::new(1)) }))
    }

    /// Sets the session to dial over. Before that, dials fail.
    pub(crate) fn attach(&self, session: MuxSession) {
        locked(&self.0.state).session = Some(session);
    }

    /// The router of streams that the peer opens: passes each to its listener, or returns it if no id is expected. For
    /// the session's `incoming`, which the session owns: so this does not own the session.
    pub(crate) fn router(&self) -> impl FnMut(MuxStream) -> Option<MuxStream> + Send + 'static {
        let knocks = Arc::downgrade(&self.0);
        move |stream| match knocks.upgrade() {
            Some(inner) => route(&inner, stream),
            None => None,
        }
    }

    /// Listens for `id`. A knock that waited for it is acked now.
    ///
    /// # Errors
    ///
    /// [`BrokerError::Closed`].
    pub(super) async fn listen(
        &self,
        id: u32,
        keep: Duration,
        outgoing: &mpsc::Sender<ConnInfo>,
    ) -> Result<KnockListener, BrokerError> {
        let permit = outgoing.reserve().await.map_err(|_| BrokerError::Closed("nobody sends its acks".into()))?;
        let (send, streams) = mpsc::channel(BACKLOG);
        let now = Instant::now();
        let mut state = locked(&self.0.state);
        state.expire(now);
        state.last_id = state.last_id.max(id);
        state.listeners.insert(id, send);
        if let Some(at) = state.early.iter().position(|(_, early)| *early == id) {
            state.early.remove(at);
            permit.send(state.expect(id, now + keep));
        }
        Ok(KnockListener { id, streams: tokio::sync::Mutex::new(streams), knocks: Arc::downgrade(&self.0) })
    }

    /// Handles a message of the peer. `keep` is how long an id is kept for its counterpart; answers are sent over
    /// `outgoing`.
    pub(super) fn received(&self, message: ConnInfo, keep: Duration, outgoing: &mpsc::Sender<ConnInfo>) {
        let ConnInfo { service_id: id, knock, .. } = message;
        match knock {
            Some(Knock { knock: true, ack: false, .. }) => match outgoing.try_reserve() {
                // The id is noted before the ack is sent: the stream may arrive at once.
                Ok(permit) => self.knocked(id, keep).map_or((), |answer| permit.send(answer)),
                Err(_) => tracing::warn!(id, "ignored a knock: the peer does not read the acks of earlier ones"),
            },
            Some(Knock { knock: true, ack: true, error }) => self.acked(id, error),
            Some(Knock { knock: false, .. }) | None => {
                tracing::warn!(id, "ignored an announcement: connections of this plugin are multiplexed");
            }
        }
    }

    fn knocked(&self, id: u32, keep: Duration) -> Option<ConnInfo> {
        let now = Instant::now();
        let mut state = locked(&self.0.state);
        state.expire(now);
        if state.listeners.contains_key(&id) {
            return Some(state.expect(id, now + keep));
        }
        if id <= state.last_id {
            return Some(ack(id, "nothing is served there any more"));
        }
        if state.early.iter().all(|(_, early)| *early != id) {
            if state.early.len() >= MOST_EARLY {
                tracing::warn!(id, "refused a knock: {MOST_EARLY} others wait for a listener");
                return Some(ack(id, "too many knocks"));
            }
            state.early.push_back((now + keep, id));
        }
        None
    }

    fn acked(&self, id: u32, error: String) {
        let mut state = locked(&self.0.state);
        if let Some((_, answer)) = state.asked.take_if(|(asked, _)| *asked == id) {
            // The dialler gives up only in `forget`, under the same lock.
            let _ = answer.send(if error.is_empty() { Ok(()) } else { Err(error) });
            return;
        }
        let overdue = state.overdue.iter().position(|overdue| *overdue == id);
        match (overdue.and_then(|at| state.overdue.remove(at)), &state.session) {
            (Some(_), Some(session)) if error.is_empty() => {
                tracing::debug!(id, "an ack came too late: its stream is opened and reset");
                drop(session.open());
            }
            (Some(_), _) => {}
            (None, _) => tracing::warn!(id, "ignored an ack of a knock that was never sent"),
        }
    }

    /// Knocks, and opens a stream for `id`, both within `timeout` of its turn, for which it waits at most as long.
    ///
    /// Must run to completion: see the module. Stop waiting for its result instead.
    pub(super) async fn dial(
        self,
        id: u32,
        timeout: Duration,
        outgoing: mpsc::Sender<ConnInfo>,
        result: oneshot::Sender<Result<MuxStream, BrokerError>>,
    ) {
        let turn = match tokio::time::timeout(timeout, self.0.turn.clone().acquire_owned()).await {
            Ok(Ok(turn)) => turn,
            // The semaphore is never closed.
            Ok(Err(_)) | Err(_) => {
                let _ = result.send(Err(BrokerError::NoTurn));
                return;
            }
        };
        if result.is_closed() {
            return;
        }
        let until = Instant::now() + timeout;
        let mut stream = match self.knock_and_open(id, until, &outgoing).await {
            Ok(stream) => stream,
            Err(why) => {
                let _ = result.send(Err(why));
                return;
            }
        };
        let answered = stream.answered();
        if result.send(Ok(stream)).is_ok() {
            let _ = tokio::time::timeout_at(until, answered).await;
        }
        drop(turn);
    }

    /// Opens a stream that is for the peer's main server: in the turn of a knock, so that it is taken for nothing else. The
    /// next turn begins when the peer has answered on it.
    pub(super) async fn open_main(&self, timeout: Duration) -> Result<Stream, BrokerError> {
        let turn = tokio::time::timeout(timeout, self.0.turn.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(BrokerError::NoTurn) };
        let session = {
            let state = locked(&self.0.state);
            // The peer may be waiting for the stream of a knock that was given up.
            if !state.overdue.is_empty() {
                return Err(BrokerError::NoTurn);
            }
            state.session.clone()
        };
        let session = session.ok_or(BrokerError::Stream(std::io::ErrorKind::NotConnected.into()))?;
        let mut stream = session.open().await.map_err(BrokerError::Stream)?;
        let answered = stream.answered();
        // A task, because it continues if the caller is dropped.
        tokio::spawn(async move {
            let _ = tokio::time::timeout(timeout, answered).await;
            drop(turn);
        });
        Ok(Stream::Mux(stream))
    }

    async fn knock_and_open(
        &self,
        id: u32,
        until: Instant,
        outgoing: &mpsc::Sender<ConnInfo>,
    ) -> Result<MuxStream, BrokerError> {
        /// Between two knocks at a Go host that was not ready for the first.
        const AGAIN: Duration = Duration::from_millis(10);
        /// Such a host's error text.
        const NOT_YET: &str = "no listener for id";
        loop {
            match self.knock(id, until, outgoing).await? {
                Ok(()) => break,
                Err(text) if text.starts_with(NOT_YET) && Instant::now() + AGAIN < until => {
                    tokio::time::sleep(AGAIN).await;
                }
                Err(text) => return Err(BrokerError::Refused(text.chars().take(LONGEST_TEXT).collect())),
            }
        }
        let session = locked(&self.0.state).session.clone();
        let session = session.ok_or(BrokerError::Stream(std::io::ErrorKind::NotConnected.into()))?;
        session.open().await.map_err(BrokerError::Stream)
    }

    /// One knock, and the peer's answer.
    async fn knock(
        &self,
        id: u32,
        until: Instant,
        outgoing: &mpsc::Sender<ConnInfo>,
    ) -> Result<Result<(), String>, BrokerError> {
        let permit = match tokio::time::timeout_at(until, outgoing.reserve()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) => return Err(BrokerError::Closed("nobody sends its knocks".into())),
            Err(_) => return Err(BrokerError::NoAnswer),
        };
        let (send, answer) = oneshot::channel();
        locked(&self.0.state).asked = Some((id, send));
        permit.send(message(id, Knock { knock: true, ack: false, error: String::new() }));
        let answer = tokio::time::timeout_at(until, answer).await;
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(BrokerError::NoAnswer),
            Err(_) => {
                self.forget(id);
                Err(BrokerError::NoAnswer)
            }
        }
    }

    /// Gives up waiting for an ack.
    fn forget(&self, id: u32) {
        let mut state = locked(&self.0.state);
        if state.asked.take().is_some() {
            if state.overdue.len() >= MOST_OVERDUE {
                state.overdue.pop_front();
            }
            state.overdue.push_back(id);
        }
    }

    #[cfg(test)]
    pub(super) fn sizes(&self) -> [usize; 4] {
        let state = locked(&self.0.state);
        [state.listeners.len(), state.early.len(), state.expected.len(), state.overdue.len()]
    }
}

fn route(inner: &Inner, mut stream: MuxStream) -> Option<MuxStream> {
    let mut state = locked(&inner.state);
    state.expire(Instant::now());
    let Some((_, id)) = state.expected.pop_front() else { return Some(stream) };
    match state.listeners.get(&id) {
        Some(listener) => {
            stream.announce();
            if listener.try_send(stream).is_err() {
                tracing::warn!(id, "reset a stream: {BACKLOG} others wait to be accepted");
            }
        }
        None => tracing::debug!(id, "reset a stream: nothing is served there any more"),
    }
    None
}

impl State {
    /// Notes that the next stream is for `id`, and says so.
    fn expect(&mut self, id: u32, until: Instant) -> ConnInfo {
        if self.expected.len() >= MOST_EXPECTED {
            tracing::warn!(id, "refused a knock: the streams of {MOST_EXPECTED} others have not come");
            return ack(id, "too many knocks");
        }
        self.expected.push_back((until, id));
        ack(id, "")
    }

    fn expire(&mut self, now: Instant) {
        while self.early.front().is_some_and(|(until, _)| *until <= now) {
            self.early.pop_front();
        }
        while let Some((_, id)) = self.expected.front().filter(|(until, _)| *until <= now) {
            tracing::warn!(id, "no stream came after the ack of a knock");
            self.expected.pop_front();
        }
    }
}

fn ack(id: u32, error: &str) -> ConnInfo {
    message(id, Knock { knock: true, ack: true, error: error.to_owned() })
}

fn message(service_id: u32, knock: Knock) -> ConnInfo {
    ConnInfo { service_id, network: String::new(), address: String::new(), knock: Some(knock) }
}

impl KnockListener {
    /// Waits for the next stream. Cancel safe. `None`: there will be no more.
    pub(crate) async fn accept(&self) -> Option<MuxStream> {
        self.streams.lock().await.recv().await
    }
}

impl Drop for KnockListener {
    fn drop(&mut self) {
        if let Some(inner) = self.knocks.upgrade() {
            locked(&inner.state).listeners.remove(&self.id);
        }
    }
}
