//! A plugin without a process of its own: it is served by the program that tests it, and hosts reattach to it.

use std::fmt;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::serving::{Serving, ServingOptions};
use super::socket::{SocketDir, SocketOptions};
use super::stop::{Reason, Stop};
use super::{Plugin, run, version};
use crate::broker::{BrokerTransport, Hosts};
use crate::error::{Error, Result};
use crate::reattach::Reattach;
use crate::service::{RootService, Service};
use crate::stdio::ring::Ring;
use crate::transport::Security;

/// A plugin that is served in test mode. Dropping it requests its shutdown, and does not wait for it.
#[must_use = "dropping it ends the plugin"]
pub struct TestMode {
    reattach: Reattach,
    stop: Stop,
    ended: CancellationToken,
}

impl Plugin {
    /// Serves `service` in this process, for hosts that [reattach](crate::host::Host::reattach) to it: a debugger sees both
    /// at once, and nothing has to be built or started. go-plugin calls it `ServeTestConfig`.
    ///
    /// There is no cookie and no handshake line, and nothing is changed about the process: neither its stdout and
    /// stderr, nor signals, nor the panic hook. Settings for those, [`outlive_host`](Self::outlive_host) and
    /// [`loop_environment`](Self::loop_environment) have no effect. Hosts may come and go, one after another; they
    /// neither kill nor shut down a plugin in test mode. It serves the lowest of its application protocol versions,
    /// unless the environment offers others as a host does. Must be called inside a tokio runtime.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use loop_runtime::prelude::*;
    ///
    /// const HANDSHAKE: Handshake = Handshake::new("GREETER_PLUGIN", "hello").version(1);
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
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let plugin = Plugin::new(HANDSHAKE).test_mode::<dyn Greeter>(Arc::new(Polite)).await?;
    /// // For hosts in other processes, Terraform's way: the content of an environment variable.
    /// println!("{}", loop_runtime::host::Reattach::to_json([("greeter", plugin.reattach())]));
    ///
    /// let host = Host::new(HANDSHAKE).reattach(plugin.reattach().clone()).await?;
    /// let greeter: Arc<dyn Greeter> = host.dispense().await?;
    /// assert_eq!(greeter.greet("Ada").await?, "good day, Ada");
    /// host.close().await; // disconnects
    /// plugin.stop().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of the service's start method; two components of one name; no socket could be made.
    pub async fn test_mode<S: Service + ?Sized>(self, service: Arc<S>) -> Result<TestMode> {
        let root = RootService::new(&service);
        root.start().await?;
        let dir = SocketDir::open(&SocketOptions::default()).map_err(Error::other)?;
        let stop = Stop::in_process();
        let options = ServingOptions {
            name: "plugin in test mode".to_owned(),
            route: BrokerTransport::sockets(dir.path()),
            security: Security::None,
            hosts: Hosts::Several,
            limits: self.limits.clone(),
            dial_timeout: self.dial_timeout,
            on_call: self.on_call.clone(),
            stdio: Arc::new(Ring::default()),
            stop: stop.clone(),
        };
        let serving = Serving::new(&root, options)?;
        drop((root, service));
        let listener = dir.listen().map_err(Error::other)?;
        let offered = std::env::var("PLUGIN_PROTOCOL_VERSIONS").unwrap_or_default();
        let reattach = Reattach {
            protocol_version: version::choose(&self.handshake.all_versions(), &offered, |_| ()),
            test: true,
            ..Reattach::at(&listener.address(), std::process::id())
        };
        let ended = CancellationToken::new();
        let (asked, done) = (stop.clone(), ended.clone().drop_guard());
        tokio::spawn(async move {
            let _done = done;
            serving.accept(listener).await;
            asked.requested().await;
            serving.wind_down(std::future::ready(())).await;
            dir.remove();
            run::clean_up(self, &asked).await;
        });
        Ok(TestMode { reattach, stop, ended })
    }
}

impl TestMode {
    /// How hosts find the plugin, from this process and from others.
    pub fn reattach(&self) -> &Reattach {
        &self.reattach
    }

    /// Ends the plugin as Shutdown does, cleanup hooks included, and waits for that. May be called again. Dropping the
    /// future does not stop the shutdown.
    pub async fn stop(&self) {
        self.stop.request(Reason::Stopped);
        self.ended().await;
    }

    /// Waits until the plugin has ended: because it was stopped, or because somebody called Shutdown.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }
}

impl fmt::Debug for TestMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestMode").field("reattach", &self.reattach).finish_non_exhaustive()
    }
}

impl Drop for TestMode {
    fn drop(&mut self) {
        self.stop.request(Reason::Stopped);
    }
}
