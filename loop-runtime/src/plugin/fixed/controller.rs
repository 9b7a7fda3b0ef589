//! `plugin.GRPCController`: the host asks the plugin to end.

use tonic::{Request, Response, Status};

use crate::plugin::stop::{Reason, Stop};
use crate::proto::plugin::Empty;
use crate::proto::plugin::grpc_controller_server::GrpcController;

/// Answers at once. Waiting for the shutdown here would deadlock: the host closes its streams only after the answer.
pub(crate) struct Controller {
    stop: Stop,
}

impl Controller {
    pub(crate) fn new(stop: Stop) -> Self {
        Self { stop }
    }
}

#[tonic::async_trait]
impl GrpcController for Controller {
    async fn shutdown(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        self.stop.request(Reason::Shutdown);
        Ok(Response::new(Empty {}))
    }
}
