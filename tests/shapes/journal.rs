//! What happened, in order, reported by the process in which it happened.

use std::sync::Arc;

use loop_runtime::{Result, loop_service};
use tokio::sync::watch;

/// Takes notes. Lent by the host.
#[loop_service(package = "shapes")]
pub(crate) trait Journal {
    /// Takes a note.
    async fn note(&self, line: &str) -> Result<()>;
}

/// The host's side.
#[derive(Clone)]
pub(crate) struct Lines(Arc<watch::Sender<Vec<String>>>);

impl Lines {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Vec::new())))
    }

    /// To lend.
    pub(crate) fn journal(&self) -> Arc<dyn Journal> {
        Arc::new(self.clone())
    }

    pub(crate) fn add(&self, line: impl Into<String>) {
        self.0.send_modify(|lines| lines.push(line.into()));
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.borrow().clone()
    }

    /// Waits until `wanted` holds for the lines so far, and returns them.
    pub(crate) async fn until(&self, wanted: impl Fn(&[String]) -> bool) -> Vec<String> {
        self.0.subscribe().wait_for(|lines| wanted(lines)).await.unwrap().clone()
    }

    /// Waits for one line.
    pub(crate) async fn has(&self, line: &str) {
        self.until(|lines| lines.iter().any(|known| known == line)).await;
    }
}

impl Journal for Lines {
    async fn note(&self, line: &str) -> Result<()> {
        self.add(line);
        Ok(())
    }
}
