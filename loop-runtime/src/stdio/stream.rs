//! `plugin.GRPCStdio`: the captured bytes as a stream.
//!
//! Whoever asks consumes: a second stream beside the first competes with it, one after the first goes on where that
//! ended. A stream ends by itself only when the plugin ends, after the last byte.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::codegen::tokio_stream::Stream;
use tonic::{Request, Response, Status};

use super::ring::{Attached, Channel, Ring};
use crate::proto::plugin::grpc_stdio_server::GrpcStdio;
use crate::proto::plugin::{StdioData, stdio_data};

/// The service.
#[derive(Clone)]
pub(crate) struct Stdio {
    pub(crate) ring: Arc<Ring>,
}

#[tonic::async_trait]
impl GrpcStdio for Stdio {
    type StreamStdioStream = Chunks;

    async fn stream_stdio(&self, _: Request<()>) -> Result<Response<Chunks>, Status> {
        Ok(Response::new(Chunks(self.ring.attach())))
    }
}

/// The chunks, each with its channel.
pub(crate) struct Chunks(Attached);

impl Stream for Chunks {
    type Item = Result<StdioData, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.ring().poll_take(cx).map(|chunk| {
            let (channel, data) = chunk?;
            let channel = match channel {
                Channel::Stdout => stdio_data::Channel::Stdout,
                Channel::Stderr => stdio_data::Channel::Stderr,
            };
            Some(Ok(StdioData { channel: channel.into(), data }))
        })
    }
}
