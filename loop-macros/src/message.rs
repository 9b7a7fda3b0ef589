//! `derive(LoopMessage)`: from a type to its encoding.
//!
//! Parse into a model, check, emit, as in [`crate::service`]. After an error the type still gets impls, by
//! [`fallback`], so that only the mistake is reported and not every use of the type.

pub(crate) mod check;
pub(crate) mod emit;
pub(crate) mod fallback;
pub(crate) mod form;
pub(crate) mod model;
mod number;
pub(crate) mod options;
pub(crate) mod parse;
pub(crate) mod probe;
#[cfg(test)]
mod tests;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Fields};

use crate::diag::Errors;
use crate::service::model::lints;

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
    if message.is_some() && errors.is_empty() {
        return sound(item);
    }
    let (errors, fallback) = (errors.into_tokens(), fallback::fallback(&item));
    let probes = message.filter(|_| item.generics.params.is_empty()).map(|message| probe::probes(&message));
    quote!(#errors #fallback #probes)
}

/// Emits a type without mistakes.
fn sound(mut item: DeriveInput) -> TokenStream {
    derived(&mut item);
    let message = parse::message(&item, &mut Errors::default());
    message.map(|message| emit::emit(&message, &lints_of(&item))).unwrap_or_default()
}

/// Gives deprecated items the span of the derive: rustc then does not warn about them, as for its own derives. Only
/// after all checks, whose errors need the user's spans.
pub(crate) fn derived(item: &mut DeriveInput) {
    let deprecated = is_deprecated(&item.attrs);
    mark(&mut item.ident, deprecated);
    match &mut item.data {
        Data::Struct(data) => mark_fields(&mut data.fields, deprecated),
        Data::Enum(data) => data.variants.iter_mut().for_each(|variant| {
            let deprecated = deprecated || is_deprecated(&variant.attrs);
            mark(&mut variant.ident, deprecated);
            mark_fields(&mut variant.fields, deprecated);
        }),
        Data::Union(_) => {}
    }
}

fn is_deprecated(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| attr.path().is_ident("deprecated"))
}

fn mark_fields(fields: &mut Fields, deprecated: bool) {
    for field in fields {
        let deprecated = deprecated || is_deprecated(&field.attrs);
        if let Some(ident) = &mut field.ident {
            mark(ident, deprecated);
        }
    }
}

fn mark(ident: &mut Ident, deprecated: bool) {
    if deprecated {
        ident.set_span(Span::call_site().located_at(ident.span()));
    }
}

/// The lints that the user allows on the type or on a part of it.
pub(crate) fn lints_of(item: &DeriveInput) -> TokenStream {
    let fields = |fields: &Fields| fields.iter().flat_map(|field| field.attrs.clone()).collect::<Vec<_>>();
    let parts = match &item.data {
        Data::Struct(data) => fields(&data.fields),
        Data::Enum(data) => {
            data.variants.iter().flat_map(|variant| [variant.attrs.clone(), fields(&variant.fields)].concat()).collect()
        }
        Data::Union(_) => Vec::new(),
    };
    lints(item.attrs.iter().chain(&parts))
}
