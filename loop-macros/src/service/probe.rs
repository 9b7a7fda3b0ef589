//! After a mistake in one place, rustc is still asked about the types in all others, so that their mistakes show in the
//! same run.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{FnArg, ReturnType, TraitItem, TraitItemFn};

use super::emit::object;
use super::model::{Service, cfgs};
use super::{argument, data, options};
use crate::diag::Errors;

/// Emits a constant for each type, parent and accessor about which nothing was reported.
pub(super) fn probes(service: &Service<'_>) -> TokenStream {
    let runtime = &service.runtime;
    let parents = service.parents.iter().map(|parent| {
        let parent = object(parent);
        quote!(const _: ::core::primitive::bool = <#parent as #runtime::Service>::CARRIES;)
    });
    let accessors = service.accessors.iter().map(|accessor| {
        let (cfgs, component) = (cfgs(&accessor.item.attrs), accessor.component);
        quote!(#(#cfgs)* const _: ::core::primitive::bool = <#component as #runtime::Component>::CARRIES;)
    });
    let methods = service.item.items.iter().filter_map(|entry| match entry {
        TraitItem::Fn(item) if item.sig.asyncness.is_some() && item.sig.generics.params.is_empty() => {
            Some(method(runtime, item))
        }
        _ => None,
    });
    quote!(#(#parents)* #(#accessors)* #(#methods)*)
}

fn method(runtime: &TokenStream, item: &TraitItemFn) -> TokenStream {
    let sig = &item.sig;
    let arguments = sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(input) => {
            let mut errors = Errors::default();
            let argument = argument::read(&sig.ident, input, &mut errors);
            argument.filter(|_| errors.is_empty()).map(|argument| (argument.part, "Parameter"))
        }
        FnArg::Receiver(_) => None,
    });
    let result = match &sig.output {
        ReturnType::Type(_, ty) => {
            let mut errors = Errors::default();
            data::check_result(ty, &sig.ident, &mut errors);
            Some(&**ty).filter(|_| errors.is_empty())
        }
        ReturnType::Default => None,
    };
    let options = options::rpc(&item.attrs, &mut Errors::default());
    let whole = options.whole.is_some() && options.reply.is_none() && options.returns.is_none();
    let result = result.map(|ty| (ty, if whole { "WholeOutcome" } else { "Outcome" }));
    arguments
        .chain(result)
        .map(|(ty, way)| {
            let (cfgs, way) = (cfgs(&item.attrs), Ident::new(way, Span::mixed_site()));
            quote!(#(#cfgs)* const _: ::core::primitive::bool = <#ty as #runtime::#way>::CARRIES;)
        })
        .collect()
}
