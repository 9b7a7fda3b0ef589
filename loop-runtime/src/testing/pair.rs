//! A host and a plugin in one process.

use std::fmt;
use std::sync::Arc;

use crate::broker::{BrokerTransport, DIAL_TIMEOUT, Hosts, exchange};
use crate::error::{Code, Error, Result};
use crate::plugin::{Serving, ServingOptions, Stop};
use crate::service::{
    Failed, Forgotten, Handle, HandleState, Link, Names, PeerContext, Remote, RootService, Service, Session, Timeouts,
    Wiring,
};
use crate::socket_dir::PrivateDir;
use crate::stdio::ring::Ring;
use crate::transport::{Connection, Limits, Security};

/// The buffer of each direction, in bytes.
const PIPE: usize = 256 * 1024;

/// A service and a host's handle to it, with a real connection between them.
///
/// ```
/// use std::sync::Arc;
///
/// use loop_runtime::testing::Pair;
/// use loop_runtime::{Result, loop_service};
///
/// /// Greets.
/// #[loop_service(package = "doc")]
/// pub trait Greeter {
///     /// A greeting for `name`.
///     async fn greet(&self, name: &str) -> Result<String>;
/// }
///
/// struct Polite;
///
/// impl Greeter for Polite {
///     async fn greet(&self, name: &str) -> Result<String> {
///         Ok(format!("good day, {name}"))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let pair = Pair::serve::<dyn Greeter>(Arc::new(Polite)).await?;
/// let greeter: Arc<dyn Greeter> = pair.dispense().await?;
/// assert_eq!(greeter.greet("Ada").await?, "good day, Ada");
/// pair.close().await;
/// # Ok(())
/// # }
/// ```
pub struct Pair {
    root: Arc<Handle>,
    session: Ending,
    serving: Serving,
    /// The directory for the sockets of brokered connections.
    _directory: PrivateDir,
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair").finish_non_exhaustive()
    }
}

impl Pair {
    /// Starts `service` and connects to it. Must be called inside a tokio runtime. Dropping the pair cuts its
    /// connections; [`Pair::close`] ends them in order.
    ///
    /// # Errors
    ///
    /// The error of the service's start method; two components of one name; no directory for sockets could be made.
    pub async fn serve<S: Service + ?Sized>(service: Arc<S>) -> Result<Self> {
        let directory = PrivateDir::create().map_err(Error::other)?;
        let root = RootService::new(&service);
        root.start().await?;
        let serving = Serving::new(
            &root,
            ServingOptions {
                name: "plugin in memory".to_owned(),
                route: BrokerTransport::sockets(directory.path()),
                security: Security::None,
                hosts: Hosts::One,
                limits: Limits::server(),
                dial_timeout: DIAL_TIMEOUT,
                on_call: Vec::new(),
                stdio: Arc::new(Ring::default()),
                stop: Stop::in_process(),
            },
        )?;
        let (here, there) = tokio::io::duplex(PIPE);
        serving.connect(there);

        let (connection, driver) = Connection::open(here, &Limits::client()).await.map_err(Error::other)?;
        let peer_context = PeerContext::new("plugin", "the host", Timeouts::default(), false, Arc::new(|_| {}));
        let wiring = Wiring {
            route: BrokerTransport::sockets(directory.path()),
            security: Security::None,
            dial_timeout: DIAL_TIMEOUT,
            calling: Limits::client(),
            serving: Limits::server(),
        };
        let (session, announcements) = Session::assemble("plugin", 1, wiring, peer_context.clone());
        let link = Link::adopt(&session, connection.clone(), driver, None, session.root().clone());
        let broker = session.broker().clone();
        session.tasks().spawn(async move {
            exchange(connection, broker, announcements).await;
        });
        let handle = Handle::root(peer_context);
        handle.install(link.clone());
        // A lost connection is not recovered here: calls must not wait for it.
        let lost = handle.clone();
        session.tasks().spawn(async move {
            link.ended().cancelled().await;
            lost.uninstall();
            let error = Error::new(Code::Unavailable, "the pair was closed");
            let failed = Failed { error, at_once: true, in_a_row: 0, retry_at: None, until: Forgotten::Never };
            lost.publish(HandleState::Failed(Arc::new(failed)));
        });
        Ok(Self { root: handle, session: Ending(session), serving, _directory: directory })
    }

    /// The host's handle to a service on the main connection: the one served, a parent or a component of it.
    ///
    /// # Errors
    ///
    /// The connection has ended.
    pub async fn dispense<S: Service + ?Sized>(&self) -> Result<Arc<S>> {
        let mut names = Names::default();
        S::describe(&mut names);
        if !names.optionals().is_empty() {
            self.root.learn(&names).await?;
        }
        Ok(S::connect(Remote::root(self.root.clone(), self.session.0.clone())))
    }

    /// Closes all handles, children first, then the service: calls in flight have a second.
    pub async fn close(self) {
        self.root.closed.cancel();
        self.root.children.close();
        self.root.children.wait().await;
        self.session.0.end();
        self.session.0.finished().await;
        self.serving.wind_down(std::future::ready(())).await;
    }
}

/// Ends the session when the pair is dropped.
struct Ending(Arc<Session>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end();
    }
}
