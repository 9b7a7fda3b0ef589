//! Calls that are answered.

use std::time::Duration;

use http::{HeaderValue, StatusCode};
use tokio::time::Instant;
use tonic::Code;
use tonic::codegen::tokio_stream::{self, StreamExt};

use super::*;

#[tokio::test]
async fn messages_of_every_size_come_back() {
    let (connection, _served) = connect(Methods::new()).await;
    const JOINED: usize = 16 * 1024 - 5;
    for size in
        [0, 1, 4, 5, JOINED - 1, JOINED, JOINED + 1, 65_535, 1 << 20, (2 << 20) - 5, 2 << 20, 5_000_001, 40 << 20]
    {
        let message: Bytes = (0..size).map(|n| (n % 251) as u8).collect();
        let reply = connection.call("/t/Echo", message.clone()).await.unwrap();
        assert!(reply.body == message, "{size} bytes");
    }
}

#[tokio::test]
async fn headers_travel_and_each_end_knows_the_other() {
    let methods = Methods::new().with("/t/Meta", |headers, _| async move {
        assert!(is_our_client(&headers) && !peer::is_our_server(&headers));
        assert_eq!(headers["te"], "trailers");
        assert_eq!(headers["content-type"], "application/grpc");
        assert!(!headers.contains_key("grpc-timeout") && !headers.contains_key("content-length"));
        Ok(Bytes::copy_from_slice(headers["x-there"].as_bytes()))
    });
    let (connection, _served) = connect(methods).await;
    let headers = HeaderMap::from_iter([(http::HeaderName::from_static("x-there"), HeaderValue::from_static("7"))]);
    let reply = connection.unary("/t/Meta", headers, None, Bytes::new()).await.unwrap();
    assert_eq!(reply.body, "7");
    assert!(reply.is_ours());
    assert!(!reply.headers.contains_key("date") && !reply.headers.contains_key("content-length"));
}

#[tokio::test]
async fn every_status_is_an_answer() {
    let methods = Methods::new().with("/t/Fail", |_, message| async move {
        let mut status = Status::with_details(
            Code::from(i32::from(message[0])),
            "zeile 1\nline 2: 100 % 試験 \u{7f}\u{0}",
            Bytes::from_static(b"\x00details"),
        );
        status.metadata_mut().insert("loop-lost", "1".parse().unwrap());
        Err(status)
    });
    let (connection, _served) = connect(methods).await;
    for code in 1..=16 {
        match connection.call("/t/Fail", vec![code]).await {
            Err(Failure::Answered(status)) => {
                assert_eq!(status.code(), Code::from(i32::from(code)));
                assert_eq!(status.message(), "zeile 1\nline 2: 100 % 試験 \u{7f}\u{0}");
                assert_eq!(status.details(), b"\x00details");
                assert_eq!(status.metadata().get("loop-lost").unwrap(), "1");
            }
            other => panic!("{code}: {other:?}"),
        }
    }
    assert_eq!(answered(connection.call("/t/Nowhere", "").await), (Code::Unimplemented, "unknown method".into()));
}

#[tokio::test]
async fn long_error_texts_arrive_whole() {
    let methods = Methods::new().with("/t/Fail", |_, message| async move {
        Err(Status::unknown("é".repeat(String::from_utf8(message.to_vec()).unwrap().parse().unwrap())))
    });
    let (connection, _served) = connect(methods.clone()).await;
    for length in [1, 10_000, 20_000, 100_000] {
        let (code, text) = answered(connection.call("/t/Fail", length.to_string()).await);
        assert_eq!((code, text.chars().count()), (Code::Unknown, length));
    }

    let mut limits = Limits::client();
    limits.max_header_list = 50_000;
    let (connection, _served) = connect_with(methods, limits, Limits::server()).await;
    // Percent-encoded, this is 60,000 bytes. The call fails, and the connection still works.
    let failure = connection.call("/t/Fail", "10000").await.unwrap_err();
    assert!(!matches!(failure, Failure::NotRun(_)), "{failure}");
    assert_eq!(connection.call("/t/Echo", "still here").await.unwrap().body, "still here");
}

