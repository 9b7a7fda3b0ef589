//! `derive(LoopError)`: an enum whose variants travel as the cases of a message, except for one that holds the errors
//! of the boundary itself.
//!
//! Read, check and emit as in [`crate::message`], which also has the cases.

mod emit;
mod fallback;
mod parse;
#[cfg(test)]
mod tests;

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{DeriveInput, Type};

use crate::diag::Errors;
use crate::message::model::Message;
use crate::message::{check, derived, lints_of, probe};

/// A type that derives `LoopError`.
struct ErrorType<'a> {
    /// Its variants except the transport's; a oneof.
    message: Message<'a>,
    /// The runtime's root for generated code.
    runtime: TokenStream,
    /// The code of each case, if one was given.
    codes: Vec<(&'a Ident, Option<Ident>)>,
    transport: Transport<'a>,
}

/// The variant that is not the user's own.
struct Transport<'a> {
    ident: &'a Ident,
    ty: &'a Type,
}

/// Expands `#[derive(LoopError)] item`.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let item: DeriveInput = match syn::parse2(item) {
        Ok(item) => item,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::default();
    if read(&item, &mut errors).is_some() && errors.is_empty() {
        return sound(item);
    }
    let (errors, fallback) = (errors.into_tokens(), fallback::fallback(&item));
    let read = parse::error(&item, &mut Errors::default()).filter(|_| item.generics.params.is_empty());
    let probes = read.map(|read| probe::probes(&read.message));
    quote!(#errors #fallback #probes)
}

/// Emits a type without mistakes, as in [`crate::message`].
fn sound(mut item: DeriveInput) -> TokenStream {
    derived(&mut item);
    let error = read(&item, &mut Errors::default());
    error.map(|error| emit::emit(&error, &lints_of(&item))).unwrap_or_default()
}

/// Reads and checks; `None` if something is missing that everything else needs.
fn read<'a>(item: &'a DeriveInput, errors: &mut Errors) -> Option<ErrorType<'a>> {
    let read = parse::error(item, errors)?;
    check::check(&read.message, errors);
    read.complete()
}
