use tokio::io::duplex;
use tokio::sync::mpsc;
use tokio::task::yield_now;

use super::*;
use crate::broker::{Broker, DIAL_TIMEOUT, Route};
use crate::service::{Family, Timing};
use crate::transport::{Limits, Security};

/// A link to a peer that says nothing.
async fn link() -> (Arc<Link>, tokio::io::DuplexStream) {
    let (here, there) = duplex(1 << 16);
    let (connection, driver) = Connection::open(here, &Limits::client()).await.unwrap();
    let (outgoing, _) = mpsc::channel(1);
    let broker = Broker::new(Route::sockets("/nowhere"), Security::None, DIAL_TIMEOUT, outgoing);
    let family = Family::new("plugin", "the host", Timing::default(), false, Arc::new(|_| {}));
    let session = Session::new("plugin", 1, broker, (Limits::client(), Limits::server()), family);
    let link = session.adopt(connection, driver, None, session.root().clone());
    (link, there)
}

/// Takes some turns of the scheduler, as the parts of a transport do that pass an answer on.
async fn answer_under_way() -> &'static str {
    for _ in 0..10 {
        yield_now().await;
    }
    "the answer"
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_under_way_outlives_its_link() {
    let (link, _peer) = link().await;
    link.end();
    assert_eq!(link.outcome(pin!(answer_under_way())).await, Some("the answer"));
    let began = tokio::time::Instant::now();
    assert_eq!(link.outcome(pin!(std::future::pending::<()>())).await, None);
    assert_eq!(began.elapsed(), INSTANT, "nobody waits for what does not come");
}
