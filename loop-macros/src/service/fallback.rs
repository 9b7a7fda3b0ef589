//! What is emitted after an error: the trait, and just enough around it that nothing else is reported.
//!
//! Implementations see the same trait as without the mistake, `Arc<dyn Trait>` still has its methods, and `dyn Trait`
//! is still a service. Bodies are never reached, since the crate does not compile.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{ReturnType, TraitItem, TraitItemFn, Type, TypeParamBound};

use super::emit::{contract, signature};
use super::model::{Service, cfgs};
use super::parse::{MARKERS, NOT_DYN};
use super::{probe, types};

/// Emits the trait and stubs for its impls.
pub(crate) fn fallback(service: &Service<'_>) -> TokenStream {
    let (contract, ident, runtime) = (contract(service, None), service.ident(), &service.runtime);
    if !has_dyn(service) {
        return contract;
    }
    let (handles, probes) = (handles(service), probe::probes(service));
    let unreachable = quote!({ ::core::unreachable!() });
    quote! {
        #contract
        #[allow(deprecated, unused_variables, unused_mut, clippy::all, clippy::pedantic)]
        const _: () = {
            #handles
            #probes
            impl #runtime::Service for dyn #ident {
                const NAME: &'static str = "";
                const METHODS: &'static [#runtime::Method] = &[];
                const CARRIES: bool = false;
                const RELEASE: ::core::option::Option<&'static #runtime::Method> = ::core::option::Option::None;
                fn connect(_: #runtime::Remote) -> ::std::sync::Arc<Self> #unreachable
                fn remote(_: &Self) -> ::core::option::Option<&#runtime::Remote> #unreachable
                fn describe(_: &mut #runtime::Names) {}
                fn mount(_: &::std::sync::Arc<Self>, _: &mut #runtime::Tree) {}
                fn dispatch(_: ::std::sync::Arc<Self>, _: &str, _: #runtime::Call) -> ::core::option::Option<#runtime::Answer> #unreachable
                fn schema(_: &mut #runtime::Schema) {}
            }
        };
    }
}

/// Does `dyn Trait` exist, as far as the trait itself shows?
fn has_dyn(service: &Service<'_>) -> bool {
    let item = service.item;
    let not_dyn = |bound: &TypeParamBound| match bound {
        TypeParamBound::Trait(bound) => NOT_DYN.iter().any(|name| bound.path.is_ident(name)),
        _ => false,
    };
    item.generics.params.is_empty()
        && item.generics.where_clause.is_none()
        && item.unsafety.is_none()
        && !item.supertraits.iter().any(not_dyn)
        && item.items.iter().all(|entry| matches!(entry, TraitItem::Fn(_)))
}

/// `impl X for Arc<T>`, and for the runtime's remote type, which the services that inherit from this one need; unless a
/// method has a type that a stub body cannot have.
fn handles(service: &Service<'_>) -> Option<TokenStream> {
    let (ident, runtime) = (service.ident(), &service.runtime);
    let functions = service.item.items.iter().filter_map(|entry| match entry {
        TraitItem::Fn(function) => Some(function),
        _ => None,
    });
    let stand_ins = functions.map(stand_in).collect::<Option<Vec<_>>>()?;
    // With a parent that was refused, the remote type would be reported for it.
    let all_inherit = item_parents(service) == service.parents.len();
    let remote = all_inherit.then(|| {
        quote! {
            impl #ident for #runtime::Remote {
                #(#stand_ins)*
            }
        }
    });
    Some(quote! {
        impl<__T: ?::core::marker::Sized + #ident> #ident for ::std::sync::Arc<__T> {
            #(#stand_ins)*
        }
        #remote
    })
}

/// The number of supertraits that are no markers.
fn item_parents(service: &Service<'_>) -> usize {
    let inherits = |bound: &&TypeParamBound| match bound {
        TypeParamBound::Trait(bound) => {
            bound.path.segments.last().is_some_and(|last| !MARKERS.iter().any(|marker| last.ident == marker))
        }
        _ => false,
    };
    service.item.supertraits.iter().filter(inherits).count()
}

fn stand_in(item: &TraitItemFn) -> Option<TokenStream> {
    let sig = &item.sig;
    let opaque = match &sig.output {
        ReturnType::Type(_, ty) => types::contains(ty, |inner| matches!(inner, Type::ImplTrait(_))),
        ReturnType::Default => false,
    };
    if opaque {
        return None;
    }
    let (cfgs, inputs) = (cfgs(&item.attrs), signature(sig, true));
    let syn::Signature { constness, asyncness, safety, abi, ident, generics, output, .. } = sig;
    let where_clause = &generics.where_clause;
    Some(quote! {
        #(#cfgs)*
        #constness #asyncness #safety #abi fn #ident #generics(#inputs) #output #where_clause { ::core::unreachable!() }
    })
}
