//! The service as its contract shows it: names, numbers, doc comments.

use proc_macro2::TokenStream;
use quote::quote;

use super::service::object;
use super::{cfgs, field_spec, table_name};
use crate::service::docs;
use crate::service::model::{Method, Service};

/// Emits `fn schema`.
pub(super) fn schema(service: &Service<'_>, calls: &[&Method<'_>]) -> TokenStream {
    let (runtime, parents, docs) =
        (&service.runtime, service.parents.iter().map(|parent| object(parent)), docs::docs(&service.item.attrs));
    let components = service.accessors.iter().map(|accessor| {
        let (cfgs, component) = (cfgs(&accessor.item.attrs), accessor.component);
        quote!(#(#cfgs)* <#component as #runtime::Component>::schema(schema);)
    });
    let _ = (calls, docs, table_name, field_spec);
    quote! {
        fn schema(schema: &mut #runtime::Schema) {
            #(<#parents as #runtime::Service>::schema(schema);)*
            #(#components)*
        }
    }
}
