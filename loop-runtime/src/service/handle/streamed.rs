//! Streaming calls over a handle: opened over as many links as their class allows, and opened again after a loss where the
//! contract says so.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context as Task, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use tokio::time::Sleep;
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::attempts::{Class, EXECUTIONS};
use super::calls::{Attempting, lost, over_links};
use super::handle::Handle;
use super::remote::Remote;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::service::base::{BoxFuture, HandleEvent, Method};
use crate::service::session::{AttemptError, Expiry, InFlight, Lease, Link, Request, with_ids};
use crate::transport::{Asked, Exchange, Failure};

/// How many messages may be read in a row before it is looked for what else may have happened.
const LOOK_EVERY: u8 = 32;

/// One streaming call, of which each attempt is an [`Exchange`].
struct Streamed<'a> {
    handle: &'a Handle,
    method: &'static Method,
    request: &'a Request,
    context: &'a Context,
}

impl Streamed<'_> {
    async fn open(&self, link: &Arc<Link>, expiry: Option<Expiry>) -> Result<(Exchange, Vec<Lease>), AttemptError> {
        let Self { method, request, context, .. } = *self;
        let (leases, ids) = link.lend(&request.exports, link.object(), expiry, context).await?;
        let body = with_ids(&request.body, &ids);
        let asked = match &request.upload {
            None => Asked::One(body),
            Some(upload) => Asked::Many(upload.messages(method.first.then_some(body))),
        };
        let begun = link.begin(method.path, context, asked).await;
        if matches!(begun, Ok(_) | Err(AttemptError::Answered(_))) {
            link.note_answer();
        }
        Ok((begun.map_err(|why| self.told(why))?, leases))
    }

    /// What an attempt ended with: the producer's own error goes before what it made of the call, and what was taken from the
    /// producer cannot be sent again.
    fn told(&self, why: AttemptError) -> AttemptError {
        let Some(upload) = &self.request.upload else { return why };
        match (upload.error(), why) {
            (Some(error), _) => AttemptError::Answered(error),
            (None, AttemptError::NotRun(error)) if !upload.is_untouched() => AttemptError::Impossible(error),
            (None, why) => why,
        }
    }
}

/// A call with a stream among its arguments and one reply.
impl Attempting for Streamed<'_> {
    type Reply = Bytes;

    async fn attempt(&self, link: &Arc<Link>) -> Result<Bytes, AttemptError> {
        let _in_flight = link.in_flight();
        let (mut exchange, leases) = self.open(link, Some(Expiry::ORDINARY_CALL)).await?;
        let reply = {
            let mut expired = pin!(self.context.expired());
            let reply = pin!(poll_fn(|cx| exchange.poll_only(cx)));
            tokio::select! {
                biased;
                reply = link.outcome(reply) => reply,
                () = &mut expired => return Err(AttemptError::Answered(Error::deadline_after(self.method.path))),
            }
        };
        drop(exchange);
        match reply {
            Some(Ok(reply)) => {
                link.session().peer_context().alive();
                link.object().keep(leases);
                Ok(reply)
            }
            Some(Err(failure)) => Err(self.told(link.failed(self.method.path, failure, self.context.deadline).await)),
            None => Err(self.told(AttemptError::MayHaveRun(Error::disconnected(link.session().name(), true)))),
        }
    }

    fn until(&self) -> Instant {
        self.handle.patience(self.context)
    }

    fn lost(&self, link: &Link, error: Error) -> impl Future<Output = Error> + Send {
        lost(link, self.method, error, self.context)
    }
}

/// A call whose result is a stream: an attempt ends where the stream begins.
struct Subscribing<'a>(Streamed<'a>);

impl Attempting for Subscribing<'_> {
    type Reply = Box<Open>;

    async fn attempt(&self, link: &Arc<Link>) -> Result<Box<Open>, AttemptError> {
        let Streamed { handle, method, context, .. } = self.0;
        let in_flight = link.in_flight();
        // What is lent lives as long as the stream.
        let (exchange, leases) = self.0.open(link, None).await?;
        let closed = (!method.client_streaming).then(|| Box::pin(handle.closed.clone().cancelled_owned()));
        let retired = method.resubscribe.then(|| {
            let link = link.clone();
            Box::pin(async move { link.unusable().await }) as BoxFuture<'static, ()>
        });
        let expired = context.deadline.map(|at| Box::pin(tokio::time::sleep_until(at.into())));
        let link = link.clone();
        Ok(Box::new(Open { exchange, link, closed, retired, expired, _leases: leases, _in_flight: in_flight }))
    }

    fn until(&self) -> Instant {
        self.0.until()
    }

    fn lost(&self, link: &Link, error: Error) -> impl Future<Output = Error> + Send {
        self.0.lost(link, error)
    }
}

