//! `impl Service for dyn X`: how the runtime names, connects, mounts, dispatches and starts it.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned;

use super::{answers, cfgs, erased_method, erased_name, field_spec, local, schema, table_name};
use crate::case;
use crate::service::model::{Argument, Method, Service};

/// Emits the impl.
pub(super) fn service(service: &Service<'_>) -> TokenStream {
    let (runtime, ident, erased, name) =
        (&service.runtime, service.ident(), erased_name(service.ident()), &service.full_name);
    let parents: Vec<_> = service.parents.iter().map(|parent| object(parent)).collect();
    let calls: Vec<_> = service.methods.iter().filter(|method| method.options.start.is_none()).collect();
    let table = calls.iter().map(|method| {
        let (cfgs, constant) = (cfgs(&method.item.attrs), table_name(method));
        quote!(#(#cfgs)* #constant)
    });
    let component_carries = service.accessors.iter().map(|accessor| {
        let (mut cfgs, component) = (cfgs(&accessor.item.attrs).peekable(), accessor.component);
        let carries = quote!(<#component as #runtime::Component>::CARRIES);
        if cfgs.peek().is_none() {
            return carries;
        }
        // An attribute is allowed on a statement, but not on an operand.
        quote!({ let __carries = false; #(#cfgs)* let __carries = #carries; __carries })
    });
    let this = local("this");
    let arms = calls.iter().map(|method| arm(service, method, &this));
    let (mount, start, schema) =
        (mount(service, &parents, calls.is_empty()), start(service, &parents), schema::schema(service, &calls));
    let own = (!calls.is_empty()).then(|| {
        quote! {
            #runtime::Names::service(__names, <Self as #runtime::Service>::NAME, <Self as #runtime::Service>::METHODS);
        }
    });
    let described = service.accessors.iter().map(|accessor| {
        let (cfgs, component) = (cfgs(&accessor.item.attrs), accessor.component);
        quote!(#(#cfgs)* <#component as #runtime::Component>::describe(__names);)
    });
    quote! {
        #[doc(hidden)]
        #[automatically_derived]
        impl #runtime::Service for dyn #ident {
            const NAME: &'static ::core::primitive::str = #name;
            const METHODS: &'static [#runtime::Method] = &[#(#table),*];
            const CARRIES: ::core::primitive::bool = #runtime::any_carries(<Self as #runtime::Service>::METHODS)
                #(|| <#parents as #runtime::Service>::CARRIES)* #(|| #component_carries)*;
            const RELEASE: ::core::option::Option<&'static #runtime::Method> = #runtime::first(&[
                #runtime::own_release(<Self as #runtime::Service>::METHODS), #(<#parents as #runtime::Service>::RELEASE),*
            ]);
            fn connect(__remote: #runtime::Remote) -> ::std::sync::Arc<Self> {
                ::std::sync::Arc::new(__remote)
            }
            fn remote(#this: &Self) -> ::core::option::Option<&#runtime::Remote> {
                #erased::__remote(#this)
            }
            fn describe(__names: &mut #runtime::Names) {
                #own
                #(<#parents as #runtime::Service>::describe(__names);)*
                #(#described)*
            }
            #mount
            fn dispatch(
                #this: ::std::sync::Arc<Self>,
                __method: &::core::primitive::str,
                __call: #runtime::Call,
            ) -> ::core::option::Option<#runtime::Answer> {
                match __method {
                    #(#arms)*
                    _ => ::core::option::Option::None,
                }
            }
            #start
            #schema
        }
    }
}

/// One RPC: decode by type, run, encode by type.
fn arm(service: &Service<'_>, method: &Method<'_>, this: &Ident) -> TokenStream {
    let (runtime, erased) = (&service.runtime, erased_name(service.ident()));
    let (cfgs, rpc, constant) = (cfgs(&method.item.attrs), &method.rpc.text, table_name(method));
    let (lent, owned): (Vec<_>, Vec<_>) = method.numbered().partition(|(_, argument)| argument.borrowed());
    let take = |(number, argument): &(u32, &Argument<'_>)| {
        let (part, spec) = (argument.part, field_spec(runtime, *number, argument));
        quote!(#runtime::Argument::<#part>::take(&#spec, __from)?,)
    };
    let (take_lent, take_owned) = (lent.iter().map(take), owned.iter().map(take));
    let name = |(_, argument): &(u32, &Argument<'_>)| {
        let ident = argument.bound();
        quote!(#ident,)
    };
    let (name_lent, name_owned) = (lent.iter().map(name), owned.iter().map(name));
    let passed = method.arguments.iter().map(|argument| {
        let (ident, part) = (argument.bound(), argument.part);
        match argument.borrowed() {
            true => quote!(#runtime::Argument::<#part>::lend(#ident)),
            false => quote!(#runtime::Argument::<#part>::own(#ident)),
        }
    });
    let nothing = method.arguments.is_empty().then(|| quote!(#runtime::Incoming::nothing(__from)?;));
    let (twin, answers) = (erased_method(method.ident()), answers(runtime, method));
    quote! {
        #(#cfgs)*
        #rpc => #answers::serve(
            __call,
            &#constant,
            #this,
            |__from| {
                #nothing
                ::core::result::Result::Ok(((#(#take_lent)*), (#(#take_owned)*)))
            },
            |#this, (#(#name_lent)*), (#(#name_owned)*)| #erased::#twin(#this #(, #passed)*),
        ),
    }
}

fn mount(service: &Service<'_>, parents: &[TokenStream], no_methods: bool) -> TokenStream {
    let (runtime, ident) = (&service.runtime, service.ident());
    let own = (!no_methods).then(|| {
        quote! {
            let __here = ::core::clone::Clone::clone(__this);
            #runtime::Tree::serve(
                __tree,
                <Self as #runtime::Service>::NAME,
                <Self as #runtime::Service>::METHODS,
                move |__method, __call| {
                    <Self as #runtime::Service>::dispatch(::core::clone::Clone::clone(&__here), __method, __call)
                },
            );
        }
    });
    let components = service.accessors.iter().map(|accessor| {
        let (cfgs, component, name) = (cfgs(&accessor.item.attrs), accessor.component, &accessor.item.sig.ident);
        let text = case::plain(name);
        quote!(#(#cfgs)* <#component as #runtime::Component>::mount(#ident::#name(__this), #text, __tree);)
    });
    quote! {
        fn mount(__this: &::std::sync::Arc<Self>, __tree: &mut #runtime::Tree) {
            #own
            #(<#parents as #runtime::Service>::mount(&(::core::clone::Clone::clone(__this) as ::std::sync::Arc<#parents>), __tree);)*
            #(#components)*
        }
    }
}

/// The hooks of the parents, then its own; one inherited twice runs once.
fn start(service: &Service<'_>, parents: &[TokenStream]) -> TokenStream {
    let (runtime, erased) = (&service.runtime, erased_name(service.ident()));
    let own = service.methods.iter().find(|method| method.options.start.is_some()).map(|method| {
        let (cfgs, twin, result) = (cfgs(&method.item.attrs), erased_method(method.ident()), method.result);
        quote! {
            #(#cfgs)*
            if #runtime::Starts::is_first(__starts, <Self as #runtime::Service>::NAME) {
                <#result as #runtime::Outcome>::split(#erased::#twin(&**__this).await).map_err(#runtime::LoopError::into_error)?;
            }
        }
    });
    if own.is_none() && parents.is_empty() {
        return TokenStream::new();
    }
    quote! {
        fn start<'a>(
            __this: &'a ::std::sync::Arc<Self>,
            __starts: &'a mut #runtime::Starts,
        ) -> #runtime::BoxFuture<'a, ::core::result::Result<(), #runtime::Error>> {
            ::std::boxed::Box::pin(async move {
                #(<#parents as #runtime::Service>::start(&(::core::clone::Clone::clone(__this) as ::std::sync::Arc<#parents>), __starts).await?;)*
                #own
                ::core::result::Result::Ok(())
            })
        }
    }
}

/// `dyn Parent`, all of it at the user's span.
pub(in crate::service) fn object(parent: &Path) -> TokenStream {
    quote_spanned!(parent.span()=> dyn #parent)
}
