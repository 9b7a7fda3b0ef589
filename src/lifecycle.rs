//! What every long-lived object of LOOP has: a start, an end, and a state of health.

use std::collections::BTreeMap;

use loop_runtime::{Error, Result, loop_service};

/// The life of an object, from its start to its close.
///
/// Every method has a default body, for objects that have nothing to start, to report or to close.
#[loop_service(package = "loop", name = "Service")]
pub trait Lifecycle {
    /// Local: runs once, before the object is first served. A failure is what the constructor answers.
    #[rpc(start)]
    async fn start(&self) -> Result<()> {
        Ok(())
    }

    /// The name of the object. Go's hosts never ask for it, and Go's plugins do not implement it.
    #[rpc(idempotent, request = "google.protobuf.Empty", returns(name = 1))]
    async fn name(&self) -> Result<String> {
        Err(Error::unimplemented("method Name not implemented"))
    }

    /// Ends the object: it stops working and releases what it holds. Comes once at most, and not at all where a process
    /// is killed; Go's hosts often leave it out when they close a plugin.
    #[rpc(release, request = "google.protobuf.Empty", reply = "google.protobuf.Empty")]
    async fn close(&self) -> Result<()> {
        Ok(())
    }

    /// Fails while the object cannot do its work; the error's text says why. Go's hosts wait 1 s for the answer.
    #[rpc(idempotent, request = "google.protobuf.Empty", reply = "google.protobuf.Empty")]
    async fn ready(&self) -> Result<()> {
        Ok(())
    }

    /// The health of each part: its name, and its error; an empty text is good health. Names are joined with dots, as in
    /// `Relayer.HeadTracker`. Go's hosts wait 1 s for the answer.
    #[rpc(idempotent, request = "google.protobuf.Empty", returns(healthReport = 1))]
    async fn health_report(&self) -> Result<BTreeMap<String, String>> {
        Ok(BTreeMap::new())
    }
}
