//! `#[loop_service]` and `derive(LoopMessage)`: entry points and their documentation only.
//!
//! Users reach both through `loop-runtime`, which re-exports them. The logic works on `proc_macro2`, so that unit tests
//! can call it.

mod attr;
mod case;
mod diag;
mod service;

use proc_macro::TokenStream;

/// Declares a plugin service: the trait stays an ordinary trait, and its calls may be answered by another process.
#[proc_macro_attribute]
pub fn loop_service(options: TokenStream, item: TokenStream) -> TokenStream {
    service::expand(options.into(), item.into()).into()
}
