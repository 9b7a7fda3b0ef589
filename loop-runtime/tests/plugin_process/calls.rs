//! Unary calls: the fixed services, and what every server must do.

use tonic::body::Body;
use tonic::codegen::tokio_stream::{self, StreamExt};
use tonic::{Code, Status};

use crate::client::{Client, Number, Texts, Two, two};
use crate::process::{Start, soon};
use crate::proto::grpc::health::v1::health_client::HealthClient;
use crate::proto::grpc::health::v1::{HealthCheckRequest, HealthListRequest};
use crate::proto::grpc::reflection::{v1, v1alpha};

#[tokio::test]
async fn health_knows_the_plugin_and_nothing_else() {
    let mut plugin = Start::new("").up().await;
    let mut health = HealthClient::new(plugin.client().await);
    let ask = |service: &str| HealthCheckRequest { service: service.to_owned() };
    for known in ["", "plugin"] {
        assert_eq!(health.check(ask(known)).await.unwrap().into_inner().status, 1);
    }
    assert_eq!(health.check(ask("probe.Probe")).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(health.list(HealthListRequest {}).await.unwrap().into_inner().statuses.len(), 2);
    let mut unknown = health.watch(ask("?")).await.unwrap().into_inner();
    assert_eq!(unknown.message().await.unwrap().unwrap().status, 3);
    let mut watch = health.watch(ask("plugin")).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status, 1);
    plugin.shut_down().await;
    assert_eq!(soon("news", watch.message()).await.unwrap().unwrap().status, 2);
    assert_eq!(plugin.ended().await.0, Some(0));
}

const SERVICES: [&str; 7] = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
    "plugin.GRPCBroker",
    "plugin.GRPCController",
    "plugin.GRPCStdio",
    "probe.Probe",
];

/// Queries one version of reflection for names and for a file.
macro_rules! reflect {
    ($version:ident, $client:expr) => {{
        use $version::server_reflection_request::MessageRequest as Ask;
        use $version::server_reflection_response::MessageResponse as Answer;
        let ask = |what| $version::ServerReflectionRequest { host: "h".to_owned(), message_request: Some(what) };
        let asked = [ask(Ask::ListServices(String::new())), ask(Ask::FileContainingSymbol("probe.Probe".to_owned()))];
        let mut client = $version::server_reflection_client::ServerReflectionClient::new($client);
        let answers = client.server_reflection_info(tokio_stream::iter(asked)).await.unwrap().into_inner();
        let answers: Vec<_> = answers.map(Result::unwrap).collect().await;
        let [names, file] = &answers[..] else { panic!("{answers:?}") };
        let Some(Answer::ListServicesResponse(list)) = &names.message_response else { panic!("{names:?}") };
        assert_eq!(list.service.iter().map(|service| service.name.as_str()).collect::<Vec<_>>(), SERVICES);
        assert!(matches!(&file.message_response, Some(Answer::ErrorResponse(_))), "{file:?}");
        assert_eq!(file.valid_host, "h");
    }};
}

#[tokio::test]
async fn reflection_lists_the_services() {
    let plugin = Start::new("").up().await;
    reflect!(v1, plugin.client().await);
    reflect!(v1alpha, plugin.client().await);
}

/// A frame of no bytes.
fn empty_message() -> Body {
    Body::new(http_body_util::Full::new(bytes::Bytes::from_static(&[0; 5])))
}

