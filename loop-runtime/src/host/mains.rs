//! The main connections of one process. One of them takes calls; others may exist beside it: retired by a peer that
//! limits their age, or made for one health check.

use std::pin::pin;
use std::sync::Arc;

use http::HeaderMap;
use prost::Message as _;
use tokio::sync::watch;

use crate::broker::BrokerError;
use crate::error::{Error, Result};
use crate::proto::grpc::health::v1::health_check_response::ServingStatus;
use crate::proto::grpc::health::v1::health_client::HealthClient;
use crate::proto::grpc::health::v1::{HealthCheckRequest, HealthCheckResponse};
use crate::service::{Link, Session, settle};
use crate::stdio::follow_stdio;
use crate::transport::{Address, Connection, Stream};

/// What go-plugin's hosts ask the health service for.
const SERVICE: &str = "plugin";

pub(crate) struct Mains {
    session: Arc<Session>,
    address: Address,
    current: watch::Sender<Arc<Link>>,
}

/// What happened to the connection that takes calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Main {
    /// It takes no new calls, and answers those in flight, if there are any. The process may live on.
    Retired,
    /// It broke.
    Ended,
}

impl Mains {
    pub(super) fn new(session: &Arc<Session>, address: &Address, first: Arc<Link>) -> Arc<Self> {
        Arc::new(Self { session: session.clone(), address: address.clone(), current: watch::Sender::new(first) })
    }

    pub(super) fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// The one that takes calls, unless that has changed.
    pub(super) fn current(&self) -> Arc<Link> {
        self.current.borrow().clone()
    }

    /// Cuts the one that takes calls.
    pub(crate) fn cut(&self) {
        self.current().connection().close();
    }

    /// From here on `link` takes calls. The one before is kept until the peer closes it.
    pub(super) fn replace(&self, link: Arc<Link>) {
        self.current.send_replace(link);
    }

    /// Dials another one, over which the process answers.
    ///
    /// # Errors
    ///
    /// The process accepts no connections any more, or does not answer.
    pub(super) async fn dial(&self) -> Result<Arc<Link>> {
        let failed = |why: BrokerError| Error::lost(false, format!("{}: {why}", self.session.name())).with_source(why);
        let stream = self.session.broker().dial_main(&self.address).await.map_err(failed)?;
        let link = Link::open(&self.session, stream, None, self.session.root().clone()).await?;
        // A connection may wait at a listener that accepts no more.
        let asked = tokio::time::timeout(self.session.broker().dial_timeout(), ask(link.connection())).await;
        match asked {
            Ok(Some(_)) => {
                link.offers_as(&self.current());
                Ok(link)
            }
            Ok(None) | Err(_) => {
                link.end();
                Err(Error::lost(false, format!("{}: it takes no connections any more", self.session.name())))
            }
        }
    }

    /// The one that takes calls, or another one if that no longer does.
    ///
    /// # Errors
    ///
    /// As [`dial`](Self::dial).
    pub(super) async fn usable(&self) -> Result<Arc<Link>> {
        let link = self.current();
        if link.connection().is_usable() { Ok(link) } else { self.dial().await }
    }

    /// Whether the process answers its health check: over the connection that takes calls, or over another one if that is being
    /// replaced at this moment.
    ///
    /// # Errors
    ///
    /// Its answer is an error, or nobody answers.
    pub(super) async fn check(&self) -> Result<()> {
        let link = self.current();
        let request = HealthCheckRequest { service: SERVICE.to_owned() };
        match HealthClient::new(link.connection().clone()).check(request).await {
            Ok(_) => Ok(()),
            Err(_) if !link.connection().is_usable() => {
                // It has answered when this succeeds.
                self.dial().await?.end();
                Ok(())
            }
            Err(status) => Err(Error::unknown(format!("{}: {status}", self.session.name())).with_source(status)),
        }
    }

    /// Checks the process's health over the connection that takes calls. `None`: it sent nothing.
    pub(super) async fn ask(&self) -> Option<bool> {
        ask(self.current().connection()).await
    }

    /// The same over a connection made for this check: the other one may be full.
    pub(super) async fn ask_aside(&self) -> Option<bool> {
        let stream: Stream = self.session.broker().dial_main(&self.address).await.ok()?;
        let (connection, driver) = Connection::open(stream, self.session.calling()).await.ok()?;
        let mut asked = pin!(ask(&connection));
        tokio::select! {
            biased;
            answer = &mut asked => answer,
            // It ended, perhaps with an answer.
            () = driver => asked.await,
        }
    }

    /// Waits until the connection that takes calls now takes none any more.
    pub(super) fn changes(&self) -> impl Future<Output = Main> + Send + 'static {
        let link = self.current();
        async move {
            link.connection().retired().cancelled().await;
            // One that breaks takes no calls an instant before it has ended.
            let ended = tokio::time::timeout(settle::CONNECTIONS, link.ended().cancelled()).await;
            match ended {
                Ok(()) if !link.connection().went_away() => Main::Ended,
                _ => Main::Retired,
            }
        }
    }

    /// Logs what the process prints, for as long as the session lives: over one connection, and over the next only when
    /// the stream of that has ended. Two streams at a time would split the output between them.
    pub(super) async fn follow_stdio(self: Arc<Self>) {
        let mut mains = self.current.subscribe();
        let ended = self.session.ended();
        let follow = async {
            loop {
                let link = mains.borrow_and_update().clone();
                follow_stdio(link.connection().clone(), self.session.name().to_owned()).await;
                if mains.changed().await.is_err() {
                    return;
                }
            }
        };
        ended.run_until_cancelled(follow).await;
    }
}

/// Whether the process reports that it serves. `None`: it sent nothing. An error status is an answer too.
async fn ask(connection: &Connection) -> Option<bool> {
    let request = HealthCheckRequest { service: SERVICE.to_owned() }.encode_to_vec();
    let answer = connection.unary("/grpc.health.v1.Health/Check", HeaderMap::new(), None, request.into()).await;
    match answer {
        Ok(reply) => {
            let says = HealthCheckResponse::decode(reply.body);
            Some(says.map_or(true, |says| says.status() == ServingStatus::Serving))
        }
        Err(failure) => failure.is_from_peer().then_some(true),
    }
}
