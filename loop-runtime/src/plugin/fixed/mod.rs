//! The services that every plugin has besides its own, on the main connection.

mod controller;
mod health;
mod reflection;

use http::{Request, Response};
use tonic::body::Body;
use tower_service::Service;

use super::stop::Stop;
use crate::broker::BrokerService;
use crate::proto::grpc::health::v1::health_server::HealthServer;
use crate::proto::grpc::reflection::{v1, v1alpha};
use crate::proto::plugin::grpc_broker_server::GrpcBrokerServer;
use crate::proto::plugin::grpc_controller_server::GrpcControllerServer;
use crate::proto::plugin::grpc_stdio_server::GrpcStdioServer;
use crate::service::BoxFuture;
use crate::stdio::stream::Stdio;

/// The fixed services. What they hold is shared by all connections.
pub(crate) struct Fixed {
    health: HealthServer<health::Health>,
    reflection: v1::server_reflection_server::ServerReflectionServer<reflection::ServiceNames>,
    old_reflection: v1alpha::server_reflection_server::ServerReflectionServer<reflection::ServiceNames>,
    broker: GrpcBrokerServer<BrokerService>,
    controller: GrpcControllerServer<controller::Controller>,
    stdio: GrpcStdioServer<Stdio>,
}

/// The full names of the fixed services, as reflection lists them.
const NAMES: [&str; 6] = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
    "plugin.GRPCBroker",
    "plugin.GRPCController",
    "plugin.GRPCStdio",
];

impl Fixed {
    /// `own` are the full names of the plugin's own services.
    pub(crate) fn new(own: &[&'static str], broker: BrokerService, stdio: Stdio, stop: Stop) -> Self {
        let names = reflection::ServiceNames::new(NAMES.iter().chain(own).copied());
        Self {
            health: HealthServer::new(health::Health::new(stop.clone())),
            reflection: v1::server_reflection_server::ServerReflectionServer::new(names.clone()),
            old_reflection: v1alpha::server_reflection_server::ServerReflectionServer::new(names),
            broker: GrpcBrokerServer::new(broker),
            controller: GrpcControllerServer::new(controller::Controller::new(stop)),
            stdio: GrpcStdioServer::new(stdio),
        }
    }

    /// Whether a method of a fixed service has this path.
    pub(crate) fn serves(path: &str) -> bool {
        service(path).is_some_and(|service| NAMES.contains(&service))
    }

    /// Answers a call of a fixed service, or returns the request.
    pub(crate) fn handle(
        &self,
        request: Request<Body>,
    ) -> Result<BoxFuture<'static, Response<Body>>, Box<Request<Body>>> {
        Ok(match service(request.uri().path()).unwrap_or_default() {
            "grpc.health.v1.Health" => answer(&self.health, request),
            "grpc.reflection.v1.ServerReflection" => answer(&self.reflection, request),
            "grpc.reflection.v1alpha.ServerReflection" => answer(&self.old_reflection, request),
            "plugin.GRPCBroker" => answer(&self.broker, request),
            "plugin.GRPCController" => answer(&self.controller, request),
            "plugin.GRPCStdio" => answer(&self.stdio, request),
            _ => return Err(Box::new(request)),
        })
    }
}

/// The service of a method's path.
fn service(path: &str) -> Option<&str> {
    Some(path.strip_prefix('/')?.rsplit_once('/')?.0)
}

/// Calls a generated server, which is always ready and never fails.
fn answer<S>(server: &S, request: Request<Body>) -> BoxFuture<'static, Response<Body>>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = std::convert::Infallible> + Clone,
    S::Future: Send + 'static,
{
    let response = server.clone().call(request);
    Box::pin(async move {
        match response.await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    })
}
