use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::mpsc;

use super::*;
use crate::broker::{Broker, BrokerTransport, DIAL_TIMEOUT};
use crate::service::base::{PeerContext, Timeouts};
use crate::service::session::Session;
use crate::transport::{Connection, Limits, Security};

/// A root handle with a link, and the peer's end.
struct Fixture {
    handle: Arc<Handle>,
    session: Arc<Session>,
    peers: Mutex<Vec<tokio::io::DuplexStream>>,
}

impl Fixture {
    async fn new() -> Self {
        let (outgoing, _) = mpsc::channel(1);
        let broker = Broker::new(BrokerTransport::sockets("/nowhere"), Security::None, DIAL_TIMEOUT, outgoing);
        let peer_context = PeerContext::new("plugin", "the host", Timeouts::default(), false, Arc::new(|_| {}));
        let session = Session::new("plugin", 1, broker, (Limits::client(), Limits::server()), peer_context.clone());
        let fixture = Self { handle: Handle::root(peer_context), session, peers: Mutex::default() };
        fixture.install().await;
        fixture
    }

    async fn install(&self) {
        let (here, there) = tokio::io::duplex(1 << 16);
        let (connection, driver) = Connection::open(here, &Limits::client()).await.unwrap();
        let link = Link::adopt(&self.session, connection, driver, None, self.session.root().clone());
        self.peers.lock().unwrap().push(there);
        self.handle.install(link);
    }
}

/// The outcome of each attempt, and whether the link ends with it.
struct Script<'a> {
    fixture: &'a Fixture,
    attempts: Mutex<Vec<(AttemptError, bool)>>,
    until: Instant,
}

impl Attempting for Script<'_> {
    type Reply = ();

    async fn attempt(&self, link: &Arc<Link>) -> Result<(), AttemptError> {
        let next = {
            let mut attempts = self.attempts.lock().unwrap();
            (!attempts.is_empty()).then(|| attempts.remove(0))
        };
        let Some((attempt, ends)) = next else { return Ok(()) };
        if ends {
            link.end();
            self.fixture.install().await;
        }
        Err(attempt)
    }

    fn until(&self) -> Instant {
        self.until
    }
}

async fn run(class: Class, attempts: Vec<(AttemptError, bool)>) -> Result<()> {
    let fixture = Fixture::new().await;
    let until = Instant::now() + Duration::from_secs(30);
    let script = Script { fixture: &fixture, attempts: Mutex::new(attempts), until };
    let outcome = over_links(&fixture.handle, class, &script).await;
    fixture.session.end();
    outcome
}

fn lost() -> AttemptError {
    AttemptError::MayHaveRun(Error::lost(true, "gone"))
}

/// The first process ran it and died; the outcome of the second attempt does not undo that.
#[tokio::test]
async fn what_may_have_run_is_told_whatever_comes_later() {
    let not_run = || Error::lost(false, "gone");
    for last in [
        AttemptError::Answered(Error::lost_downstream(false, "a service of mine is gone")),
        AttemptError::Impossible(Error::deadline(false, "the deadline passed before the call was sent")),
        AttemptError::Impossible(not_run()),
    ] {
        let error =
            run(Class::Repeatable, vec![(lost(), true), (AttemptError::NotRun(not_run()), true), (last, false)]).await;
        assert!(error.as_ref().unwrap_err().may_have_run(), "{error:?}");
    }
    let error =
        run(Class::Repeatable, vec![(AttemptError::Answered(Error::lost_downstream(false, "gone")), false)]).await;
    assert!(!error.unwrap_err().may_have_run(), "nothing else was tried");
}

/// Peers refuse what exceeds their stream limit before that is known here.
#[tokio::test(start_paused = true)]
async fn a_call_that_was_refused_unseen_is_sent_again_over_the_same_link() {
    let refused = || (AttemptError::NotRun(Error::lost(false, "refused")), false);
    for class in [Class::Once, Class::Repeatable, Class::Constructor] {
        run(class, (0..20).map(|_| refused()).collect()).await.expect("there was room in the end");
    }
    let fixture = Fixture::new().await;
    let began = Instant::now();
    let script = Script {
        fixture: &fixture,
        attempts: Mutex::new((0..5).map(|_| refused()).collect()),
        until: began + Duration::from_millis(3),
    };
    let error = over_links(&fixture.handle, Class::Once, &script).await.expect_err("no room in time");
    assert_eq!((error.may_have_run(), error.message()), (false, "refused"));
    fixture.session.end();
}

#[tokio::test]
async fn what_runs_once_is_told_after_its_first_loss() {
    assert!(run(Class::Once, vec![(lost(), true)]).await.unwrap_err().may_have_run());
    run(Class::Repeatable, vec![(lost(), true), (lost(), true)]).await.expect("a third attempt");
    assert!(run(Class::Repeatable, vec![(lost(), true), (lost(), true), (lost(), true)]).await.is_err());
    run(Class::Constructor, vec![(lost(), false), (lost(), true)]).await.expect("a third attempt");
}
