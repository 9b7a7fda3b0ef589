//! What `tonic-build` would emit for three unary methods, and what one writes around it.

#![allow(dead_code, reason = "hosts need one half of it, plugins the other")]

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::task::{Context, Poll};

use tokio::net::{UnixListener, UnixStream};
use tokio_stream::wrappers::UnixListenerStream;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, http};
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use crate::shared::load::{self, NAP};
use crate::shared::{Caller, Load, Outcome};

const ECHO: &str = "/bench.v1.Peer/Echo";
const NAP_PATH: &str = "/bench.v1.Peer/Nap";
const DRIVE: &str = "/bench.v1.Peer/Drive";

/// The one setting that is not tonic's default: h2 treats thousands of unread small frames as an attack, and measures
/// that by this window. Without it, the row with ten thousand calls in flight ends the connection.
const CONNECTION_WINDOW: u32 = 32 << 20;

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Blob {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) data: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Empty {}

/// A load, for the service on another socket.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DriveRequest {
    #[prost(string, tag = "1")]
    pub(crate) socket: String,
    #[prost(uint64, tag = "2")]
    pub(crate) bytes: u64,
    #[prost(uint64, tag = "3")]
    pub(crate) in_flight: u64,
    #[prost(uint64, tag = "4")]
    pub(crate) calls: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DriveReply {
    #[prost(uint64, tag = "1")]
    pub(crate) nanos: u64,
}

/// The service: answers by itself, or forwards `Echo`.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) upstream: Option<Client>,
}

impl Peer {
    async fn echo(&self, request: Request<Blob>) -> Result<Response<Blob>, Status> {
        let Blob { data } = request.into_inner();
        Ok(Response::new(match self.upstream.clone() {
            Some(mut upstream) => upstream.echo_blob(data).await?,
            None => Blob { data },
        }))
    }

    async fn nap(&self) -> Result<Response<Empty>, Status> {
        tokio::time::sleep(NAP).await;
        Ok(Response::new(Empty {}))
    }

    async fn drive(&self, request: Request<DriveRequest>) -> Result<Response<DriveReply>, Status> {
        let DriveRequest { socket, bytes, in_flight, calls } = request.into_inner();
        let load = Load { bytes: bytes as usize, in_flight: in_flight as usize, calls: calls as usize };
        let took = async { load::run(load, &Client::connect(Path::new(&socket)).await?).await };
        let took = took.await.map_err(|why| Status::unknown(why.to_string()))?;
        Ok(Response::new(DriveReply { nanos: took.as_nanos() as u64 }))
    }

    /// Serves on `socket`, which must not exist; the returned future ends with the last connection or not at all.
    pub(crate) fn serve(self, socket: &Path) -> Outcome<impl Future<Output = Outcome<()>> + use<>> {
        let incoming = UnixListenerStream::new(UnixListener::bind(socket)?);
        let mut server = Server::builder().initial_connection_window_size(CONNECTION_WINDOW);
        Ok(async move { Ok(server.add_service(self).serve_with_incoming(incoming).await?) })
    }
}

impl tonic::server::NamedService for Peer {
    const NAME: &'static str = "bench.v1.Peer";
}

impl tower_service::Service<http::Request<Body>> for Peer {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<http::Response<Body>, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let this = self.clone();
        match request.uri().path() {
            ECHO => Box::pin(async move {
                let method = tower::service_fn(|request| this.echo(request));
                Ok(tonic::server::Grpc::new(ProstCodec::default()).unary(method, request).await)
            }),
            NAP_PATH => Box::pin(async move {
                let method = tower::service_fn(|_: Request<Empty>| this.nap());
                Ok(tonic::server::Grpc::new(ProstCodec::default()).unary(method, request).await)
            }),
            DRIVE => Box::pin(async move {
                let method = tower::service_fn(|request| this.drive(request));
                Ok(tonic::server::Grpc::new(ProstCodec::default()).unary(method, request).await)
            }),
            _ => Box::pin(async move { Ok(Status::unimplemented("").into_http()) }),
        }
    }
}

#[derive(Clone)]
pub(crate) struct Client(tonic::client::Grpc<Channel>);

impl Client {
    pub(crate) async fn connect(socket: &Path) -> Outcome<Self> {
        let socket = PathBuf::from(socket);
        let connect = tower::service_fn(move |_| {
            let socket = socket.clone();
            async move { UnixStream::connect(socket).await.map(hyper_util::rt::TokioIo::new) }
        });
        let endpoint = Endpoint::from_static("http://localhost").initial_connection_window_size(CONNECTION_WINDOW);
        let channel = endpoint.connect_with_connector(connect).await?;
        Ok(Self(tonic::client::Grpc::new(channel)))
    }

    async fn unary<Q, R>(&mut self, path: &'static str, request: Q) -> Result<R, Status>
    where
        Q: prost::Message + Send + Sync + 'static,
        R: prost::Message + Default + Send + Sync + 'static,
    {
        self.0.ready().await.map_err(|why| Status::unknown(format!("the service is not ready: {why}")))?;
        let path = http::uri::PathAndQuery::from_static(path);
        Ok(self.0.unary(Request::new(request), path, ProstCodec::default()).await?.into_inner())
    }

    async fn echo_blob(&mut self, data: Vec<u8>) -> Result<Blob, Status> {
        self.unary(ECHO, Blob { data }).await
    }

    pub(crate) async fn drive(&mut self, request: DriveRequest) -> Result<DriveReply, Status> {
        self.unary(DRIVE, request).await
    }
}

impl Caller for Client {
    async fn echo(&mut self, data: &[u8]) -> Outcome<usize> {
        Ok(self.echo_blob(data.to_vec()).await?.data.len())
    }

    async fn nap(&mut self) -> Outcome<()> {
        let _: Empty = self.unary(NAP_PATH, Empty {}).await?;
        Ok(())
    }
}
