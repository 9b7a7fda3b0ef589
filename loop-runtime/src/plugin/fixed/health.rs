//! gRPC's health checking, for the two names that go-plugin's hosts know.
//!
//! A plugin that answers is serving; the health of single objects is reported by its own services.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::codegen::tokio_stream::Stream;
use tonic::{Request, Response, Status};

use crate::plugin::stop::Stop;
use crate::proto::grpc::health::v1::health_check_response::ServingStatus;
use crate::proto::grpc::health::v1::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse, health_server,
};

const KNOWN: [&str; 2] = ["", "plugin"];

pub(crate) struct Health {
    stop: Stop,
}

impl Health {
    pub(crate) fn new(stop: Stop) -> Self {
        Self { stop }
    }
}

fn known(service: &str) -> bool {
    KNOWN.contains(&service)
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

#[tonic::async_trait]
impl health_server::Health for Health {
    type WatchStream = Watch;

    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        if known(&request.get_ref().service) {
            Ok(Response::new(response(ServingStatus::Serving)))
        } else {
            Err(Status::not_found("unknown service"))
        }
    }

    async fn list(&self, _: Request<HealthListRequest>) -> Result<Response<HealthListResponse>, Status> {
        let statuses = KNOWN.map(|name| (name.to_owned(), response(ServingStatus::Serving)));
        Ok(Response::new(HealthListResponse { statuses: statuses.into() }))
    }

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Watch>, Status> {
        // As the protocol specifies, an unknown name is a response here and not an error.
        let now =
            if known(&request.get_ref().service) { ServingStatus::Serving } else { ServingStatus::ServiceUnknown };
        let stopped = Box::pin(self.stop.token().clone().cancelled_owned());
        Ok(Response::new(Watch { now: Some(now), stopped: Some(stopped) }))
    }
}

/// The state now, and `NOT_SERVING` when the plugin is about to end.
pub(crate) struct Watch {
    now: Option<ServingStatus>,
    stopped: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

impl Stream for Watch {
    type Item = Result<HealthCheckResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(now) = self.now.take() {
            return Poll::Ready(Some(Ok(response(now))));
        }
        let Some(stopped) = &mut self.stopped else { return Poll::Ready(None) };
        std::task::ready!(stopped.as_mut().poll(cx));
        self.stopped = None;
        Poll::Ready(Some(Ok(response(ServingStatus::NotServing))))
    }
}
