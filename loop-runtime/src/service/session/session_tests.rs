use tokio::sync::mpsc;

use super::*;
use crate::broker::{BrokerTransport, DIAL_TIMEOUT};
use crate::proto::plugin::ConnInfo;
use crate::service::base::Timeouts;
use crate::transport::Security;

struct Fixture {
    session: Arc<Session>,
    announcements: mpsc::Receiver<ConnInfo>,
    _directory: tempfile::TempDir,
}

fn fixture() -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let (outgoing, announcements) = mpsc::channel(1);
    let broker = Broker::new(BrokerTransport::sockets(directory.path()), Security::None, DIAL_TIMEOUT, outgoing);
    let peer_context = PeerContext::new("host", "the plugin", Timeouts::default(), false, Arc::new(|_| {}));
    let session = Session::new("shop", 1, broker, (Limits::client(), Limits::server()), peer_context);
    Fixture { session, announcements, _directory: directory }
}

/// Between the loss of the main connection and the end of the session: nothing was sent, so the call may go to the
/// next generation instead.
#[tokio::test(start_paused = true)]
async fn lending_while_the_peer_goes_away_is_a_loss() {
    let Fixture { session, announcements, _directory } = fixture();
    drop(announcements);
    let lending = tokio::spawn({
        let session = session.clone();
        async move { session.listen().await.map(|_| ()) }
    });
    tokio::task::yield_now().await;
    assert!(!lending.is_finished(), "the session is about to end");
    session.end();
    let error = lending.await.unwrap().unwrap_err();
    assert_eq!(error.loss().map(|loss| loss.may_have_run), Some(false), "{error}");
    assert_eq!(error.message(), "shop: lending a service: the broker is closed: nobody sends its announcements");
    let error = session.listen().await.map(|_| ()).unwrap_err();
    assert_eq!(error.loss().map(|loss| loss.may_have_run), Some(false), "{error}");
    assert_eq!(error.message(), "shop: lending a service: the session has ended");
}

/// A plugin in Go whose broker stream ended with its first host.
#[tokio::test(start_paused = true)]
async fn a_session_that_lives_on_without_its_broker_is_not_waited_for_long() {
    let Fixture { session, announcements, _directory } = fixture();
    session.broker.closed("the plugin ended the exchange of announcements");
    let began = tokio::time::Instant::now();
    let error = session.listen().await.map(|_| ()).unwrap_err();
    assert!(error.loss().is_some(), "{error}");
    assert_eq!(began.elapsed(), settle::END);
    drop(announcements);
}

#[tokio::test(start_paused = true)]
async fn an_object_is_childless_once_what_it_made_has_ended() {
    let Fixture { session, announcements: _announcements, _directory } = fixture();
    let parent = session.root();
    parent.childless().await;
    let (first, second, dropped) = (parent.child(), parent.child(), parent.child());
    drop(dropped);
    let mut childless = std::pin::pin!(parent.childless());
    first.end();
    let brief = Duration::from_millis(1);
    assert!(tokio::time::timeout(brief, &mut childless).await.is_err(), "the second is there");
    second.end();
    childless.await;
}