/// A stream that is open over one link.
struct Open {
    exchange: Exchange,
    link: Arc<Link>,
    /// The handle was closed: a stream in a result alone, which may never end, does not hold that up.
    closed: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    /// The link takes no new calls: where the stream can be opened again, it moves to the next one.
    retired: Option<BoxFuture<'static, ()>>,
    expired: Option<Pin<Box<Sleep>>>,
    _leases: Vec<Lease>,
    _in_flight: InFlight,
}

/// What else may happen to a stream that is open.
enum Interrupt {
    Closed,
    Retired,
    Expired,
}

impl Open {
    fn poll_interrupt(&mut self, cx: &mut Task<'_>) -> Poll<Interrupt> {
        let is_ready = |future: &mut Option<Pin<Box<WaitForCancellationFutureOwned>>>, cx: &mut Task<'_>| {
            future.as_mut().is_some_and(|future| future.as_mut().poll(cx).is_ready())
        };
        if is_ready(&mut self.closed, cx) {
            return Poll::Ready(Interrupt::Closed);
        }
        if self.expired.as_mut().is_some_and(|expired| expired.as_mut().poll(cx).is_ready()) {
            return Poll::Ready(Interrupt::Expired);
        }
        if self.retired.as_mut().is_some_and(|retired| retired.as_mut().poll(cx).is_ready()) {
            return Poll::Ready(Interrupt::Retired);
        }
        Poll::Pending
    }
}

/// The messages of a stream in a result, as the caller's end reads them.
pub(crate) struct Subscription {
    /// Held as a user holds it: what sends the stream lives as long as somebody reads it.
    remote: Remote,
    method: &'static Method,
    request: Request,
    context: Context,
    state: State,
    /// Something was delivered.
    delivered: bool,
    /// How often the request was sent.
    executions: u32,
    resubscribed: Arc<AtomicU64>,
    /// Messages since it was last looked for interrupts.
    read: u8,
}

