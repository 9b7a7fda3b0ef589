//! `#[loop_service]`, `derive(LoopMessage)` and `derive(LoopError)`: entry points and their documentation only.
//!
//! Users reach them through `loop-runtime`, which re-exports them. The logic works on `proc_macro2`, so that unit tests
//! can call it.

#![forbid(unsafe_code)]
#![warn(unreachable_pub)]
#![deny(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod attr;
mod case;
mod diag;
mod error;
#[cfg(test)]
mod expansions;
mod message;
mod service;

use proc_macro::TokenStream;

/// Declares a plugin service: the trait stays an ordinary trait, and its calls may be handled by another process.
///
/// ```
/// # use std::sync::Arc;
/// # use loop_runtime::{LoopMessage, Result, loop_service};
/// # #[derive(LoopMessage)]
/// # struct Head { #[wire(1)] height: u64 }
/// # #[loop_service(package = "acme.relayer.v1")]
/// # trait Reader { async fn read(&self, key: &str) -> Result<Vec<u8>>; }
/// # #[loop_service(package = "acme.relayer.v1")]
/// # trait Keystore { async fn sign(&self, digest: &[u8]) -> Result<Vec<u8>>; }
/// /// Access to one chain.
/// #[loop_service(package = "acme.relayer.v1")]
/// pub trait Relayer {
///     /// A call.
///     #[rpc(idempotent)]
///     async fn latest_head(&self) -> Result<Head>;
///     /// A constructor: the handle that it returns survives the process behind it.
///     async fn new_reader(&self, address: &str, keys: Arc<dyn Keystore>) -> Result<Arc<dyn Reader>>;
///     /// A part of the same object: no call.
///     fn keystore(&self) -> Arc<dyn Keystore>;
/// }
/// ```
///
/// An implementation is an ordinary `impl Relayer for Evm { async fn latest_head(&self) -> Result<Head> { .. } .. }`. Call
/// it through `Arc<dyn Relayer>`, with the trait imported; a bare `&dyn Relayer` cannot be called.
///
/// Arguments are data (owned, or behind one `&`), `Arc<dyn S>`, `Option<Arc<dyn S>>` or `Vec<Arc<dyn S>>` of a service
/// `S`. Results are `Result<T>`, or `Result<T, E>` with an `E` that derives `LoopError`, of `()`, data, `Arc<dyn S>`,
/// or a tuple of these with at most one service. One argument, and the whole result, may be a
/// [`Streaming`](https://docs.rs/loop-runtime/latest/loop_runtime/streaming/index.html) of data. Supertraits are services. A service as an argument is lent for as long
/// as the callee holds it; a service as a result is owned by the caller.
///
/// On the trait, `#[loop_service(..)]` takes `package`, `name` (default: the trait's name) and `crate` (the path of the
/// runtime, default: `::loop_runtime`). On methods, `#[rpc(..)]` takes
///
/// * `idempotent`: running twice has the same effect as once, so the call is retried after a loss;
/// * `replay`: a set-up call, repeated on every object that replaces the one it was made on;
/// * `release`: releases the object; sent when the last handle that owns it is dropped;
/// * `singleton`: a constructor whose new object replaces the older one, [as below](#singletons);
/// * `once`: a constructor whose object is not recreated when it is lost: its handle fails from then on, and the caller
///   makes a new one. For objects with state that the constructor's arguments cannot restore;
/// * `start`: a local method with a default body, called once before the object is first served, never over the wire;
/// * `resubscribe`: a stream in the result goes on after a loss: the same request is sent to the next process;
/// * `whole`: the message is itself the reply, or the item of a stream, not field 1 of one;
/// * `returns(relayerID = 1, info = 2)`: names and numbers of the reply's fields;
/// * `name`, `request`, `reply`: names of an existing contract, such as `request = "google.protobuf.Empty"`.
///
/// Options may be behind `#[cfg_attr(..)]`, if the method is valid with and without them.
///
/// On arguments, `#[wire(N, ..)]` takes the field number (default: by position), `name`, `text` (the error text for a
/// refused value, where `{n}` is what was received) and `dial` (the name of a lent service when dialling it fails).
///
/// # Singletons
///
/// A host in Go that has lost its connection to an object calls the constructor again, in a live plugin that still has
/// the first object. With `singleton` there is one at a time: the new object is constructed, the older one is released
/// (by its `release` method, for at most 1 s) and disconnected, and then the new one is started and served. So a
/// constructor that fails does not affect the older object; and what only one can hold (a port, a file lock, a
/// background task) belongs in the `start` method, because the older object still holds it while the new one is
/// constructed. When `start` fails, the older one has ended already.
///
/// A host of this runtime sends which handle a constructor is called for, and each handle has an object of its own,
/// singleton or not. The object that such a handle has lost ends before the next one is constructed.
///
/// All mistakes are reported in one run, each once, on its token. Beside the trait, one hidden trait is
/// emitted; nothing else is visible.
#[proc_macro_attribute]
pub fn loop_service(options: TokenStream, item: TokenStream) -> TokenStream {
    service::expand(options.into(), item.into()).into()
}

