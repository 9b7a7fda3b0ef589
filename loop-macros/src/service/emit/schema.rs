//! The schema of the service: names, numbers, doc comments.

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
        quote!(#(#cfgs)* <#component as #runtime::Component>::schema(__schema);)
    });
    let own = (!calls.is_empty()).then(|| {
        let methods = calls.iter().map(|method| rpc(runtime, method));
        quote! {
            let __name = <Self as #runtime::Service>::NAME;
            if let ::core::option::Option::Some(mut __service) = #runtime::Schema::service(__schema, __name, #docs) {
                #(#methods)*
            }
        }
    });
    quote! {
        fn schema(__schema: &mut #runtime::Schema) {
            #(<#parents as #runtime::Service>::schema(__schema);)*
            #(#components)*
            #own
        }
    }
}

fn rpc(runtime: &TokenStream, method: &Method<'_>) -> TokenStream {
    let (cfgs, docs, table) = (cfgs(&method.item.attrs), docs::docs(&method.item.attrs), table_name(method));
    let named = |given: &Option<syn::LitStr>, suffix: &str| match given {
        Some(name) => name.value(),
        None => format!("{}{suffix}", method.rpc.text),
    };
    let (request, reply) = (named(&method.options.request, "Request"), named(&method.options.reply, "Reply"));
    let arguments = method.numbered().map(|(number, argument)| {
        let (part, spec) = (argument.part, field_spec(runtime, number, argument));
        quote!((#spec, #runtime::Argument::<#part>::field_type(#runtime::ServiceBuilder::schema(&mut __service))))
    });
    let (rpc, idempotent) = (&method.rpc.text, method.options.idempotent.is_some());
    let answers = answers(runtime, method);
    let reply = match method.options.whole {
        Some(_) => {
            quote!(#runtime::RequestShape::Whole(#answers::message(#runtime::ServiceBuilder::schema(&mut __service))))
        }
        None => {
            let fields = quote!(#answers::fields(#table.reply, #runtime::ServiceBuilder::schema(&mut __service)));
            quote!(#runtime::RequestShape::Fields { name: #reply, fields: #fields })
        }
    };
    quote! {
        #(#cfgs)*
        {
            let __request = #runtime::RequestShape::Fields { name: #request, fields: ::std::vec![#(#arguments),*] };
            let __reply = #reply;
            let __streams = (#table.client_streaming, #table.server_streaming);
            #runtime::ServiceBuilder::method(&mut __service, #rpc, #docs, #idempotent, __streams, __request, __reply);
        }
    }
}