enum State {
    Open(Box<Open>),
    /// It is being found out what a failure means, and whether it is a loss.
    Failing(BoxFuture<'static, Result<(Error, bool)>>),
    Reopening(BoxFuture<'static, Result<Box<Open>>>),
    Ended,
}

impl Subscription {
    /// Calls `method`, and returns once the stream has begun: with the response headers of a peer of this runtime; towards others,
    /// which may send those with their first message, once the request was handed over.
    ///
    /// # Errors
    ///
    /// As [`Handle::call`]; from other peers a refusal may be the first item instead.
    pub(super) async fn open(remote: &Remote, method: &'static Method, request: Request) -> Result<Self> {
        let context = Context::current();
        let class = if method.idempotent || method.resubscribe { Class::Repeatable } else { Class::Once };
        let handle = remote.handle();
        let streamed = Streamed { handle, method, request: &request, context: &context };
        let open = over_links(handle, class, &Subscribing(streamed)).await?;
        Ok(Self {
            remote: remote.clone(),
            method,
            request,
            context,
            state: State::Open(open),
            delivered: false,
            executions: 1,
            resubscribed: Arc::default(),
            read: 0,
        })
    }

    /// How often it was subscribed to again.
    pub(crate) fn resubscribed(&self) -> &Arc<AtomicU64> {
        &self.resubscribed
    }

    /// The error for a message that is no item.
    pub(crate) fn unreadable(&self, why: Error) -> Error {
        Error::unreadable_reply(&self.remote.handle().peer_context.name, self.method.path, why)
    }

    /// The next message, `None` at the end; not to be polled after that or after an error.
    pub(crate) fn poll_next(&mut self, cx: &mut Task<'_>) -> Poll<Option<Result<Bytes>>> {
        loop {
            match &mut self.state {
                State::Open(open) => {
                    self.read = (self.read + 1) % LOOK_EVERY;
                    let message = match self.read {
                        0 => Poll::Pending,
                        _ => open.exchange.poll_message(cx),
                    };
                    match message {
                        Poll::Ready(Some(Ok(message))) => {
                            self.delivered = true;
                            return Poll::Ready(Some(Ok(message)));
                        }
                        Poll::Ready(None) => {
                            self.state = State::Ended;
                            return Poll::Ready(None);
                        }
                        Poll::Ready(Some(Err(failure))) => {
                            let link = open.link.clone();
                            self.state = State::Failing(self.explain(link, failure));
                        }
                        Poll::Pending => {
                            let looked = self.read == 0;
                            match open.poll_interrupt(cx) {
                                Poll::Pending if looked => {}
                                Poll::Pending => return Poll::Pending,
                                Poll::Ready(Interrupt::Retired) => self.reopen(),
                                Poll::Ready(Interrupt::Closed) => {
                                    return self.end(self.remote.handle().closed_error().handed_over(true));
                                }
                                Poll::Ready(Interrupt::Expired) => {
                                    return self.end(Error::deadline_after(self.method.path));
                                }
                            }
                        }
                    }
                }
                State::Failing(failing) => {
                    let (error, lost) = ready!(failing.as_mut().poll(cx)).unwrap_or_else(|error| (error, false));
                    if !(lost && self.may_reopen()) {
                        return self.end(error);
                    }
                    self.reopen();
                }
                State::Reopening(reopening) => match ready!(reopening.as_mut().poll(cx)) {
                    Ok(open) => {
                        self.state = State::Open(open);
                        self.executions += 1;
                        if self.method.resubscribe {
                            self.note_resubscribed();
                        }
                    }
                    Err(error) => return self.end(error),
                },
                State::Ended => return Poll::Ready(None),
            }
        }
    }

    fn end(&mut self, error: Error) -> Poll<Option<Result<Bytes>>> {
        self.state = State::Ended;
        Poll::Ready(Some(Err(error)))
    }

    /// Whether the same request may be sent again after a loss.
    fn may_reopen(&self) -> bool {
        let repeats = self.method.idempotent && !self.delivered && self.executions < EXECUTIONS;
        self.request.upload.is_none() && (self.method.resubscribe || repeats)
    }

    /// Finds out what `failure` is, and whether it is a loss.
    fn explain(&self, link: Arc<Link>, failure: Failure) -> BoxFuture<'static, Result<(Error, bool)>> {
        let (method, context, upload) = (self.method, self.context.clone(), self.request.upload.clone());
        self.run(async move {
            let why = link.failed(method.path, failure, context.deadline).await;
            if let Some(error) = upload.and_then(|upload| upload.error()) {
                return Ok((error, false));
            }
            Ok(match why {
                AttemptError::NotRun(error) | AttemptError::MayHaveRun(error) => {
                    (lost(&link, method, error, &context).await, true)
                }
                why => {
                    let error = why.into_error();
                    let lost = error.loss().is_some();
                    (error, lost)
                }
            })
        })
    }

    fn reopen(&mut self) {
        let (remote, method, request, context) =
            (self.remote.clone(), self.method, self.request.clone(), self.context.clone());
        self.state = State::Reopening(self.run(async move {
            let handle = remote.handle();
            let streamed = Streamed { handle, method, request: &request, context: &context };
            over_links(handle, Class::Repeatable, &Subscribing(streamed)).await
        }));
    }

    /// Runs `future` in the runtime of the connections: whoever polls the stream may be in another one, or in none.
    fn run<T: Send + 'static>(
        &self,
        future: impl Future<Output = Result<T>> + Send + 'static,
    ) -> BoxFuture<'static, Result<T>> {
        let handle = self.remote.handle();
        let (peer_context, service) = (handle.peer_context.clone(), handle.id.service);
        Box::pin(async move {
            let ran = peer_context.runtime().run(future).await;
            ran.unwrap_or_else(|| Err(Error::runtime_ended(&peer_context.name, service)))
        })
    }

    fn note_resubscribed(&self) {
        let count = self.resubscribed.fetch_add(1, Ordering::Relaxed) + 1;
        let handle = self.remote.handle();
        handle.peer_context.emit(HandleEvent::Resubscribed {
            handle: handle.id.clone(),
            method: self.method.path,
            count,
        });
    }
}

impl Handle {
    /// Calls `method`, which has a stream among its arguments and one reply.
    ///
    /// # Errors
    ///
    /// As [`Handle::call`]; the error with which the producer of the stream ended it.
    pub(super) async fn upload(self: &Arc<Self>, method: &'static Method, request: &Request) -> Result<Bytes> {
        let context = Context::current();
        let streamed = Streamed { handle: self, method, request, context: &context };
        over_links(self, Class::Once, &streamed).await
    }
}
