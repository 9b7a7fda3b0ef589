//! Serving a host that wants one connection for everything.

use tokio::sync::mpsc;

use super::{Reason, Serving};
use crate::broker::Knocks;
use crate::transport::{Accepted, Listener, MuxSession, Security, Stream};

impl Serving {
    /// Waits for the host's connection, which is the only one, then serves its streams until shutdown is requested. The
    /// end of the connection is the end of the host.
    ///
    /// `listener` is dropped, and its socket removed, as soon as the connection is there: a second one is refused.
    pub(crate) async fn accept_multiplexed(&self, listener: Listener, knocks: &Knocks, security: Security) {
        let accepted = async { listener.accept().await?.establish().await };
        let Some(accepted) = self.stop.token().run_until_cancelled(accepted).await else { return };
        drop(listener);
        let socket = match accepted {
            Ok(socket) => socket,
            Err(error) => {
                tracing::error!(%error, "the plugin cannot accept its host's connection");
                self.stop.request(Reason::Failed);
                return;
            }
        };

        let (send, mut main) = mpsc::unbounded_channel();
        let mut route = knocks.router();
        let (session, drive) = MuxSession::server(socket, move |stream| {
            if let Some(stream) = route(stream) {
                // Not received once shutdown was requested: it is reset then.
                let _ = send.send(stream);
            }
        });
        tokio::spawn(drive);
        // It is still driven while the plugin shuts down.
        let session = self.raw.get_or_init(|| session);
        knocks.attach(session.clone());
        loop {
            tokio::select! {
                () = self.stop.token().cancelled() => return,
                () = session.ended().cancelled() => {
                    self.stop.request(Reason::Abandoned);
                    return;
                }
                Some(mut stream) = main.recv() => {
                    stream.announce();
                    self.admit(Accepted::new(Stream::Mux(stream), security.clone()));
                }
            }
        }
    }
}