#[tokio::test]
async fn messages_over_the_limit_are_refused_unread_and_as_often_as_they_come() {
    let mut methods = Methods::new().with("/t/Big", |_, _| async { Ok(vec![0; 1001].into()) });
    methods.limit = 1_000_000;
    let mut limits = Limits::client();
    limits.max_receive = 1000;
    let (connection, _served) = connect_with(methods, limits, Limits::server()).await;

    let (code, text) = answered(connection.call("/t/Echo", vec![0; 1_000_001]).await);
    assert_eq!(code, Code::ResourceExhausted);
    assert_eq!(text, "grpc: received message larger than max (1000001 vs. 1000000)", "grpc-go's words");
    let (code, text) = answered(connection.call("/t/Big", "").await);
    assert_eq!(
        (code, text.as_str()),
        (Code::ResourceExhausted, "grpc: received message larger than max (1001 vs. 1000)")
    );

    for _ in 0..1100 {
        // the server answers after the prefix and resets the stream, before the rest arrives
        let unfinished =
            tokio_stream::iter([Ok::<_, Status>(http_body::Frame::data(Bytes::from_static(b"\0\xff\0\0\0")))]);
        let unfinished = http_body_util::StreamBody::new(unfinished.chain(tokio_stream::pending()));
        let request = Request::post("/t/Echo").header("content-type", "application/grpc").body(Body::new(unfinished));
        let response = connection.forward(request.unwrap()).await.unwrap();
        assert_eq!(response.headers()["grpc-status"], "8");
        assert_eq!(answered(connection.call("/t/Big", "").await).0, Code::ResourceExhausted);
    }
    assert_eq!(connection.call("/t/Echo", vec![7; 1000]).await.unwrap().body.len(), 1000);
}

#[tokio::test(start_paused = true)]
async fn the_timeout_is_told_and_kept_by_the_server() {
    let (methods, mut events) = Methods::new().with_hang();
    let methods = Arc::new(methods);
    let handler = Raw({
        let methods = methods.clone();
        move |request: Request<Body>| {
            let deadline = request.extensions().get::<Deadline>().map(|it| it.0);
            assert_eq!(request.headers().get("grpc-timeout").unwrap(), "3600000m");
            let left = deadline.unwrap().duration_since(Instant::now().into_std());
            assert!(left > Duration::from_secs(3599) && left <= Duration::from_secs(3600), "{left:?}");
            methods.handle(request, ConnectionId::for_test())
        }
    });
    let (connection, _served) = connect(handler).await;
    let before = Instant::now();
    let hour = Duration::from_secs(3600);
    let result = connection.unary("/t/Hang", HeaderMap::new(), Some(hour), Bytes::new()).await;
    assert_eq!(answered(result), (Code::DeadlineExceeded, "context deadline exceeded".into()));
    assert!(before.elapsed() >= hour && before.elapsed() < hour + Duration::from_secs(1));
    assert_eq!((events.recv().await, events.recv().await), (Some(Event::Started), Some(Event::Dropped)));
}

