//! The service as its contract shows it: names, numbers, doc comments.

use proc_macro2::TokenStream;
use quote::quote;

use super::service::object;
use super::{answers, cfgs, field_spec, table_name};
use crate::service::docs;
use crate::service::model::{Method, Service};

/// Emits `fn schema`: parents and components first, so that a file reads from the basic services up.
pub(super) fn schema(service: &Service<'_>, calls: &[&Method<'_>]) -> TokenStream {
    let (runtime, docs) = (&service.runtime, docs::docs(&service.item.attrs));
    let parents = service.parents.iter().map(|parent| object(parent));
    let components = service.accessors.iter().map(|accessor| {
        let (cfgs, component) = (cfgs(&accessor.item.attrs), accessor.component);
        quote!(#(#cfgs)* <#component as #runtime::Component>::schema(schema);)
    });
    let own = (!calls.is_empty()).then(|| {
        let methods = calls.iter().map(|method| rpc(runtime, method));
        quote! {
            if let ::core::option::Option::Some(mut service) = schema.service(Self::NAME, #docs) {
                #(#methods)*
            }
        }
    });
    quote! {
        fn schema(schema: &mut #runtime::Schema) {
            #(<#parents as #runtime::Service>::schema(schema);)*
            #(#components)*
            #own
        }
    }
}

fn rpc(runtime: &TokenStream, method: &Method<'_>) -> TokenStream {
    let (cfgs, docs, table) = (cfgs(&method.item.attrs), docs::docs(&method.item.attrs), table_name(method.ident()));
    let named = |given: &Option<syn::LitStr>, suffix: &str| match given {
        Some(name) => name.value(),
        None => format!("{}{suffix}", method.rpc.text),
    };
    let (request, reply) = (named(&method.options.request, "Request"), named(&method.options.reply, "Reply"));
    let arguments = method.numbered().map(|(number, argument)| {
        let (part, spec) = (argument.part, field_spec(runtime, number, argument));
        quote!((#spec, #runtime::Argument::<#part>::field_type(service.schema())))
    });
    let (rpc, idempotent) = (&method.rpc.text, method.options.idempotent.is_some());
    let answers = answers(runtime, method);
    let reply = match method.options.whole {
        Some(_) => quote!(#runtime::RequestShape::Whole(#answers::message(service.schema()))),
        None => {
            quote!(#runtime::RequestShape::Fields { name: #reply, fields: #answers::fields(#table.reply, service.schema()) })
        }
    };
    quote! {
        #(#cfgs)*
        {
            let fields = ::std::vec![#(#arguments),*];
            let reply = #reply;
            service.method(#rpc, #docs, #idempotent, #runtime::RequestShape::Fields { name: #request, fields }, reply);
        }
    }
}