/// Gives a type its form on the protobuf wire.
///
/// ```
/// # use loop_runtime::LoopMessage;
/// /// The newest block.
/// #[derive(LoopMessage)]
/// #[message(package = "acme.relayer.v1", reserved(4, 7..=9))]
/// struct Head {
///     #[wire(1)]
///     height: u64,
///     #[wire(2, text = "invalid hash len {n}: must be 32")]
///     hash: [u8; 32],
///     #[wire(3)]
///     parent: Option<Box<Head>>,
/// }
/// ```
///
/// * A struct with named fields is a message; every field has its number. A nested message must come, unless it is in an
///   `Option`.
/// * A struct with one unnamed field is written as that field alone is.
/// * An enum without data is an enum, with a variant numbered 0; numbers may be negative. `#[wire(unknown)] Other(i32)` keeps
///   numbers that have no name; without it they are refused.
/// * An enum with data is a message with one `oneof`. `#[wire(unknown)] Unset` stands for a message in which no known case
///   came; without it that is refused. A variant without data is a `google.protobuf.Empty`, one with named fields a message
///   of its own.
///
/// On the type, `#[message(..)]` takes `package` (default: that of the service that uses the message), `name`,
/// `reserved(4, 7..=9)`, `oneof = ".."` (the name of the oneof of an enum with data, default: `kind`), `text`
/// (newtypes: the error text for a refused value, where `{n}` is the number or length received) and `crate`.
///
/// On fields and variants, `#[wire(N, ..)]` takes `name` (the name in the schema), `text` (as above, for this field) and
/// on fields `nanos` (a `Duration` that is an `int64` of nanoseconds), `default` (a missing value is
/// `Default::default()` also where it would be refused), `skip` (not on the wire at all) and `oneof` (an enum with data,
/// or an `Option` of one, whose cases are fields of this message). A variant of an enum without data takes `alias("..")`,
/// further names of its number.
///
/// A field of the type `loop_runtime::wire::UnknownFields` has no number: it keeps what the message does not know.
///
/// # Other forms of a value
///
/// A contract may ask for another form than the one that the type has by itself. These options are about single values, and in
/// a list, a set, an `Option` and the values of a map about each of them. On variants they are about the one value that the
/// variant holds; arguments of methods do not take them.
///
/// | option | on | in protobuf |
/// |---|---|---|
/// | `sint` | `i8`, `i16`, `i32`; `i64` | `sint32`; `sint64` |
/// | `fixed` | `u8`, `u16`, `u32`; `u64`; `i8`, `i16`, `i32`; `i64` | `fixed32`; `fixed64`; `sfixed32`; `sfixed64` |
/// | `wrapped` | `f64`, `f32`, `i64`, `u64`, `i32`, `u32`, `bool`, `String`, `Vec<u8>`, `Bytes` | `google.protobuf.DoubleValue` and so on |
/// | `key = sint`, `key = fixed` | a map with such keys | the same of the keys |
/// | `unpacked` | a list of numbers or enums | `[packed = false]`; either is read in any case |
/// | `with = module` | any type | what the module says |
///
/// # Types of others
///
/// `with = module` gives a type a form that neither it nor this crate knows, as `serde` does it. The module, at any path, has a
/// type `Wire`, which is one that can be a field; `to_wire`, the way there; and `from_wire`, the way back, whose error
/// refuses the value, with its own text (cut at 256 bytes) or that of the field.
///
/// ```
/// # use loop_runtime::LoopMessage;
///
/// /// JSON as its text.
/// mod as_json {
///     use serde_json::Value;
///
///     pub type Wire = String;
///
///     pub fn to_wire(value: &Value) -> Wire {
///         value.to_string()
///     }
///
///     pub fn from_wire(wire: Wire) -> Result<Value, serde_json::Error> {
///         serde_json::from_str(&wire)
///     }
/// }
///
/// #[derive(LoopMessage)]
/// struct Report {
///     #[wire(1, with = as_json)]
///     details: serde_json::Value,
///     #[wire(2, with = as_json)]
///     history: Vec<serde_json::Value>,
///     #[wire(3, with = as_json, default)]
///     extra: serde_json::Value,
/// }
/// ```
///
/// The functions are for what is in it, if the type of the field is written as `Option`, `Vec`, `VecDeque`, `Box<[T]>`, a set or a
/// map of the standard library, of which they convert the values; else for the type as a whole. The name of a type alias is a
/// whole: `type Tags = Vec<String>` can be one string. Likewise `uuid::Uuid` may be `[u8; 16]`, `chrono::DateTime<Utc>` a
/// `SystemTime`, `chrono::TimeDelta` a `wire::SignedDuration`, `url::Url` a `String`. Arguments and results of methods take such
/// types in a message.
#[proc_macro_derive(LoopMessage, attributes(wire, message))]
pub fn loop_message(item: TokenStream) -> TokenStream {
    message::expand(item.into()).into()
}

