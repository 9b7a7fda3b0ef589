//! A plugin boundary from a trait: call it here, answer it in another process.
//!
//! A service is declared once, as a trait with `#[`[`loop_service`]`]`. The attribute gives it a form on the wire, a client
//! and a server; the trait itself stays ordinary and can be implemented and called in process. The wire is that of
//! [go-plugin] over gRPC, so either side may be written in Go.
//!
//! ```
//! use std::process::ExitCode;
//! use std::sync::Arc;
//!
//! use loop_runtime::prelude::*;
//!
//! const HANDSHAKE: Handshake = Handshake::new("GREETER_PLUGIN", "hello").version(1);
//!
//! /// Greets.
//! #[loop_service(package = "acme.greeter.v1")]
//! pub trait Greeter {
//!     /// Greets somebody.
//!     #[rpc(idempotent)]
//!     async fn greet(&self, name: &str) -> Result<String>;
//! }
//!
//! struct English;
//!
//! impl Greeter for English {
//!     async fn greet(&self, name: &str) -> Result<String> {
//!         Ok(format!("Hello, {name}"))
//!     }
//! }
//!
//! // The plugin's `main` ends with this:
//! async fn plugin() -> ExitCode {
//!     Plugin::new(HANDSHAKE).serve::<dyn Greeter>(Arc::new(English)).await
//! }
//!
//! // The host does this:
//! async fn host() -> Result<(), Box<dyn std::error::Error>> {
//!     let plugin = Host::new(HANDSHAKE).launch(Command::new("./greeter-plugin")).await?;
//!     let greeter: Arc<dyn Greeter> = plugin.dispense().await?;
//!     println!("{}", greeter.greet("Rust").await?);
//!     plugin.close().await;
//!     Ok(())
//! }
//! ```
//!
//! # Two ends
//!
//! * [`plugin`]: a plugin's process, from the magic cookie to the last log line. [`Plugin`](plugin::Plugin) serves.
//! * [`host`]: launching plugins and keeping them up. [`Host`](host::Host) launches; the
//!   [`Supervisor`](host::Supervisor) that it returns dispenses services, and reports states and events of the process.
//!
//! Both ends lend services to each other: an `Arc<dyn X>` in an argument is called back by the peer, one in a result
//! is an object made there, and a method that is not `async` and returns one is a part of the same service, reached without
//! a call. What came from one plugin can be lent to another.
//!
//! A service is called through `Arc<dyn X>`, with the trait in scope: [`calling`] is the page about it. What errors say, and
//! what to do, is on the page [`errors`].
//!
//! # When the other side dies
//!
//! The host's handles outlive the process behind them. The program is started again, at once or after a while
//! ([`RestartPolicy`](host::RestartPolicy)), services that were made by a call are made again by that call, and callers
//! wait for it, to their own deadline. A call that was in flight is repeated if its method is `#[rpc(idempotent)]`; any other
//! fails with an [`Error`] whose [`loss`](Error::loss) says whether it may have run. An error that the implementation
//! answered is never taken for a loss, whatever its code.
//!
//! [`Supervisor::states`](host::Supervisor::states) and [`Supervisor::events`](host::Supervisor::events) report what happens.
//!
//! # Errors
//!
//! A method returns [`Result<T>`](Result), whose [`Error`] has a code and a text as every gRPC peer knows them; or
//! `Result<T, E>` of an enum of your own that [derives `LoopError`](macro@LoopError): the caller then matches on the variant
//! that the implementation returned, and peers that do not know the type see code and text.
//!
//! ```
//! use loop_runtime::prelude::*;
//!
//! /// Why a key was not stored.
//! #[derive(Debug, LoopError)]
//! #[message(package = "acme.kv.v1")]
//! pub enum PutError {
//!     /// There is room for `left` bytes.
//!     #[wire(1, code = ResourceExhausted)]
//!     Full {
//!         #[wire(1)]
//!         left: u64,
//!     },
//!     /// What the boundary itself has to say, such as a lost connection.
//!     #[wire(transport)]
//!     Boundary(Error),
//! }
//!
//! impl std::fmt::Display for PutError {
//!     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
//!         match self {
//!             Self::Full { left } => write!(f, "{left} bytes are left"),
//!             Self::Boundary(error) => error.fmt(f),
//!         }
//!     }
//! }
//!
//! #[loop_service(package = "acme.kv.v1")]
//! pub trait Kv {
//!     async fn put(&self, key: &str, value: &[u8]) -> Result<(), PutError>;
//! }
//! ```
//!
//! # Deadlines, cancellation, metadata
//!
//! There is no deadline unless one is set: [`with_timeout`] and [`with_deadline`] set it for every call inside a future.
//! Dropping the future of a call cancels it, and the future of the handler is dropped in the peer.
//! [`CallOptions`] attach metadata such as `traceparent`, and a handler reads what came with its [`Call`]. All three travel on
//! through nested calls by themselves.
//!
//! # Handlers that block
//!
//! Every call runs as a task on tokio's threads, beside the connections and the health check. A handler that computes for
//! more than some milliseconds, or waits for something that is not a future (a file, a lock that is held for long, a C
//! library), holds one of them; if it holds all of them the plugin looks hung and is killed. Move such work away:
//!
//! ```
//! # use loop_runtime::{Error, Result};
//! async fn digest(data: Vec<u8>) -> Result<u64> {
//!     tokio::task::spawn_blocking(move || data.iter().map(|byte| u64::from(*byte)).sum()).await.map_err(Error::other)
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() { assert_eq!(digest(vec![1, 2]).await.unwrap(), 3); }
//! ```
//!
//! `spawn_blocking` does not end with the call: a cancelled caller does not wait for it, but it runs on. And a plugin
//! needs the multi-threaded runtime (tokio's `rt-multi-thread`, which `#[tokio::main]` takes).
//!
//! # The schema
//!
//! [`wire::Schema::of`] gives the `.proto` text of services, for peers in other languages. With the feature `schema`,
//! `testing::lock_schema` holds committed files to it: a test that fails when the wire changes, and says whether peers that
//! know the older form would notice (a field renumbered or of another type, a method gone) or not (a method, an optional
//! field). Arguments in another order are among the first: without `#[wire(N)]` they are numbered by position.
//!
//! # Logs
//!
//! What a plugin logs, with `tracing` or `log`, and what it prints arrives in the host's `tracing` subscriber, or in a host in Go:
//! [how a plugin logs](plugin#logs), and [what a host sees, and how it filters](host#logs).
//!
//! # Processor time
//!
//! A process whose connections are silent sleeps, but for the health check, which is one small call a tick. A connection with
//! small calls in quick succession polls its socket for up to 0.1 ms before its reader sleeps, and lets every other
//! task of the thread have its turn meanwhile. It does so only while it measures that messages come at least a quarter
//! earlier for it: then a busy connection can show as a busy thread, and its calls take a fraction of their time.
//!
//! # Features
//!
//! | feature | default | what |
//! |---|---|---|
//! | `auto-mtls` | no | go-plugin's AutoMTLS: `Host::auto_mtls`, and plugins for hosts that insist on it. Builds aws-lc, which needs a C compiler, and whose first random number takes tens of milliseconds of a process's start unless it is built with `AWS_LC_SYS_NO_JITTER_ENTROPY=1` |
//! | `metrics-endpoint` | no | `/metrics` of a LOOP plugin, on the port that a Chainlink node names |
//! | `mux` | no | [`Host::multiplexed`](host::Host): one socket for all connections of a plugin, as go-plugin does it with yamux; plugins do so if their host asks for it |
//! | `schema` | no | `testing::lock_schema`, for tests: your `.proto` files are held to the traits, and each change is reported with whom it breaks. Builds a parser of protobuf |
//! | `sha256` | no | `Command::sha256`: a program is started only if its digest is the given one |
//!
//! # Platforms
//!
//! Linux is tested. Other Unix systems get a portable path, which is tested on Linux. Windows is refused at compile time.
//! What differs, and how long plugins outlive a host that is killed, is on the page [`platforms`].
//!
//! [go-plugin]: https://github.com/hashicorp/go-plugin

