//! An incoming body, and the services that came with it.

use std::sync::Arc;

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::service::base::Names;
use crate::service::handle::{Handle, Received, Remote, Subscription};
use crate::service::serve::Service;
use crate::service::session::Session;
use crate::transport::Requests;
use crate::wire::{FieldSpec, Message, Value, WireError, check, decode, take};

/// Arguments or results being decoded.
///
/// The direction matters: what a request lends is the peer's, and dropping it only closes the connection; what a reply
/// hands over is ours, and dropping the last handle releases it.
pub struct Incoming {
    body: Bytes,
    from: From,
}

enum From {
    Request { session: Arc<Session>, lent: Vec<Lent>, requests: Option<Requests> },
    Reply { made: Option<Remote>, stream: Option<Subscription> },
}

struct Lent {
    handle: Arc<Handle>,
    id: u32,
    name: &'static str,
}

impl Incoming {
    /// A request; `requests` are the messages that follow `body`, if a stream is among the arguments.
    pub(crate) fn request(body: Bytes, session: Arc<Session>, requests: Option<Requests>) -> Self {
        Self { body, from: From::Request { session, lent: Vec::new(), requests } }
    }

    pub(crate) fn reply(received: Received) -> Self {
        let Received { reply, made, stream } = received;
        Self { body: reply, from: From::Reply { made, stream } }
    }

    /// One item of a stream in a result.
    pub(crate) fn item(body: Bytes) -> Self {
        Self { body, from: From::Reply { made: None, stream: None } }
    }

    /// The messages of the stream among the arguments, and the one before them.
    pub(crate) fn requests(&mut self) -> Result<(Bytes, Requests)> {
        let requests = match &mut self.from {
            From::Request { requests, .. } => requests.take(),
            From::Reply { .. } => None,
        };
        let requests = requests.ok_or_else(|| Error::internal("no stream came with the request"))?;
        Ok((self.body.clone(), requests))
    }

    /// The stream that is the reply.
    pub(crate) fn subscription(&mut self) -> Result<Subscription> {
        let stream = match &mut self.from {
            From::Request { .. } => None,
            From::Reply { stream, .. } => stream.take(),
        };
        stream.ok_or_else(|| Error::internal("no stream came with the reply"))
    }

    /// The data of the field `spec`.
    pub(crate) fn data<T: Value>(&self, spec: &FieldSpec) -> Result<T> {
        take(&self.body, spec).map_err(|why| self.unreadable(why))
    }

    /// Checks that the body is valid protobuf, where no field is read.
    ///
    /// # Errors
    ///
    /// It is not.
    pub fn nothing(&self) -> Result<()> {
        check(&self.body).map_err(|why| self.unreadable(why))
    }

    /// The message that is the whole body.
    pub(crate) fn whole<M: Message>(&self) -> Result<M> {
        decode(&self.body).map_err(|why| self.unreadable(why))
    }

    /// The error for an unreadable body, worded for its receiver: the sender of a request, the caller of a reply.
    fn unreadable(&self, why: WireError) -> Error {
        match self.from {
            From::Request { .. } => why.into(),
            From::Reply { .. } => why.of_reply(),
        }
    }

    /// The service lent under `id`, or the one that the reply carries.
    pub(crate) fn connect<S: Service + ?Sized>(&mut self, spec: &FieldSpec, id: u32) -> Result<Arc<S>> {
        match &mut self.from {
            From::Request { session, lent, .. } => {
                let mut names = Names::default();
                S::describe(&mut names);
                let handle = Handle::lent(session, S::NAME, Arc::new(names));
                let remote = Remote::new(handle.clone());
                lent.push(Lent { handle, id, name: spec.dial.unwrap_or(spec.name) });
                Ok(S::connect(remote))
            }
            From::Reply { made, .. } => match made.take() {
                Some(remote) => Ok(S::connect(remote)),
                None => Err(Error::internal(format!("{}: no service came with the reply", spec.name))),
            },
        }
    }

    /// Connects to everything that was lent, concurrently: an announcement expires after some seconds, so one slow
    /// connection must not delay the others.
    pub(crate) async fn settle(&mut self) -> Result<()> {
        let From::Request { session, lent, .. } = &mut self.from else { return Ok(()) };
        let dials: Vec<_> = lent
            .drain(..)
            .map(|lent| {
                let session = session.clone();
                tokio::spawn(async move {
                    let dialled = lent.handle.dial_lent(&session, lent.id).await;
                    dialled.map_err(|why| {
                        Error::unknown(format!("failed to dial {} client connection {}: {why}", lent.name, lent.id))
                    })
                })
            })
            .map(AbortOnDrop)
            .collect();
        for dial in dials {
            dial.await?;
        }
        Ok(())
    }
}

/// A dial that is aborted with the call that needs it.
struct AbortOnDrop(tokio::task::JoinHandle<Result<()>>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Future for AbortOnDrop {
    type Output = Result<()>;

    fn poll(mut self: std::pin::Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        std::pin::Pin::new(&mut self.0)
            .poll(context)
            .map(|joined| joined.unwrap_or_else(|why| Err(Error::internal(why.to_string()))))
    }
}
