//! `#[loop_service]`: from a trait to a plugin boundary.
//!
//! Parse into a model, check, emit. Every step collects its errors and continues; expansion itself cannot fail.
//! After an error the trait is still re-emitted, by [`fallback`], so that implementations and callers keep compiling
//! and only the mistake is reported.

mod argument;
mod check;
mod conditional;
mod data;
pub(crate) mod docs;
mod emit;
mod fallback;
mod function;
mod item;
pub(crate) mod model;
pub(crate) mod options;
mod parse;
mod probe;
mod streams;
#[cfg(test)]
mod tests;
pub(crate) mod types;

use proc_macro2::TokenStream;
use quote::quote;

use crate::diag::Errors;

/// Expands `#[loop_service(options)] item`.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(mut parsed) = item::read(item.clone(), &mut errors) else {
        let errors = errors.into_tokens();
        return quote!(#errors #item);
    };
    let versions = conditional::resolve(&mut parsed);
    let service = parse::service(options, &parsed, &mut errors);
    check::check(&service, &mut errors);
    if errors.is_empty() {
        return emit::emit(service);
    }
    if versions {
        errors.dedup();
    }
    let (errors, fallback) = (errors.into_tokens(), fallback::fallback(&service));
    quote!(#errors #fallback)
}