#[tokio::test]
async fn what_nobody_knows_is_unimplemented_and_well_formed() {
    let plugin = Start::new("").up().await;
    let mut client = plugin.client().await;
    for path in ["/probe.Probe/Nothing", "/no.Service/Method", "/plugin.GRPCController/Nothing", "/nonsense"] {
        let request = http::Request::post(format!("http://unused{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(empty_message())
            .unwrap();
        let response = client.raw(request).await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["content-type"], "application/grpc", "{path}");
        let status = Status::from_header_map(response.headers());
        assert_eq!(status.map(|status| status.code()), Some(Code::Unimplemented), "{path}");
    }
}

#[tokio::test]
async fn a_stream_of_what_is_not_there_is_refused_before_it_speaks() {
    let plugin = Start::new("").up().await;
    for path in ["/no.Service/Stream", "/probe.Probe/Stream"] {
        let (_announce, announcements) = tokio::sync::mpsc::channel::<Two>(1);
        let mut grpc = tonic::client::Grpc::new(plugin.client().await);
        grpc.ready().await.unwrap();
        let path = http::uri::PathAndQuery::from_static(path);
        let codec = tonic_prost::ProstCodec::<Two, Two>::default();
        let stream = tokio_stream::wrappers::ReceiverStream::new(announcements);
        let refused = grpc.streaming(tonic::Request::new(stream), path, codec);
        assert_eq!(soon("the refusal", refused).await.err().map(|status| status.code()), Some(Code::Unimplemented));
    }
}

#[tokio::test]
async fn any_authority_will_do() {
    let plugin = Start::new("").up().await;
    let mut client = plugin.client().await;
    for authority in ["unused", "localhost", "[::]:50051", "127.0.0.1:50051"] {
        let request = http::Request::post(format!("http://{authority}/grpc.health.v1.Health/Check"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(empty_message())
            .unwrap();
        assert_eq!(client.raw(request).await.status(), 200, "{authority}");
    }
}

#[tokio::test]
async fn errors_and_panics_are_answers() {
    let mut plugin = Start::new("").up().await;
    let client = plugin.client().await;
    let error = client.call::<_, Two>("/probe.Probe/Fail", two("no luck", "")).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::Unknown, "no luck"));
    let error = client.call::<_, Two>("/probe.Probe/Boom", two("ouch", "")).await.unwrap_err();
    assert_eq!(error.code(), Code::Internal);
    assert!(error.message().contains("ouch"), "{error}");
    // One record, without a backtrace unless requested: a Go host would raise everything after a line that begins with
    // `panic: ` to errors.
    let stderr = plugin.stderr(|text| text.contains("panic: ouch")).await;
    let panic = stderr.lines().find(|line| line.contains("panic: ouch")).unwrap();
    assert!(panic.starts_with('{') && panic.contains(r#""@level":"error""#) && panic.contains("role.rs:"), "{stderr}");
    assert!(!panic.contains("backtrace"), "{stderr}");
    let echo: Two = client.call("/probe.Probe/Echo", two("alive", "")).await.unwrap();
    assert_eq!(echo.one, b"alive");
}

#[tokio::test]
async fn a_backtrace_is_there_when_it_is_asked_for() {
    let mut plugin = Start::new("").env("RUST_BACKTRACE", "1").up().await;
    let client = plugin.client().await;
    client.call::<_, Two>("/probe.Probe/Boom", two("ouch", "")).await.unwrap_err();
    let stderr = plugin.stderr(|text| text.contains("panic: ouch") && text.ends_with('\n')).await;
    let panics: Vec<&str> = stderr.lines().filter(|line| line.contains("panic: ouch")).collect();
    assert!(panics.len() == 1 && panics[0].contains(r#""backtrace":""#) && panics[0].contains("boom"), "{stderr}");
}

#[tokio::test]
async fn a_panic_that_nobody_catches_is_text_that_hosts_know() {
    let mut plugin = Start::new("panics").spawn();
    assert_eq!(plugin.ended().await.0, Some(101));
    let stderr = plugin.whole_stderr().await;
    let mut lines = stderr.lines().skip_while(|line| *line != "panic: before anything");
    lines.next().unwrap_or_else(|| panic!("{stderr}"));
    let place = lines.next().unwrap();
    // The package in `portable/` has a longer way to the same file.
    assert!(place.starts_with("    at ") && place.contains("loop-runtime/tests/plugin_process/role.rs:"), "{stderr}");
}

#[tokio::test]
async fn large_messages_pass_and_larger_ones_are_refused() {
    let large = vec![7; 16 << 20];
    let plugin = Start::new("").up().await;
    let echo: Two = plugin.client().await.call("/probe.Probe/Echo", two(large.clone(), "")).await.unwrap();
    assert_eq!(echo.one, large);

    let start = Start::new("loop").env("CL_GRPC_SERVER_MAX_RECV_MSG_SIZE", "1000").env("CL_PROMETHEUS_PORT", "0");
    let plugin = start.up().await;
    let client = plugin.client().await;
    let error = client.call::<_, Two>("/probe.Probe/Echo", two(vec![7; 1001], "")).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    client.call::<_, Two>("/probe.Probe/Echo", two(vec![7; 900], "")).await.unwrap();
}

#[tokio::test]
async fn every_call_on_the_main_connection_is_seen() {
    let plugin = Start::new("").up().await;
    let client = plugin.client().await;
    let seen = |client: Client| async move {
        client.call::<_, Texts>("/probe.Probe/Seen", Number { n: 0 }).await.unwrap().texts
    };
    let mut health = HealthClient::new(client.clone());
    health.check(HealthCheckRequest { service: String::new() }).await.unwrap();
    let _ = client.call::<_, Two>("/no.Service/Method", two("", "")).await;
    let stdio = client.call::<_, Two>("/plugin.GRPCStdio/StreamStdio", two("", ""));
    let _ = tokio::time::timeout(std::time::Duration::from_millis(1), stdio).await;
    let paths = seen(plugin.client().await).await;
    for path in ["/grpc.health.v1.Health/Check", "/no.Service/Method", "/probe.Probe/Seen"] {
        assert!(paths.iter().any(|seen| seen == path), "{path}: {paths:?}");
    }
}
