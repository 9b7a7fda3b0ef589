//! The peer of a case: in memory, or a process.

use std::sync::Arc;

use loop_runtime::__private::Service;
use loop_runtime::Error;
use loop_runtime::host::Supervisor;
use loop_runtime::testing::Pair;

use crate::support;

/// Where the services of a case are.
pub(crate) enum Peer {
    Pair(Pair),
    Process(Supervisor),
}

impl Peer {
    /// A service of its main connection.
    pub(crate) async fn get<S: Service + ?Sized>(&self) -> Arc<S> {
        match self {
            Self::Pair(pair) => pair.dispense().await.unwrap(),
            Self::Process(plugin) => plugin.dispense().await.unwrap(),
        }
    }

    pub(crate) async fn close(self) {
        match self {
            Self::Pair(pair) => pair.close().await,
            Self::Process(plugin) => plugin.close().await,
        }
    }
}

/// Runs `case` against `make`'s service in memory, then against the process `role`.
pub(crate) fn both<S: Service + ?Sized>(role: &str, make: fn() -> Arc<S>, case: impl AsyncFn(&Peer)) {
    support::test(async |lab| {
        let pair = Peer::Pair(Pair::serve(make()).await.unwrap());
        case(&pair).await;
        pair.close().await;

        let process = Peer::Process(lab.launch(role).await);
        case(&process).await;
        process.close().await;
    });
}

/// Code and text of what must have been refused.
pub(crate) fn refused<T: std::fmt::Debug>(outcome: Result<T, Error>) -> (loop_runtime::Code, String) {
    let error = outcome.expect_err("a refusal");
    (error.code(), error.message().to_owned())
}
