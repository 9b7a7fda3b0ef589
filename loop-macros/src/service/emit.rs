//! The emitted items, one kind per file. Nothing here fails: everything was checked before.
//!
//! Rules for all of them, each the lesson of a compiler error:
//! * erased methods are called by path, because a parent and a child both have `__remote`;
//! * the impl for `Arc` is written with `async fn`, since no single lifetime is the shortest of all its borrows;
//! * the impls for `Arc` and `Remote` override every method, default bodies included;
//! * a user's type is only ever mentioned as `<Type as Trait>::..` from the user's own tokens, so that rustc underlines
//!   it once and does not point into the expansion;
//! * generated locals have the span [`Span::mixed_site`], so that an argument may have any name, and begin with two
//!   underscores, since a pattern would otherwise match a user's constant nevertheless;
//! * trait items are qualified, `<Self as Service>::NAME`, and methods of values are called by path: a user's trait may
//!   have a method of that name for all types.

mod contract;
mod erased;
mod remote;
mod schema;
mod service;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::model::{Argument, Method, Service, cfgs};
use super::types;
use crate::case;

pub(crate) use contract::{contract, signature};
pub(super) use service::object;

/// The whole expansion of the attribute.
pub(crate) fn emit(mut service: Service<'_>) -> TokenStream {
    let contract = contract(&service, Some(&erased_name(service.ident())));
    let (erased, lints) = (erased::declaration(&service), service.lints());
    // Inside, the runtime has a short name: people read expansions, too.
    let runtime = std::mem::replace(&mut service.runtime, quote!(__rt));
    let (blanket, shared) = (erased::blanket(&service), erased::shared(&service));
    let (remote, service) = (remote::remote(&service), service::service(&service));
    quote! {
        #contract
        #erased
        #lints
        #[allow(refining_impl_trait, clippy::all, clippy::pedantic)]
        const _: () = {
            use #runtime::{self as __rt, Refused as _};
            #blanket
            #shared
            #remote
            #service
        };
    }
}

/// The hidden trait that makes `dyn Trait` callable.
fn erased_name(ident: &Ident) -> Ident {
    format_ident!("__Erased{}", ident, span = Span::mixed_site())
}

/// The name of a method's boxed twin; no method name gives `__remote`, which the hidden trait has too.
fn erased_method(method: &Ident) -> Ident {
    format_ident!("__call_{}", case::plain(method), span = Span::mixed_site())
}

/// A method's name where it is implemented: without the user's span, so that an editor finds one definition, not five.
fn implemented(method: &Ident) -> Ident {
    let mut ident = method.clone();
    ident.set_span(Span::mixed_site());
    ident
}

/// The constant that describes a method. By number, as `get_id` and `get_ID` are the same in upper case.
fn table_name(method: &Method<'_>) -> Ident {
    format_ident!("__METHOD_{}", method.index, span = Span::mixed_site())
}

/// A generated local: it collides with no argument and no constant of the user.
fn local(name: &str) -> Ident {
    format_ident!("__{}", name, span = Span::mixed_site())
}

/// `FieldSpec::new(2, "contract_id").dial("..")` of an argument.
fn field_spec(runtime: &TokenStream, number: u32, argument: &Argument<'_>) -> TokenStream {
    let field = argument.field();
    let text = argument.wire.text.as_ref().map(|text| quote!(.text(#text)));
    let dial = argument.wire.dial.as_ref().map(|dial| quote!(.dial(#dial)));
    quote!(#runtime::FieldSpec::new(#number, #field) #text #dial)
}

/// The runtime's view of a method's result.
fn answers(runtime: &TokenStream, method: &Method<'_>) -> TokenStream {
    let result = method.result;
    match method.options.whole {
        Some(_) => quote!(#runtime::AnswersWhole::<#result>),
        None => quote!(#runtime::Answers::<#result>),
    }
}
