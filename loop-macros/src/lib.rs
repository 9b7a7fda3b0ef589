//! `#[loop_service]` and `derive(LoopMessage)`: entry points and their documentation only.
//!
//! Users reach both through `loop-runtime`, which re-exports them. The logic works on `proc_macro2`, so that unit tests
//! can call it.

mod attr;
mod case;
mod diag;
mod message;
mod service;

use proc_macro::TokenStream;

/// Declares a plugin service: the trait stays an ordinary trait, and its calls may be answered by another process.
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
/// * An enum without data is an enum, with a variant numbered 0. `#[wire(unknown)] Other(i32)` keeps numbers that have no
///   name; without it they are refused.
/// * An enum with data is a message with one `oneof`. `#[wire(unknown)] Unset` stands for a message in which no known case
///   came; without it that is refused. A variant without data is a `google.protobuf.Empty`, one with named fields a message
///   of its own.
///
/// On the type, `#[message(..)]` takes `package` (without it, that of the service that names the message), `name`,
/// `reserved(4, 7..=9)`, `oneof = ".."` (what the oneof of an enum with data is called; `kind`), `text` (newtypes: what a
/// refused value answers, `{n}` being the number or length that came) and `crate`.
///
/// On fields and variants, `#[wire(N, ..)]` takes `name` (the name in the schema), `text` (as above, for this field) and
/// on fields `nanos` (a `Duration` that is an `int64` of nanoseconds), `default` (a value that did not come is
/// `Default::default()` also where it would be refused), `skip` (not on the wire at all) and `oneof` (an enum with data,
/// or an `Option` of one, whose cases are fields of this message).
#[proc_macro_derive(LoopMessage, attributes(wire, message))]
pub fn loop_message(item: TokenStream) -> TokenStream {
    message::expand(item.into()).into()
}
