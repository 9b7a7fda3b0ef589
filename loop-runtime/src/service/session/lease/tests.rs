use std::ffi::OsStr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

use super::*;
use crate::broker::{Broker, BrokerTransport, DIAL_TIMEOUT};
use crate::service::base::{BoxFuture, Method, PeerContext, Timeouts};
use crate::service::session::Lendable;
use crate::transport::{Address, ConnectionId, Handler, Limits, Stream, TlsMode, answer};

/// A service that is never called.
struct Empty;

impl Lendable for Empty {
    fn start(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn open(&self, _: &Arc<Session>, _: Option<&'static Method>, _: CancellationToken) -> Result<Arc<dyn Lent>> {
        Ok(Arc::new(Self))
    }
}

impl Handler for Empty {
    fn handle(
        &self,
        _: http::Request<tonic::body::Body>,
        _: ConnectionId,
    ) -> BoxFuture<'static, http::Response<tonic::body::Body>> {
        Box::pin(std::future::ready(tonic::Status::unimplemented("nothing is here").into_http()))
    }
}

impl Lent for Empty {
    fn release(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// The intended peer may still connect, however many strangers were refused.
#[tokio::test(start_paused = true)]
async fn a_stranger_does_not_use_up_what_was_lent() {
    let dir = tempfile::tempdir().unwrap();
    let offer = TlsMode::Tls.offer().unwrap();
    let (of_plugin, field) = answer(offer.client_certificate().map(OsStr::new)).unwrap();
    let (outgoing, mut announcements) = mpsc::channel(1);
    let broker =
        Broker::new(BrokerTransport::sockets(dir.path()), offer.settle(&field).unwrap(), DIAL_TIMEOUT, outgoing);
    let peer_context = PeerContext::new("plugin", "the host", Timeouts::default(), false, Arc::new(|_| {}));
    let session = Session::new("plugin", 1, broker, (Limits::client(), Limits::server()), peer_context);
    session.saw_peer(true);
    let export = Export { release: None, what: Arc::new(Empty) };
    let within = EndTree::new();
    let lease = Lease::open(&session, export, &within, Some(Expiry::ORDINARY_CALL)).await.unwrap();
    let announced = announcements.recv().await.unwrap();
    let address = Address::parse(&announced.network, &announced.address).unwrap();

    for _ in 0..3 {
        let mut stranger = Stream::connect(&address).await.unwrap();
        stranger.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        // At most a TLS alert.
        let _ = stranger.read_to_end(&mut Vec::new()).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!lease.has_ended());
    }
    let peer = of_plugin.connect(Stream::connect(&address).await.unwrap()).await.unwrap();
    tokio::time::sleep(2 * Expiry::ORDINARY_CALL.unclaimed).await;
    assert!(!lease.has_ended(), "it is in use");
    drop(peer);
    lease.ended().await;
    session.end();
    session.finished().await;
}
