use std::sync::Mutex;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::*;
use crate::broker::{Broker, BrokerTransport, DIAL_TIMEOUT};
use crate::error::Error;
use crate::proto::plugin::ConnInfo;
use crate::service::base::{PeerContext, Timeouts};
use crate::service::handle::ServiceInfo;
use crate::service::serve::Tree;
use crate::service::serve::export::{Mount, Typed};
use crate::service::session::{Export, Session};
use crate::sync::locked;
use crate::transport::{Limits, Security};
use crate::wire::{FieldSpec, FieldType, Schema};

static METHOD: Method = Method::new("/test.Root/NewThing", "NewThing").singleton();

/// What happened, in order.
type Lines = Arc<Mutex<Vec<String>>>;

/// A thing of which there is one at a time; `idle` does not start.
struct Thing(Arc<Told>);

/// Reports when its last owner drops it.
struct Told {
    name: &'static str,
    lines: Lines,
}

impl Told {
    fn tell(&self, what: &str) {
        locked(&self.lines).push(format!("{} {what}", self.name));
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.tell("ends");
    }
}

impl Mount for Thing {
    fn tree(&self) -> Result<Tree> {
        let (mut tree, held) = (Tree::default(), self.0.clone());
        tree.serve("test.Thing", &[], move |_, _| {
            held.tell("is called");
            None
        });
        tree.finish()
    }

    fn start(&self) -> BoxFuture<'_, Result<()>> {
        self.0.tell("starts");
        let idle = self.0.name == "idle";
        Box::pin(async move {
            // Where another call may run in between.
            tokio::task::yield_now().await;
            if idle { Err(Error::failed_precondition("no fuel")) } else { Ok(()) }
        })
    }
}

impl Reply for Arc<Thing> {
    const CARRIES: bool = true;

    fn service() -> Option<(usize, ServiceInfo)> {
        None
    }

    fn put(self, _: &[FieldSpec], out: &mut Outgoing) {
        out.export(1, Export { release: None, what: Arc::new(Typed(self)) });
    }

    fn take(_: &'static [FieldSpec], _: &mut Incoming) -> Result<Self> {
        Err(Error::internal("nothing is called here"))
    }

    fn fields(_: &'static [FieldSpec], _: &mut Schema) -> Vec<(FieldSpec, FieldType)> {
        Vec::new()
    }
}

struct Factory {
    name: &'static str,
    lines: Lines,
}

impl Factory {
    async fn make(&self) -> Result<Arc<Thing>> {
        locked(&self.lines).push(format!("{} made", self.name));
        if self.name == "refused" {
            return Err(Error::invalid_argument("not this one"));
        }
        Ok(Arc::new(Thing(Arc::new(Told { name: self.name, lines: self.lines.clone() }))))
    }
}

/// A peer that asks for things, with or without the name of a handle.
struct Peer {
    session: Arc<Session>,
    lines: Lines,
    _announcements: mpsc::Receiver<ConnInfo>,
    _directory: tempfile::TempDir,
}

impl Peer {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (outgoing, announcements) = mpsc::channel(64);
        let broker = Broker::new(BrokerTransport::sockets(directory.path()), Security::None, DIAL_TIMEOUT, outgoing);
        let peer_context = PeerContext::new("host", "the plugin", Timeouts::default(), false, Arc::new(|_| {}));
        let session = Session::new("host", 1, broker, (Limits::client(), Limits::server()), peer_context);
        Self { session, lines: Lines::default(), _announcements: announcements, _directory: directory }
    }

    /// `refused` is refused by the constructor.
    async fn make(&self, name: &'static str, handle: Option<&str>) -> Result<()> {
        let (session, key) = (self.session.clone(), handle.map(str::to_owned));
        let call = Call { body: Bytes::new(), requests: None, session, key };
        let factory = Arc::new(Factory { name, lines: self.lines.clone() });
        call.serve(&METHOD, factory, |_| Ok(((), ())), |factory, (), ()| Box::pin(factory.make()))
            .unwrap()
            .await
            .map(drop)
    }

    fn lines(&self) -> Vec<String> {
        std::mem::take(&mut locked(&self.lines))
    }
}

#[tokio::test]
async fn a_singleton_is_replaced_once_the_newer_one_is_made_and_before_it_starts() {
    let peer = Peer::new();
    peer.make("first", None).await.unwrap();
    peer.make("second", None).await.unwrap();
    assert_eq!(peer.lines(), ["first made", "first starts", "second made", "first ends", "second starts"]);
    // An object that is made but fails to start is refused too late.
    peer.make("idle", None).await.unwrap_err();
    assert_eq!(peer.lines(), ["idle made", "second ends", "idle starts", "idle ends"]);
}

#[tokio::test]
async fn a_refused_singleton_leaves_the_older_one() {
    let peer = Peer::new();
    peer.make("first", None).await.unwrap();
    for _ in 0..2 {
        assert_eq!(peer.make("refused", None).await.unwrap_err().message(), "not this one");
    }
    assert_eq!(peer.lines(), ["first made", "first starts", "refused made", "refused made"]);
    peer.make("second", None).await.unwrap();
    assert_eq!(peer.lines(), ["second made", "first ends", "second starts"]);
}

#[tokio::test]
async fn of_two_singletons_that_are_made_at_once_one_stays() {
    let peer = Peer::new();
    let (first, second) = tokio::join!(peer.make("first", None), peer.make("second", None));
    assert!(first.is_ok() && second.is_ok());
    let mut lines = peer.lines();
    let ended = lines.split_off(4);
    assert_eq!(lines, ["first made", "first starts", "second made", "second starts"]);
    let stays = if ended == ["first ends"] { "second ends" } else { "first ends" };
    assert_eq!(ended.len(), 1, "{ended:?}");
    peer.make("third", None).await.unwrap();
    assert_eq!(peer.lines(), ["third made", stays, "third starts"]);
}

/// A host of this runtime calls the constructor again for a handle whose object it has lost.
#[tokio::test]
async fn the_object_of_a_handle_ends_before_another_is_made() {
    let peer = Peer::new();
    peer.make("first", Some("1")).await.unwrap();
    peer.make("other", Some("2")).await.unwrap();
    peer.lines();
    peer.make("refused", Some("1")).await.unwrap_err();
    assert_eq!(peer.lines(), ["first ends", "refused made"]);
}
