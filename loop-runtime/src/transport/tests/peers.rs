//! Peers that are not this runtime.

use http_body_util::{BodyExt, Full, StreamBody};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic::Code;
use tonic::codegen::tokio_stream;

use super::*;
use crate::proto::grpc::health::v1::health_client::HealthClient;
use crate::proto::grpc::health::v1::health_server::{Health, HealthServer};
use crate::proto::grpc::health::v1::*;

/// A response with these frames.
fn response(
    status: u16,
    headers: &[(&str, &str)],
    data: &'static [u8],
    trailers: &[(&'static str, &str)],
) -> Response<Body> {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    let trailers: HeaderMap = trailers.iter().map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap())).collect();
    let mut frames = vec![Ok::<_, Status>(http_body::Frame::data(Bytes::from_static(data)))];
    if !trailers.is_empty() {
        frames.push(Ok(http_body::Frame::trailers(trailers)));
    }
    builder.body(Body::new(StreamBody::new(tokio_stream::iter(frames)))).unwrap()
}

#[tokio::test]
async fn strange_replies() {
    let (connection, _served) = connect(Raw(|request: Request<Body>| async move {
        match request.uri().path() {
            "/no-status" => response(200, &[], b"\0\0\0\0\x02hi", &[]),
            "/nothing" => response(200, &[], b"", &[("grpc-status", "0")]),
            "/both" => response(200, &[], b"\0\0\0\0\x02hi", &[("grpc-status", "5"), ("grpc-message", "gone")]),
            "/cut-short" => response(200, &[], b"\0\0\0\0\x05hi", &[("grpc-status", "14"), ("grpc-message", "x")]),
            "/truncated" => response(200, &[], b"\0\0\0\0\x05hi", &[("grpc-status", "0")]),
            "/code" => response(200, &[], b"", &[("grpc-status", "fish")]),
            "/details" => response(200, &[], b"", &[("grpc-status", "3"), ("grpc-status-details-bin", "!not base64!")]),
            "/escape" => response(200, &[], b"", &[("grpc-status", "3"), ("grpc-message", "100%ZZ%F")]),
            "/html" => response(502, &[("content-type", "text/html")], b"<html>", &[]),
            "/404" => response(404, &[], b"", &[]),
            _ => response(200, &[("grpc-status", "7"), ("grpc-message", "in%20headers")], b"", &[]),
        }
    }))
    .await;
    for (path, code, text) in [
        ("/nothing", Code::Internal, "without a message"),
        ("/both", Code::NotFound, "gone"),
        ("/cut-short", Code::Unavailable, "x"),
        ("/truncated", Code::Internal, "without a message"),
        ("/code", Code::Unknown, ""),
        ("/details", Code::InvalidArgument, ""),
        ("/escape", Code::InvalidArgument, "100%ZZ%F"),
        ("/html", Code::Internal, "compression flag"),
        ("/404", Code::Unimplemented, "404"),
        ("/headers-only", Code::PermissionDenied, "in headers"),
    ] {
        let (came, says) = answered(connection.call(path, "").await);
        assert!(came == code && says.contains(text), "{path}: {came:?} {says}");
    }
    assert_eq!(assert_lost(connection.call("/no-status", "").await), "the peer ended the call without a status");
}

/// A scripted server that uses h2 only.
async fn h2_server(end: impl Fn(h2::server::SendResponse<Bytes>) + Send + 'static) -> Connection {
    let (dialled, accepted) = sockets().await;
    tokio::spawn(async move {
        let mut server = h2::server::handshake(accepted).await.unwrap();
        while let Some(Ok((_request, respond))) = server.accept().await {
            end(respond);
        }
    });
    let (connection, driver) = Connection::open(dialled, &Limits::client()).await.unwrap();
    tokio::spawn(driver);
    connection
}

#[tokio::test]
async fn only_a_refused_stream_was_not_seen() {
    let refusing = h2_server(|mut respond| respond.send_reset(h2::Reason::REFUSED_STREAM)).await;
    assert!(assert_not_run(refusing.call("/a/B", "").await).starts_with("the peer refused the call unseen"));
    assert!(refusing.is_usable());
    for reason in [h2::Reason::CANCEL, h2::Reason::INTERNAL_ERROR, h2::Reason::NO_ERROR, h2::Reason::ENHANCE_YOUR_CALM]
    {
        let resetting = h2_server(move |mut respond| respond.send_reset(reason)).await;
        assert!(assert_lost(resetting.call("/a/B", "").await).starts_with("the call was reset"));
        assert!(resetting.is_usable());
        let in_the_body = h2_server(move |mut respond| {
            respond.send_response(Response::new(()), false).unwrap().send_reset(reason);
        })
        .await;
        assert_lost(in_the_body.call("/a/B", "").await);
    }
}

