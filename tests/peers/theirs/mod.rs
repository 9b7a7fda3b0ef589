//! The other side: clients and servers as tonic generates them, and a plugin made of nothing else.

pub(crate) mod calls;
mod median;
mod relayer;
mod values;

use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use tokio::task::JoinSet;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use crate::broker::{self, Broker};
use crate::wire::grpc::health::v1::health_server::{Health, HealthServer};
use crate::wire::grpc::health::v1::{HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse};
use crate::wire::r#loop::plugin_median_server::PluginMedianServer;
use crate::wire::r#loop::plugin_relayer_server::PluginRelayerServer;
use crate::wire::r#loop::service_server::ServiceServer;
use crate::wire::plugin::grpc_broker_server::GrpcBrokerServer;

/// Answers every method with its values.
#[derive(Clone)]
pub(crate) struct Theirs {
    broker: Arc<Broker>,
}

impl Theirs {
    /// Serves a plugin for as long as what is returned lives.
    pub(crate) fn plugin(socket: &Path) -> JoinSet<()> {
        let broker = Broker::plugin(socket.parent().expect("a directory"));
        let it = Self { broker: broker.clone() };
        let routes = Routes::new(GrpcBrokerServer::new(broker))
            .add_service(HealthServer::new(it.clone()))
            .add_service(ServiceServer::new(it.clone()))
            .add_service(PluginRelayerServer::new(it.clone()))
            .add_service(PluginMedianServer::new(it));
        let mut serving = JoinSet::new();
        serving.spawn(broker::serve(socket, routes));
        serving
    }
}

/// The reply to the request that `came`, if it is one of those that are known.
fn answer<T: PartialEq + Debug, R>(came: T, known: impl IntoIterator<Item = (T, R)>) -> Result<R, Status> {
    let found = known.into_iter().find(|(wanted, _)| *wanted == came);
    found.map(|(_, reply)| reply).ok_or_else(|| Status::internal(format!("came as {came:?}")))
}

/// Runs calls back to the caller; a mismatch becomes the error.
async fn tried(calls: impl Future<Output = ()> + Send + 'static) -> Result<(), Status> {
    tokio::spawn(calls).await.map_err(|panic| Status::internal(panic.to_string()))
}

/// Implements a generated trait: name, request, reply, and the conversion from one to the other.
macro_rules! served {
    ($service:path { $($method:ident: $request:ty => $reply:ty, |$it:pat_param, $came:pat_param| $answer:expr;)* }) => {
        #[tonic::async_trait]
        impl $service for super::Theirs {
            $(
                async fn $method(
                    &self,
                    request: tonic::Request<$request>,
                ) -> Result<tonic::Response<$reply>, tonic::Status> {
                    let ($it, $came) = (self, request.into_inner());
                    let answer: Result<$reply, tonic::Status> = $answer;
                    answer.map(tonic::Response::new)
                }
            )*
        }
    };
}

use served;

#[tonic::async_trait]
impl Health for Theirs {
    async fn check(&self, _: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        Ok(Response::new(HealthCheckResponse { status: 1 }))
    }

    async fn list(&self, _: Request<HealthListRequest>) -> Result<Response<HealthListResponse>, Status> {
        Err(Status::unimplemented("unused"))
    }

    type WatchStream = tokio_stream::Empty<Result<HealthCheckResponse, Status>>;

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("unused"))
    }
}
