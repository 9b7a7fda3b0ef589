//! The impls that a type with a mistake still gets, so that its uses do not add errors of their own.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Variant};

use crate::diag::Errors;
use crate::message::{fallback as message, options};

/// Emits impls that are never run.
pub(super) fn fallback(item: &DeriveInput) -> TokenStream {
    if matches!(item.data, Data::Union(_)) {
        return TokenStream::new();
    }
    let (ident, of_message) = (&item.ident, message::fallback(item));
    let runtime = quote!(::loop_runtime::__private);
    let generics = message::generics(item);
    let (generics, own, bounds) = generics.split_for_impl();
    let from_error = (!derives_from(item)).then(|| {
        quote! {
            #[automatically_derived]
            impl #generics ::core::convert::From<#runtime::Error> for #ident #own #bounds {
                fn from(_: #runtime::Error) -> Self {
                    ::core::unreachable!()
                }
            }
        }
    });
    quote! {
        #of_message
        #from_error
        #[automatically_derived]
        impl #generics #runtime::LoopError for #ident #own #bounds {
            fn into_error(self) -> #runtime::Error {
                ::core::unreachable!()
            }
            fn from_error(_: #runtime::Error) -> Self {
                ::core::unreachable!()
            }
        }
        #[automatically_derived]
        impl #generics ::core::convert::From<#ident #own> for #runtime::Error #bounds {
            fn from(_: #ident #own) -> Self {
                ::core::unreachable!()
            }
        }
    }
}

/// Whether another derive emits the same `From`, as thiserror does.
fn derives_from(item: &DeriveInput) -> bool {
    let Data::Enum(data) = &item.data else { return false };
    let marked = |variant: &Variant| options::error_variant(&variant.attrs, &mut Errors::default()).transport.is_some();
    let mut fields = data.variants.iter().filter(|variant| marked(variant)).flat_map(|variant| &variant.fields);
    fields.any(|field| field.attrs.iter().any(|attr| attr.path().is_ident("from")))
}
