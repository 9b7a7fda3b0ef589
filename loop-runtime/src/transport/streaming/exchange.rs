//! The calling side: messages out, messages in, one status at the end.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::client::ResponseFuture;
use h2::{Reason, SendStream};
use http::{HeaderMap, StatusCode};
use http_body::Body as _;
use tonic::Status;

use super::Outbound;
use super::batches::{Batches, Role};
use crate::transport::assembly::{self, Assembly};
use crate::transport::body::{self, AbortOnDrop, Received};
use crate::transport::client::Connection;
use crate::transport::failure::{Failure, TransportError};
use crate::transport::frame::Framed;
use crate::transport::status;

/// The messages of a request.
pub(crate) enum Asked {
    /// One, which ends the request.
    One(Bytes),
    /// Any number, sent by a task of their own while the response is read.
    Many(Outbound),
}

/// A call whose response is read message by message. It ends once: with the peer's status OK, or with a [`Failure`].
///
/// Dropping it before that cancels the call, and drops the messages that were not sent yet.
pub(crate) struct Exchange {
    connection: Connection,
    state: State,
    assembly: Assembly,
    /// Received, and not yet taken apart.
    data: Bytes,
    /// A status among the response headers: there is no further one.
    status: Option<Status>,
    http: StatusCode,
    /// Read by [`poll_only`](Self::poll_only).
    only: Option<Bytes>,
    _sending: Option<AbortOnDrop>,
}

enum State {
    /// No response headers yet.
    Waiting(ResponseFuture),
    Reading(Received),
    Ended,
}

impl Connection {
    /// Begins a call. `timeout` is sent to the peer, as in [`unary`](Self::unary); it does not bound this side's wait.
    ///
    /// Must be called inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// What fails here was certainly not sent.
    pub(crate) fn exchange(
        &self,
        path: &str,
        headers: HeaderMap,
        timeout: Option<Duration>,
        messages: Asked,
    ) -> Result<Exchange, Failure> {
        let (request, path) = self.request(path, headers, timeout)?;
        let (response, sending) = match messages {
            Asked::One(message) => {
                let framed = Framed::new(message, None).map_err(|status| self.impossible(status.message()))?;
                let (response, mut stream) = self.begin(request, path, false)?;
                framed.send(&mut stream);
                (response, None)
            }
            Asked::Many(messages) => {
                let (response, stream) = self.begin(request, path, false)?;
                (response, Some(AbortOnDrop(tokio::spawn(send(messages, stream)).abort_handle())))
            }
        };
        Ok(Exchange {
            connection: self.clone(),
            state: State::Waiting(response),
            assembly: Assembly::new(self.max_receive()),
            data: Bytes::new(),
            status: None,
            http: StatusCode::OK,
            only: None,
            _sending: sending,
        })
    }
}

async fn send(messages: Outbound, mut stream: SendStream<Bytes>) {
    body::send(Batches::new(messages, Role::Client), &mut stream, Reason::CANCEL).await;
}

impl Exchange {
    /// Waits for the response headers. Servers of this runtime send them as soon as the implementation has returned a stream;
    /// those of grpc-go send them with their first message.
    pub(crate) fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        let State::Waiting(response) = &mut self.state else { return Poll::Ready(Ok(())) };
        let id = response.stream_id().into();
        let response = match ready!(Pin::new(response).poll(cx)) {
            Ok(response) => response,
            Err(error) => {
                let failure = self.connection.unanswered(&error, id);
                return Poll::Ready(Err(self.fail(failure)));
            }
        };
        let (head, body) = response.into_parts();
        self.status = status::received(&head.headers);
        self.http = head.status;
        self.state = State::Reading(Received::new(body));
        match self.status.take() {
            Some(status) if status.code() != tonic::Code::Ok => Poll::Ready(Err(self.fail(Failure::answered(status)))),
            status => {
                self.status = status;
                Poll::Ready(Ok(()))
            }
        }
    }

    /// The next message; `None` after the status OK. After a failure and after the end, always `None`.
    pub(crate) fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Failure>>> {
        if let Err(failure) = ready!(self.poll_head(cx)) {
            return Poll::Ready(Some(Err(failure)));
        }
        loop {
            if !self.data.is_empty() {
                match self.assembly.next(&mut self.data) {
                    Ok(Some(message)) => return Poll::Ready(Some(Ok(message))),
                    Ok(None) => {}
                    Err(status) => return Poll::Ready(Some(Err(self.fail(Failure::answered(status))))),
                }
            }
            let State::Reading(body) = &mut self.state else { return Poll::Ready(None) };
            let frame = match ready!(Pin::new(body).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => {
                    let failure = Failure::in_an_answer(&error);
                    return Poll::Ready(Some(Err(self.fail(failure))));
                }
                None => return Poll::Ready(self.finish(None).err().map(Err)),
            };
            match frame.into_data() {
                Ok(data) => self.data = data,
                Err(frame) => {
                    let trailers = frame.into_trailers().ok();
                    return Poll::Ready(self.finish(trailers.as_ref()).err().map(Err));
                }
            }
        }
    }

    /// The only message of a unary reply, once the status OK has come.
    pub(crate) fn poll_only(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, Failure>> {
        loop {
            match (ready!(self.poll_message(cx)), self.only.take()) {
                (Some(Ok(message)), None) => self.only = Some(message),
                (None, Some(message)) => return Poll::Ready(Ok(message)),
                (Some(Err(failure)), _) => return Poll::Ready(Err(failure)),
                (Some(Ok(_)), Some(_)) => {
                    let status = Status::internal("the peer sent more than one message as the reply of a unary call");
                    return Poll::Ready(Err(self.fail(Failure::answered(status))));
                }
                (None, None) => {
                    let status = Status::internal("the peer answered OK without a message");
                    return Poll::Ready(Err(Failure::answered(status)));
                }
            }
        }
    }

    fn finish(&mut self, trailers: Option<&HeaderMap>) -> Result<(), Failure> {
        let status = trailers.and_then(status::received).or_else(|| self.status.take());
        let cut_off = self.assembly.is_in_the_middle();
        let ended = match status {
            Some(status) if status.code() != tonic::Code::Ok => Err(Failure::answered(status)),
            Some(_) if cut_off => Err(Failure::answered(assembly::cut_off())),
            Some(_) => Ok(()),
            None if self.http != StatusCode::OK => Err(Failure::answered(status::of_http(self.http))),
            // Never taken for the end: what is missing may be anything.
            None => {
                let what = "the peer ended the stream without a status";
                Err(Failure::MayHaveRun(TransportError::new(what).said_by_peer()))
            }
        };
        self.state = State::Ended;
        self.data = Bytes::new();
        ended
    }

    fn fail(&mut self, failure: Failure) -> Failure {
        self.state = State::Ended;
        self.data = Bytes::new();
        failure
    }
}
