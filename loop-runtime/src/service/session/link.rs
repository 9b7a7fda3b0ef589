//! A connection to an object: what a call is sent over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::object::Object;
use super::session::Session;
use crate::broker::Destination;
use crate::error::{Error, Result};
use crate::service::base::EndTree;
use crate::sync::Mutex;
use crate::transport::{Connection, Stream};

/// Usable until it is retired or has ended; never again after that.
///
/// It is *retired* when its connection takes no new calls, because the peer drains it, or when its session takes none,
/// because another one replaces it. Calls in flight are answered then. It has *ended* when its connection, its object
/// or its session has.
pub(crate) struct Link {
    connection: Connection,
    destination: Option<Destination>,
    object: Arc<Object>,
    session: Arc<Session>,
    since: Instant,
    ended: Arc<EndTree>,
    calls: TaskTracker,
    /// A call of a user, or a constructor, was answered over it.
    answered: AtomicBool,
    /// Optional components that the peer has: see [`Link::probe`].
    pub(super) offers: Mutex<Vec<&'static str>>,
}

/// A call in flight, for those who wait until there is none.
pub(crate) struct InFlight {
    _of_link: TaskTrackerToken,
    _of_session: TaskTrackerToken,
}

impl Link {
    fn new(
        connection: Connection,
        destination: Option<Destination>,
        object: Arc<Object>,
        session: Arc<Session>,
    ) -> Arc<Self> {
        let ended = object.ended().child();
        Arc::new(Self {
            connection,
            destination,
            object,
            session,
            since: Instant::now(),
            ended,
            calls: TaskTracker::new(),
            answered: AtomicBool::new(false),
            offers: Mutex::default(),
        })
    }

    /// Connects to the id that the peer of `session` announced.
    ///
    /// # Errors
    ///
    /// No announcement came in time, the peer refused the connection, or the session has ended.
    pub(crate) async fn dial(session: &Arc<Session>, id: u32, object: Arc<Object>) -> Result<Arc<Self>> {
        let (stream, to) = tokio::select! {
            dialled = session.broker().dial(id) => dialled.map_err(|why| Error::lost(false, why.to_string()).with_source(why))?,
            () = session.ended().cancelled() => return Err(Error::lost(false, "the session has ended")),
        };
        Self::open(session, stream, Some(to), object).await
    }

    /// Connects to the same object once more.
    ///
    /// # Errors
    ///
    /// Refused: what was served there has ended. Or it was never dialled under a broker id.
    pub(crate) async fn redial(&self) -> Result<Arc<Self>> {
        let to = self.destination.as_ref().ok_or_else(|| Error::lost(false, "it has no address of its own"))?;
        let dialled = self.session.broker().redial(to).await;
        let stream = dialled.map_err(|why| Error::lost(false, why.to_string()).with_source(why))?;
        Self::open(&self.session, stream, Some(to.clone()), self.object.clone()).await
    }

    /// Makes a link of a connected stream.
    ///
    /// # Errors
    ///
    /// The stream has ended.
    pub(crate) async fn open(
        session: &Arc<Session>,
        stream: Stream,
        to: Option<Destination>,
        object: Arc<Object>,
    ) -> Result<Arc<Self>> {
        let opened = Connection::open_beside(stream, session.calling(), session.peer_context().signs()).await;
        let (connection, driver) = opened.map_err(|why| Error::lost(false, why.to_string()).with_source(why))?;
        Ok(Self::adopt(session, connection, driver, to, object))
    }

    /// Makes a link of an existing connection.
    pub(crate) fn adopt(
        session: &Arc<Session>,
        connection: Connection,
        driver: impl Future<Output = ()> + Send + 'static,
        to: Option<Destination>,
        object: Arc<Object>,
    ) -> Arc<Self> {
        let link = Self::new(connection, to, object, session.clone());
        let watched = link.clone();
        // Boxed once: a task that selects between futures reserves space for them as arguments and again to poll.
        let mut driver = Box::pin(driver);
        session.tasks().spawn(async move {
            tokio::select! {
                () = &mut driver => {}
                () = watched.ended().cancelled() => watched.connection.close(),
            }
            watched.end();
        });
        link
    }

    /// Notes that the peer has the same optional components as over `other`, to the same object.
    pub(crate) fn offers_as(&self, other: &Self) {
        let offers = crate::sync::locked(&other.offers).clone();
        *crate::sync::locked(&self.offers) = offers;
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Whether it can be redialled.
    pub(crate) fn has_address(&self) -> bool {
        self.destination.is_some()
    }

    pub(crate) fn object(&self) -> &Arc<Object> {
        &self.object
    }

    pub(crate) fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// The age of this link.
    pub(crate) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    pub(crate) fn is_usable(&self) -> bool {
        !self.ended.is_over() && !self.session.retired().is_over() && self.connection.is_usable()
    }

    /// Waits until it takes no new calls: it is retired, or has ended.
    pub(crate) async fn unusable(&self) {
        tokio::select! {
            () = self.ended().cancelled() => {}
            () = self.connection.retired().cancelled() => {}
            () = self.session.retired().told().cancelled() => {}
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.is_over() || self.connection.ended().is_cancelled()
    }

    pub(crate) fn ended(&self) -> &CancellationToken {
        self.ended.told()
    }

    /// Drops the connection; the object may live on.
    pub(crate) fn end(&self) {
        self.ended.end();
    }

    /// Notes that a call of a user, or a constructor, was answered.
    pub(crate) fn note_answer(&self) {
        // Read before it is written: a cache line that all callers write costs each of them.
        if !self.answered.load(Ordering::Relaxed) {
            self.answered.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a call of a user, or a constructor, was answered over it.
    pub(crate) fn has_answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }

    /// Counts a call in flight until the token is dropped.
    pub(crate) fn in_flight(&self) -> InFlight {
        InFlight { _of_link: self.calls.token(), _of_session: self.session.calls().token() }
    }

    /// Waits until no call is in flight.
    pub(crate) async fn drained(&self) {
        self.calls.close();
        self.calls.wait().await;
    }
}
