//! The registry of the node's capabilities, lent to a relayer.

use loop_runtime::loop_service;

/// The capabilities that a node knows, as a thing to hand on.
///
/// Go's hosts lend a registry with every [`new_relayer`](crate::PluginRelayer::new_relayer), and Go's plugins connect to it
/// without fail, so it is always an argument. Its eleven methods are not declared here: a call of one is answered
/// `Unimplemented`, also when the registry that came from a Go host is lent on.
#[loop_service(package = "loop")]
pub trait CapabilitiesRegistry {}
