//! The client: the trait for the runtime's one remote type, and the constants that describe its methods.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::erased::{arguments, async_signature};
use super::{answers, cfgs, erased_method, field_spec, implemented, local, table_name, types};
use crate::message::emit::respanned;
use crate::service::model::{Argument, Method, Service};
use crate::service::streams;

/// Emits `const __METHOD_0: Method = ..;` and `fn __call_latest(remote: &Remote, ..) -> BoxFuture<R>` for each method, and
/// `impl X for Remote`.
pub(super) fn remote(service: &Service<'_>) -> TokenStream {
    let (runtime, ident) = (&service.runtime, service.ident());
    let calls = || service.methods.iter().filter(|method| method.options.start.is_none());
    let (tables, clients) =
        (calls().map(|method| table(service, method)), calls().map(|method| client(runtime, method)));
    let methods = service.methods.iter().map(|method| {
        let (cfgs, method) = (cfgs(&method.item.attrs), implementation(runtime, method));
        quote!(#(#cfgs)* #method)
    });
    let accessors = service.accessors.iter().map(|accessor| {
        let (cfgs, component, name) =
            (cfgs(&accessor.item.attrs), accessor.component, implemented(&accessor.item.sig.ident));
        quote!(#(#cfgs)* fn #name(&self) -> #component { <#component as #runtime::Component>::of(self) })
    });
    quote! {
        #(#tables)*
        #(#clients)*
        #[doc(hidden)]
        #[automatically_derived]
        impl #ident for #runtime::Remote {
            #(#methods)*
            #(#accessors)*
        }
    }
}

/// Encodes first, then calls: borrowed arguments are not needed any more, and a retry needs no clone.
///
/// A separate function, because the blanket impl calls it too: if it named `Remote` as an `X`, a supertrait that is
/// no service would be reported once more.
fn client(runtime: &TokenStream, method: &Method<'_>) -> TokenStream {
    let (cfgs, name, arguments) = (cfgs(&method.item.attrs), erased_method(method.ident()), arguments(method));
    let (out, remote, table, result) = (local("out"), local("remote"), table_name(method), method.result);
    let puts = method.numbered().map(|(number, argument)| {
        let (ident, part) = (argument.bound(), argument.part);
        let put = if argument.borrowed() { quote!(put) } else { quote!(give) };
        let spec = field_spec(runtime, number, argument);
        quote!(#runtime::Argument::<#part>::#put(#ident, &#spec, &mut #out);)
    });
    let answers = answers(runtime, method);
    quote! {
        #(#cfgs)*
        fn #name<'a>(#remote: &'a #runtime::Remote #(, #arguments)*) -> #runtime::BoxFuture<'a, #result> {
            let mut #out = #runtime::Outgoing::new();
            #(#puts)*
            #answers::call(#remote, &#table, #out)
        }
    }
}

/// No `async fn`: the future is boxed already, and a named type is cheaper to check than an opaque future.
fn implementation(runtime: &TokenStream, method: &Method<'_>) -> TokenStream {
    let result = method.result;
    if method.options.start.is_some() {
        let signature = async_signature(method);
        let nothing =
            quote_spanned!(result.span()=> <#result as #runtime::Outcome>::join(::core::result::Result::Ok(())));
        return quote!(#signature { #nothing });
    }
    let (name, client, arguments) = (implemented(method.ident()), erased_method(method.ident()), arguments(method));
    let passed = method.arguments.iter().map(Argument::bound);
    quote!(fn #name(&self #(, #arguments)*) -> #runtime::BoxFuture<'_, #result> { #client(self #(, #passed)*) })
}

fn table(service: &Service<'_>, method: &Method<'_>) -> TokenStream {
    let (runtime, options) = (&service.runtime, &method.options);
    let (cfgs, constant, rpc) = (cfgs(&method.item.attrs), table_name(method), &method.rpc.text);
    let path = format!("/{}/{rpc}", service.full_name);
    let flags = [&options.idempotent, &options.replay, &options.release, &options.singleton, &options.once];
    let flags = flags.into_iter().flatten();
    let reply = reply_fields(runtime, method).map(|fields| quote!(.reply(const { &[#fields] })));
    let (carries, streams) = (carries(runtime, method), streaming(runtime, method));
    quote! {
        #(#cfgs)*
        const #constant: #runtime::Method =
            #runtime::Method::new(#path, #rpc) #(.#flags())* .carries(#carries) #streams #reply;
    }
}

/// Whether a service travels with the call is decided by the types, not by the macro.
///
/// This is also the only place where a type without the required impl is refused. Everywhere else the types are handled
/// through [`Argument`] and `Answers`, which accept any, so that rustc reports each mistake once.
fn carries(runtime: &TokenStream, method: &Method<'_>) -> TokenStream {
    let result = method.result;
    let arguments =
        method.arguments.iter().map(|Argument { part, .. }| quote!(|| <#part as #runtime::Parameter>::CARRIES));
    let outcome = if method.options.whole.is_some() { quote!(WholeOutcome) } else { quote!(Outcome) };
    let carried = quote!(<#result as #runtime::#outcome>::CARRIES);
    let carried = match &method.options.once {
        Some(word) => {
            let runtime = respanned(runtime, word.span());
            quote_spanned!(word.span()=> #runtime::constructs(#carried))
        }
        None => carried,
    };
    quote!(#carried #(#arguments)*)
}

/// Which arguments are streams, and whether the result is one, is decided by the types too.
fn streaming(runtime: &TokenStream, method: &Method<'_>) -> TokenStream {
    let arguments = method.arguments.iter().map(|argument| {
        let part = argument.part;
        let streams = quote!(<#part as #runtime::Parameter>::STREAMS);
        if argument.borrowed() { quote!(#runtime::borrowed(#streams)) } else { streams }
    });
    let outcome = if method.options.whole.is_some() { quote!(WholeOutcome) } else { quote!(Outcome) };
    let result = method.result;
    let resubscribe = method.options.resubscribe.as_ref().map(|word| quote_spanned!(word.span()=> .resubscribe()));
    quote!(.streams(&[#(#arguments),*], <#result as #runtime::#outcome>::STREAMS) #resubscribe)
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
    let single = !matches!(types::success(method.result).map(streams::within), Some(Type::Tuple(_)));
    single.then(|| quote!(#runtime::FieldSpec::new(1, "value")))
}
