//! `derive(LoopMessage)`: from a type to its form on the wire.
//!
//! Read into our own model, check, emit, as in [`crate::service`]. After an error the type still gets impls, by
//! [`fallback`], so that the user reads about the mistake alone and not about every use of the type.

pub(crate) mod check;
pub(crate) mod emit;
pub(crate) mod fallback;
pub(crate) mod model;
mod number;
pub(crate) mod options;
pub(crate) mod parse;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use crate::diag::Errors;

/// Expands `#[derive(LoopMessage)] item`.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let item: DeriveInput = match syn::parse2(item) {
        Ok(item) => item,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::default();
    let message = parse::message(&item, &mut errors);
    if let Some(message) = &message {
        check::check(message, &mut errors);
    }
    match message {
        Some(message) if errors.is_empty() => emit::emit(&message),
        _ => {
            let (errors, fallback) = (errors.into_tokens(), fallback::fallback(&item));
            quote!(#errors #fallback)
        }
    }
}