#![warn(unreachable_pub)]
#![deny(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

extern crate self as loop_runtime;

mod broker;
#[doc = include_str!("calling.md")]
pub mod calling {}
#[doc = include_str!("errors.md")]
pub mod errors {}
mod context;
mod error;
mod handshake;
pub mod host;
mod lived;
#[cfg(test)]
mod model;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod parsers;
#[doc = include_str!("platforms.md")]
pub mod platforms {}
pub mod plugin;
pub mod prelude;
mod proto;
mod reattach;
mod service;
mod socket_dir;
mod stdio;
pub mod streaming;
mod sync;
mod sys;
pub mod testing;
mod transport;
pub mod wire;

pub use context::{Call, CallOptions, with_deadline, with_timeout};
pub use error::{Code, Error, ErrorKind, LoopError, Loss, Result};
pub use handshake::Handshake;

pub use loop_macros::{LoopError, LoopMessage, loop_service};
pub use service::{health, times_made};
pub use streaming::Streaming;
pub use wire::LoopMessage;

#[cfg(not(unix))]
compile_error!("loop-runtime needs Unix sockets and processes: Windows is not supported");

/// For generated code only; nothing here is stable.
#[doc(hidden)]
pub mod __private {
    pub use crate::error::{Code, Error, LoopError, Transport, typed_error};
    pub use crate::service::{
        Answer, Answers, AnswersWhole, Argument, BoxFuture, Call, Component, Incoming, Method, Names, Outcome,
        Outgoing, Parameter, Refused, Remote, Reply, ReplyPart, Service, Starts, StreamItem, Tree, WholeOutcome,
        WholeReply, any_carries, borrowed, constructs, first, own_release, remote_of,
    };
    pub use crate::wire::{self, FieldSpec, FieldType, RequestShape, Schema, ServiceBuilder};
}
