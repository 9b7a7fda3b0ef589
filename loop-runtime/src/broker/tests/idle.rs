//! The host's stream after a long silence, in which nothing may be sent and nothing may end.

use std::sync::atomic::AtomicUsize;

use http::{Request, Response};
use tonic::body::Body;

use super::exchange::main_connection;
use super::*;
use crate::transport::{BoxFuture, ConnectionId, Handler};

/// A plugin that only receives, and counts the streams opened to it.
struct Listening {
    streams: Arc<AtomicUsize>,
    heard: mpsc::UnboundedSender<Option<ConnInfo>>,
}

impl Handler for Listening {
    fn handle(&self, request: Request<Body>, _: ConnectionId) -> BoxFuture<'static, Response<Body>> {
        assert_eq!(request.uri().path(), "/plugin.GRPCBroker/StartStream");
        self.streams.fetch_add(1, Ordering::Relaxed);
        let heard = self.heard.clone();
        Box::pin(async move {
            let decoder = tonic::codec::Codec::decoder(&mut tonic_prost::ProstCodec::<ConnInfo, ConnInfo>::default());
            let mut announcements = tonic::Streaming::new_request(decoder, request.into_body(), None, None);
            loop {
                let announcement = announcements.message().await.unwrap_or(None);
                let ended = announcement.is_none();
                heard.send(announcement).unwrap();
                if ended {
                    std::future::pending::<()>().await;
                }
            }
        })
    }
}

#[tokio::test(start_paused = true)]
async fn one_stream_is_kept_open_through_hours_of_silence() {
    let dir = tempfile::tempdir().unwrap();
    let streams = Arc::new(AtomicUsize::new(0));
    let (heard, mut announcements) = mpsc::unbounded_channel();
    let main = main_connection(dir.path(), Listening { streams: streams.clone(), heard }).await;
    let (host, from_host) = alone(dir.path());
    let exchange = tokio::spawn(crate::broker::exchange(main.connection.clone(), host.clone(), from_host));
    for id in 1..=3 {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert!(!exchange.is_finished());
        let (announced, _listener) = host.listen().await.unwrap();
        let heard = announcements.recv().await.unwrap().expect("the stream is not half-closed");
        assert_eq!((announced, heard.service_id), (id, id));
    }
    assert_eq!(streams.load(Ordering::Relaxed), 1);
}
