//! The dyn-compatible half of the trait, and what connects it to the other half.

use proc_macro2::TokenStream;
use quote::quote;

use super::{cfgs, erased_method, erased_name, implemented, local, types};
use crate::service::model::{Argument, Method, Service};

/// Emits `pub trait ErasedX { fn __remote(..); fn __latest<'a>(&'a self, id: &'a str) -> BoxFuture<'a, R>; }`.
pub(super) fn declaration(service: &Service<'_>) -> TokenStream {
    let (runtime, vis, erased) = (&service.runtime, &service.item.vis, erased_name(service.ident()));
    let lints = service.lints();
    let methods = service.methods.iter().map(|method| {
        let (cfgs, signature) = (cfgs(&method.item.attrs), erased_signature(runtime, method));
        quote!(#(#cfgs)* #signature;)
    });
    quote! {
        #[doc(hidden)]
        #lints
        #[allow(clippy::all, clippy::pedantic)]
        #vis trait #erased {
            fn __remote(&self) -> ::core::option::Option<&#runtime::Remote>;
            #(#methods)*
        }
    }
}

/// Emits `impl<T: X> ErasedX for T`, the only place where the concrete type is known.
pub(super) fn blanket(service: &Service<'_>) -> TokenStream {
    let (runtime, ident, erased) = (&service.runtime, service.ident(), erased_name(service.ident()));
    let methods = service.methods.iter().map(|method| {
        let (cfgs, signature) = (cfgs(&method.item.attrs), erased_signature(runtime, method));
        let (name, client) = (method.ident(), erased_method(method.ident()));
        let arguments: Vec<_> = method.arguments.iter().map(Argument::bound).collect();
        let run = quote!(::std::boxed::Box::pin(<__T as #ident>::#name(self #(, #arguments)*)));
        if method.options.start.is_some() {
            return quote!(#(#cfgs)* #signature { #run });
        }
        let remote = local("remote");
        // The future of a client is boxed already.
        quote! {
            #(#cfgs)*
            #signature {
                match #runtime::remote_of::<__T, dyn #ident>(self) {
                    ::core::option::Option::Some(#remote) => #client(#remote #(, #arguments)*),
                    ::core::option::Option::None => #run,
                }
            }
        }
    });
    quote! {
        #[doc(hidden)]
        #[automatically_derived]
        impl<__T: #ident> #erased for __T {
            fn __remote(&self) -> ::core::option::Option<&#runtime::Remote> {
                #runtime::remote_of::<__T, dyn #ident>(self)
            }
            #(#methods)*
        }
    }
}

/// Emits `impl<T: ?Sized + X> X for Arc<T>`, so that a handle is the trait.
pub(super) fn shared(service: &Service<'_>) -> TokenStream {
    let (ident, erased) = (service.ident(), erased_name(service.ident()));
    let methods = service.methods.iter().map(|method| {
        let (cfgs, signature, twin) =
            (cfgs(&method.item.attrs), async_signature(method), erased_method(method.ident()));
        let arguments = method.arguments.iter().map(Argument::bound);
        quote!(#(#cfgs)* #signature { #erased::#twin(&**self #(, #arguments)*).await })
    });
    let accessors = service.accessors.iter().map(|accessor| {
        let (cfgs, component, name) = (cfgs(&accessor.item.attrs), accessor.component, &accessor.item.sig.ident);
        let defined = implemented(name);
        quote!(#(#cfgs)* fn #defined(&self) -> #component { #ident::#name(&**self) })
    });
    quote! {
        #[doc(hidden)]
        #[automatically_derived]
        impl<__T: ?::core::marker::Sized + #ident> #ident for ::std::sync::Arc<__T> {
            #(#methods)*
            #(#accessors)*
        }
    }
}

/// `async fn latest(&self, id: &str) -> R`, as the impls for `Arc` and `Remote` have it.
pub(super) fn async_signature(method: &Method<'_>) -> TokenStream {
    let (name, result, arguments) = (implemented(method.ident()), method.result, arguments(method));
    quote!(async fn #name(&self #(, #arguments)*) -> #result)
}

/// `id: &str`, as the trait has it.
pub(super) fn arguments(method: &Method<'_>) -> impl Iterator<Item = TokenStream> {
    method.arguments.iter().map(|argument| {
        let (ident, declared) = (argument.bound(), argument.declared);
        quote!(#ident: #declared)
    })
}

fn erased_signature(runtime: &TokenStream, method: &Method<'_>) -> TokenStream {
    let (twin, result) = (erased_method(method.ident()), method.result);
    let arguments = method.arguments.iter().map(|argument| {
        let (ident, declared) = (argument.bound(), types::name_lifetimes(argument.declared));
        quote!(#ident: #declared)
    });
    quote!(fn #twin<'a>(&'a self #(, #arguments)*) -> #runtime::BoxFuture<'a, #result>)
}