#[tokio::test]
async fn a_peer_that_hangs_up_after_reading_may_have_run_it() {
    let (dialled, mut accepted) = sockets().await;
    let (connection, driver) = Connection::open(dialled, &Limits::client()).await.unwrap();
    tokio::spawn(driver);
    let call = tokio::spawn({
        let connection = connection.clone();
        async move { connection.call("/a/B", "some message").await }
    });
    // an empty SETTINGS frame, then the preface, SETTINGS, the call and nothing else
    accepted.write_all(b"\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut came = Vec::new();
    while !came.ends_with(b"some message") {
        accepted.read_buf(&mut came).await.unwrap();
    }
    drop(accepted);
    assert_lost(call.await.unwrap());
    connection.ended().cancelled().await;
    assert!(!connection.is_usable());
    assert_not_run(connection.call("/a/B", "").await);
}

#[tokio::test]
async fn whatever_is_said_to_a_server_it_lets_go_of_the_connection() {
    for words in
        [&b""[..], b"GET / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff"]
    {
        let (mut dialled, accepted) = sockets().await;
        let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
        let serving = tokio::spawn(serve_connection(accepted, Arc::new(Methods::new()), Limits::server(), stop, abort));
        dialled.write_all(words).await.unwrap();
        dialled.shutdown().await.unwrap();
        serving.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_sends_nothing() {
    let (near, mut far) = tokio::io::duplex(1 << 16);
    let (connection, driver) = Connection::open(near, &Limits::client()).await.unwrap();
    tokio::spawn(driver);
    far.write_all(b"\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let day = std::time::Duration::from_secs(24 * 3600);
    let mut came = Vec::new();
    while let Ok(read) = tokio::time::timeout(day, far.read_buf(&mut came)).await {
        assert_ne!(read.unwrap(), 0);
        assert!(came.len() < 200, "preface, settings, window, acknowledgement: {} bytes", came.len());
    }
    assert!(came.starts_with(b"PRI * HTTP/2.0"));
    drop(connection);
}

/// Health as tonic generates it, over our connections on both sides.
struct Serving;

#[tonic::async_trait]
impl Health for Serving {
    async fn check(
        &self,
        request: tonic::Request<HealthCheckRequest>,
    ) -> Result<tonic::Response<HealthCheckResponse>, Status> {
        match request.get_ref().service.as_str() {
            "plugin" => Ok(tonic::Response::new(HealthCheckResponse { status: 1 })),
            _ => Err(Status::not_found("unknown service")),
        }
    }

    async fn list(&self, _: tonic::Request<HealthListRequest>) -> Result<tonic::Response<HealthListResponse>, Status> {
        Ok(tonic::Response::new(HealthListResponse::default()))
    }

    type WatchStream = tokio_stream::Iter<std::vec::IntoIter<Result<HealthCheckResponse, Status>>>;

    async fn watch(&self, _: tonic::Request<HealthCheckRequest>) -> Result<tonic::Response<Self::WatchStream>, Status> {
        let states = [1, 2, 1].map(|status| Ok(HealthCheckResponse { status }));
        Ok(tonic::Response::new(tokio_stream::iter(Vec::from(states))))
    }
}

#[tokio::test]
async fn generated_clients_and_servers_run_over_it() {
    let server = HealthServer::new(Serving);
    let (connection, _served) = connect(Raw(move |request| {
        let mut server = server.clone();
        async move {
            let Ok(response) = tower_service::Service::call(&mut server, request).await;
            response
        }
    }))
    .await;
    let mut client = HealthClient::new(connection.clone());
    let ask = |service: &str| HealthCheckRequest { service: service.to_owned() };
    assert_eq!(client.check(ask("plugin")).await.unwrap().into_inner().status, 1);
    assert_eq!(client.check(ask("other")).await.unwrap_err().code(), Code::NotFound);
    let mut states = client.watch(ask("plugin")).await.unwrap().into_inner();
    let mut seen = Vec::new();
    while let Some(state) = states.message().await.unwrap() {
        seen.push(state.status);
    }
    assert_eq!(seen, [1, 2, 1]);
    connection.close();
    connection.ended().cancelled().await;
    let status = client.check(ask("plugin")).await.unwrap_err();
    assert!(std::error::Error::source(&status).is_some_and(|it| it.is::<Failure>()), "{status:?}");
}

#[tokio::test]
async fn a_plain_hyper_client_is_served() {
    let (dialled, accepted) = sockets().await;
    let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
    tokio::spawn(serve_connection(accepted, Arc::new(Methods::new()), Limits::server(), stop, abort));
    let executor = hyper_util::rt::TokioExecutor::new();
    let io = hyper_util::rt::TokioIo::new(dialled);
    let (mut sender, driver) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    tokio::spawn(driver);
    // what Go hosts send as authority
    for authority in ["unused", "localhost", "x"] {
        let request = Request::post(format!("http://{authority}/t/Echo"))
            .header("content-type", "application/grpc")
            .body(Full::new(Bytes::from_static(b"\0\0\0\0\x02hi")))
            .unwrap();
        let body = sender.send_request(request).await.unwrap().into_body().collect().await.unwrap();
        assert_eq!(body.trailers().unwrap()["grpc-status"], "0");
        assert_eq!(body.to_bytes(), "\0\0\0\0\x02hi");
    }
}