/// Lets an error type cross the boundary: the caller in another process gets the same variant that the
/// implementation returned.
///
/// ```
/// # use loop_runtime::{Error, LoopError, Result, loop_service};
/// /// Why a transaction was not taken.
/// #[derive(Debug, LoopError, thiserror::Error)]
/// #[message(package = "acme.ledger.v1")]
/// pub enum SubmitError {
///     #[error("{needed} needed, {available} available")]
///     #[wire(1, code = FailedPrecondition)]
///     InsufficientFunds {
///         #[wire(1)]
///         needed: u64,
///         #[wire(2)]
///         available: u64,
///     },
///     #[error("no such account")]
///     #[wire(2, code = NotFound)]
///     UnknownAccount,
///     /// What the boundary itself has to say: a lost connection, a deadline, a method that is not there.
///     #[error(transparent)]
///     #[wire(transport)]
///     Boundary(Error),
/// }
///
/// #[loop_service(package = "acme.ledger.v1")]
/// pub trait Ledger {
///     async fn submit(&self, account: &str, amount: u64) -> Result<u64, SubmitError>;
/// }
/// ```
///
/// * It is an enum with `Display`, which gives the message of the status: what a peer sees that does not know the type.
/// * One variant is marked `#[wire(transport)]` and holds a `loop_runtime::Error`. It receives the errors of the
///   boundary, and any error that is none of the other variants: a newer one, one that does not decode, a plain error
///   of a peer in Go. It is forwarded as the wrapped error.
/// * Every other variant has its number, and holds what a variant of a `derive(LoopMessage)` holds. `#[wire(N, ..)]` takes
///   `name`, and `code`, one of `loop_runtime::Code` (default: `Unknown`). A code has its usual effect: permanent ones
///   (`Code::is_permanent`) end the attempts to recreate an object. Hosts in Go take `Unavailable` and
///   `Canceled` for the death of the plugin.
/// * `#[message(..)]` takes `package`, which is required, since an error is recognised by its full name; and `name`,
///   `reserved`, `oneof` and `crate` as for `derive(LoopMessage)`.
///
/// On the wire the error is a message with one oneof in `grpc-status-details-bin`, beside code and message, as in
/// gRPC's richer error model: in Go, `status.FromError(err)` has it among its `Details()`. It is in the exported
/// schema.
///
/// `?` works both ways: `From<Error>` decodes the variant from an error's details, and `From` into `Error` gives what
/// crosses the boundary. The type is a message as well; its transport variant is then written without any case.
#[proc_macro_derive(LoopError, attributes(wire, message))]
pub fn loop_error(item: TokenStream) -> TokenStream {
    error::expand(item.into()).into()
}
