use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use super::super::lendable::{Lendable, Lent};
use super::*;
use crate::broker::{Broker, BrokerTransport, DIAL_TIMEOUT};
use crate::proto::plugin::ConnInfo;
use crate::service::base::{BoxFuture, Method, PeerContext, Timeouts};
use crate::transport::{ConnectionId, Handler, Limits, Security};

/// An object whose release takes time.
#[derive(Clone, Default)]
struct Slow(Arc<State>);

#[derive(Default)]
struct State {
    asked: Notify,
    may_go: Notify,
    released: AtomicBool,
}

impl Lendable for Slow {
    fn start(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn open(&self, _: &Arc<Session>, _: Option<&'static Method>, _: CancellationToken) -> Result<Arc<dyn Lent>> {
        Ok(Arc::new(self.clone()))
    }
}

impl Handler for Slow {
    fn handle(
        &self,
        _: http::Request<tonic::body::Body>,
        _: ConnectionId,
    ) -> BoxFuture<'static, http::Response<tonic::body::Body>> {
        Box::pin(std::future::ready(tonic::Status::unimplemented("nothing is here").into_http()))
    }
}

impl Lent for Slow {
    fn release(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.0.asked.notify_one();
            self.0.may_go.notified().await;
            self.0.released.store(true, Ordering::Relaxed);
        })
    }
}

struct Fixture {
    session: Arc<Session>,
    _announcements: mpsc::Receiver<ConnInfo>,
    _directory: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (outgoing, announcements) = mpsc::channel(64);
        let broker = Broker::new(BrokerTransport::sockets(directory.path()), Security::None, DIAL_TIMEOUT, outgoing);
        let peer_context = PeerContext::new("host", "the plugin", Timeouts::default(), false, Arc::new(|_| {}));
        let session = Session::new("host", 1, broker, (Limits::client(), Limits::server()), peer_context);
        Self { session, _announcements: announcements, _directory: directory }
    }

    async fn hand_out(&self, object: &Slow) -> Result<Bytes> {
        let mut out = Outgoing::new();
        out.export(1, Export { release: None, what: Arc::new(object.clone()) });
        hand_out(&self.session, out, Some("key".to_owned())).await
    }

    fn control(&self) -> Arc<Control> {
        self.session.handed_out().get("key").expect("something is handed out")
    }
}

/// Its deadline passes, or it disconnects, while the older object is being released: that one must not be left half
/// ended, still served and untracked.
#[tokio::test]
async fn a_caller_who_goes_away_meanwhile_does_not_stop_a_displacement() {
    for by_the_next_one in [false, true] {
        let fixture = Fixture::new();
        let (older, newer) = (Slow::default(), Slow::default());
        fixture.hand_out(&older).await.unwrap();
        let control = fixture.control();
        let displacing = async {
            match by_the_next_one {
                true => drop(fixture.hand_out(&newer).await),
                false => displace(&fixture.session, "key").await,
            }
        };
        tokio::select! {
            () = displacing => panic!("it has not been released"),
            () = older.0.asked.notified() => {}
        }
        assert!(Arc::ptr_eq(&control, &fixture.control()) != by_the_next_one, "whoever comes next finds what is there");
        older.0.may_go.notify_one();
        control.ended().await;
        assert!(older.0.released.load(Ordering::Relaxed));
        fixture.session.end();
        newer.0.may_go.notify_one();
        fixture.session.finished().await;
    }
}

#[tokio::test]
async fn two_displacements_of_one_object_wait_for_one_end() {
    let fixture = Fixture::new();
    let object = Slow::default();
    fixture.hand_out(&object).await.unwrap();
    object.0.may_go.notify_one();
    tokio::join!(displace(&fixture.session, "key"), displace(&fixture.session, "key"));
    assert!(object.0.released.load(Ordering::Relaxed));
    fixture.session.end();
    fixture.session.finished().await;
    assert!(fixture.session.handed_out().get("key").is_none(), "forgotten once it has ended");
}