/// A request with this body, sent unframed.
async fn send(
    connection: &Connection,
    headers: &[(&'static str, &str)],
    frames: &[&'static [u8]],
) -> (StatusCode, HeaderMap) {
    let frames: Vec<_> =
        frames.iter().map(|it| Ok::<_, Status>(http_body::Frame::data(Bytes::from_static(it)))).collect();
    let body = http_body_util::StreamBody::new(tonic::codegen::tokio_stream::iter(frames));
    let mut request = Request::post("/t/Echo").header("te", "trailers").body(Body::new(body)).unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    let (head, body) = connection.forward(request).await.unwrap().into_parts();
    let trailers = http_body_util::BodyExt::collect(body).await.unwrap().trailers().cloned();
    (head.status, trailers.unwrap_or(head.headers))
}

#[tokio::test]
async fn broken_requests_are_answered() {
    let (connection, _served) = connect(Methods::new()).await;
    const GRPC: (&str, &str) = ("content-type", "application/grpc+proto");
    let cases: [(&[&'static [u8]], &str, &str); 10] = [
        (&[b"\0\0\0\0\x02hi"], "0", ""),
        (&[b"\0", b"\0\0", b"\0\x02h", b"i"], "0", ""),
        (&[b"\0\0\0\0\0"], "0", ""),
        (&[], "13", "holds no message"),
        (&[b"\0\0\0"], "13", "inside a message"),
        (&[b"\0\0\0\0\x02h"], "13", "inside a message"),
        (&[b"\0\0\0\0\x02hi\0"], "13", "more than one message"),
        (&[b"\0\0\0\0\x02hi", b"\0\0\0\0\0"], "13", "more than one message"),
        (&[b"\x01\0\0\0\x02hi"], "13", "compressed flag set"),
        (&[b"\x07\0\0\0\x02hi"], "13", "7 is not a compression flag"),
    ];
    for (frames, code, says) in cases {
        let (http, trailers) = send(&connection, &[GRPC], frames).await;
        assert_eq!(http, StatusCode::OK, "{frames:?}");
        assert_eq!(trailers["grpc-status"], code, "{frames:?}: {trailers:?}");
        let text = trailers.get("grpc-message").map_or("", |it| it.to_str().unwrap());
        assert!(text.replace("%20", " ").contains(says), "{frames:?}: {text}");
    }
    for kind in [None, Some(("content-type", "text/html"))] {
        let (http, _) = send(&connection, kind.as_slice(), &[b"\0\0\0\0\0"]).await;
        assert_eq!(http, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    for (flag, encoding, code) in
        [(&b"\0\0\0\0\0"[..], "gzip", "12"), (b"\x01\0\0\0\0", "snappy", "12"), (b"\0\0\0\0\0", "identity", "0")]
    {
        let (http, trailers) = send(&connection, &[GRPC, ("grpc-encoding", encoding)], &[flag]).await;
        assert_eq!((http, trailers["grpc-status"].to_str().unwrap()), (StatusCode::OK, code), "{encoding}");
        let accepted = trailers.get("grpc-accept-encoding").map(|it| it.to_str().unwrap());
        assert_eq!(accepted, (code == "12").then_some("identity"), "{encoding}");
    }
    for timeout in ["", "1", "soon", "123456789S", "-1S"] {
        let (http, trailers) = send(&connection, &[GRPC, ("grpc-timeout", timeout)], &[b"\0\0\0\0\0"]).await;
        assert_eq!((http, trailers["grpc-status"].to_str().unwrap()), (StatusCode::OK, "13"), "{timeout:?}");
    }
    let (_, trailers) = send(&connection, &[GRPC, ("grpc-timeout", "99999999H")], &[b"\0\0\0\0\0"]).await;
    assert_eq!(trailers["grpc-status"], "0");
}

#[tokio::test]
async fn forwarding_keeps_everything_but_the_names_of_the_ends() {
    let methods = Methods::new().with("/t/Fail", |headers, _| async move {
        let mut status = Status::unavailable(headers["user-agent"].to_str().unwrap());
        status.metadata_mut().insert("x-extra", "kept".parse().unwrap());
        Err(status)
    });
    let (behind, _served_behind) = connect(methods).await;
    let (connection, _served) = connect(Raw(move |request| {
        let behind = behind.clone();
        async move { behind.forward(request).await.unwrap() }
    }))
    .await;
    let message: Bytes = vec![3; 3 << 20].into();
    assert!(connection.call("/t/Echo", message.clone()).await.unwrap().body == message);
    match connection.call("/t/Fail", "").await {
        Err(Failure::Answered(status)) => {
            assert_eq!(status.code(), Code::Unavailable);
            assert!(status.message().starts_with("grpc-rust-loop/"), "{}", status.message());
            assert_eq!(status.metadata().get("x-extra").unwrap(), "kept");
        }
        other => panic!("{other:?}"),
    }
}
