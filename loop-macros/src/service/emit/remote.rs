//! The client: the trait for the runtime's one remote type, and the constants that describe its methods.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::erased::async_signature;
use super::{answers, cfgs, implemented, local, table_name, types};
use crate::service::model::{Argument, Method, Service};

/// Emits `const __LATEST: Method = ..;` for each method, and `impl X for Remote`.
pub(super) fn remote(service: &Service<'_>) -> TokenStream {
    let (runtime, ident) = (&service.runtime, service.ident());
    let calls = || service.methods.iter().filter(|method| method.options.start.is_none());
    let tables = calls().map(|method| table(service, method));
    let methods = service.methods.iter().map(|method| {
        let (cfgs, signature, body) = (cfgs(&method.item.attrs), async_signature(method), body(runtime, method));
        quote!(#(#cfgs)* #signature { #body })
    });
    let accessors = service.accessors.iter().map(|accessor| {
        let (cfgs, component, name) =
            (cfgs(&accessor.item.attrs), accessor.component, implemented(&accessor.item.sig.ident));
        quote!(#(#cfgs)* fn #name(&self) -> #component { <#component as #runtime::Component>::of(self) })
    });
    quote! {
        #(#tables)*
        #[doc(hidden)]
        #[automatically_derived]
        impl #ident for #runtime::Remote {
            #(#methods)*
            #(#accessors)*
        }
    }
}

/// Encode first, then call: what is borrowed is not needed any more, and a repeat needs no clone.
fn body(runtime: &TokenStream, method: &Method<'_>) -> TokenStream {
    let result = method.result;
    if method.options.start.is_some() {
        return quote_spanned!(result.span()=> <#result as #runtime::Outcome>::join(::core::result::Result::Ok(())));
    }
    let (out, table) = (local("out"), table_name(method.ident()));
    let puts = method.numbered().map(|(number, argument)| {
        let Argument { ident, part, .. } = argument;
        let reference = (!argument.borrowed()).then(|| quote!(&));
        quote!(#runtime::Argument::<#part>::put(#reference #ident, #number, &mut #out);)
    });
    let answers = answers(runtime, method);
    quote! {
        let mut #out = #runtime::Outgoing::new();
        #(#puts)*
        #answers::call(self, &#table, #out).await
    }
}

fn table(service: &Service<'_>, method: &Method<'_>) -> TokenStream {
    let (runtime, options) = (&service.runtime, &method.options);
    let (cfgs, constant, rpc) = (cfgs(&method.item.attrs), table_name(method.ident()), &method.rpc.text);
    let path = format!("/{}/{rpc}", service.full_name);
    let flags = [&options.idempotent, &options.replay, &options.release, &options.singleton].into_iter().flatten();
    let reply = reply_fields(runtime, method).map(|fields| quote!(.reply(const { &[#fields] })));
    let carries = carries(runtime, method);
    quote! {
        #(#cfgs)*
        const #constant: #runtime::Method = #runtime::Method::new(#path, #rpc) #(.#flags())* .carries(#carries) #reply;
    }
}

/// Whether a service travels with the call is for the types to say; the macro only asks them.
///
/// This is also the one place where a type without the needed impl is refused. Everywhere else the types are handled
/// through [`Argument`] and `Answers`, which accept any, so that rustc reports each mistake once.
fn carries(runtime: &TokenStream, method: &Method<'_>) -> TokenStream {
    let result = method.result;
    let arguments = method.arguments.iter().map(|Argument { part, .. }| quote!(<#part as #runtime::Part>::CARRIES));
    let outcome = if method.options.whole.is_some() { quote!(WholeOutcome) } else { quote!(Outcome) };
    quote!(#(#arguments ||)* <#result as #runtime::#outcome>::CARRIES)
}

/// Given by `returns(..)`, or `value` for a visible single value; several values are numbered by the runtime.
fn reply_fields(runtime: &TokenStream, method: &Method<'_>) -> Option<TokenStream> {
    if method.options.whole.is_some() {
        return None;
    }
    if let Some((_, fields)) = &method.options.returns {
        let specs = fields.iter().map(|field| {
            let (name, number) = (field.name.to_string(), field.number.value);
            quote!(#runtime::FieldSpec::new(#number, #name))
        });
        return Some(quote!(#(#specs),*));
    }
    let single = !matches!(types::success(method.result), Some(Type::Tuple(_)));
    single.then(|| quote!(#runtime::FieldSpec::new(1, "value")))
}
